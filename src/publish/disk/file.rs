//! An open file on disk.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FileType, StatxFlags, makedev, statx};
use rustix::path::Arg;

use super::settle::Settle;
use crate::publish::store::{Kind, Mode, Stat, StoreFile};

/// A regular file.
#[derive(Debug)]
pub(super) struct DiskFile {
    file: File,
    end: u64,
    settle: Arc<Settle>,
}

impl DiskFile {
    /// Takes a descriptor, if it is that of a regular file.
    pub(super) fn new(fd: OwnedFd, settle: Arc<Settle>) -> io::Result<Self> {
        let stat = stat_of(fd.as_fd())?;
        if stat.kind != Kind::File {
            return Err(not_a_file());
        }
        Ok(Self { file: File::from(fd), end: stat.size, settle })
    }
}

pub(super) fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "expected a regular file, found something else")
}

impl StoreFile for DiskFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.end)?;
        self.end = self.end.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.end = 0;
        Ok(())
    }

    fn set_mode(&mut self, mode: Mode) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(mode.bits()))
    }

    fn set_mtime(&mut self, seconds: u64) -> io::Result<()> {
        let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        self.file.set_modified(time.ok_or(io::ErrorKind::InvalidInput)?)
    }

    fn stat(&self) -> io::Result<Stat> {
        stat_of(self.file.as_fd())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.settle.sync(self.file.as_fd())
    }
}

/// What a descriptor is of.
pub(super) fn stat_of(fd: BorrowedFd<'_>) -> io::Result<Stat> {
    read_stat(fd, "", AtFlags::EMPTY_PATH)
}

/// What a name in a directory is of; a link is not followed.
pub(super) fn stat_at(dir: BorrowedFd<'_>, name: impl Arg) -> io::Result<Stat> {
    read_stat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
}

fn read_stat(fd: BorrowedFd<'_>, name: impl Arg, flags: AtFlags) -> io::Result<Stat> {
    let found = statx(fd, name, flags | AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS)?;
    let mode = u32::from(found.stx_mode);
    let kind = match FileType::from_raw_mode(mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    Ok(Stat {
        kind,
        mode: mode & 0o7777,
        size: found.stx_size,
        mtime: u64::try_from(found.stx_mtime.tv_sec).unwrap_or_default(),
        changed: (found.stx_ctime.tv_sec, found.stx_ctime.tv_nsec),
        id: (makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino),
        links: found.stx_nlink.into(),
        ours: found.stx_uid == rustix::process::geteuid().as_raw(),
    })
}
