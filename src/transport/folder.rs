//! One file from a folder of this machine, such as a mounted medium.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat, openat2};
use rustix::io::Errno;

use crate::limits::length;

use super::demand::{Demand, Sink};
use super::error::Problem;
use super::settings::Cancel;
use super::transfer::Broken;

/// Copies a file below a folder into the sink.
///
/// Links inside of the folder are followed, and none that leads out of it; nothing is waited for that is no
/// regular file.
pub(super) fn copy(
    folder: &Path,
    demand: &Demand,
    sink: &mut dyn Sink,
    cancel: &Cancel,
) -> Result<(), Broken> {
    let file = find(folder, &demand.path).map_err(Broken::Never)?;
    let size = regular(&file).map_err(Broken::Never)?;
    if let Some(expected) = demand.size.filter(|expected| checked!("folder-size") && *expected != size) {
        return Err(Broken::Never(Problem::Size { expected, found: size }));
    }
    let limit = demand.bound();
    if checked!("folder-cap") && size > limit {
        return Err(Broken::Never(Problem::TooLarge { limit }));
    }
    stream(file, size, sink, cancel)
}

fn stream(mut file: File, size: u64, sink: &mut dyn Sink, cancel: &Cancel) -> Result<(), Broken> {
    let mut buffer = vec![0; BUFFER];
    loop {
        if cancel.is_cancelled() {
            return Err(Broken::Cancelled);
        }
        let read = match file.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Never(Problem::Read { detail: error.to_string() })),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        let found = sink.position().saturating_add(length(bytes));
        // It grew or shrank while it was read.
        if checked!("folder-grew") && found > size || (bytes.is_empty() && found < size) {
            return Err(Broken::Never(Problem::Size { expected: size, found }));
        }
        if bytes.is_empty() {
            return Ok(());
        }
        sink.write(bytes).map_err(Broken::Sink)?;
    }
}

/// Units: bytes.
const BUFFER: usize = 128 << 10;

const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn find(folder: &Path, path: &[String]) -> Result<File, Problem> {
    if path.is_empty() {
        return Ok(open(folder, FILE, Mode::empty()).map_err(missing)?.into());
    }
    let beneath: PathBuf = path.iter().collect();
    let base = open(folder, FOLDER, Mode::empty());
    let base = base.map_err(|error| Problem::Folder { detail: io::Error::from(error).to_string() })?;
    let beneath_alone = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let resolve = if checked!("folder-link") { beneath_alone } else { ResolveFlags::empty() };
    match openat2(&base, &beneath, FILE, Mode::empty(), resolve) {
        Ok(file) => Ok(file.into()),
        // An old kernel, or a filter of system calls that does not know this one.
        Err(Errno::NOSYS | Errno::PERM) => walk(base, path),
        Err(error) => Err(missing(error)),
    }
}

/// Without `openat2`: segment by segment, and no links at all.
fn walk(base: OwnedFd, path: &[String]) -> Result<File, Problem> {
    let Some((name, folders)) = path.split_last() else { return Err(Problem::NotFound) };
    let mut at = base;
    for folder in folders {
        let flags = FOLDER | OFlags::NOFOLLOW;
        at = openat(&at, folder, flags, Mode::empty()).map_err(missing)?;
    }
    Ok(openat(&at, name, FILE | OFlags::NOFOLLOW, Mode::empty()).map_err(missing)?.into())
}

fn missing(error: Errno) -> Problem {
    match error {
        Errno::NOENT => Problem::NotFound,
        Errno::XDEV | Errno::LOOP => Problem::NotRegular { found: "a link that leads out of the folder" },
        // A socket cannot be opened at all.
        Errno::NXIO => Problem::NotRegular { found: "a socket" },
        Errno::NOTDIR => Problem::NotFound,
        error => Problem::Read { detail: io::Error::from(error).to_string() },
    }
}

/// Units: bytes.
fn regular(file: &File) -> Result<u64, Problem> {
    let metadata = file.metadata().map_err(|error| Problem::Read { detail: error.to_string() })?;
    let kind = metadata.file_type();
    let found = match () {
        () if kind.is_file() => return Ok(metadata.len()),
        () if !checked!("folder-regular") => return Ok(metadata.len()),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(Problem::NotRegular { found })
}

#[cfg(test)]
mod tests;
