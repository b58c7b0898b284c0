//! One run at a time: `flock`, which the kernel releases whatever becomes of us.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::file::{not_a_file, stat_of};
use crate::publish::store::{Kind, Mode, StoreLock, Wait};

/// A lock file that is ours until it is closed. It is never removed: somebody may be waiting for it.
#[derive(Debug)]
pub(super) struct DiskLock {
    _file: File,
}

impl StoreLock for DiskLock {}

/// How often a lock with a time limit is tried.
const STEP: Duration = Duration::from_millis(50);

pub(super) fn take(fd: OwnedFd, wait: Wait) -> io::Result<DiskLock> {
    let stat = stat_of(fd.as_fd())?;
    // A second name would let us write our number into somebody else's file.
    if stat.kind != Kind::File || stat.links != 1 {
        return Err(not_a_file());
    }
    hold(&fd, wait)?;
    let file = File::from(fd);
    if stat.mode != Mode::Private.bits() {
        // A umask may have taken even our own rights away.
        file.set_permissions(Permissions::from_mode(Mode::Private.bits()))?;
    }
    file.set_len(0)?;
    file.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0)?;
    Ok(DiskLock { _file: file })
}

fn hold(fd: &OwnedFd, wait: Wait) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        let operation = match wait {
            Wait::Forever => FlockOperation::LockExclusive,
            Wait::Never | Wait::AtMost(_) => FlockOperation::NonBlockingLockExclusive,
        };
        match (flock(fd, operation), wait) {
            (Err(Errno::INTR), _) => {}
            (Err(Errno::WOULDBLOCK), Wait::AtMost(most)) if begun.elapsed() < most => {
                std::thread::sleep(STEP)
            }
            (held, _) => return Ok(held?),
        }
    }
}
