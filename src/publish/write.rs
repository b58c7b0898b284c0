//! Writing a file of our own whole or not at all, and waiting until all is durable.

use super::error::{Doing, PublishError};
use super::path::StorePath;
use super::store::Mode;
use super::tree::Tree;

impl Tree {
    /// Writes a file beside its place, then renames it into it; durable at the next barrier.
    pub(super) fn write_atomically(
        &self,
        path: &StorePath,
        bytes: &[u8],
        mode: Mode,
    ) -> Result<(), PublishError> {
        let store = &*self.look.store;
        let spooled = self.spool_path()?;
        let written = store.create(&spooled, mode).and_then(|mut file| {
            file.append(bytes)?;
            file.sync()
        });
        // The name must not come to the disk before the content.
        let settled = written.doing("write", path).and_then(|()| self.settle());
        let renamed = settled.and_then(|()| store.rename(&spooled, path).doing("write", path));
        if let Err(error) = renamed {
            // What cannot be removed now is cleared away by the next run.
            drop(store.remove_file(&spooled));
            return Err(error);
        }
        let parent = path.parent().unwrap_or_else(StorePath::root);
        store.sync_dir(&parent).doing("sync", &parent)
    }

    /// Makes durable what has been written since the last time.
    pub(super) fn settle(&self) -> Result<(), PublishError> {
        let pending = std::mem::take(&mut *self.pending());
        let store = &*self.look.store;
        let settled = pending.dirs.iter().try_for_each(|dir| store.sync_dir(dir).doing("sync", dir));
        let settled = settled.and_then(|()| store.barrier().doing("sync", &StorePath::root()));
        if settled.is_err() {
            // After a failed sync the pages may be gone though they read well: nothing of this may be used again.
            pending.files.iter().for_each(|file| drop(store.remove_file(file)));
        }
        settled
    }
}
