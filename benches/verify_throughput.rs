//! Verifies packages from memory, signature included: small, median and large ones, at both levels.
//! Target: at the level of identity as fast as SHA-256; in full as fast as inflating allows.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run must stop")]

use std::hint::black_box;

use apkvet::container::Scratch;
use apkvet::keys::read_key;
use apkvet::unverified::{Level, ReadOptions, Subject, read};
use apkvet::verify::{Keyring, Known, Policy, Proof, TrustedKey, verify_package};
use apkvet_fixtures::{Corpus, FakeKey};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sha2::Digest;

/// A package of about this size, with content that deflates like that of real ones.
fn package(size: usize, key: FakeKey) -> Vec<u8> {
    let corpus = Corpus {
        count: 1,
        median: size,
        mean: size,
        min: size,
        max: size,
        keys: vec![key],
        ..Corpus::default()
    };
    let mut bytes = Vec::new();
    corpus
        .build(1, |_, built| {
            bytes = built.bytes;
            Ok::<_, std::convert::Infallible>(())
        })
        .expect("it is built");
    bytes
}

fn keyring(key: &FakeKey) -> Keyring {
    let public = read_key(key.public_pem().as_bytes()).expect("a key");
    let mut keyring = Keyring::default();
    keyring.add(TrustedKey::new(key.name(), key.name(), public)).expect("one key");
    keyring
}

fn verifies(bytes: &[u8], keyring: &Keyring, options: &ReadOptions, scratch: &mut Scratch) -> bool {
    let (policy, known) = (Policy::default(), Known::builtin());
    let proof = Proof { keyring, policy: &policy, known: &known };
    let Ok(Subject::Package(package)) = read(bytes, options, scratch) else { return false };
    verify_package(package, &proof).verified().is_some()
}

fn verify_throughput(c: &mut Criterion) {
    let mut scratch = Scratch::default();
    let mut group = c.benchmark_group("verify_throughput");
    for (name, size, key) in [
        ("1600_bytes_2048_bits", 1600, FakeKey::a()),
        ("1600_bytes_4096_bits", 1600, FakeKey::c()),
        ("34_KB", 34 << 10, FakeKey::a()),
        ("10_MB", 10 << 20, FakeKey::a()),
    ] {
        let (bytes, keyring) = (package(size, key.clone()), keyring(&key));
        group.throughput(Throughput::Bytes(bytes.len().try_into().expect("a length fits")));
        group.sample_size(if size > 1 << 20 { 10 } else { 50 });
        for level in [Level::Identity, Level::Full] {
            let options = ReadOptions { level, ..ReadOptions::default() };
            assert!(verifies(&bytes, &keyring, &options, &mut scratch), "{name}");
            group.bench_function(BenchmarkId::new(level.name(), name), |b| {
                b.iter(|| verifies(black_box(&bytes), &keyring, &options, &mut scratch));
            });
        }
        // What nothing can be faster than.
        group.bench_function(BenchmarkId::new("sha256_alone", name), |b| {
            b.iter(|| sha2::Sha256::digest(black_box(&bytes)));
        });
    }
    group.finish();
}

criterion_group!(benches, verify_throughput);
criterion_main!(benches);
