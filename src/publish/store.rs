//! Every file operation of publishing, as one small trait: the place where tests cut the power.

use std::fmt;
use std::io;
use std::time::Duration;

use super::path::StorePath;

/// Where a tree lies: a directory on disk, or what stands in its place.
///
/// Trust: no operation leaves the root or follows a symbolic link, not even one that is exchanged meanwhile.
///
/// Durability: what [`StoreFile::sync`] and [`Store::sync_dir`] were called for is on stable storage when the
/// next [`Store::barrier`] has returned; whether each call writes at once is the business of the store.
pub trait Store: Send + Sync + fmt::Debug {
    /// Makes a directory with exactly this mode.
    ///
    /// # Errors
    /// - `AlreadyExists` if anything has the name; those of the system.
    fn make_dir(&self, path: &StorePath, mode: Mode) -> io::Result<()>;

    /// Sets the mode of a directory, whatever the umask is.
    ///
    /// # Errors
    /// - `NotADirectory`; those of the system.
    fn set_dir_mode(&self, path: &StorePath, mode: Mode) -> io::Result<()>;

    /// Makes a regular file with exactly this mode, and opens it for reading and writing.
    ///
    /// # Errors
    /// - `AlreadyExists` if anything has the name; those of the system.
    fn create(&self, path: &StorePath, mode: Mode) -> io::Result<Box<dyn StoreFile>>;

    /// Opens a regular file for reading; never waits for a pipe.
    ///
    /// # Errors
    /// - `InvalidInput` if it is no regular file; those of the system.
    fn open(&self, path: &StorePath) -> io::Result<Box<dyn StoreFile>>;

    /// What lies there; a link is not followed.
    ///
    /// # Errors
    /// - Those of the system.
    fn stat(&self, path: &StorePath) -> io::Result<Stat>;

    /// What a symbolic link says.
    ///
    /// # Errors
    /// - `InvalidInput` if it is none; those of the system.
    fn read_link(&self, path: &StorePath) -> io::Result<String>;

    /// What lies in a directory, sorted; names that no [`StorePath`] can have are `None`.
    ///
    /// # Errors
    /// - Those of the system.
    fn list(&self, path: &StorePath) -> io::Result<Vec<Listed>>;

    /// Gives a file a second name.
    ///
    /// # Errors
    /// - `AlreadyExists` if anything has the name, `TooManyLinks`; those of the system.
    fn link(&self, from: &StorePath, to: &StorePath) -> io::Result<()>;

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// - `AlreadyExists` if anything has the name; those of the system.
    fn symlink(&self, target: &str, at: &StorePath) -> io::Result<()>;

    /// Gives a file or link another name, in place of what has it.
    ///
    /// # Errors
    /// - Those of the system.
    fn rename(&self, from: &StorePath, to: &StorePath) -> io::Result<()>;

    /// Takes away a name that is no directory.
    ///
    /// # Errors
    /// - Those of the system.
    fn remove_file(&self, path: &StorePath) -> io::Result<()>;

    /// Takes away an empty directory.
    ///
    /// # Errors
    /// - `DirectoryNotEmpty`; those of the system.
    fn remove_dir(&self, path: &StorePath) -> io::Result<()>;

    /// Asks that the names in a directory be durable at the next barrier.
    ///
    /// # Errors
    /// - Those of the system.
    fn sync_dir(&self, path: &StorePath) -> io::Result<()>;

    /// Returns when everything that was asked to be durable is.
    ///
    /// # Errors
    /// - Those of the system. What was asked for may be lost then, and has to be written again.
    fn barrier(&self) -> io::Result<()>;

    /// Takes a lock on a file, which is made if need be; it is held until the result is dropped.
    ///
    /// # Errors
    /// - `WouldBlock` if somebody has it; those of the system.
    fn lock(&self, path: &StorePath, wait: Wait) -> io::Result<Box<dyn StoreLock>>;
}

/// An open file of a store.
pub trait StoreFile: Send + fmt::Debug {
    /// Writes all bytes at the end.
    ///
    /// # Errors
    /// - Those of the system.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Reads at an offset; nothing only at the end.
    ///
    /// # Errors
    /// - Those of the system.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Takes all bytes away.
    ///
    /// # Errors
    /// - Those of the system.
    fn clear(&mut self) -> io::Result<()>;

    /// Sets the mode, whatever the umask is.
    ///
    /// # Errors
    /// - Those of the system.
    fn set_mode(&mut self, mode: Mode) -> io::Result<()>;

    /// Sets the time of the last change. Units: seconds since 1970.
    ///
    /// # Errors
    /// - Those of the system.
    fn set_mtime(&mut self, seconds: u64) -> io::Result<()>;

    /// What it is now.
    ///
    /// # Errors
    /// - Those of the system.
    fn stat(&self) -> io::Result<Stat>;

    /// Asks that content, mode and time be durable at the next barrier.
    ///
    /// # Errors
    /// - Those of the system. The file has to be discarded then: a second call would succeed and prove nothing.
    fn sync(&mut self) -> io::Result<()>;
}

/// A lock that is held; dropping it sets it free.
pub trait StoreLock: Send + Sync + fmt::Debug {}

/// Whether to wait for a lock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Wait {
    /// Not at all.
    #[default]
    Never,
    /// As long as this.
    AtMost(Duration),
    /// As long as it takes.
    Forever,
}

/// Permissions that something is made with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// 0755: a directory that is served.
    ServedDir,
    /// 0700: a directory of ours alone.
    PrivateDir,
    /// 0444: what is published, and never changes.
    Immutable,
    /// 0600: what is ours alone.
    Private,
}

impl Mode {
    /// The bits.
    pub const fn bits(self) -> u32 {
        match self {
            Self::ServedDir => 0o755,
            Self::PrivateDir => 0o700,
            Self::Immutable => 0o444,
            Self::Private => 0o600,
        }
    }
}

/// What something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A pipe, a device, a socket.
    Other,
}

/// What is known of something in a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Units: bytes.
    pub size: u64,
    /// Units: seconds since 1970.
    pub mtime: u64,
    /// When anything about it was last changed. Units: seconds since 1970, and nanoseconds.
    pub changed: (i64, u32),
    /// Which file system, and which file there: equal for two names of one file.
    pub id: (u64, u64),
    /// Number of names.
    pub links: u64,
    /// Whether it belongs to the user who runs this.
    pub ours: bool,
}

/// A name in a directory.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Listed {
    /// The name, escaped where it is not one that we would give.
    pub name: String,
    /// Where it lies; none if we would never give such a name.
    pub path: Option<StorePath>,
    /// What it is.
    pub kind: Kind,
}
