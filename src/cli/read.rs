//! Reads what a command is given, once.

use std::fs::File;
use std::io;
use std::path::{Component, Path};

use super::open::{Opened, ReadError};
use super::pipeline::Pipeline;
use super::pool::{Begun, Worker};
use super::subjects::Subject;
use crate::keys::Scope;
use crate::unverified::{self, Abreast, Level, ReadOptions, Share};

/// A file from this size on is worth a second thread. Units: bytes.
const LARGE: u64 = 256 << 10;

/// Whether a file of this size is worth a second thread. Units: bytes.
pub(super) const fn is_large(size: u64) -> bool {
    size >= LARGE
}

/// What came of reading.
pub(super) type WasRead = Result<unverified::Subject, ReadError>;

/// Reads a subject.
pub(super) fn read(subject: &Subject, options: &ReadOptions, worker: &mut Worker) -> WasRead {
    match subject {
        Subject::StandardInput => Ok(unverified::read(io::stdin().lock(), options, &mut worker.scratch)?),
        Subject::File { path, .. } => {
            let opened = Opened::new(path)?;
            let read = read_opened(&opened, options, worker);
            end(subject, &opened, read)
        }
    }
}

fn read_opened(
    opened: &Opened,
    options: &ReadOptions,
    worker: &mut Worker,
) -> io::Result<unverified::Subject> {
    let large = opened.size().is_some_and(is_large);
    if worker.helped && large {
        unverified::read_beside(opened, options, &mut worker.scratch, &mut Pipeline)
    } else {
        unverified::read(opened, options, &mut worker.scratch)
    }
}

/// Which packages are read faster if their data are hashed side by side, if any are.
pub(super) fn side_by_side(level: Level) -> Option<Share> {
    Abreast::<File, ()>::pays().filter(|_| level == Level::Identity)
}

/// Reads a subject, or a package up to its data if these may be hashed beside those of others.
pub(super) fn begin(subject: &Subject, options: &ReadOptions, worker: &mut Worker) -> Begun<WasRead, Opened> {
    let Subject::File { path, .. } = subject else { return Begun::Done(read(subject, options, worker)) };
    let opened = match Opened::new(path) {
        Ok(opened) => opened,
        Err(error) => return Begun::Done(Err(error)),
    };
    if !worker.abreast || opened.size().is_none() {
        let read = read_opened(&opened, options, worker);
        return Begun::Done(end(subject, &opened, read));
    }
    match unverified::begin(opened.file(), options, &mut worker.scratch) {
        Ok(unverified::Begun::Data(data)) => Begun::Half(opened, data),
        Ok(unverified::Begun::Whole(read)) => Begun::Done(end(subject, &opened, Ok(read))),
        Err(error) => Begun::Done(Err(error.into())),
    }
}

/// What was read of a subject, if it is still what it was when it was opened.
pub(super) fn end(subject: &Subject, opened: &Opened, read: io::Result<unverified::Subject>) -> WasRead {
    let read = read?;
    opened.unchanged(read.size())?;
    let place = match subject {
        Subject::StandardInput => None,
        Subject::File { path, .. } => place(path),
    };
    Ok(read.with_size(opened.size()).at(place))
}

/// Where a file lies, as scopes of pins are written.
fn place(path: &Path) -> Option<Scope> {
    // The kernel follows a link before it climbs, a text cannot: such a path is looked up.
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let absolute = if climbs { path.canonicalize() } else { std::path::absolute(path) };
    Scope::of_path(&absolute.ok()?).ok()
}
