//! Resolves an index of 5,000 entries (about the size of Alpine's main), solves a request on it, and closes
//! over all providers of another. Target: each below 20 ms, so that hundreds of requests are proven in seconds.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run must stop")]

use std::fmt::Write;
use std::hint::black_box;

use apkvet::index::Index;
use apkvet::limits::Limits;
use apkvet::plan::{Request, Source, Universe, providers, solve};
use apkvet::types::{Architecture, Digest, Identity};
use criterion::{Criterion, criterion_group, criterion_main};

/// The library nearest to a number: every fifth package is documentation.
const fn library(n: u32) -> u32 {
    if n > 0 && n.is_multiple_of(5) { n - 1 } else { n }
}

/// Libraries that need earlier ones, a shell that everything needs, and documentation that is triggered.
fn index(entries: u32) -> Index {
    let mut text = String::new();
    for n in 0..entries {
        let mut digest = [0; 20];
        digest[..4].copy_from_slice(&n.to_be_bytes());
        let identity = Identity::new(Digest::new(digest));
        let _ = write!(text, "C:{identity}\nP:library-{n}\nV:1.{n}-r0\nA:x86_64\nS:1000\nI:4096\n");
        let needs = [n / 2, n / 3, n / 7].map(|other| format!("so:lib{}.so.1", library(other)));
        let main = library(n);
        let _ = if n == 0 {
            write!(text, "p:/bin/sh so:common.so.1=1 so:lib0.so.1=1\nk:100\n\n")
        } else if main != n {
            write!(text, "D:library-{main}=1.{main}-r0\ni:docs library-{main}=1.{main}-r0\n\n")
        } else {
            let needs = needs.join(" ");
            write!(text, "D:/bin/sh {needs} so:common.so.1\np:so:lib{n}.so.1=1.{n} cmd:tool-{n}=1.{n}-r0\n\n")
        };
    }
    Index::parse(text.into(), &Limits::default()).expect("the index is well formed")
}

fn closure(c: &mut Criterion) {
    let index = index(5000);
    let limits = Limits::default();
    let architecture = Architecture::parse(b"x86_64").expect("a name");
    let universe = || {
        let source = Source { repository: 0, index: black_box(&index), tag: None };
        Universe::new(&architecture, [source], &limits).expect("no limit is reached")
    };
    let resolved = universe();
    let requests = [Request::parse("library-4999").expect("an atom")];
    let chosen = solve(&resolved, &requests, &limits).expect("it is solvable").chosen;
    assert!(chosen.len() > 10);
    let mut group = c.benchmark_group("closure");
    group.bench_function("universe_5000_entries", |b| b.iter(universe));
    group
        .bench_function("solve_5000_entries", |b| b.iter(|| solve(&resolved, black_box(&requests), &limits)));
    group.bench_function("providers_5000_entries", |b| {
        b.iter(|| providers(&resolved, black_box(&requests), &limits));
    });
    group.finish();
}

criterion_group!(benches, closure);
criterion_main!(benches);
