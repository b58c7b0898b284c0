//! Snapshots: what is published on one day, under a name of its own until somebody removes it.
//!
//! A snapshot is built in the spool, where nobody can see it, and becomes visible by one rename; it vanishes the
//! same way. Its list lies in `state/snapshots` as `NAME.list`; while it is being made or taken away the list is
//! called `NAME.making` or `NAME.going`, so that the next run knows how to end what was begun.

use std::io;

use super::check::{self, Defect, Depth};
use super::cleanup::dismantle;
use super::error::{Doing, PublishError};
use super::generation::write_below;
use super::layout;
use super::look::Look;
use super::manifest::{Entry, EntryKind, Manifest};
use super::opened::Opened;
use super::path::StorePath;
use super::snapshot_list::{Head, Origin, PoolNames};
use super::snapshot_name::SnapshotName;
use super::store::{Kind, Mode};
use super::tree::Tree;
use super::tree_hash::tree_hash;

/// What a snapshot holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    about: SnapshotHead,
    manifest: Manifest,
}

/// What there is to say of a snapshot without looking at its files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SnapshotHead {
    name: SnapshotName,
    head: Head,
}

impl SnapshotHead {
    /// What it is called.
    pub const fn name(&self) -> &SnapshotName {
        &self.name
    }

    /// Why it is there.
    pub const fn origin(&self) -> Origin {
        self.head.origin
    }

    /// The generation that it was made of.
    pub const fn generation(&self) -> u64 {
        self.head.generation
    }

    /// When it was made. Units: seconds since 1970.
    pub const fn created(&self) -> u64 {
        self.head.created
    }

    /// How many packages its indexes list.
    pub const fn packages(&self) -> usize {
        self.head.packages
    }

    /// The size of its packages. Units: bytes.
    pub const fn bytes(&self) -> u64 {
        self.head.bytes
    }

    /// The digest of what it lists, as [`tree_hash`] makes it.
    pub fn tree(&self) -> &str {
        &self.head.tree
    }
}

impl Snapshot {
    /// What there is to say of it.
    pub const fn about(&self) -> &SnapshotHead {
        &self.about
    }

    /// Its files, by path; they have no labels.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.manifest.entries()
    }

    /// The file at a path.
    pub fn entry(&self, path: &StorePath) -> Option<&Entry> {
        self.manifest.entry(path)
    }
}

impl Look {
    /// The names of all snapshots, sorted.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn snapshots(&self) -> Result<Vec<SnapshotName>, PublishError> {
        self.listed_snapshots(layout::SNAPSHOT_LIST)
    }

    /// What there is to say of a snapshot.
    ///
    /// # Errors
    /// - [`PublishError::NoSnapshot`], [`PublishError::Damaged`], [`PublishError::Io`].
    pub fn snapshot_head(&self, name: &SnapshotName) -> Result<SnapshotHead, PublishError> {
        let path = layout::snapshot_list(name, layout::SNAPSHOT_LIST);
        let (head, _) = Head::read(&self.snapshot_bytes(name, &path)?, name, &path)
            .map(|(head, rest)| (head, rest.len()))?;
        Ok(SnapshotHead { name: name.clone(), head })
    }

    /// What a snapshot holds.
    ///
    /// # Errors
    /// - As [`Look::snapshot_head`].
    pub fn snapshot(&self, name: &SnapshotName) -> Result<Snapshot, PublishError> {
        self.snapshot_at(name, layout::SNAPSHOT_LIST, &PoolNames::read(self)?)
    }

    /// Opens a file of a snapshot, as a server does for a client.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn open_in_snapshot(&self, name: &SnapshotName, path: &StorePath) -> Result<Opened, PublishError> {
        let path =
            layout::snapshot(name).below(path).map_err(|_| PublishError::Reserved { path: path.clone() })?;
        self.store.open(&path).and_then(Opened::new).doing("read", &path)
    }

    /// Holds a snapshot against its list: what is missing, wrong, or not in it.
    ///
    /// # Errors
    /// - As [`Look::snapshot`]; what is wrong with the files is in the result.
    pub fn check_snapshot(&self, name: &SnapshotName, depth: Depth) -> Result<Vec<Defect>, PublishError> {
        let root = layout::snapshot(name);
        check::below(&*self.store, &root, &self.snapshot(name)?.manifest, depth)
    }

    /// The same, with the names of the pool at hand.
    pub(super) fn snapshot_in(
        &self,
        name: &SnapshotName,
        pool: &PoolNames,
    ) -> Result<Snapshot, PublishError> {
        self.snapshot_at(name, layout::SNAPSHOT_LIST, pool)
    }

    fn snapshot_at(
        &self,
        name: &SnapshotName,
        ending: &str,
        pool: &PoolNames,
    ) -> Result<Snapshot, PublishError> {
        let path = layout::snapshot_list(name, ending);
        let bytes = self.snapshot_bytes(name, &path)?;
        let (head, rest) = Head::read(&bytes, name, &path)?;
        let manifest = head.entries(rest, pool, &path)?;
        Ok(Snapshot { about: SnapshotHead { name: name.clone(), head }, manifest })
    }

    fn snapshot_bytes(&self, name: &SnapshotName, path: &StorePath) -> Result<Vec<u8>, PublishError> {
        self.list_of_ours(path)?.ok_or_else(|| PublishError::NoSnapshot { name: name.clone() })
    }

    fn listed_snapshots(&self, ending: &str) -> Result<Vec<SnapshotName>, PublishError> {
        let path = layout::snapshot_lists();
        let listed = match self.store.list(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.doing("list", &path)?,
        };
        let name = |name: &str| SnapshotName::parse(name.strip_suffix(ending)?).ok();
        Ok(listed.iter().filter_map(|listed| name(&listed.name)).collect())
    }

    /// What lies at a path, if anything does; that it could not be looked at is no answer.
    fn kind_at(&self, path: &StorePath) -> Result<Option<Kind>, PublishError> {
        match self.store.stat(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            stat => stat.doing("look at", path).map(|stat| Some(stat.kind)),
        }
    }
}

impl Tree {
    /// Makes a snapshot of what the published generation lists; it is on stable storage and visible afterwards.
    ///
    /// What no index names any more, and is there for clients with an older one, is not in it. Units: `now` in
    /// seconds since 1970.
    ///
    /// # Errors
    /// - [`PublishError::SnapshotExists`], [`PublishError::NothingPublished`].
    /// - [`PublishError::NotInPool`], [`PublishError::SelfCheck`] if a file is not what it should be.
    /// - [`PublishError::Io`]; there is no such snapshot then, or a whole one.
    pub fn make_snapshot(
        &self,
        name: &SnapshotName,
        now: u64,
        origin: Origin,
    ) -> Result<Snapshot, PublishError> {
        let published = self.look.published()?.ok_or(PublishError::NothingPublished)?;
        for path in [layout::snapshot_list(name, layout::SNAPSHOT_LIST), layout::snapshot(name)] {
            if self.look.kind_at(&path)?.is_some() {
                return Err(PublishError::SnapshotExists { name: name.clone() });
            }
        }
        let tree = tree_hash(published.entries()).to_string();
        let listed = published.entries.into_iter().filter(|(_, entry)| entry.dropped_at.is_none());
        let mut manifest = Manifest { number: published.number, created: now, entries: listed.collect() };
        let counted = packages(&manifest);
        manifest.entries.values_mut().for_each(|entry| entry.label.clear());
        let list = layout::snapshot_list(name, layout::MAKING_LIST);
        let (head, bytes) = Head::write(name, origin, &manifest, counted, tree).doing("write", &list)?;
        let made = self.build_snapshot(name, &manifest, &bytes);
        if made.is_err() {
            // What cannot be ended now is ended by the next run.
            drop(leftovers(&self.look));
        }
        made.map(|()| Snapshot { about: SnapshotHead { name: name.clone(), head }, manifest })
    }

    fn build_snapshot(
        &self,
        name: &SnapshotName,
        manifest: &Manifest,
        list: &[u8],
    ) -> Result<(), PublishError> {
        let store = &*self.look.store;
        // The list comes first: whatever happens now, the next run knows what to take away.
        let making = layout::snapshot_list(name, layout::MAKING_LIST);
        self.write_atomically(&making, list, Mode::Private)?;
        self.settle()?;
        let hidden = layout::hidden_snapshot(name);
        for dir in write_below(store, &hidden, manifest)? {
            store.sync_dir(&dir).doing("sync", &dir)?;
        }
        self.settle()?;
        let defects = check::below(store, &hidden, manifest, Depth::Sizes)?;
        let count = defects.len();
        if let Some(first) = defects.into_iter().next() {
            return Err(PublishError::SelfCheck { first, count });
        }
        let place = layout::snapshot(name);
        store.rename(&hidden, &place).doing("make", &place)?;
        end_making(&self.look, name)
    }

    /// Takes a snapshot away: it vanishes at once, and its files unless something else needs them.
    ///
    /// # Errors
    /// - [`PublishError::NoSnapshot`], [`PublishError::Damaged`]; [`PublishError::Io`]: the next run goes on.
    pub fn remove_snapshot(&self, name: &SnapshotName) -> Result<SnapshotHead, PublishError> {
        let about = self.look.snapshot_head(name)?;
        let store = &*self.look.store;
        let list = layout::snapshot_list(name, layout::SNAPSHOT_LIST);
        let going = layout::snapshot_list(name, layout::GOING_LIST);
        store.rename(&list, &going).doing("rename", &list)?;
        take_away(&self.look, name)?;
        Ok(about)
    }
}

/// Ends what a run that died has begun: a snapshot that is visible stays, one that was to go goes.
pub(super) fn leftovers(look: &Look) -> Result<(), PublishError> {
    for name in look.listed_snapshots(layout::MAKING_LIST)? {
        if look.kind_at(&layout::snapshot(&name))? == Some(Kind::Dir) {
            end_making(look, &name)?;
        } else {
            dismantle_hidden(look, &name, layout::MAKING_LIST)?;
        }
    }
    for name in look.listed_snapshots(layout::GOING_LIST)? {
        take_away(look, &name)?;
    }
    Ok(())
}

/// A visible snapshot gets its list.
fn end_making(look: &Look, name: &SnapshotName) -> Result<(), PublishError> {
    let (store, snapshots) = (&*look.store, layout::snapshots());
    // The list must not say that it is there before it is.
    store.sync_dir(&snapshots).and_then(|()| store.barrier()).doing("sync", &snapshots)?;
    let making = layout::snapshot_list(name, layout::MAKING_LIST);
    let list = layout::snapshot_list(name, layout::SNAPSHOT_LIST);
    // If this is lost, the next run does it again: it needs no sync.
    store.rename(&making, &list).doing("rename", &making)
}

/// Takes away a snapshot whose list says that it goes.
fn take_away(look: &Look, name: &SnapshotName) -> Result<(), PublishError> {
    let store = &*look.store;
    let (lists, spool) = (layout::snapshot_lists(), layout::spool());
    // The list must be seen to go before the first file goes.
    store.sync_dir(&lists).and_then(|()| store.barrier()).doing("sync", &lists)?;
    let place = layout::snapshot(name);
    if look.kind_at(&place)? == Some(Kind::Dir) {
        store.rename(&place, &layout::hidden_snapshot(name)).doing("remove", &place)?;
        for dir in [layout::snapshots(), spool] {
            store.sync_dir(&dir).doing("sync", &dir)?;
        }
        store.barrier().doing("sync", &place)?;
    }
    dismantle_hidden(look, name, layout::GOING_LIST)
}

fn dismantle_hidden(look: &Look, name: &SnapshotName, ending: &str) -> Result<(), PublishError> {
    // Only the paths matter.
    let snapshot = look.snapshot_at(name, ending, &PoolNames::default())?;
    let list = layout::snapshot_list(name, ending);
    dismantle(look, &layout::hidden_snapshot(name), &snapshot.manifest, &list)
}

/// Number and size of the packages; a second name of one file is none of its own.
fn packages(manifest: &Manifest) -> (usize, u64) {
    let own = |entry: &&Entry| entry.kind == EntryKind::Package && !entry.label.is_empty();
    let own = manifest.entries().filter(own);
    own.fold((0, 0), |(count, bytes), entry| (count + 1, bytes.saturating_add(entry.size)))
}
