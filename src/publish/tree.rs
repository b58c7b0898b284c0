//! A tree that one run works on, under its lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::types::{Digest, Sha256};

use super::cleanup;
use super::error::{Doing, PublishError};
use super::generation::Generation;
use super::layout;
use super::look::Look;
use super::manifest::Manifest;
use super::path::StorePath;
use super::spooled::Spooled;
use super::staging::Staging;
use super::store::{Kind, Mode, Store, StoreLock, Wait};

/// A tree that is ours to change until this is dropped.
///
/// Trust: what gets into the pool was proven ([`Tree::admit`]); what is published comes from the pool.
/// Threads may spool and admit at the same time.
#[derive(Debug)]
pub struct Tree {
    pub(super) look: Look,
    pub(super) pending: Mutex<Pending>,
    /// Held while a file is given its place in the pool and looked at there.
    pub(super) placing: Mutex<()>,
    /// What the published generation holds when the tree is opened: these pool files are known to be durable.
    pub(super) proven: BTreeMap<Digest<Sha256>, u64>,
    /// Directories of the pool that are known to be durable, for the same reason.
    pub(super) durable_dirs: BTreeSet<StorePath>,
    next_spooled: AtomicU64,
    _lock: Box<dyn StoreLock>,
}

/// What has been written since the last barrier.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Directories with new names in them.
    pub(super) dirs: BTreeSet<StorePath>,
    /// New files in the pool.
    pub(super) files: BTreeSet<StorePath>,
}

impl Tree {
    /// Takes the lock of a tree, makes its parts where they are missing, and clears away what a run that died left.
    ///
    /// # Errors
    /// - [`PublishError::Locked`] if another run has the lock and this one shall not wait longer.
    /// - [`PublishError::OtherFileSystem`], [`PublishError::Occupied`], [`PublishError::ForeignOwner`] and
    ///   [`PublishError::WritableByOthers`] for a place that cannot hold a tree.
    /// - [`PublishError::Damaged`] for a manifest of ours that cannot be read; [`PublishError::Io`].
    pub fn open(store: Arc<dyn Store>, wait: Wait) -> Result<Self, PublishError> {
        let mut made = part(&*store, &layout::state(), Mode::PrivateDir)?;
        let lock = take_lock(&*store, wait)?;
        for (path, mode) in [
            (layout::manifests(), Mode::PrivateDir),
            (layout::snapshot_lists(), Mode::PrivateDir),
            (layout::spool(), Mode::PrivateDir),
            (layout::pool(), Mode::ServedDir),
            (layout::gens(), Mode::ServedDir),
            (layout::snapshots(), Mode::ServedDir),
        ] {
            made |= part(&*store, &path, mode)?;
        }
        let look = Look::at(store);
        let current = look.current()?;
        // A run that died may have made them without making them durable.
        if made || current.is_none() {
            look.store.sync_dir(&layout::state()).doing("sync", &layout::state())?;
            look.store.sync_dir(&StorePath::root()).doing("sync", &StorePath::root())?;
            look.store.barrier().doing("sync", &StorePath::root())?;
        }
        cleanup::leftovers(&look, current)?;
        let proven: BTreeMap<_, _> = look
            .published()?
            .iter()
            .flat_map(Manifest::entries)
            .map(|entry| (entry.sha256, entry.size))
            .collect();
        let durable_dirs = proven.keys().map(|sha256| layout::pool_dir(*sha256)).collect();
        Ok(Self {
            look,
            pending: Mutex::default(),
            placing: Mutex::default(),
            proven,
            durable_dirs,
            next_spooled: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// Looks at a tree without a lock and without changing anything.
    pub fn look(store: Arc<dyn Store>) -> Look {
        Look::at(store)
    }

    /// The tree for reading; valid while this run has the lock.
    pub const fn as_look(&self) -> &Look {
        &self.look
    }

    /// A new file in the spool, which nobody else can see; it vanishes when it is dropped.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn spool(&self) -> Result<Spooled, PublishError> {
        Spooled::new(Arc::clone(&self.look.store), self.spool_path()?)
    }

    /// Begins a generation that shall take the place of the published one.
    ///
    /// Units: `now` in seconds since 1970.
    ///
    /// # Errors
    /// - As [`Look::published`].
    pub fn generation(&self, now: u64) -> Result<Staging<'_>, PublishError> {
        Staging::new(self, now)
    }

    /// Writes a document in place of the former one: afterwards it is on stable storage.
    ///
    /// # Errors
    /// - [`PublishError::DocumentName`], [`PublishError::Io`]; the former one stays.
    pub fn write_document(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let path = layout::document(name)?;
        self.write_atomically(&path, bytes, Mode::Private)?;
        self.settle()
    }

    /// Makes a generation the published one: one rename, on stable storage afterwards.
    ///
    /// Whatever has to be remembered of it must have been written before ([`Tree::write_document`]).
    ///
    /// # Errors
    /// - [`PublishError::Io`]; the former generation or this one is published then, whole.
    pub fn switch(&self, generation: Generation<'_>) -> Result<(), PublishError> {
        let store = &*self.look.store;
        let spooled = self.spool_path()?;
        store.symlink(&layout::current_target(generation.number()), &spooled).doing("make", &spooled)?;
        // From here on it may be the published one, whatever is reported.
        generation.keep();
        store.rename(&spooled, &layout::current()).doing("switch", &layout::current())?;
        store.sync_dir(&StorePath::root()).doing("sync", &StorePath::root())?;
        store.barrier().doing("sync", &StorePath::root())
    }

    /// Makes sure that what is published is on stable storage, for a run that finds nothing to do.
    ///
    /// The run that switched to it may have died before that was durable.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn confirm(&self) -> Result<(), PublishError> {
        let (store, root) = (&*self.look.store, StorePath::root());
        store.sync_dir(&root).and_then(|()| store.barrier()).doing("sync", &root)
    }

    /// Takes a file out of the pool because its bytes are not what they were; its places in generations stay.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn discard(&mut self, sha256: Digest<Sha256>) -> Result<(), PublishError> {
        self.proven.remove(&sha256);
        let path = layout::pooled(sha256);
        match self.look.store.remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed.doing("remove", &path),
        }
    }

    /// A name in the spool that this run has not used yet.
    pub(super) fn spool_path(&self) -> Result<StorePath, PublishError> {
        let number = self.next_spooled.fetch_add(1, Ordering::Relaxed);
        let path = layout::spool();
        path.join(&number.to_string()).map_err(|_| PublishError::Reserved { path })
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        // Sets and lists have no state that a panic could leave half-way.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a part of the tree where it is missing; whether it was made.
fn part(store: &dyn Store, path: &StorePath, mode: Mode) -> Result<bool, PublishError> {
    let made = match store.make_dir(path, mode) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(error).doing("make", path),
    };
    let stat = store.stat(path).doing("look at", path)?;
    let root = store.stat(&StorePath::root()).doing("look at", &StorePath::root())?;
    if stat.kind != Kind::Dir {
        return Err(PublishError::Occupied { path: path.clone(), expected: "a directory" });
    }
    if stat.id.0 != root.id.0 {
        return Err(PublishError::OtherFileSystem { path: path.clone() });
    }
    if checked!("tree-owner") && !stat.ours {
        return Err(PublishError::ForeignOwner { path: path.clone() });
    }
    if stat.mode & mode.bits() != mode.bits() {
        // Made by a run that died before it could set the mode against a strict umask.
        store.set_dir_mode(path, mode).doing("set the mode of", path)?;
    }
    if checked!("tree-mode") && stat.mode & 0o022 != 0 {
        return Err(PublishError::WritableByOthers { path: path.to_string() });
    }
    Ok(made)
}

fn take_lock(store: &dyn Store, wait: Wait) -> Result<Box<dyn StoreLock>, PublishError> {
    let path = layout::lock();
    match store.lock(&path, wait) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            Err(PublishError::Locked { pid: holder(store) })
        }
        lock => lock.doing("lock", &path),
    }
}

/// The process that has the lock, as it says itself.
fn holder(store: &dyn Store) -> Option<u32> {
    let mut buffer = [0; 16];
    let count = store.open(&layout::lock()).ok()?.read_at(&mut buffer, 0).ok()?;
    std::str::from_utf8(buffer.get(..count)?).ok()?.trim().parse().ok()
}
