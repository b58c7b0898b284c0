//! A file on its way in: written, and read again by the same descriptor.

use std::io::{self, Read};
use std::sync::Arc;

use super::error::{Doing, PublishError};
use super::path::StorePath;
use super::store::{Mode, Store, StoreFile};

/// A private file that is written from the start to the end.
///
/// Trust: none. It is never opened by its name again; dropping it removes it.
#[derive(Debug)]
pub struct Spooled {
    pub(super) store: Arc<dyn Store>,
    pub(super) path: StorePath,
    pub(super) file: Box<dyn StoreFile>,
    size: u64,
    pub(super) moved: bool,
}

impl Spooled {
    pub(super) fn new(store: Arc<dyn Store>, path: StorePath) -> Result<Self, PublishError> {
        let file = store.create(&path, Mode::Private).doing("make", &path)?;
        Ok(Self { store, path, file, size: 0, moved: false })
    }

    /// Writes all bytes at the end.
    ///
    /// # Errors
    /// - Those of the system; the file is of no more use then.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)?;
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Takes all bytes away, to begin again.
    ///
    /// # Errors
    /// - Those of the system; the file is of no more use then.
    pub fn restart(&mut self) -> io::Result<()> {
        self.file.clear()?;
        self.size = 0;
        Ok(())
    }

    /// How much has been written. Units: bytes.
    pub const fn position(&self) -> u64 {
        self.size
    }

    /// Reads what has been written, from the start.
    pub(super) fn reader(&self) -> SpooledReader<'_> {
        SpooledReader { file: &*self.file, offset: 0 }
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        if !self.moved {
            // What cannot be removed now is cleared away by the next run.
            drop(self.store.remove_file(&self.path));
        }
    }
}

/// Reads a spooled file from its start, by the descriptor that it was written with.
#[derive(Debug)]
pub(super) struct SpooledReader<'a> {
    file: &'a dyn StoreFile,
    offset: u64,
}

impl<'a> SpooledReader<'a> {
    pub(super) fn new(file: &'a dyn StoreFile) -> Self {
        Self { file, offset: 0 }
    }
}

impl Read for SpooledReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset = self.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}
