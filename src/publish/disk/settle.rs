//! When what was written becomes durable: at each call, or all together.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{fsync, syncfs};
use rustix::io::Errno;

/// How files and directories become durable.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Durability {
    /// Each by its own `fsync`: slower one after the other, and independent of what else the file system has to do.
    EachFile,
    /// One `syncfs` for many: the default, since a sync writes thousands of files and publishes them at once.
    #[default]
    Together,
}

/// Up to here, `fsync` of each is cheaper than waiting for the whole file system.
const FEW: usize = 16;

/// What has to be durable at the next barrier.
#[derive(Debug)]
pub(super) struct Settle {
    durability: Durability,
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
enum Waiting {
    Few(Vec<OwnedFd>),
    Many,
}

impl Settle {
    pub(super) const fn new(durability: Durability) -> Self {
        Self { durability, waiting: Mutex::new(Waiting::Few(Vec::new())) }
    }

    /// Makes a file or directory durable, now or at the barrier.
    pub(super) fn sync(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        if self.durability == Durability::EachFile {
            return sync_now(fd);
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *waiting {
            Waiting::Few(few) if few.len() < FEW => few.push(fd.try_clone_to_owned()?),
            waiting => *waiting = Waiting::Many,
        }
        Ok(())
    }

    /// Makes durable what waits.
    pub(super) fn barrier(&self, root: BorrowedFd<'_>) -> io::Result<()> {
        let none = Waiting::Few(Vec::new());
        let waiting =
            std::mem::replace(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner), none);
        match waiting {
            Waiting::Few(few) => few.iter().try_for_each(sync_now),
            Waiting::Many => Ok(syncfs(root)?),
        }
    }
}

fn sync_now(fd: impl std::os::fd::AsFd) -> io::Result<()> {
    loop {
        match fsync(fd.as_fd()) {
            Err(Errno::INTR) => {}
            synced => return Ok(synced?),
        }
    }
}
