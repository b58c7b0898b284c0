//! Where keys come from.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::trust::DEFAULT_DIRECTORIES;
use crate::keys::{DirectoryError, KeyDirectory, KeyFile};

/// The directories named, or else the default ones that exist.
pub(super) fn directories(named: &[PathBuf]) -> Result<Vec<KeyDirectory>, Failure> {
    if named.is_empty() {
        let found = DEFAULT_DIRECTORIES.iter().filter(|path| Path::new(path).exists());
        return found.map(|path| KeyDirectory::read(Path::new(path)).map_err(Failure::local)).collect();
    }
    named.iter().map(|path| KeyDirectory::read(path).map_err(Failure::local)).collect()
}

/// The keys of a directory, or one key file.
pub(super) fn files(path: &Path) -> Result<Vec<KeyFile>, Failure> {
    match KeyDirectory::read(path) {
        Ok(directory) => Ok(directory.files().to_vec()),
        Err(DirectoryError::Read { .. }) if !path.is_dir() && path.exists() => Ok(vec![KeyFile::read(path)]),
        Err(error) => Err(Failure::local(error)),
    }
}
