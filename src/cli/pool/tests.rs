use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use apkvet_fixtures::PackageBuilder;

use super::turn::AHEAD;
use super::*;
use crate::cli::open::Opened;
use crate::cli::read;
use crate::cli::subjects::Subject as Item;
use crate::unverified::{Level, ReadOptions};

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

/// Reads packages, those that may be left half done up to their data.
struct Packages {
    half: AtomicUsize,
}

impl Work<Item> for Packages {
    type Made = (String, u64);
    type Half = Opened;

    fn begin(&self, item: &Item, worker: &mut Worker) -> Begun<Self::Made, Opened> {
        match read::begin(item, &options(), worker) {
            Begun::Done(read) => Begun::Done(made(item, read)),
            Begun::Half(opened, data) => {
                self.half.fetch_add(1, Ordering::Relaxed);
                Begun::Half(opened, data)
            }
        }
    }

    fn end(&self, item: &Item, opened: Opened, read: io::Result<Subject>) -> Self::Made {
        made(item, read::end(item, &opened, read))
    }
}

fn options() -> ReadOptions {
    ReadOptions { level: Level::Identity, ..ReadOptions::default() }
}

/// The name of the file, and its size if it is a package.
fn made(item: &Item, read: read::WasRead) -> (String, u64) {
    let package = read.ok().filter(|subject| matches!(subject, Subject::Package(_)));
    (item.shown(), package.and_then(|subject| subject.size()).unwrap_or_default())
}

/// Packages of these sizes and more, the data of which are not looked at.
fn packages(directory: &Path, sizes: impl Iterator<Item = usize>) -> Vec<Item> {
    let control = PackageBuilder::new("a", "1-r0").build().control;
    let write = |(number, size): (usize, usize)| {
        let path = directory.join(number.to_string());
        std::fs::write(&path, [control.as_slice(), &vec![7; size]].concat()).unwrap();
        let size = path.metadata().unwrap().len();
        Item::File { path, size }
    };
    sizes.enumerate().map(write).collect()
}

fn worked_on(items: &[Item], threads: usize, abreast: Option<Share>) -> (Vec<(String, u64)>, usize) {
    let (work, mut taken) = (Packages { half: AtomicUsize::new(0) }, Vec::new());
    let done: Result<(), ()> = in_order_abreast(items, threads, Item::size, (&work, abreast), |made| {
        taken.push(made);
        Ok(())
    });
    assert_eq!(done, Ok(()));
    (taken, work.half.into_inner())
}

#[test]
fn items_that_are_left_half_done_end_as_well_and_in_their_order() {
    let directory = tempfile::tempdir().unwrap();
    // The first takes as long as all others that may pass by it, and more.
    let mut items =
        packages(directory.path(), std::iter::once(150_000).chain((1..3000).map(|n| 1 + n % 500)));
    items.insert(1500, Item::File { path: directory.path().join("none"), size: 100 });
    let expected: Vec<(String, u64)> =
        items.iter().map(|item| (item.shown(), if item.size() == 100 { 0 } else { item.size() })).collect();
    assert!(expected.iter().filter(|(_, size)| *size == 0).count() == 1, "another has 100 bytes");
    for threads in [1, 2, 5] {
        let (taken, half) = worked_on(&items, threads, Some(Share::LARGE));
        assert_eq!(taken, expected, "{threads} threads");
        assert!(half > 2900, "{half} on {threads} threads");
    }
    assert_eq!(worked_on(&items, 2, None), (expected, 0));
}

#[test]
fn an_item_that_would_fill_a_lane_for_long_is_worked_on_alone() {
    let directory = tempfile::tempdir().unwrap();
    let half_of = |share, sizes: &[usize], threads| {
        worked_on(&packages(directory.path(), sizes.iter().copied()), threads, Some(share)).1
    };
    let half = |sizes: &[usize], threads| half_of(Share::LARGE, sizes, threads);
    assert_eq!(half(&[1000; 5], 1), 0);
    assert_eq!(half(&[1000; 6], 1), 6);
    assert_eq!(half(&[1000; 10], 2), 0);
    assert_eq!(half(&[1000; 11], 2), 11);
    let one_large: Vec<usize> = std::iter::once(500_000).chain([10_000; 20]).collect();
    assert_eq!(half(&one_large, 1), 20);
    assert_eq!(half_of(Share::SMALL, &[1000; 63], 1), 0);
    assert_eq!(half_of(Share::SMALL, &[1000; 64], 1), 64);
}

#[test]
fn an_error_of_the_taker_stops_items_that_are_half_done() {
    let directory = tempfile::tempdir().unwrap();
    let items = packages(directory.path(), (0..400).map(|_| 5000));
    for threads in [1, 3] {
        let (work, mut taken) = (Packages { half: AtomicUsize::new(0) }, 0);
        let done = in_order_abreast(&items, threads, Item::size, (&work, Some(Share::LARGE)), |_| {
            taken += 1;
            if taken == 20 { Err("gone") } else { Ok(()) }
        });
        assert_eq!((done, taken), (Err("gone"), 20));
    }
}
