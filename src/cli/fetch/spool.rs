//! A private file beside the place where a verified one is to appear.

use std::ffi::OsString;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::limits::length;
use crate::transport::Sink;

/// How the names of our files begin: hidden, so that nothing takes them for packages.
const PREFIX: &str = ".apkvet-fetch-";

/// A folder that files are put into.
///
/// It is opened once: exchanging it for another one on the way changes nothing.
#[derive(Debug)]
pub(in crate::cli) struct Folder {
    path: PathBuf,
    descriptor: OwnedFd,
}

/// An unverified file that only we can open; gone with this value unless it is published.
#[derive(Debug)]
pub(in crate::cli) struct Spool<'a> {
    folder: &'a Folder,
    name: OsString,
    file: File,
    length: u64,
}

impl Folder {
    /// Opens a folder, and removes what runs that were killed have left there.
    pub(in crate::cli) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
        let folder = Self { path: path.to_owned(), descriptor };
        folder.sweep();
        Ok(folder)
    }

    /// A new file with a name that nobody can guess.
    pub(in crate::cli) fn spool(&self) -> io::Result<Spool<'_>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        loop {
            let name = OsString::from(format!("{PREFIX}{:016x}", RandomState::new().hash_one(PREFIX)));
            match openat(&self.descriptor, &name, flags, mode) {
                Ok(file) => {
                    let spool = Spool { folder: self, name, file: file.into(), length: 0 };
                    // Tells other runs that somebody is at work on it. Where there are no locks, nobody sweeps.
                    let _ = flock(&spool.file, FlockOperation::NonBlockingLockExclusive);
                    return Ok(spool);
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Removes files of ours that nobody holds a lock on. What cannot be removed is left alone.
    fn sweep(&self) {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let ours = |name: &str| {
                let random = name.strip_prefix(PREFIX).unwrap_or_default();
                random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
            };
            if name.to_str().is_some_and(ours) {
                // Nothing depends on its success.
                let _ = self.remove_abandoned(&name);
            }
        }
    }

    fn remove_abandoned(&self, name: &OsString) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&self.descriptor, name, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        let own = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
        if own && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            unlinkat(&self.descriptor, name, AtFlags::empty())?;
        }
        Ok(())
    }
}

impl Spool<'_> {
    /// Reads the file from its beginning, by the descriptor that wrote it.
    pub(in crate::cli) fn reader(&self) -> io::Result<impl Read + '_> {
        (&self.file).seek(SeekFrom::Start(0))?;
        Ok((&self.file).take(self.length))
    }

    /// Lets the file appear under its name, whole and on stable storage.
    ///
    /// What was there before is replaced by one rename, or stays if anything fails.
    pub(in crate::cli) fn publish(self, name: &OsString) -> io::Result<()> {
        rustix::fs::fchmod(&self.file, Mode::from_bits_truncate(0o644))?;
        self.file.sync_all()?;
        renameat(&self.folder.descriptor, &self.name, &self.folder.descriptor, name)?;
        rustix::fs::fsync(&self.folder.descriptor)?;
        Ok(())
    }
}

impl Sink for Spool<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length = self.length.saturating_add(length(bytes));
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.length = 0;
        Ok(())
    }

    fn position(&self) -> u64 {
        self.length
    }
}

/// After publishing, the name is gone already.
impl Drop for Spool<'_> {
    fn drop(&mut self) {
        let _ = unlinkat(&self.folder.descriptor, &self.name, AtFlags::empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(path: &Path) -> Vec<String> {
        let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = std::fs::read_dir(path).unwrap().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_private_until_it_is_published_and_gone_if_it_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        let mut spool = folder.spool().unwrap();
        spool.write(b"whole").unwrap();
        let path = directory.path().join(&names(directory.path())[0]);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        drop(spool);
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn publishing_replaces_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), "old").unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        let mut spool = folder.spool().unwrap();
        spool.write(b"new").unwrap();
        spool.publish(&"a".into()).unwrap();
        assert_eq!(names(directory.path()), ["a"]);
        let path = directory.path().join("a");
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o644);
    }

    #[test]
    fn what_was_written_is_read_again_and_nothing_more() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        let mut spool = folder.spool().unwrap();
        spool.write(b"too long").unwrap();
        spool.restart().unwrap();
        spool.write(b"short").unwrap();
        for _ in 0..2 {
            let mut read = String::new();
            spool.reader().unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, "short");
        }
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let left = format!("{PREFIX}0123456789abcdef");
        for name in [left.as_str(), "a.apk", ".apkvet-fetch-mine", ".profile"] {
            std::fs::write(directory.path().join(name), "x").unwrap();
        }
        let folder = Folder::open(directory.path()).unwrap();
        assert_eq!(names(directory.path()), [".apkvet-fetch-mine", ".profile", "a.apk"]);
        let _at_work = folder.spool().unwrap();
        Folder::open(directory.path()).unwrap();
        assert_eq!(names(directory.path()).len(), 4);
    }

    #[test]
    fn a_folder_in_the_place_of_the_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("a")).unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        let refused = folder.spool().unwrap().publish(&"a".into()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::IsADirectory);
        assert_eq!(names(directory.path()), ["a"]);
    }
}
