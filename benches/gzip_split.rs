//! Splits a package into its gzip members, with their exact spans, and reads what they hold; nothing is verified.
//! Target: at the level of identity no slower than the hash of the data; in full than inflating it.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run must stop")]

use std::hint::black_box;
use std::io::{Read, sink};

use apkvet::container::Scratch;
use apkvet::unverified::{Level, ReadOptions, Subject, read};
use apkvet_fixtures::{Archive, PackageBuilder};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A package of so many files of 4 KiB, of words that repeat as those of texts do.
fn package(files: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let mut content = || {
        let mut text = Vec::new();
        while text.len() < 4096 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.extend_from_slice(format!("word{} ", state >> 20).as_bytes());
        }
        text
    };
    let fill = |data: Archive| {
        (0..files).fold(data, |data, n| data.checked_file(&format!("usr/share/{n}"), &content()))
    };
    PackageBuilder::new("files", "1.0-r0").data(fill).build().bytes()
}

fn members(bytes: &[u8], options: &ReadOptions, scratch: &mut Scratch) -> usize {
    match read(bytes, options, scratch) {
        Ok(Subject::Package(package)) => package.into_claims_without_proof().0.members().len(),
        _ => 0,
    }
}

fn gzip_split(c: &mut Criterion) {
    let mut scratch = Scratch::default();
    let mut group = c.benchmark_group("gzip_split");
    for (name, files) in [("1_file", 1), ("20_files_80_KB", 20), ("2000_files_8_MB", 2000)] {
        let bytes = package(files);
        group.throughput(Throughput::Bytes(bytes.len().try_into().expect("a length fits")));
        group.sample_size(20);
        for level in [Level::Identity, Level::Full] {
            let options = ReadOptions { level, ..ReadOptions::default() };
            assert_eq!(members(&bytes, &options, &mut scratch), 3, "{name}");
            group.bench_function(BenchmarkId::new(level.name(), name), |b| {
                b.iter(|| members(black_box(&bytes), &options, &mut scratch));
            });
        }
        // Inflating alone, which the full level cannot be faster than.
        group.bench_function(BenchmarkId::new("inflate_alone", name), |b| {
            b.iter(|| {
                let mut decoder = flate2::bufread::MultiGzDecoder::new(black_box(&bytes[..]));
                std::io::copy(&mut decoder.by_ref(), &mut sink()).expect("it inflates")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, gzip_split);
criterion_main!(benches);
