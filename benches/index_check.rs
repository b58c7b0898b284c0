//! An index from its bytes to the findings: verified, parsed, every entry resolved.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a benchmark that cannot run has to stop and say so"
)]

use std::hint::black_box;
use std::path::Path;

use apkvet::container::Scratch;
use apkvet::index::{Index, check_entries};
use apkvet::keys::read_key;
use apkvet::limits::Limits;
use apkvet::unverified::{Keep, ReadOptions, Subject, read};
use apkvet::verify::{IndexEntries, Keyring, Known, Policy, Proof, TrustedKey, verify_index};
use criterion::{Criterion, criterion_group, criterion_main};

/// The real index of 5,004 entries, if it is there.
fn real() -> Option<(Vec<u8>, Keyring)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real/alpine");
    let bytes = std::fs::read(root.join("v3.17/main/aarch64/APKINDEX.tar.gz")).ok()?;
    let name = "alpine-devel@lists.alpinelinux.org-616ae350.rsa.pub";
    let key = read_key(&std::fs::read(root.join("keys").join(name)).ok()?).ok()?;
    let mut keyring = Keyring::default();
    keyring.add(TrustedKey::new(name, name, key)).ok()?;
    Some((bytes, keyring))
}

fn verified(bytes: &[u8], keyring: &Keyring, scratch: &mut Scratch) -> IndexEntries {
    let options = ReadOptions { index_text: Keep::Text, ..ReadOptions::default() };
    let Ok(Subject::Index(index)) = read(bytes, &options, scratch) else { unreachable!("it is an index") };
    let proof = Proof { keyring, policy: &Policy::default(), known: &Known::builtin() };
    let verified = verify_index(index, &proof).into_verified().expect("it is verified");
    IndexEntries::new(verified).expect("its text was kept")
}

fn check(index: &Index) -> u64 {
    let findings = check_entries(index, &[], None, &Limits::default()).expect("no limit is reached");
    findings.count(apkvet::index::rule::Severity::Warn)
}

fn index_check(c: &mut Criterion) {
    let Some((bytes, keyring)) = real() else {
        eprintln!("SKIPPED: ../shared is missing: there is no real index to measure");
        return;
    };
    let mut scratch = Scratch::default();
    let mut group = c.benchmark_group("index_check");
    group.bench_function("verify_and_parse_5004_entries", |b| {
        b.iter(|| verified(black_box(&bytes), &keyring, &mut scratch).index().len());
    });
    group.bench_function("verify_parse_and_check_5004_entries", |b| {
        b.iter(|| check(verified(black_box(&bytes), &keyring, &mut scratch).index()));
    });
    group.finish();
}

criterion_group!(benches, index_check);
criterion_main!(benches);
