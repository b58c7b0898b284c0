//! Checks the text of an index of 5,000 entries (2 MB, about the size of Alpine's main).
//! Target: at least 0.4 GB/s with every field checked.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run must stop")]

use std::fmt::Write;
use std::hint::black_box;

use apkvet::index::{Keep, TextReader, TextReport};
use apkvet::limits::Limits;
use base64::Engine;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Entries as long as real ones: 390 bytes on average, two thirds of it dependencies and provides.
fn text(entries: u32) -> String {
    let mut text = String::new();
    for n in 0..entries {
        let mut digest = [0; 20];
        digest[..4].copy_from_slice(&n.to_be_bytes());
        let identity = base64::engine::general_purpose::STANDARD.encode(digest);
        let _ = write!(
            text,
            "C:Q1{identity}\nP:library-{n}\nV:1.{n}.3_rc2-r{}\nA:x86_64\nS:{}\nI:{}\nT:A library for all that is numbered {n}\n\
             U:https://example.org/library-{n}/\nL:MIT AND Apache-2.0\no:library\nm:A Maintainer <maintainer@example.org>\n\
             t:{}\nc:0123456789abcdef0123456789abcdef01234567\nD:so:libc.musl-x86_64.so.1 so:libcrypto.so.3 library-common=1.{n}.3_rc2-r1\n\
             p:so:liblibrary-{n}.so.1=1.{n}.3 cmd:library-{n}=1.{n}.3_rc2-r1 pc:library-{n}=1.{n}.3\n\n",
            n % 10,
            n * 100,
            n * 300,
            1_600_000_000 + n,
        );
    }
    text
}

fn check(text: &[u8]) -> TextReport {
    let mut reader = TextReader::new(&Limits::default(), Keep::Nothing);
    for chunk in text.chunks(64 << 10) {
        reader.feed(chunk).expect("no limit is reached");
    }
    reader.finish().expect("no limit is reached")
}

fn index_text(c: &mut Criterion) {
    let text = text(5000);
    assert_eq!(check(text.as_bytes()).fault_count, 0);
    let mut group = c.benchmark_group("index_text");
    group.throughput(Throughput::Bytes(text.len().try_into().expect("a length fits")));
    group.bench_function("check_5000_entries", |b| b.iter(|| check(black_box(text.as_bytes()))));
    group.finish();
}

criterion_group!(benches, index_text);
criterion_main!(benches);
