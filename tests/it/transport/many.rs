use super::*;
use crate::harness::http_fault_server::{Asked, Step};
use crate::harness::http_faults::{Case, Outcome};
use std::sync::atomic::{AtomicUsize, Ordering};

const FILES: usize = 10_000;
const SEED: u64 = 0x5eed;

/// What a file holds, from its number.
fn content(number: usize) -> Vec<u8> {
    format!("file {number} ").repeat(1 + number % 40).into_bytes()
}

/// A number that depends on the file, the request and the seed, and on nothing else.
fn random(asked: &Asked) -> usize {
    let text = format!("{SEED} {} {}", asked.target, asked.nth);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from((hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).unwrap()
}

/// The faults that pass, of those that need no time.
fn passing() -> Vec<Case> {
    let passes = |case: &Case| case.outcome == Outcome::Arrives && !case.timed;
    super::all().into_iter().filter(passes).collect()
}

#[test]
fn ten_thousand_files_arrive_over_a_line_where_one_answer_in_a_hundred_is_wrong() {
    let server = Arc::new(FaultServer::start(&[]));
    for number in 0..FILES {
        server.put(&format!("/{number}"), &content(number));
    }
    let (cases, wrong) = (passing(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&wrong);
    server.misbehave(move |asked| {
        let random = random(asked);
        if !random.is_multiple_of(100) {
            return None;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        let case = &cases[(random / 100) % cases.len()];
        (case.fault)(asked)
    });
    let next = AtomicUsize::new(0);
    let fetcher = Fetcher::new(Bench::patient().settings).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut worker = fetcher.worker();
                let upstreams = [Location::parse(&server.url("")).unwrap()];
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= FILES {
                        break;
                    }
                    let mut sink = Vec::new();
                    let size = u64::try_from(content(number).len()).unwrap();
                    let demand = Demand::new(&[&number.to_string()], 1 << 20).sized(size);
                    let done = worker.fetch(&upstreams, &demand, &mut sink);
                    assert!(done.is_ok(), "seed {SEED:#x}, file {number}: {done:?}");
                    assert!(sink == content(number), "seed {SEED:#x}, file {number}");
                }
            });
        }
    });
    // The same seed makes the same faults: 1 % of the requests, whatever the order.
    let wrong = wrong.load(Ordering::SeqCst);
    assert!((50..200).contains(&wrong), "{wrong} faults");
}

#[test]
fn one_connection_that_hangs_keeps_no_other_from_finishing() {
    let server = server();
    server.misbehave(|asked| asked.target.ends_with("hangs").then(|| vec![Step::Hang]));
    let bench = Bench::patient();
    let cancel = bench.settings.cancel.clone();
    let fetcher = Fetcher::new(bench.settings.clone()).unwrap();
    let upstreams = [Location::parse(&upstream(&server)).unwrap()];
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| {
            fetcher.worker().fetch(&upstreams, &Demand::new(&["hangs"], 10), &mut Vec::new()).unwrap_err()
        });
        let others: Vec<_> = (0..63)
            .map(|_| {
                scope.spawn(|| {
                    let mut sink = Vec::new();
                    fetcher.worker().fetch(&upstreams, &package(), &mut sink).unwrap();
                    sink == body()
                })
            })
            .collect();
        assert!(others.into_iter().all(|other| other.join().unwrap()));
        cancel.cancel();
        assert!(matches!(hanging.join().unwrap(), FetchError::Cancelled));
    });
    assert!(server.connections() <= 64, "{} connections", server.connections());
}
