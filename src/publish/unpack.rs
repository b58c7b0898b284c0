//! A private folder in the spool for files that come in together and have yet to be proven one by one.

use std::io;

use crate::types::{Digest, Sha256};

use super::admit::has_size;
use super::cleanup;
use super::error::{Doing, PublishError};
use super::layout;
use super::path::StorePath;
use super::store::{Mode, StoreFile};
use super::tree::Tree;

/// A folder that only this run can see; dropping it takes it away with everything in it.
///
/// Trust: none; what lies there is proven when it is taken from there.
#[derive(Debug)]
pub struct UnpackFolder<'t> {
    tree: &'t Tree,
}

/// A file in such a folder that is being written.
#[derive(Debug)]
pub struct Unpacking {
    file: Box<dyn StoreFile>,
}

impl Unpacking {
    /// Writes all bytes at the end.
    ///
    /// # Errors
    /// - Those of the system.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)
    }
}

impl Tree {
    /// Makes the folder; what a run that died left of one is gone already.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn unpack_folder(&self) -> Result<UnpackFolder<'_>, PublishError> {
        let path = layout::unpacked();
        self.look.store.make_dir(&path, Mode::PrivateDir).doing("make", &path)?;
        Ok(UnpackFolder { tree: self })
    }
}

impl UnpackFolder<'_> {
    /// Where it lies below the root of the tree.
    pub fn path(&self) -> StorePath {
        layout::unpacked()
    }

    /// Makes a file, and the folders that it lies in.
    ///
    /// # Errors
    /// - [`PublishError::Reserved`] for a path that is too long; [`PublishError::Io`].
    pub fn create(&self, path: &StorePath) -> Result<Unpacking, PublishError> {
        let place = self.prepared(path)?;
        let file = self.tree.look.store.create(&place, Mode::Private).doing("make", &place)?;
        Ok(Unpacking { file })
    }

    /// Gives a file of the folder a second name.
    ///
    /// # Errors
    /// - As [`UnpackFolder::create`].
    pub fn link(&self, from: &StorePath, to: &StorePath) -> Result<(), PublishError> {
        let (from, to) = (self.below(from)?, self.prepared(to)?);
        self.tree.look.store.link(&from, &to).doing("link", &to)
    }

    /// Gives a file of the pool a name in the folder; whether the pool has it.
    ///
    /// # Errors
    /// - As [`UnpackFolder::create`].
    pub fn link_pooled(
        &self,
        sha256: Digest<Sha256>,
        size: u64,
        to: &StorePath,
    ) -> Result<bool, PublishError> {
        let (store, from) = (&*self.tree.look.store, layout::pooled(sha256));
        if !has_size(store, &from, size) {
            return Ok(false);
        }
        let to = self.prepared(to)?;
        match store.link(&from, &to) {
            Err(error) if error.kind() == io::ErrorKind::TooManyLinks => Ok(false),
            linked => linked.doing("link", &to).map(|()| true),
        }
    }

    fn below(&self, path: &StorePath) -> Result<StorePath, PublishError> {
        let placed = layout::unpacked().below(path);
        placed.map_err(|_| PublishError::Reserved { path: path.clone() })
    }

    /// The place of a file, whose folders are there.
    fn prepared(&self, path: &StorePath) -> Result<StorePath, PublishError> {
        let mut folder = StorePath::root();
        let segments: Vec<&str> = path.segments().collect();
        for segment in segments.iter().take(segments.len().saturating_sub(1)) {
            folder = folder.join(segment).map_err(|_| PublishError::Reserved { path: path.clone() })?;
            let place = self.below(&folder)?;
            match self.tree.look.store.make_dir(&place, Mode::PrivateDir) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.doing("make", &place)?,
            }
        }
        self.below(path)
    }
}

impl Drop for UnpackFolder<'_> {
    fn drop(&mut self) {
        // What cannot be taken away now is cleared away by the next run.
        drop(cleanup::clear_unpacked(&*self.tree.look.store));
    }
}
