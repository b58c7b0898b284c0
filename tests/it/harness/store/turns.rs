//! A store in which two threads take turns: after which of their operations is chosen.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use apkvet::publish::{Listed, Mode, Stat, Store, StoreFile, StoreLock, StorePath, Wait};

/// How long the thread whose turn it is may do nothing here: it waits for something that the other one has.
///
/// Where this is too short, another order is tried than the one that was chosen, and no order may fail.
const STUCK: Duration = Duration::from_millis(20);

thread_local! {
    static HAND: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Whose turn it is.
#[derive(Debug)]
struct Turn {
    hand: usize,
    /// Operations of both hands.
    done: usize,
    /// After so many operations the other one goes on.
    switches: Vec<usize>,
    ended: [bool; 2],
}

impl Turn {
    fn give(&mut self, to: usize) {
        if !self.ended[to] {
            self.hand = to;
        }
    }
}

#[derive(Debug)]
struct Schedule {
    turn: Mutex<Turn>,
    changed: Condvar,
}

impl Schedule {
    fn wait(&self) {
        let Some(me) = HAND.get() else { return };
        let mut turn = self.turn.lock().unwrap();
        while turn.hand != me {
            let before = turn.done;
            let waited = self.changed.wait_timeout(turn, STUCK).unwrap();
            turn = waited.0;
            if waited.1.timed_out() && turn.done == before {
                turn.hand = me;
            }
        }
    }

    fn done(&self) {
        let Some(me) = HAND.get() else { return };
        let mut turn = self.turn.lock().unwrap();
        turn.done += 1;
        if turn.switches.contains(&turn.done) {
            turn.give(1 - me);
        }
        self.changed.notify_all();
    }

    fn ended(&self, me: usize) {
        let mut turn = self.turn.lock().unwrap();
        turn.ended[me] = true;
        turn.give(1 - me);
        self.changed.notify_all();
    }

    fn operation<R>(&self, operation: impl FnOnce() -> R) -> R {
        self.wait();
        let result = operation();
        self.done();
        result
    }
}

/// A store around another one.
#[derive(Debug)]
pub(crate) struct Turns {
    inner: Arc<dyn Store>,
    schedule: Arc<Schedule>,
}

impl Turns {
    /// The first hand begins; it is the other's turn after each of these numbers of operations.
    pub(crate) fn new(inner: Arc<dyn Store>, switches: &[usize]) -> Arc<Self> {
        let turn = Turn { hand: 0, done: 0, switches: switches.to_vec(), ended: [false; 2] };
        let schedule = Schedule { turn: Mutex::new(turn), changed: Condvar::new() };
        Arc::new(Self { inner, schedule: Arc::new(schedule) })
    }

    /// The same store, for publishing.
    pub(crate) fn shared(self: &Arc<Self>) -> Arc<dyn Store> {
        Arc::<Self>::clone(self)
    }

    /// Lets two hands work, and returns what each came to, and the number of their operations.
    pub(crate) fn run<R: Send>(&self, work: impl Fn(usize) -> R + Sync) -> ([R; 2], usize) {
        let hand = |me| {
            HAND.set(Some(me));
            let result = work(me);
            self.schedule.ended(me);
            result
        };
        let results = std::thread::scope(|scope| {
            let hands = [0, 1].map(|me| scope.spawn(move || hand(me)));
            hands.map(|hand| hand.join().unwrap())
        });
        let done = self.schedule.turn.lock().unwrap().done;
        (results, done)
    }

    fn operation<R>(&self, operation: impl FnOnce(&dyn Store) -> R) -> R {
        self.schedule.operation(|| operation(&*self.inner))
    }

    fn file(&self, file: Box<dyn StoreFile>) -> Box<dyn StoreFile> {
        Box::new(TurnsFile { inner: file, schedule: Arc::clone(&self.schedule) })
    }
}

impl Store for Turns {
    fn make_dir(&self, path: &StorePath, mode: Mode) -> io::Result<()> {
        self.operation(|store| store.make_dir(path, mode))
    }
    fn set_dir_mode(&self, path: &StorePath, mode: Mode) -> io::Result<()> {
        self.operation(|store| store.set_dir_mode(path, mode))
    }
    fn create(&self, path: &StorePath, mode: Mode) -> io::Result<Box<dyn StoreFile>> {
        Ok(self.file(self.operation(|store| store.create(path, mode))?))
    }
    fn open(&self, path: &StorePath) -> io::Result<Box<dyn StoreFile>> {
        Ok(self.file(self.operation(|store| store.open(path))?))
    }
    fn stat(&self, path: &StorePath) -> io::Result<Stat> {
        self.operation(|store| store.stat(path))
    }
    fn read_link(&self, path: &StorePath) -> io::Result<String> {
        self.operation(|store| store.read_link(path))
    }
    fn list(&self, path: &StorePath) -> io::Result<Vec<Listed>> {
        self.operation(|store| store.list(path))
    }
    fn link(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        self.operation(|store| store.link(from, to))
    }
    fn symlink(&self, target: &str, at: &StorePath) -> io::Result<()> {
        self.operation(|store| store.symlink(target, at))
    }
    fn rename(&self, from: &StorePath, to: &StorePath) -> io::Result<()> {
        self.operation(|store| store.rename(from, to))
    }
    fn remove_file(&self, path: &StorePath) -> io::Result<()> {
        self.operation(|store| store.remove_file(path))
    }
    fn remove_dir(&self, path: &StorePath) -> io::Result<()> {
        self.operation(|store| store.remove_dir(path))
    }
    fn sync_dir(&self, path: &StorePath) -> io::Result<()> {
        self.operation(|store| store.sync_dir(path))
    }
    fn barrier(&self) -> io::Result<()> {
        self.operation(|store| store.barrier())
    }
    fn lock(&self, path: &StorePath, wait: Wait) -> io::Result<Box<dyn StoreLock>> {
        self.operation(|store| store.lock(path, wait))
    }
}

#[derive(Debug)]
struct TurnsFile {
    inner: Box<dyn StoreFile>,
    schedule: Arc<Schedule>,
}

impl StoreFile for TurnsFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.schedule.operation(|| self.inner.append(bytes))
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.schedule.operation(|| self.inner.read_at(buffer, offset))
    }
    fn clear(&mut self) -> io::Result<()> {
        self.schedule.operation(|| self.inner.clear())
    }
    fn set_mode(&mut self, mode: Mode) -> io::Result<()> {
        self.schedule.operation(|| self.inner.set_mode(mode))
    }
    fn set_mtime(&mut self, seconds: u64) -> io::Result<()> {
        self.schedule.operation(|| self.inner.set_mtime(seconds))
    }
    fn stat(&self) -> io::Result<Stat> {
        self.schedule.operation(|| self.inner.stat())
    }
    fn sync(&mut self) -> io::Result<()> {
        self.schedule.operation(|| self.inner.sync())
    }
}
