use std::path::Path;

use apkvet::unverified::Level;
use apkvet::verify::{Keyring, Policy};
use apkvet_fixtures::package::Style;
use apkvet_fixtures::tar::sha256_hex;
use apkvet_fixtures::{
    Archive, FakeKey, Gzip, Header, IndexBuilder, Label, Package, PackageBuilder, gzip, tar,
};

use crate::harness::{judge, keyring, shared};
use crate::refusals::trusting_a;

/// One small file that is verified as it is.
struct Seed {
    name: String,
    bytes: Vec<u8>,
    keyring: Keyring,
    /// Where the signed member begins: nothing before it is covered by anything.
    covered_from: usize,
}

impl Seed {
    fn new(name: impl Into<String>, bytes: Vec<u8>, keyring: Keyring) -> Self {
        let covered_from = end_of_signatures(&bytes);
        Self { name: name.into(), bytes, keyring, covered_from }
    }
}

/// A package as nfpm writes it: Go's gzip header, a description of several lines, checksums in control.
fn nfpm() -> Package {
    let go = Gzip { xfl_os: [0, 0xff], ..Gzip::default() };
    let builder =
        PackageBuilder::new("nfpm", "1.0").field("pkgdesc", "One line\n  and another").without("builddate");
    let data = go.member(&builder.data_archive());
    let script = b"#!/bin/sh\n";
    let control = builder
        .control_archive(&builder.pkginfo(&tar::sha256_hex(&data)))
        .pax(&[(tar::CHECKSUM, &tar::sha1_hex(script))])
        .entry(&Header::file(".post-install"), script);
    let control = go.member(&control.bytes());
    let signature = FakeKey::a().sign(Label::Rsa, &control);
    let name = format!(".SIGN.RSA.{}", FakeKey::a().name());
    let signature = go.member(&Archive::default().entry(&Header::file(name), &signature).bytes());
    Package { signature, control, data }
}

/// Small packages of each builder's shape, and an index, made here.
fn made() -> Vec<Seed> {
    let of = |name, style, label| {
        let package =
            PackageBuilder::new("hello", "1.0-r0").style(style).build_signed(&[(FakeKey::a(), label)]);
        Seed::new(name, package.bytes(), trusting_a())
    };
    let melange = PackageBuilder::new("hello", "1.0-r0").script(".melange.yaml", b"package:\n").build();
    let index = IndexBuilder::default().package("hello", "1.0-r0", &melange, "D:so:libc.so.1\n").build();
    vec![
        of("abuild until 2024", Style::Abuild, Label::Rsa),
        of("abuild since 2025", Style::Abuild2025, Label::Rsa),
        of("RSA512", Style::Plain, Label::Rsa512),
        Seed::new("melange", melange.bytes(), trusting_a()),
        Seed::new("nfpm", nfpm().bytes(), trusting_a()),
        Seed::new("index", index, trusting_a()),
    ]
}

/// Small generated and real files, where they are at hand.
fn found() -> Vec<Seed> {
    let Some(root) = shared("real").and_then(|real| Some(real.parent()?.to_owned())) else {
        return Vec::new();
    };
    let real = |keys: &str, file: &str| {
        let bytes = std::fs::read(root.join(file)).unwrap();
        Seed::new(Path::new(file).file_name().unwrap().to_string_lossy(), bytes, keyring(&root.join(keys)))
    };
    vec![
        real("corpus/v2/keys", "corpus/v2/mutants/ok-rsa.apk"),
        real("corpus/v2/keys", "corpus/v2/mutants/idx-ok-rsa-sha1.apk"),
        real("real/melange-repo", "real/melange-repo/x86_64/replayout-1.0.0-r0.apk"),
        real("real/melange-repo", "real/melange-repo/x86_64/APKINDEX.tar.gz"),
        real("real/rsa256/keys", "real/rsa256/APKINDEX.tar.gz"),
    ]
}

fn seeds() -> Vec<Seed> {
    made().into_iter().chain(found()).collect()
}

/// Where the signed member begins, found independently: the first member's gzip stream is inflated
/// until it ends.
fn end_of_signatures(bytes: &[u8]) -> usize {
    let mut decoder = flate2::bufread::GzDecoder::new(bytes);
    std::io::copy(&mut decoder, &mut std::io::sink()).unwrap();
    bytes.len() - decoder.into_inner().len()
}

fn verdict(seed: &Seed, bytes: &[u8], level: Level) -> &'static str {
    judge(bytes, &seed.keyring, &Policy::default(), level).verdict
}

/// The flips of one bit after which a file is still verified.
fn accepted(seed: &Seed) -> Vec<(usize, u8)> {
    assert_eq!(verdict(seed, &seed.bytes, Level::Full), "verified", "{}", seed.name);
    let mut accepted = Vec::new();
    let mut bytes = seed.bytes.clone();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            if verdict(seed, &bytes, Level::Full) == "verified" {
                accepted.push((at, bit));
                assert_same_signatures(seed, &bytes);
            }
            if at >= seed.covered_from {
                let identity = verdict(seed, &bytes, Level::Identity);
                assert_ne!(identity, "verified", "{}: byte {at}, bit {bit}", seed.name);
            }
            bytes[at] ^= 1 << bit;
        }
    }
    accepted
}

/// What a byte of the first member is, by its place.
fn place(at: usize) -> &'static str {
    match at {
        3 => "flags of the gzip header: FTEXT says nothing",
        4..=7 => "time of the gzip header",
        8..=9 => "extra flags and system of the gzip header",
        _ => "deflate stream: inflates to the same bytes",
    }
}

/// An accepted change of the signature member must inflate to the very same bytes.
fn assert_same_signatures(seed: &Seed, changed: &[u8]) {
    let inflate = |bytes: &[u8]| {
        let mut inflated = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(bytes);
        std::io::Read::read_to_end(&mut decoder, &mut inflated).unwrap();
        inflated
    };
    assert_eq!(inflate(&seed.bytes), inflate(changed), "{}", seed.name);
}

/// Tells the accepted flips: bytes of the header whole, others one by one.
fn told(seed: &Seed, accepted: &[(usize, u8)]) -> String {
    let header: Vec<_> = (4..10).flat_map(|at| (0..8).map(move |bit| (at, bit))).collect();
    let (whole, rest): (Vec<_>, Vec<_>) = accepted.iter().partition(|flip| header.contains(flip));
    assert_eq!(whole, header, "{}: times, extra flags and system may be anything", seed.name);
    let mut text = format!("{}: bytes 4 to 9, every bit ({} and {})\n", seed.name, place(4), place(8));
    for (at, bit) in rest {
        text += &format!("{}: byte {at}, bit {bit} ({})\n", seed.name, place(at));
    }
    text
}

/// All of it lies in the envelope of the signature member; the committed list is `snapshots/…accepted_flips.snap`.
#[test]
fn the_accepted_flips_are_exactly_the_committed_ones() {
    let mut text = String::new();
    for seed in made() {
        let accepted = accepted(&seed);
        assert!(accepted.iter().all(|(at, _)| *at < seed.covered_from), "{}: {accepted:?}", seed.name);
        text += &told(&seed, &accepted);
    }
    println!("{text}");
    insta::assert_snapshot!("accepted_flips", text);
}

#[test]
fn no_flipped_bit_of_a_signed_or_hashed_byte_is_verified() {
    for seed in found() {
        let accepted = accepted(&seed);
        let last = accepted.last().map_or(0, |(at, _)| *at);
        println!(
            "{}: {} of {} flips accepted, the last at byte {last}; the signed member begins at {}\n{}",
            seed.name,
            accepted.len(),
            seed.bytes.len() * 8,
            seed.covered_from,
            told(&seed, &accepted)
        );
        assert!(last < seed.covered_from, "{}: {accepted:?}", seed.name);
    }
}

#[test]
fn no_truncation_insertion_or_deletion_is_verified() {
    for seed in seeds() {
        for length in 0..seed.bytes.len() {
            for level in [Level::Full, Level::Identity] {
                let found = verdict(&seed, &seed.bytes[..length], level);
                assert_ne!(found, "verified", "{}: cut at {length}", seed.name);
            }
        }
        for at in 0..seed.bytes.len() {
            let mut bytes = seed.bytes.clone();
            bytes.remove(at);
            assert_ne!(verdict(&seed, &bytes, Level::Full), "verified", "{}: without {at}", seed.name);
        }
        // Many values for a package and an index, some for the others.
        let step = if seed.name == "melange" || seed.name == "index" { 5 } else { 85 };
        for at in 0..=seed.bytes.len() {
            for value in (0..=255).step_by(step) {
                let mut bytes = seed.bytes.clone();
                bytes.insert(at, value);
                assert_ne!(verdict(&seed, &bytes, Level::Full), "verified", "{}: {value} at {at}", seed.name);
            }
        }
    }
}

/// The package with one of its members under another gzip header, signed and hashed anew.
fn with_header(member: usize, flags: u8, method: u8) -> Vec<u8> {
    let builder = PackageBuilder::new("hello", "1.0-r0");
    let odd = |number: usize| {
        if number == member { Gzip { flags, method, ..Gzip::default() } } else { Gzip::default() }
    };
    let data = odd(2).member(&builder.data_archive());
    let control = odd(1).member(&builder.control_archive(&builder.pkginfo(&tar::sha256_hex(&data))).bytes());
    let name = format!(".SIGN.RSA256.{}", FakeKey::a().name());
    let signature = FakeKey::a().sign(Label::Rsa256, &control);
    let signature = odd(0).member(&Archive::default().entry(&Header::file(name), &signature).bytes());
    [signature, control, data].concat()
}

#[test]
fn every_flag_and_method_of_a_gzip_header_gets_its_verdict() {
    let keyring = trusting_a();
    let judge = |member, flags, method| {
        judge(&with_header(member, flags, method), &keyring, &Policy::default(), Level::Full)
    };
    for member in 0..3 {
        for method in (0..=255).filter(|method| *method != 8) {
            assert_eq!(judge(member, 0, method).code, "gzip-method", "member {member}, method {method}");
        }
        for flags in 0..=255_u8 {
            let found = judge(member, flags, 8);
            match flags {
                0 | 1 => assert_eq!(found.verdict, "verified", "member {member}, flags {flags}"),
                _ if flags & 0xe0 != 0 => assert_eq!(found.code, "gzip-reserved-flags", "{member}, {flags}"),
                // It announces what is not there, so that part of the stream is taken for it.
                _ => assert_eq!(found.verdict, "malformed", "member {member}, flags {flags}"),
            }
        }
    }
}

#[test]
fn members_that_are_zlib_streams_are_refused() {
    let builder = PackageBuilder::new("hello", "1.0-r0");
    let package = builder.build();
    let zlib = |member: &[u8]| [&[0x78, 0xda], &member[10..member.len() - 4]].concat();
    let keyring = trusting_a();
    let data = zlib(&package.data);
    // Signed and hashed as it is: nothing but its form is wrong.
    let over_zlib = builder.field("datahash", &sha256_hex(&data)).build();
    for bytes in [
        [package.signature, zlib(&package.control), package.data].concat(),
        [over_zlib.signature, over_zlib.control, data].concat(),
    ] {
        assert_eq!(judge(&bytes, &keyring, &Policy::default(), Level::Full).verdict, "malformed");
    }
    assert_eq!(
        judge(&zlib(&gzip::member(b"x")), &keyring, &Policy::default(), Level::Full).code,
        "gzip-magic"
    );
}
