//! Works on many files with all cores, and hands the results back in the order asked for.

mod results;
mod turn;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::container::Scratch;
use crate::unverified::{Abreast, Share, Stored, Subject};

use results::Results;
use turn::{Open, Turn};

/// How many of the largest items go first; the others keep their order, so that few results have to wait.
const LARGEST: usize = 64;
/// Up to how many threads each has lanes. Units: threads, with eight open files each.
const THREADS_WITH_LANES: usize = 64;

/// What one thread works with.
#[derive(Debug, Default)]
pub(super) struct Worker {
    /// Buffers, used for one file after another.
    pub(super) scratch: Scratch,
    /// A thread that would have nothing to do may help with this item.
    pub(super) helped: bool,
    /// This item may be left half done, for its data to be hashed beside that of others.
    pub(super) abreast: bool,
}

impl Worker {
    /// Works on one item while the other threads have nothing to do.
    pub(super) fn alone(threads: usize) -> Self {
        Self { helped: threads > 1, ..Self::default() }
    }
}

/// What is done with each item.
pub(super) trait Work<I>: Sync {
    /// What comes of an item.
    type Made: Send;
    /// What is remembered of an item that is half done.
    type Half;

    /// Does all of it, or as much as has to come before the data are hashed.
    fn begin(&self, item: &I, worker: &mut Worker) -> Begun<Self::Made, Self::Half>;

    /// Does the rest.
    fn end(&self, item: &I, half: Self::Half, read: io::Result<Subject>) -> Self::Made;
}

/// How far an item was worked on.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is handed on once, and kept by nobody")]
pub(super) enum Begun<R, H> {
    /// To its end.
    Done(R),
    /// Up to the data of a package.
    Half(H, Stored<Arc<File>>),
}

/// Work that is never left half done.
struct Whole<F>(F);

impl<I, R: Send, F: Fn(&I, &mut Worker) -> R + Sync> Work<I> for Whole<F> {
    type Made = R;
    type Half = Infallible;

    fn begin(&self, item: &I, worker: &mut Worker) -> Begun<R, Infallible> {
        Begun::Done((self.0)(item, worker))
    }

    fn end(&self, _: &I, half: Infallible, _: io::Result<Subject>) -> R {
        match half {}
    }
}

/// Applies `work` to every item on `threads` threads, this one among them, the largest first, and calls `take` with the
/// results in the order of the items, as soon as each is its turn, on whichever thread that is.
///
/// One item takes no other thread, and a thread that cannot be had is done without.
/// Memory: bounded, however many items there are, but for the items themselves.
/// `take` returning an error stops the rest.
pub(super) fn in_order<I: Sync, R: Send, E: Send>(
    items: &[I],
    threads: usize,
    size: impl Fn(&I) -> u64,
    work: impl Fn(&I, &mut Worker) -> R + Sync,
    take: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E> {
    Pool::new(items, threads, size, &Whole(work), None).run(take)
}

/// Does as [`in_order`], with work that may leave items half done, for some to be hashed side by side on each thread,
/// if that is said to be worth it for some size.
pub(super) fn in_order_abreast<I: Sync, W: Work<I>, E: Send>(
    items: &[I],
    threads: usize,
    size: impl Fn(&I) -> u64,
    (work, abreast): (&W, Option<Share>),
    take: impl FnMut(W::Made) -> Result<(), E> + Send,
) -> Result<(), E> {
    Pool::new(items, threads, size, work, abreast).run(take)
}

/// Items, and how far they are.
struct Pool<'p, I, W> {
    items: &'p [I],
    sizes: Vec<u64>,
    work: &'p W,
    threads: usize,
    help: Help,
    abreast: Option<Share>,
    /// The items in the order in which they are begun.
    order: Vec<usize>,
    next: AtomicUsize,
    turn: Turn,
}

impl<'p, I: Sync, W: Work<I>> Pool<'p, I, W> {
    fn new(
        items: &'p [I],
        threads: usize,
        size: impl Fn(&I) -> u64,
        work: &'p W,
        abreast: Option<Share>,
    ) -> Self {
        let sizes: Vec<u64> = items.iter().map(size).collect();
        let total = sizes.iter().fold(0, |a: u64, b| a.saturating_add(*b));
        let help = Help { others: threads.saturating_sub(1), total };
        let threads = threads.clamp(1, items.len().max(1));
        // Nobody waits for one thread that does one after the other.
        let order =
            if threads == 1 && abreast.is_none() { (0..sizes.len()).collect() } else { order(&sizes) };
        let (next, turn) = (AtomicUsize::new(0), Turn::default());
        Self { items, sizes, work, threads, help, abreast, order, next, turn }
    }

    fn run<E: Send>(&self, take: impl FnMut(W::Made) -> Result<(), E> + Send) -> Result<(), E> {
        let results = Results::new(take);
        let work = || {
            // However this thread ends, nobody shall wait for a turn that does not come.
            let _open = Open(&self.turn);
            self.work_through(|result| results.put(result, &self.turn));
        };
        thread::scope(|scope| {
            for _ in 1..self.threads {
                // Where the system has no more threads, those that there are do all of it.
                if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            work();
        });
        results.outcome()
    }

    /// What one thread does: begins items, and ends those that are half done, until `give` has no use for more.
    fn work_through(&self, mut give: impl FnMut((usize, W::Made)) -> bool) {
        let (mut worker, mut abreast, mut claimed) = (Worker::default(), Abreast::default(), None);
        loop {
            while abreast.has_room() {
                let Some(claim) = claimed.take().or_else(|| self.claim()) else { break };
                // What is half done here may be what the others wait for.
                if !abreast.is_empty() && !self.may_join(&claim) {
                    claimed = Some(claim);
                    break;
                }
                match self.begin(&claim, &mut worker) {
                    Begun::Done(made) => {
                        if !give((claim.index, made)) {
                            return;
                        }
                    }
                    Begun::Half(half, data) => abreast.add((claim, half), data),
                }
            }
            let Some(((claim, half), read)) = abreast.next(&mut worker.scratch) else { return };
            if !give((claim.index, self.work.end(claim.item, half, read))) {
                return;
            }
        }
    }

    /// The next item that nobody has begun.
    fn claim(&self) -> Option<Claim<'p, I>> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let index = *self.order.get(place)?;
        let (item, size) = (self.items.get(index)?, *self.sizes.get(index)?);
        Some(Claim { item, index, size, waits: place >= LARGEST })
    }

    fn begin(&self, claim: &Claim<'p, I>, worker: &mut Worker) -> Begun<W::Made, W::Half> {
        // Whoever waits here has claimed an item behind the one whose turn it is; who has that one does not wait.
        if claim.waits {
            self.turn.wait_until_near(claim.index);
        }
        worker.helped = self.help.is_left(claim.size);
        worker.abreast = self.is_for_a_lane(claim.size);
        self.work.begin(claim.item, worker)
    }

    /// Whether an item can be begun while others are half done.
    fn may_join(&self, claim: &Claim<'p, I>) -> bool {
        self.is_for_a_lane(claim.size) && (!claim.waits || self.turn.is_near(claim.index))
    }

    /// Whether an item of this size is hashed in a lane.
    ///
    /// Of something without a size, as standard input, nobody knows how long it takes. And each lane holds an open
    /// file: more threads than these would come near to what a process may have.
    fn is_for_a_lane(&self, size: u64) -> bool {
        let lanes = self.threads.saturating_mul(Abreast::<File, ()>::MOST);
        let in_a_lane = |share: Share| share.covers(size, lanes, self.help.total);
        self.threads <= THREADS_WITH_LANES && size > 0 && self.abreast.is_some_and(in_a_lane)
    }
}

/// An item that a thread has taken upon itself.
struct Claim<'p, I> {
    item: &'p I,
    index: usize,
    size: u64,
    /// Whether it must not be begun too long before its turn.
    waits: bool,
}

/// The order in which items are begun: the largest, then the others as they come.
fn order(sizes: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|index| Reverse(sizes.get(*index)));
    if let Some(others) = order.get_mut(LARGEST..) {
        others.sort_unstable();
    }
    order
}

/// Whether threads are left over.
struct Help {
    others: usize,
    total: u64,
}

impl Help {
    /// Whether the other threads are done with all other items before an item of this size is.
    fn is_left(&self, size: u64) -> bool {
        let others = u64::try_from(self.others).unwrap_or(u64::MAX);
        size.saturating_mul(others) > self.total.saturating_sub(size)
    }
}
