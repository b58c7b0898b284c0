//! A store that fails at a chosen operation.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use apkvet::publish::{Listed, Mode, Stat, Store, StoreFile, StoreLock, StorePath, Wait};

/// What happens at the chosen operation. Operations that change something are counted, from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Nothing: to count.
    None,
    /// The process dies before it: it and everything after fails, clean-up too.
    Kill(u64),
    /// It fails with this error, once.
    Error(u64, i32),
    /// It and every later one of its kind fail: a full disk stays full, but for removing.
    Full(u64),
    /// No file can have a second name.
    NoLinks,
    /// What lies at this path is on another file system.
    Elsewhere(&'static str),
    /// What lies at this path belongs to somebody else.
    Foreign(&'static str),
    /// Files get no second name, and nobody says so.
    ForgetsLinks,
    /// Whatever comes into the pool is exchanged at once.
    Exchanges,
}

#[derive(Debug)]
struct Plan {
    fault: Fault,
    done: AtomicU64,
}

impl Plan {
    /// Before something that changes the store.
    fn change(&self, removes: bool) -> io::Result<()> {
        let number = self.done.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Kill(at) if number >= at => Err(killed()),
            Fault::Error(at, errno) if number == at => Err(io::Error::from_raw_os_error(errno)),
            Fault::Full(at) if number >= at && !removes => {
                Err(io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error()))
            }
            _ => Ok(()),
        }
    }

    /// Before something that only reads.
    fn read(&self) -> io::Result<()> {
        match self.fault {
            Fault::Kill(at) if self.done.load(Ordering::SeqCst) > at => Err(killed()),
            _ => Ok(()),
        }
    }
}

fn killed() -> io::Error {
    io::Error::other("killed")
}

/// A store around another one.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    plan: Arc<Plan>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Store>, fault: Fault) -> Arc<Self> {
        Arc::new(Self { inner, plan: Arc::new(Plan { fault, done: AtomicU64::new(0) }) })
    }

    /// The same store, for publishing.
    pub(crate) fn shared(self: &Arc<Self>) -> Arc<dyn Store> {
        Arc::<Self>::clone(self)
    }

    /// How many operations have changed something.
    pub(crate) fn changes(&self) -> u64 {
        self.plan.done.load(Ordering::SeqCst)
    }

    fn file(&self, file: Box<dyn StoreFile>) -> Box<dyn StoreFile> {
        Box::new(FaultyFile { inner: file, plan: Arc::clone(&self.plan) })
    }
}

impl Store for Faulty {
    fn make_dir(&self, path: &StorePath, mode: Mode) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.make_dir(path, mode)
    }
    fn set_dir_mode(&self, path: &StorePath, mode: Mode) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.set_dir_mode(path, mode)
    }
    fn create(&self, path: &StorePath, mode: Mode) -> io::Result<Box<dyn StoreFile>> {
        self.plan.change(false)?;
        Ok(self.file(self.inner.create(path, mode)?))
    }
    fn open(&self, path: &StorePath) -> io::Result<Box<dyn StoreFile>> {
        self.plan.read()?;
        Ok(self.file(self.inner.open(path)?))
    }
    fn stat(&self, path: &StorePath) -> io::Result<Stat> {
        self.plan.read()?;
        let stat = self.inner.stat(path)?;
        Ok(match self.plan.fault {
            Fault::Elsewhere(other) if other == path.as_str() => {
                Stat { id: (stat.id.0 + 1, stat.id.1), ..stat }
            }
            Fault::Foreign(other) if other == path.as_str() => Stat { ours: false, ..stat },
            _ => stat,
        })
    }
    fn read_link(&self, path: &StorePath) -> io::Result<String> {
        self.plan.read()?;
        self.inner.read_link(path)
    }
    fn list(&self, path: &StorePath) -> io::Result<Vec<Listed>> {
        self.plan.read()?;
        self.inner.list(path)
    }
    fn link(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        self.plan.change(false)?;
        if self.plan.fault == Fault::NoLinks {
            return Err(io::ErrorKind::TooManyLinks.into());
        }
        if self.plan.fault == Fault::ForgetsLinks {
            return Ok(());
        }
        self.inner.link(from, to)
    }
    fn symlink(&self, target: &str, at: &StorePath) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.symlink(target, at)
    }
    fn rename(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.rename(from, to)?;
        if self.plan.fault == Fault::Exchanges && to.as_str().starts_with("pool/") {
            self.inner.remove_file(to)?;
            self.inner.create(to, Mode::Immutable)?.append(b"another")?;
        }
        Ok(())
    }
    fn remove_file(&self, path: &StorePath) -> io::Result<()> {
        self.plan.change(true)?;
        self.inner.remove_file(path)
    }
    fn remove_dir(&self, path: &StorePath) -> io::Result<()> {
        self.plan.change(true)?;
        self.inner.remove_dir(path)
    }
    fn sync_dir(&self, path: &StorePath) -> io::Result<()> {
        self.plan.change(true)?;
        self.inner.sync_dir(path)
    }
    fn barrier(&self) -> io::Result<()> {
        self.plan.change(true)?;
        self.inner.barrier()
    }
    fn lock(&self, path: &StorePath, wait: Wait) -> io::Result<Box<dyn StoreLock>> {
        self.plan.change(false)?;
        self.inner.lock(path, wait)
    }
}

#[derive(Debug)]
struct FaultyFile {
    inner: Box<dyn StoreFile>,
    plan: Arc<Plan>,
}

impl StoreFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.append(bytes)
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.plan.read()?;
        self.inner.read_at(buffer, offset)
    }
    fn clear(&mut self) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.clear()
    }
    fn set_mode(&mut self, mode: Mode) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.set_mode(mode)
    }
    fn set_mtime(&mut self, seconds: u64) -> io::Result<()> {
        self.plan.change(false)?;
        self.inner.set_mtime(seconds)
    }
    fn stat(&self) -> io::Result<Stat> {
        self.plan.read()?;
        self.inner.stat()
    }
    fn sync(&mut self) -> io::Result<()> {
        self.plan.change(true)?;
        self.inner.sync()
    }
}
