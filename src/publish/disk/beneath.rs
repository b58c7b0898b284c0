//! Finds what lies below a directory without ever leaving it or following a link.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::RESOLVE;
use crate::publish::path::StorePath;

/// The root, and the way to find something below it.
#[derive(Debug)]
pub(super) struct Beneath {
    root: OwnedFd,
    way: Way,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// The kernel resolves the whole path at once.
    Openat2,
    /// One segment after the other: kernels before 5.6, and sandboxes that forbid `openat2`.
    Walk,
}

/// A directory that something lies in.
pub(super) enum Parent<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(fd) => *fd,
            Self::Below(fd) => fd.as_fd(),
        }
    }
}

impl Beneath {
    pub(super) fn new(root: OwnedFd) -> Self {
        let probe = openat2(&root, ".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), RESOLVE);
        let way = if probe.is_ok() { Way::Openat2 } else { Way::Walk };
        Self { root, way }
    }

    #[cfg(test)]
    pub(super) fn walking(root: OwnedFd) -> Self {
        Self { root, way: Way::Walk }
    }

    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The directory that a path lies in, and its name there.
    pub(super) fn parent<'a, 'p>(&'a self, path: &'p StorePath) -> io::Result<(Parent<'a>, &'p str)> {
        let name = path.name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = path.parent().unwrap_or_else(StorePath::root);
        if parent.is_root() {
            return Ok((Parent::Root(self.root()), name));
        }
        Ok((Parent::Below(self.open(&parent, OFlags::PATH | OFlags::DIRECTORY, 0)?), name))
    }

    /// Opens what lies at a path; a link at its end is not followed either.
    pub(super) fn open(&self, path: &StorePath, flags: OFlags, mode: u32) -> io::Result<OwnedFd> {
        let follow = if checked!("follow-link") { OFlags::NOFOLLOW } else { OFlags::empty() };
        let flags = flags | OFlags::CLOEXEC | follow;
        let mode = Mode::from_bits_retain(mode);
        if path.is_root() {
            return Ok(openat(&self.root, ".", flags, mode)?);
        }
        let resolve = if checked!("follow-link") { RESOLVE } else { ResolveFlags::empty() };
        match self.way {
            Way::Openat2 => loop {
                match openat2(&self.root, path.as_str(), flags, mode, resolve) {
                    // The kernel saw a rename meanwhile and wants to be asked again.
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    opened => return Ok(opened?),
                }
            },
            Way::Walk => self.walk(path, flags, mode),
        }
    }

    fn walk(&self, path: &StorePath, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut at: Option<OwnedFd> = None;
        let parent = path.parent().unwrap_or_else(StorePath::root);
        for segment in parent.segments() {
            let from = at.as_ref().map_or_else(|| self.root(), AsFd::as_fd);
            at = Some(openat(from, segment, step, Mode::empty())?);
        }
        let from = at.as_ref().map_or_else(|| self.root(), AsFd::as_fd);
        Ok(openat(from, path.name().unwrap_or("."), flags, mode)?)
    }
}
