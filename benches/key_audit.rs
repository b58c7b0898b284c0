//! Audits directories of 1,000 keys, from files to report, on two threads.
//! Target: at most 5 s, batch gcd included.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run must stop")]

use std::hint::black_box;
use std::path::Path;
use std::thread;

use apkvet::audit::{
    Depth, Examined, Owners, Report, Search, Settings, SharedPrimes, Strictness, Tables, audit, examine,
    moduli_to_examine,
};
use apkvet::keys::{KeyDirectory, KnownKeys, PublicKey, RsaPublicKey};
use criterion::{Criterion, criterion_group, criterion_main};
use dashu_int::UBig;
use dashu_int::ops::Gcd;
use sha2::Digest;

/// A product of two numbers that look random and have no small factors: all checks run to their end on it, as on
/// honest moduli.
fn modulus(bits: usize, seed: usize, small: &UBig) -> UBig {
    factor(bits / 2, 2 * seed, small) * factor(bits / 2, 2 * seed + 1, small)
}

fn factor(bits: usize, seed: usize, small: &UBig) -> UBig {
    let block =
        |n: usize| <[u8; 32]>::from(sha2::Sha256::digest([seed.to_be_bytes(), n.to_be_bytes()].concat()));
    let bytes: Vec<u8> = (0..).flat_map(block).take(bits / 8).collect();
    let mut number = UBig::from_be_bytes(&bytes) | UBig::ONE | (UBig::from(3_u8) << (bits - 2));
    while !(&number).gcd(small).is_one() {
        number += UBig::from(2_u8);
    }
    number
}

/// A directory of keys, so many of each size.
fn directory(sizes: &[(usize, usize)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let small = (2..1_u32 << 16).filter(|n| (2..=n.isqrt()).all(|d| n % d > 0));
    let small = small.fold(UBig::ONE, |product, prime| product * prime);
    for (count, bits) in sizes {
        for seed in 0..*count {
            let number = modulus(*bits, seed, &small).to_be_bytes();
            let key = PublicKey::Rsa(RsaPublicKey::new(&number, &[1, 0, 1]));
            let name = directory.path().join(format!("{bits}-{seed}.rsa.pub"));
            std::fs::write(name, key.to_pem()).expect("a file");
        }
    }
    directory
}

fn audit_all(path: &Path, known: &KnownKeys) -> Report {
    let directories = [KeyDirectory::read(path).expect("a directory")];
    let (keys, tables) = (moduli_to_examine(&directories), Tables::default());
    let half =
        |first| keys.iter().skip(first).step_by(2).map(|key| examine(key, &tables, Depth::Usual)).collect();
    let (even, odd, shared): (Vec<_>, Vec<_>, _) = thread::scope(|scope| {
        let shared = scope.spawn(|| SharedPrimes::find(&directories, known));
        let other = scope.spawn(|| half(1));
        (half(0), other.join().expect("no panic"), shared.join().expect("no panic"))
    });
    let mut examined = Examined::new(shared);
    for (list, first) in [(even, 0), (odd, 1)] {
        let keys = keys.iter().skip(first).step_by(2);
        keys.zip(list).for_each(|(key, found)| examined.add((*key).clone(), found));
    }
    let settings = Settings {
        as_of: jiff::civil::date(2026, 11, 25),
        strictness: Strictness::Default,
        architecture: None,
        max_age: None,
        owners: Owners::Anybody,
        search: Search::Separate,
        pins: None,
        known,
        blocklists: &[],
        ignore: &[],
        repositories: None,
        branches: &[],
    };
    audit(&directories, &[], &examined, &settings)
}

fn key_audit(c: &mut Criterion) {
    let known = KnownKeys::builtin();
    let mut group = c.benchmark_group("key_audit");
    group.sample_size(10);
    for (name, sizes) in [
        ("1000_keys_2048_bits", &[(1000, 2048)][..]),
        ("1000_keys_half_4096_bits", &[(500, 2048), (500, 4096)]),
    ] {
        let keys = directory(sizes);
        group.bench_function(name, |b| b.iter(|| audit_all(black_box(keys.path()), &known)));
    }
    group.finish();
}

criterion_group!(benches, key_audit);
criterion_main!(benches);
