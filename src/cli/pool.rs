//! Works on many files with all cores, and hands the results back in the order asked for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// How many results may wait for an earlier one to be finished, per thread.
const WAITING: usize = 64;

/// Applies `work` to every item on `threads` threads, the largest first, and calls `take` with the
/// results in the order of the items, as soon as each is its turn.
///
/// `take` returning an error stops the rest.
pub(super) fn in_order<I: Sync, R: Send, E>(
    items: &[I],
    threads: usize,
    size: impl Fn(&I) -> u64,
    work: impl Fn(&I, &mut crate::container::Scratch) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(items.get(*index).map(&size)));
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        let mut scratch = crate::container::Scratch::default();
        return items.iter().try_for_each(|item| take(work(item, &mut scratch)));
    }
    let next = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel::<(usize, R)>(threads * WAITING);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, order, work) = (sender.clone(), &next, &order, &work);
            scope.spawn(move || {
                let mut scratch = crate::container::Scratch::default();
                while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(item) = items.get(*index) else { break };
                    // The receiver is gone when the output is: nobody waits for the rest.
                    if sender.send((*index, work(item, &mut scratch))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut turn = 0;
        for (index, result) in receiver {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&turn) {
                take(result)?;
                turn += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
