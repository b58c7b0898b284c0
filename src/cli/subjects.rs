//! Which files are looked at: named ones, standard input, and what lies in directories.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use walkdir::WalkDir;

use crate::types::escape_all;

use super::failure::Failure;

/// One file to look at.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// `-`
    StandardInput,
    /// A file, with its size if that is known, so that large ones can go first.
    File { path: PathBuf, size: u64 },
}

impl Subject {
    /// The path as given, escaped.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::StandardInput => "-".to_owned(),
            Self::File { path, .. } => shown(path),
        }
    }

    /// Units: bytes; 0 if unknown.
    pub(super) const fn size(&self) -> u64 {
        match self {
            Self::StandardInput => 0,
            Self::File { size, .. } => *size,
        }
    }
}

/// A path, escaped for printing.
pub(super) fn shown(path: &Path) -> String {
    escape_all(path.as_os_str().as_encoded_bytes()).to_string()
}

/// Expands directories to the packages and indexes in them, sorted; keeps everything else as given.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<Subject>, Failure> {
    let mut subjects = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            subjects.push(Subject::StandardInput);
            continue;
        }
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => subjects.extend(walk(path)?),
            // Why a file cannot be read is said in its turn.
            metadata => {
                let size = metadata.map_or(0, |metadata| metadata.len());
                subjects.push(Subject::File { path: path.clone(), size });
            }
        }
    }
    Ok(subjects)
}

fn walk(directory: &Path) -> Result<Vec<Subject>, Failure> {
    let mut found = Vec::new();
    for entry in WalkDir::new(directory).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read the directory {}", shown(directory)));
        let entry = entry.map_err(Failure::local)?;
        let name = entry.file_name().as_encoded_bytes();
        if name != b"APKINDEX.tar.gz" && !name.ends_with(b".apk") {
            continue;
        }
        // Links to files count, links to directories are not entered, and pipes are not waited for.
        let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
        if metadata.is_file() {
            found.push(Subject::File { path: entry.into_path(), size: metadata.len() });
        }
    }
    if found.is_empty() {
        let text = "no packages (*.apk) and no APKINDEX.tar.gz in";
        return Err(Failure::usage(anyhow!("{text} {}", shown(directory))));
    }
    Ok(found)
}
