//! Work that several hands share: each takes the next item, and what comes out is handed back as it comes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// How many results may wait to be taken, per hand.
const WAITING: usize = 4;

/// Has every item worked on by some hands, each with a tool of its own, and takes the results as they come.
///
/// `take` returning an error stops the rest: no hand begins another item.
pub(super) fn crew<I: Sync, T, R: Send, E>(
    items: &[I],
    hands: usize,
    tool: impl Fn() -> T + Sync,
    work: impl Fn(&mut T, &I) -> R + Sync,
    mut take: impl FnMut(usize, R) -> Result<(), E>,
) -> Result<(), E> {
    let hands = hands.clamp(1, items.len().max(1));
    let next = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel::<(usize, R)>(hands.saturating_mul(WAITING));
    std::thread::scope(|scope| {
        for _ in 0..hands {
            let (sender, next, tool, work) = (sender.clone(), &next, &tool, &work);
            scope.spawn(move || {
                let mut tool = tool();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    // Nobody takes results any more once one of them was an error.
                    if sender.send((at, work(&mut tool, item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        receiver.into_iter().try_for_each(|(at, result)| take(at, result))
    })
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
