//! Works on many files with all cores, and hands the results back in the order asked for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::container::Scratch;

/// How many results may wait for an earlier one to be finished. Units: results.
const AHEAD: usize = 1024;
/// How many of the largest items go first; the others keep their order, so that few results have to wait.
const LARGEST: usize = 64;

/// What one thread works with.
#[derive(Debug, Default)]
pub(super) struct Worker {
    /// Buffers, used for one file after another.
    pub(super) scratch: Scratch,
    /// A thread that would have nothing to do may help with this item.
    pub(super) helped: bool,
}

impl Worker {
    /// Works on one item while the other threads have nothing to do.
    pub(super) fn alone(threads: usize) -> Self {
        Self { helped: threads > 1, ..Self::default() }
    }
}

/// Applies `work` to every item on `threads` threads, the largest first, and calls `take` with the
/// results in the order of the items, as soon as each is its turn.
///
/// One item takes no thread. Memory: bounded, however many items there are, but for the items themselves.
/// `take` returning an error stops the rest.
pub(super) fn in_order<I: Sync, R: Send, E>(
    items: &[I],
    threads: usize,
    size: impl Fn(&I) -> u64,
    work: impl Fn(&I, &mut Worker) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let sizes: Vec<u64> = items.iter().map(size).collect();
    let help =
        Help { others: threads.saturating_sub(1), total: sizes.iter().fold(0, |a, b| a.saturating_add(*b)) };
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        let mut worker = Worker::default();
        return items.iter().zip(&sizes).try_for_each(|(item, size)| {
            worker.helped = help.is_left(*size);
            take(work(item, &mut worker))
        });
    }
    let (order, turn, next) = (order(&sizes), Turn::default(), AtomicUsize::new(0));
    let (sender, receiver) = sync_channel::<(usize, R)>(AHEAD);
    std::thread::scope(|scope| {
        // Once all is taken, or `take` fails or panics, nobody waits any longer.
        let _open = Open(&turn);
        for _ in 0..threads {
            let (sender, next, order, work) = (sender.clone(), &next, &order, &work);
            let (sizes, turn, help) = (&sizes, &turn, &help);
            scope.spawn(move || {
                // However this thread ends, nobody shall wait for a turn that does not come.
                let _open = Open(turn);
                let mut worker = Worker::default();
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((index, item)) = order.get(place).and_then(|at| Some((*at, items.get(*at)?)))
                    else {
                        break;
                    };
                    // Whoever waits here has claimed an item behind the one whose turn it is: that one is worked on.
                    if place >= LARGEST {
                        turn.wait_until_near(index);
                    }
                    worker.helped = sizes.get(index).is_some_and(|size| help.is_left(*size));
                    // The receiver is gone when the output is: nobody waits for the rest.
                    if sender.send((index, work(item, &mut worker))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut at = 0;
        receiver.into_iter().try_for_each(|(index, result)| {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&at) {
                take(result)?;
                at += 1;
            }
            turn.is_now(at);
            Ok(())
        })
    })
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

/// The item whose result is taken next.
#[derive(Default)]
struct Turn {
    at: Mutex<usize>,
    moved: Condvar,
}

impl Turn {
    /// Turns never go back.
    fn is_now(&self, at: usize) {
        let mut now = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *now = at.max(*now);
        drop(now);
        self.moved.notify_all();
    }

    /// Waits until few enough results have to be kept until it is this item's turn.
    fn wait_until_near(&self, index: usize) {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let far = |at: &mut usize| at.saturating_add(AHEAD) <= index;
        drop(self.moved.wait_while(at, far).unwrap_or_else(PoisonError::into_inner));
    }
}

/// Lets all wait no longer once it is dropped.
struct Open<'t>(&'t Turn);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.is_now(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_results_wait_however_many_items_there_are() {
        let items: Vec<usize> = (0..20_000).collect();
        let (begun, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let most = AtomicUsize::new(0);
        let done: Result<(), ()> = in_order(
            &items,
            3,
            |_| 1,
            |item, _| {
                // The first is slow: the others would all be done before it, and wait for it instead.
                while *item == 0 && begun.load(Ordering::Relaxed) < AHEAD - 1 {
                    std::thread::yield_now();
                }
                let ahead = begun.fetch_add(1, Ordering::Relaxed) - taken.load(Ordering::Relaxed);
                most.fetch_max(ahead, Ordering::Relaxed);
            },
            |()| {
                taken.fetch_add(1, Ordering::Relaxed);
                Ok(())
            },
        );
        assert_eq!((done, taken.into_inner()), (Ok(()), items.len()));
        assert!(most.load(Ordering::Relaxed) <= AHEAD + LARGEST + 3, "{most:?}");
    }

    #[test]
    fn the_largest_go_first_and_the_others_in_their_order() {
        let sizes: Vec<u64> = (0..200).map(|n| n % 100).collect();
        let order = order(&sizes);
        assert_eq!(order[..4], [99, 199, 98, 198]);
        assert_eq!(order[LARGEST..LARGEST + 3], [0, 1, 2]);
        let mut all = order.clone();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..200));
        assert!(order[LARGEST..].is_sorted());
    }

    #[test]
    fn an_item_is_helped_if_all_others_are_done_before_it() {
        let seen = |threads, sizes: &[u64]| {
            let mut seen = Vec::new();
            let work = |_: &u64, worker: &mut Worker| worker.helped;
            let done: Result<(), ()> = in_order(
                sizes,
                threads,
                |size| *size,
                work,
                |helped| {
                    seen.push(helped);
                    Ok(())
                },
            );
            assert_eq!(done, Ok(()));
            seen
        };
        assert_eq!(seen(1, &[100]), [false]);
        assert_eq!(seen(2, &[100]), [true]);
        assert_eq!(seen(2, &[10, 100, 20]), [false, true, false]);
        assert_eq!(seen(2, &[100, 100]), [false, false]);
        assert_eq!(seen(4, &[100, 100]), [true, true]);
    }

    #[test]
    fn results_come_in_the_order_of_the_items_whatever_their_size() {
        let items: Vec<u64> = (0..500).map(|n| (n * 7919) % 997).collect();
        for threads in [1, 2, 7] {
            let mut seen = Vec::new();
            let done: Result<(), ()> = in_order(
                &items,
                threads,
                |item| *item,
                |item, _| *item,
                |item| {
                    seen.push(item);
                    Ok(())
                },
            );
            assert_eq!(done, Ok(()));
            assert_eq!(seen, items);
        }
    }

    #[test]
    fn an_error_of_the_taker_stops_the_rest() {
        let items: Vec<u64> = (0..5000).collect();
        let mut taken = 0;
        let done = in_order(
            &items,
            2,
            |_| 1,
            |item, _| *item,
            |item| {
                taken += 1;
                if item == 10 { Err("gone") } else { Ok(()) }
            },
        );
        assert_eq!((done, taken), (Err("gone"), 11));
    }
}
