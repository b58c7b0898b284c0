//! Work that several hands share: each takes the next item, and hands in itself what comes of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Has every item worked on by some hands, each with a tool of its own, and takes the results as they come.
///
/// This thread is one of the hands, and one that cannot be had is done without.
/// `take` is called by one hand at a time; if it returns an error, each of the others begins one more item at most.
pub(super) fn crew<I: Sync, T, R, E: Send>(
    items: &[I],
    hands: usize,
    tool: impl Fn() -> T + Sync,
    work: impl Fn(&mut T, &I) -> R + Sync,
    take: impl FnMut(usize, R) -> Result<(), E> + Send,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let taking = Mutex::new((take, Ok(())));
    let hand = || {
        let mut tool = tool();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            let result = work(&mut tool, item);
            // Whoever panicked while results were taken ends the program; nothing more is taken.
            let Ok(mut taking) = taking.lock() else { break };
            let (take, outcome) = &mut *taking;
            if outcome.is_ok() {
                *outcome = take(at, result);
            }
            if outcome.is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..hands.min(items.len()) {
            if thread::Builder::new().spawn_scoped(scope, hand).is_err() {
                break;
            }
        }
        hand();
    });
    taking.into_inner().unwrap_or_else(PoisonError::into_inner).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_whatever_the_number_of_hands() {
        let items: Vec<usize> = (0..100).collect();
        for hands in [0, 1, 3, 200] {
            let mut seen = vec![0; items.len()];
            let done: Result<(), ()> = crew(
                &items,
                hands,
                || (),
                |(), item| item * 2,
                |at, result| {
                    assert_eq!(result, at * 2);
                    seen[at] += 1;
                    Ok(())
                },
            );
            assert_eq!((done, seen), (Ok(()), vec![1; 100]));
        }
    }

    #[test]
    fn an_error_stops_the_rest() {
        let items: Vec<usize> = (0..10_000).collect();
        let worked = AtomicUsize::new(0);
        let count = |(): &mut (), _: &usize| worked.fetch_add(1, Ordering::Relaxed);
        let stopped = crew(&items, 2, || (), count, |_, _| Err("enough"));
        assert_eq!(stopped, Err("enough"));
        assert!(worked.load(Ordering::Relaxed) < items.len());
    }
}
