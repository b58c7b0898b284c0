//! Files that commands of a mirror write for others: whole and durable, or not at all.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::failure::Failure;
use crate::cli::fetch::spool::{Folder, Spool};
use crate::cli::subjects::shown;
use crate::transport::Sink;

/// Puts bytes in the place of a file.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write(path, |spool| Ok(spool.write(bytes)?))
}

/// Lets something be written beside a file, and puts it in its place if that ended well.
pub(super) fn write<T>(
    path: &Path,
    fill: impl FnOnce(&mut Spool<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (folder, name) = parts(path)?;
    let failed = |error: io::Error| {
        Failure::local(anyhow::Error::new(error).context(format!("cannot write {}", shown(path))))
    };
    let folder = Folder::open(&folder).map_err(failed)?;
    let mut spool = folder.spool().map_err(failed)?;
    let filled = fill(&mut spool)?;
    spool.publish(&name).map_err(failed)?;
    Ok(filled)
}

fn parts(path: &Path) -> Result<(PathBuf, OsString), Failure> {
    let name =
        path.file_name().with_context(|| format!("expected the name of a file, found {}", shown(path)));
    let name = name.map_err(|error| Failure::usage(anyhow!(error)))?.to_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or_else(|| Path::new(".")).to_owned(), name))
}
