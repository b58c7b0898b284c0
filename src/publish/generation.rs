//! A generation on disk: written whole before anybody can see it, and taken away whole.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::admit::hash;
use super::check::{self, Defect, Depth};
use super::cleanup::dismantle;
use super::error::{Doing, Measured, PublishError};
use super::layout;
use super::look::Look;
use super::manifest::{Entry, Manifest};
use super::opened::Opened;
use super::path::StorePath;
use super::spooled::SpooledReader;
use super::store::{Mode, Store};
use super::tree::Tree;

/// A whole generation that is not published yet.
///
/// [`Tree::switch`] makes it visible; dropping it before takes it away again.
#[derive(Debug)]
pub struct Generation<'t> {
    tree: &'t Tree,
    manifest: Manifest,
    kept: AtomicBool,
}

impl<'t> Generation<'t> {
    pub(super) fn build(tree: &'t Tree, manifest: Manifest) -> Result<Self, PublishError> {
        let number = manifest.number;
        // The list comes first: whatever happens now, the next run knows what to take away.
        tree.write_atomically(&layout::manifest(number), &manifest.encode(), Mode::Private)?;
        tree.settle()?;
        // From here on an early return takes away what was written.
        let generation = Self { tree, manifest, kept: AtomicBool::new(false) };
        generation.write()?;
        tree.settle()?;
        let defects = generation.check(Depth::Sizes)?;
        let count = defects.len();
        match defects.into_iter().next() {
            None => Ok(generation),
            Some(_) if !checked!("publish-self-check") => Ok(generation),
            Some(first) => Err(PublishError::SelfCheck { first, count }),
        }
    }

    /// The number that it will be published under.
    pub const fn number(&self) -> u64 {
        self.manifest.number
    }

    /// What it holds.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Opens a file of it, as a server would for a client once it is published.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn open(&self, path: &StorePath) -> Result<Opened, PublishError> {
        self.tree.look.open(self.number(), path)
    }

    /// Holds it against its manifest.
    ///
    /// # Errors
    /// - As [`Look::check`].
    pub fn check(&self, depth: Depth) -> Result<Vec<Defect>, PublishError> {
        check::generation(&*self.tree.look.store, &self.manifest, depth)
    }

    /// It may be visible: it must not be taken away any more.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    fn write(&self) -> Result<(), PublishError> {
        let store = &*self.tree.look.store;
        let root = layout::generation(self.number());
        let mut dirs = write_below(store, &root, &self.manifest)?;
        let snapshots = below(&root, &layout::snapshots())?;
        store.symlink(layout::SNAPSHOTS_LINK, &snapshots).doing("make", &snapshots)?;
        dirs.push(layout::gens());
        dirs.iter().try_for_each(|dir| store.sync_dir(dir).doing("sync", dir))
    }
}

impl Drop for Generation<'_> {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Relaxed) {
            // What cannot be taken away now is cleared away by the next run.
            let number = self.manifest.number;
            let (root, list) = (layout::generation(number), layout::manifest(number));
            drop(dismantle(&self.tree.look, &root, &self.manifest, &list));
        }
    }
}

/// Makes directories and links by a list; gives the directories, which have yet to be synced.
pub(super) fn write_below(
    store: &dyn Store,
    root: &StorePath,
    manifest: &Manifest,
) -> Result<Vec<StorePath>, PublishError> {
    let mut dirs = vec![root.clone()];
    for dir in manifest.directories() {
        dirs.push(below(root, &dir)?);
    }
    for dir in &dirs {
        store.make_dir(dir, Mode::ServedDir).doing("make", dir)?;
    }
    for entry in manifest.entries() {
        place(store, entry, &below(root, &entry.path)?)?;
    }
    Ok(dirs)
}

fn below(root: &StorePath, path: &StorePath) -> Result<StorePath, PublishError> {
    root.below(path).map_err(|_| PublishError::Reserved { path: path.clone() })
}

/// A number above all that are in use, by us or by somebody else.
pub(super) fn next_number(look: &Look) -> Result<u64, PublishError> {
    let gens = look.store.list(&layout::gens()).doing("list", &layout::gens())?;
    let taken = gens.iter().filter_map(|listed| layout::number(&listed.name));
    let manifests = look.numbered(".json")?;
    let highest = taken.chain(manifests).chain(look.current()?).max().unwrap_or_default();
    Ok(highest.saturating_add(1))
}

/// Gives a pool file its place in a generation.
fn place(store: &dyn Store, entry: &Entry, to: &StorePath) -> Result<(), PublishError> {
    let from = layout::pooled(entry.sha256);
    match store.link(&from, to) {
        Err(error) if error.kind() == io::ErrorKind::TooManyLinks => copy(store, entry, &from, to),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(PublishError::NotInPool { sha256: entry.sha256, path: entry.path.clone() })
        }
        linked => linked.doing("link", to),
    }
}

/// What a file system that allows no more links to one file gets instead.
fn copy(store: &dyn Store, entry: &Entry, from: &StorePath, to: &StorePath) -> Result<(), PublishError> {
    let source = store.open(from).doing("read", from)?;
    let mut target = store.create(to, Mode::Immutable).doing("make", to)?;
    let mut buffer = vec![0; 64 << 10];
    let mut offset = 0_u64;
    loop {
        let count = source.read_at(&mut buffer, offset).doing("read", from)?;
        if count == 0 {
            break;
        }
        target.append(buffer.get(..count).unwrap_or_default()).doing("write", to)?;
        offset = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    // Nothing links the two files: that they are equal has to be seen.
    let found = hash(&mut SpooledReader::new(&*target)).doing("read", to)?;
    if found != (Measured { sha256: entry.sha256, size: entry.size }) {
        return Err(PublishError::NotInPool { sha256: entry.sha256, path: entry.path.clone() });
    }
    if let Some(mtime) = entry.mtime {
        target.set_mtime(mtime).doing("set the time of", to)?;
    }
    target.sync().doing("sync", to)
}
