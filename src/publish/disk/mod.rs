//! A tree in a directory on disk.

mod beneath;
mod file;
mod lock;
mod settle;

pub use settle::Durability;

use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, OFlags, ResolveFlags};

use crate::types::escape;

use self::beneath::Beneath;
use self::file::{DiskFile, stat_at, stat_of};
use self::settle::Settle;
use super::error::PublishError;
use super::path::StorePath;
use super::store::{Kind, Listed, Mode, Stat, Store, StoreFile, StoreLock, Wait};

/// A directory on disk, held by a descriptor: nothing outside of it is ever touched.
///
/// Every path is resolved below that descriptor by `openat2`, without following any link; where the kernel has no
/// `openat2`, segment by segment with `O_NOFOLLOW`.
#[derive(Debug)]
pub struct DiskStore {
    beneath: Beneath,
    settle: Arc<Settle>,
}

impl DiskStore {
    /// Opens a directory that is there.
    ///
    /// A directory that its group may write is taken, as it is common; one that anybody may write is not, nor one
    /// in which anybody could exchange it.
    ///
    /// # Errors
    /// - [`PublishError::WritableByOthers`], [`PublishError::Io`].
    pub fn open(root: &Path, durability: Durability) -> Result<Self, PublishError> {
        Self::open_by(root, durability, Beneath::new)
    }

    /// Opens a directory, and makes it first if only its last part is missing.
    ///
    /// # Errors
    /// - As [`DiskStore::open`].
    pub fn create(root: &Path, durability: Durability) -> Result<Self, PublishError> {
        match DirBuilder::new().mode(Mode::ServedDir.bits()).create(root) {
            Ok(()) => {
                let store = Self::open(root, durability)?;
                let made = store.set_dir_mode(&StorePath::root(), Mode::ServedDir);
                made.map_err(failed("make", root)).map(|()| store)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::open(root, durability),
            Err(error) => Err(failed("make", root)(error)),
        }
    }

    fn open_by(
        root: &Path,
        durability: Durability,
        beneath: impl FnOnce(OwnedFd) -> Beneath,
    ) -> Result<Self, PublishError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || -> io::Result<(OwnedFd, bool)> {
            let fd = rustix::fs::open(root, flags, rustix::fs::Mode::empty())?;
            let above = rustix::fs::openat(&fd, "..", flags | OFlags::PATH, rustix::fs::Mode::empty())?;
            let open_to_all = is_open_to_all(&fd)? || is_open_to_all(&above)?;
            Ok((fd, open_to_all))
        };
        let (fd, open_to_all) = open().map_err(failed("open", root))?;
        if checked!("tree-open-to-all") && open_to_all {
            return Err(PublishError::WritableByOthers { path: root.display().to_string() });
        }
        let beneath = beneath(fd);
        let settle = Arc::new(Settle::new(durability));
        Ok(Self { beneath, settle })
    }

    fn open_dir(&self, path: &StorePath) -> io::Result<OwnedFd> {
        self.beneath.open(path, OFlags::RDONLY | OFlags::DIRECTORY, 0)
    }
}

fn failed(doing: &'static str, root: &Path) -> impl FnOnce(io::Error) -> PublishError {
    let path = root.display().to_string();
    move |source| PublishError::Io { doing, path, source }
}

fn is_open_to_all(fd: &OwnedFd) -> io::Result<bool> {
    const WRITE_BY_ALL: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let mode = stat_of(fd.as_fd())?.mode;
    Ok(mode & WRITE_BY_ALL != 0 && mode & STICKY == 0)
}

impl Store for DiskStore {
    fn make_dir(&self, path: &StorePath, mode: Mode) -> io::Result<()> {
        let (dir, name) = self.beneath.parent(path)?;
        rustix::fs::mkdirat(&dir, name, raw(mode))?;
        self.set_dir_mode(path, mode)
    }

    fn set_dir_mode(&self, path: &StorePath, mode: Mode) -> io::Result<()> {
        Ok(rustix::fs::fchmod(self.open_dir(path)?, raw(mode))?)
    }

    fn create(&self, path: &StorePath, mode: Mode) -> io::Result<Box<dyn StoreFile>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let fd = self.beneath.open(path, flags, Mode::Private.bits())?;
        let mut file = DiskFile::new(fd, Arc::clone(&self.settle))?;
        file.set_mode(mode)?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &StorePath) -> io::Result<Box<dyn StoreFile>> {
        // A pipe in its place must not make us wait, nor a terminal become ours.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = self.beneath.open(path, flags, 0)?;
        Ok(Box::new(DiskFile::new(fd, Arc::clone(&self.settle))?))
    }

    fn stat(&self, path: &StorePath) -> io::Result<Stat> {
        if path.is_root() {
            return stat_of(self.beneath.root());
        }
        let (dir, name) = self.beneath.parent(path)?;
        stat_at(dir.as_fd(), name)
    }

    fn read_link(&self, path: &StorePath) -> io::Result<String> {
        let (dir, name) = self.beneath.parent(path)?;
        let target = rustix::fs::readlinkat(&dir, name, Vec::new())?;
        target.into_string().map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn list(&self, path: &StorePath) -> io::Result<Vec<Listed>> {
        let dir = self.open_dir(path)?;
        let mut listed = Vec::new();
        for entry in Dir::read_from(&dir)? {
            let entry = entry?;
            let bytes = entry.file_name().to_bytes();
            if matches!(bytes, b"." | b"..") {
                continue;
            }
            let name = escape(bytes).to_string();
            let path = std::str::from_utf8(bytes).ok().and_then(|name| path.join(name).ok());
            let kind = match entry.file_type() {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Dir,
                FileType::Symlink => Kind::Link,
                FileType::Unknown => stat_at(dir.as_fd(), entry.file_name())?.kind,
                _ => Kind::Other,
            };
            listed.push(Listed { name, path, kind });
        }
        listed.sort();
        Ok(listed)
    }

    fn link(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        let (from_dir, from_name) = self.beneath.parent(from)?;
        let (to_dir, to_name) = self.beneath.parent(to)?;
        Ok(rustix::fs::linkat(&from_dir, from_name, &to_dir, to_name, AtFlags::empty())?)
    }

    fn symlink(&self, target: &str, at: &StorePath) -> io::Result<()> {
        let (dir, name) = self.beneath.parent(at)?;
        Ok(rustix::fs::symlinkat(target, &dir, name)?)
    }

    fn rename(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        let (from_dir, from_name) = self.beneath.parent(from)?;
        let (to_dir, to_name) = self.beneath.parent(to)?;
        Ok(rustix::fs::renameat(&from_dir, from_name, &to_dir, to_name)?)
    }

    fn remove_file(&self, path: &StorePath) -> io::Result<()> {
        let (dir, name) = self.beneath.parent(path)?;
        Ok(rustix::fs::unlinkat(&dir, name, AtFlags::empty())?)
    }

    fn remove_dir(&self, path: &StorePath) -> io::Result<()> {
        let (dir, name) = self.beneath.parent(path)?;
        Ok(rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR)?)
    }

    fn sync_dir(&self, path: &StorePath) -> io::Result<()> {
        self.settle.sync(self.open_dir(path)?.as_fd())
    }

    fn barrier(&self) -> io::Result<()> {
        self.settle.barrier(self.beneath.root())
    }

    fn lock(&self, path: &StorePath, wait: Wait) -> io::Result<Box<dyn StoreLock>> {
        let fd = self.beneath.open(path, OFlags::RDWR | OFlags::CREATE, Mode::Private.bits())?;
        Ok(Box::new(lock::take(fd, wait)?))
    }
}

fn raw(mode: Mode) -> rustix::fs::Mode {
    rustix::fs::Mode::from_bits_retain(mode.bits())
}

/// How `openat2` has to resolve.
const RESOLVE: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

#[cfg(test)]
mod tests;
