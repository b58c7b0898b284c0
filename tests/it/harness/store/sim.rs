//! A store in memory that can lose its power.
//!
//! What it holds, and what a power loss leaves of it, is a [`State`].

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use apkvet::publish::{Listed, Mode, Stat, Store, StoreFile, StoreLock, StorePath, Wait};

use super::state::{Content, Node, State, error, stat};

/// When a sync reaches the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Syncs {
    /// At once.
    EachFile,
    /// At the barrier.
    Together,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// None if nobody wants to know.
    history: Option<Vec<State>>,
    syncs: Syncs,
    leave_out: Option<u64>,
    fail: Option<u64>,
}

impl Inner {
    fn recorded<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let (Ok(_), Some(history)) = (&result, &mut self.history) {
            history.push(self.state.clone());
        }
        result
    }

    /// Syncs now, unless this is the one that is left out or fails.
    fn sync_now(&mut self, ids: Vec<u64>) -> io::Result<()> {
        let number = Some(self.state.syncs);
        self.state.syncs += 1;
        if self.fail == number {
            ids.into_iter().for_each(|id| self.state.lose(id));
            return Err(io::Error::from_raw_os_error(5));
        }
        if self.leave_out != number {
            ids.into_iter().for_each(|id| self.state.sync(id));
        }
        Ok(())
    }

    fn sync(&mut self, id: u64) -> io::Result<()> {
        let synced = match self.syncs {
            Syncs::Together => {
                self.state.waiting.push(id);
                Ok(())
            }
            Syncs::EachFile => self.sync_now(vec![id]),
        };
        self.recorded(synced)
    }
}

/// The store.
#[derive(Debug)]
pub(crate) struct SimStore {
    inner: Arc<Mutex<Inner>>,
    locked: Arc<AtomicBool>,
}

impl SimStore {
    pub(crate) fn new(syncs: Syncs) -> Arc<Self> {
        Self::of(State::new(), syncs)
    }

    /// A store that begins with what is there.
    pub(crate) fn of(state: State, syncs: Syncs) -> Arc<Self> {
        let inner = Inner { state, history: None, syncs, leave_out: None, fail: None };
        Arc::new(Self { inner: Arc::new(Mutex::new(inner)), locked: Arc::default() })
    }

    /// The same store, for publishing.
    pub(crate) fn shared(self: &Arc<Self>) -> Arc<dyn Store> {
        Arc::<Self>::clone(self)
    }

    /// Lets one sync do nothing: the mutant whose death proves that the sync is needed.
    pub(crate) fn leave_out(&self, sync: u64) {
        self.inner().leave_out = Some(sync);
    }

    /// Lets one sync fail, and lose what it was to write.
    pub(crate) fn fail(&self, sync: u64) {
        self.inner().fail = Some(sync);
    }

    /// How many syncs there were.
    pub(crate) fn sync_calls(&self) -> u64 {
        self.inner().state.syncs
    }

    /// What is there now.
    pub(crate) fn state(&self) -> State {
        self.inner().state.clone()
    }

    /// What was there after each operation since the last time; the first time nothing.
    pub(crate) fn take_history(&self) -> Vec<State> {
        self.inner().history.replace(Vec::new()).unwrap_or_default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn file(&self, id: u64) -> Box<dyn StoreFile> {
        Box::new(SimFile { inner: Arc::clone(&self.inner), id })
    }

    fn remove(&self, path: &StorePath, dir: bool) -> io::Result<()> {
        let mut inner = self.inner();
        let id = inner.state.find(path)?;
        match (&inner.state.nodes[&id], dir) {
            (Node::Dir { entries, .. }, true) if !entries.is_empty() => {
                return Err(error(io::ErrorKind::DirectoryNotEmpty));
            }
            (Node::Dir { .. }, false) => return Err(error(io::ErrorKind::IsADirectory)),
            (Node::Dir { .. }, true) | (_, false) => {}
            (_, true) => return Err(error(io::ErrorKind::NotADirectory)),
        }
        let (parent, name) = inner.state.parent(path)?;
        inner.state.change(vec![(parent, name.to_owned(), None)], parent);
        inner.recorded(Ok(()))
    }
}

impl Store for SimStore {
    fn make_dir(&self, path: &StorePath, mode: Mode) -> io::Result<()> {
        let mut inner = self.inner();
        let made = inner.state.insert(path, Node::Dir { entries: BTreeMap::new(), mode: mode.bits() });
        inner.recorded(made.map(drop))
    }

    fn set_dir_mode(&self, path: &StorePath, new: Mode) -> io::Result<()> {
        let mut inner = self.inner();
        let id = inner.state.find(path)?;
        if let Some(Node::Dir { mode, .. }) = inner.state.nodes.get_mut(&id) {
            *mode = new.bits();
        }
        inner.recorded(Ok(()))
    }

    fn create(&self, path: &StorePath, mode: Mode) -> io::Result<Box<dyn StoreFile>> {
        let mut inner = self.inner();
        let content = Content { bytes: Arc::default(), mode: mode.bits(), mtime: 1 };
        let made = inner.state.insert(path, Node::File(content));
        let id = inner.recorded(made)?;
        drop(inner);
        Ok(self.file(id))
    }

    fn open(&self, path: &StorePath) -> io::Result<Box<dyn StoreFile>> {
        let inner = self.inner();
        let id = inner.state.find(path)?;
        let is_file = matches!(inner.state.nodes[&id], Node::File(_));
        drop(inner);
        if is_file { Ok(self.file(id)) } else { Err(error(io::ErrorKind::InvalidInput)) }
    }

    fn stat(&self, path: &StorePath) -> io::Result<Stat> {
        let inner = self.inner();
        Ok(stat(&inner.state, inner.state.find(path)?))
    }

    fn read_link(&self, path: &StorePath) -> io::Result<String> {
        let inner = self.inner();
        match &inner.state.nodes[&inner.state.find(path)?] {
            Node::Link(target) => Ok(target.clone()),
            _ => Err(error(io::ErrorKind::InvalidInput)),
        }
    }

    fn list(&self, path: &StorePath) -> io::Result<Vec<Listed>> {
        let inner = self.inner();
        let entries = inner.state.entries(inner.state.find(path)?)?;
        let listed = entries.iter().map(|(name, id)| Listed {
            name: name.clone(),
            path: path.join(name).ok(),
            kind: stat(&inner.state, *id).kind,
        });
        Ok(listed.collect())
    }

    fn link(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        let mut inner = self.inner();
        let id = inner.state.find(from)?;
        let (dir, name) = inner.state.parent(to)?;
        if inner.state.entries(dir)?.contains_key(name) {
            return Err(error(io::ErrorKind::AlreadyExists));
        }
        inner.state.change(vec![(dir, name.to_owned(), Some(id))], dir);
        inner.recorded(Ok(()))
    }

    fn symlink(&self, target: &str, at: &StorePath) -> io::Result<()> {
        let mut inner = self.inner();
        let made = inner.state.insert(at, Node::Link(target.to_owned()));
        inner.recorded(made.map(drop))
    }

    fn rename(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        let mut inner = self.inner();
        let id = inner.state.find(from)?;
        let (from_dir, from_name) = inner.state.parent(from)?;
        let (to_dir, to_name) = inner.state.parent(to)?;
        let entries = vec![(from_dir, from_name.to_owned(), None), (to_dir, to_name.to_owned(), Some(id))];
        inner.state.change(entries, to_dir);
        inner.recorded(Ok(()))
    }

    fn remove_file(&self, path: &StorePath) -> io::Result<()> {
        self.remove(path, false)
    }

    fn remove_dir(&self, path: &StorePath) -> io::Result<()> {
        self.remove(path, true)
    }

    fn sync_dir(&self, path: &StorePath) -> io::Result<()> {
        let mut inner = self.inner();
        let id = inner.state.find(path)?;
        inner.state.entries(id)?;
        inner.sync(id)
    }

    fn barrier(&self) -> io::Result<()> {
        let mut inner = self.inner();
        let waiting = std::mem::take(&mut inner.state.waiting);
        let synced = match inner.syncs {
            Syncs::Together => inner.sync_now(waiting),
            Syncs::EachFile => Ok(()),
        };
        inner.recorded(synced)
    }

    fn lock(&self, path: &StorePath, _: Wait) -> io::Result<Box<dyn StoreLock>> {
        if self.locked.swap(true, Ordering::SeqCst) {
            return Err(error(io::ErrorKind::WouldBlock));
        }
        let lock = SimLock(Arc::clone(&self.locked));
        // A new run does not know what another one had yet to sync.
        self.inner().state.waiting.clear();
        if self.stat(path).is_err() {
            self.create(path, Mode::Private)?;
        }
        Ok(Box::new(lock))
    }
}

#[derive(Debug)]
struct SimLock(Arc<AtomicBool>);

impl StoreLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct SimFile {
    inner: Arc<Mutex<Inner>>,
    id: u64,
}

impl SimFile {
    fn change(&self, change: impl FnOnce(&mut Content)) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        let Some(Node::File(content)) = inner.state.nodes.get_mut(&self.id) else { panic!("no file") };
        change(content);
        inner.recorded(Ok(()))
    }
}

impl StoreFile for SimFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.change(|content| content.bytes = Arc::new([&content.bytes[..], bytes].concat()))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let inner = self.inner.lock().unwrap();
        let Node::File(content) = &inner.state.nodes[&self.id] else { panic!("no file") };
        let rest = content.bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.change(|content| content.bytes = Arc::default())
    }

    fn set_mode(&mut self, mode: Mode) -> io::Result<()> {
        self.change(|content| content.mode = mode.bits())
    }

    fn set_mtime(&mut self, seconds: u64) -> io::Result<()> {
        self.change(|content| content.mtime = seconds)
    }

    fn stat(&self) -> io::Result<Stat> {
        Ok(stat(&self.inner.lock().unwrap().state, self.id))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.lock().unwrap().sync(self.id)
    }
}
