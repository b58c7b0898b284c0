//! A file of the store as a reader.

use std::io::{self, Read};

use super::store::StoreFile;

/// An open file, read from its start.
#[derive(Debug)]
pub struct Opened {
    file: Box<dyn StoreFile>,
    offset: u64,
    size: u64,
}

impl Opened {
    pub(super) fn new(file: Box<dyn StoreFile>) -> io::Result<Self> {
        let size = file.stat()?.size;
        Ok(Self { file, offset: 0, size })
    }

    /// How large the file was when it was opened. Units: bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset = self.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}
