//! Opens a file once, and notices if it changes while it is read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// An open file and what it was when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    file: Arc<File>,
    before: Metadata,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// Opening or reading failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is a directory.
    #[error("it is a directory")]
    Directory,
    /// The file is not what it was when it was opened.
    #[error("the file changed while it was read; nothing is said about it")]
    Changed,
}

impl ReadError {
    /// The stable name.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => "not-found",
            Self::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => "permission-denied",
            Self::Io(_) => "io",
            Self::Directory => "directory",
            Self::Changed => "changed-while-read",
        }
    }
}

impl Opened {
    /// Opens a file by its path, for the only time.
    pub(super) fn new(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path)?;
        let before = file.metadata()?;
        if before.is_dir() { Err(ReadError::Directory) } else { Ok(Self { file: Arc::new(file), before }) }
    }

    /// Units: bytes; none if the file is not a regular one.
    pub(super) fn size(&self) -> Option<u64> {
        self.before.is_file().then_some(self.before.len())
    }

    /// The open file, for whoever reads it on their own: once.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Says whether the file is still what it was, and as long as what was read.
    pub(super) fn unchanged(&self, read: Option<u64>) -> Result<(), ReadError> {
        if !self.before.is_file() {
            return Ok(());
        }
        let after = self.file.metadata()?;
        let times = |metadata: &Metadata| {
            (metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec())
        };
        let same_times = times(&after) == times(&self.before);
        let same_size = after.len() == self.before.len() && read.is_none_or(|read| read == after.len());
        if same_times && same_size { Ok(()) } else { Err(ReadError::Changed) }
    }
}

impl Read for &Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.file).read(buffer)
    }
}
