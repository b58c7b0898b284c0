//! A generation that is being put together; nothing of it is on disk yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::keys::read_key;
use crate::types::{Digest, Sha256, Sha256Hasher, escape};

use super::admit::{Pooled, has_size};
use super::error::{Doing, Measured, PublishError};
use super::generation::{self, Generation};
use super::layout;
use super::manifest::{Entry, EntryKind, Manifest};
use super::path::StorePath;
use super::store::Mode;
use super::tree::Tree;

/// What the next generation shall hold.
///
/// Dropping it changes nothing. A path that is published already keeps its content, but for indexes and for
/// paths that [`Staging::allow_replaced`] names.
#[derive(Debug)]
pub struct Staging<'t> {
    tree: &'t Tree,
    base: Manifest,
    allowed: BTreeSet<StorePath>,
    manifest: Manifest,
}

impl<'t> Staging<'t> {
    pub(super) fn new(tree: &'t Tree, now: u64) -> Result<Self, PublishError> {
        let base = tree.look.published()?.unwrap_or_default();
        let number = generation::next_number(&tree.look)?;
        let manifest = Manifest { number, created: now, entries: BTreeMap::new() };
        Ok(Self { tree, base, allowed: BTreeSet::new(), manifest })
    }

    /// What is published now; empty if nothing is.
    pub const fn base(&self) -> &Manifest {
        &self.base
    }

    /// What has been staged.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Lets one path have other content than the published one, this time.
    pub fn allow_replaced(&mut self, path: StorePath) {
        self.allowed.insert(path);
    }

    /// Stages a proven file.
    ///
    /// # Errors
    /// - [`PublishError::Reserved`], [`PublishError::Twice`], [`PublishError::Replaced`].
    pub fn add(&mut self, path: StorePath, pooled: &Pooled, label: &str) -> Result<(), PublishError> {
        if checked!("publish-keys") && path.segments().next() == Some(layout::KEYS) {
            return Err(PublishError::Reserved { path });
        }
        let (kind, sha256, size) = (pooled.kind(), pooled.sha256(), pooled.size());
        let label = label.to_owned();
        self.stage(Entry { path, kind, sha256, size, mtime: None, dropped_at: None, label })
    }

    /// Stages a file of this or an earlier generation once more.
    ///
    /// # Errors
    /// - As [`Staging::add`].
    pub fn carry(&mut self, entry: Entry) -> Result<(), PublishError> {
        self.stage(Entry { mtime: None, ..entry })
    }

    /// Stages a public key of the mirror, as `keys/NAME`.
    ///
    /// # Errors
    /// - [`PublishError::NoPublicKey`] if clients could not use it, or it is a private one.
    /// - As [`Staging::add`]; [`PublishError::Io`].
    pub fn public_key(&mut self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let keys = StorePath::parse(layout::KEYS).unwrap_or_else(|_| StorePath::root());
        let path = keys.join(name).map_err(|_| PublishError::Reserved { path: keys })?;
        let no_key = |problem: String| PublishError::NoPublicKey { path: path.clone(), problem };
        read_key(bytes).map_err(|error| no_key(escape(&error.to_string()).to_string()))?;
        if checked!("publish-private-key") && memchr::memmem::find(bytes, b"PRIVATE").is_some() {
            return Err(no_key("a private key stands in the file as well".to_owned()));
        }
        let mut spooled = self.tree.spool()?;
        spooled.write(bytes).doing("write", &spooled.path)?;
        spooled.file.set_mode(Mode::Immutable).doing("protect", &spooled.path)?;
        let (sha256, size) = (sha256_of(bytes), spooled.position());
        self.tree.pool(spooled, &Measured { sha256, size }, EntryKind::Key)?;
        let label = String::new();
        self.stage(Entry { path, kind: EntryKind::Key, sha256, size, mtime: None, dropped_at: None, label })
    }

    /// Whether the published generation holds just this, on stable storage: then there is nothing to do.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn is_published(&self) -> Result<bool, PublishError> {
        if self.base.number == 0 || !self.manifest.holds_the_same(&self.base) {
            return Ok(false);
        }
        self.tree.confirm()?;
        Ok(true)
    }

    /// Writes the generation: all of it is on stable storage afterwards, and nobody can see it yet.
    ///
    /// # Errors
    /// - [`PublishError::NotInPool`] for a file that is not there any more.
    /// - [`PublishError::SelfCheck`] if what was written is not what was staged.
    /// - [`PublishError::Io`]; what was written so far is cleared away.
    pub fn finish(mut self) -> Result<Generation<'t>, PublishError> {
        let store = &*self.tree.look.store;
        for entry in self.manifest.entries() {
            if !has_size(store, &layout::pooled(entry.sha256), entry.size) {
                return Err(PublishError::NotInPool { sha256: entry.sha256, path: entry.path.clone() });
            }
        }
        self.set_times()?;
        Generation::build(self.tree, self.manifest)
    }

    fn stage(&mut self, entry: Entry) -> Result<(), PublishError> {
        if entry.path.is_root() || entry.path.segments().next() == Some(layout::SNAPSHOTS) {
            return Err(PublishError::Reserved { path: entry.path });
        }
        if let Some(published) = self.base.entry(&entry.path) {
            let may_change = published.kind == EntryKind::Index && entry.kind == EntryKind::Index
                || !checked!("publish-replaced");
            if published.sha256 != entry.sha256 && !may_change && !self.allowed.contains(&entry.path) {
                return Err(PublishError::Replaced { path: entry.path, published: published.sha256 });
            }
        }
        if checked!("publish-twice") && self.in_the_way(&entry.path) {
            return Err(PublishError::Twice { path: entry.path });
        }
        self.manifest.entries.insert(entry.path.clone(), entry);
        Ok(())
    }

    /// Whether the path is taken, or a file would have to be a directory as well.
    fn in_the_way(&self, path: &StorePath) -> bool {
        let entries = &self.manifest.entries;
        let mut at = Some(path.clone());
        while let Some(above) = at {
            if entries.contains_key(&above) {
                return true;
            }
            at = above.parent();
        }
        // What lies below sorts from `path/` on.
        let below = format!("{path}/");
        let mut rest = entries.range::<StorePath, _>(path..).map(|(path, _)| path.as_str());
        rest.find(|other| *other >= below.as_str()).is_some_and(|other| other.starts_with(&below))
    }

    /// Gives each index that has changed a time later than the one that clients have seen at its path.
    ///
    /// Servers tell clients by this time (in whole seconds) whether there is something new.
    fn set_times(&mut self) -> Result<(), PublishError> {
        let mut times: BTreeMap<Digest<Sha256>, (u64, bool)> = BTreeMap::new();
        for entry in self.manifest.entries().filter(|entry| entry.kind == EntryKind::Index) {
            let published = self.base.entry(&entry.path);
            let changed = published.is_none_or(|published| published.sha256 != entry.sha256);
            let seen = self.seen(&entry.path);
            let time = times.entry(entry.sha256).or_default();
            // Files of equal content are one file with one time: it has to be late enough for all paths.
            let late_enough = seen.map_or(0, |seen| seen.saturating_add(u64::from(changed)));
            *time = (time.0.max(late_enough), time.1 || changed);
        }
        let created = self.manifest.created;
        for (sha256, (least, changed)) in &mut times {
            if *changed {
                *least = created.max(*least);
                self.set_time(*sha256, *least)?;
            }
        }
        for entry in self.manifest.entries.values_mut() {
            entry.mtime =
                times.get(&entry.sha256).filter(|_| entry.kind == EntryKind::Index).map(|time| time.0);
        }
        Ok(())
    }

    /// The time that clients have seen at a path of the published generation.
    fn seen(&self, path: &StorePath) -> Option<u64> {
        let written = self.base.entry(path)?.mtime;
        let there = layout::generation(self.base.number).below(path).ok();
        let there = there.and_then(|path| self.tree.look.store.stat(&path).ok()).map(|stat| stat.mtime);
        written.max(there)
    }

    fn set_time(&self, sha256: Digest<Sha256>, seconds: u64) -> Result<(), PublishError> {
        let path = layout::pooled(sha256);
        let mut file = self.tree.look.store.open(&path).doing("open", &path)?;
        file.set_mtime(seconds).doing("set the time of", &path)?;
        self.tree.sync_pooled(&mut *file, &path)
    }
}

fn sha256_of(bytes: &[u8]) -> Digest<Sha256> {
    let mut hasher = Sha256Hasher::new();
    hasher.update(bytes);
    hasher.finish()
}
