//! n, 2n and 4n of everything that an input can have many of: the work per byte stays the same.

use std::time::{Duration, Instant};

use apkvet::limits::{Budget, Limits};
use apkvet::unverified::{Level, ReadOptions};
use apkvet::verify::Policy;
use apkvet_fixtures::{
    Archive, Bomb, FakeKey, Header, IndexBuilder, Label, Package, PackageBuilder, gzip, tar,
};

use crate::harness::judge_with;
use crate::refusals::trusting_a;

/// What there can be many of, and a file with so many of it.
type Shape = (&'static str, usize, fn(usize) -> Vec<u8>);

fn package(change: impl FnOnce(Archive) -> Archive) -> Vec<u8> {
    PackageBuilder::new("hello", "1.0-r0").data(change).build().bytes()
}

/// A signed package with more text in `.PKGINFO`.
fn pkginfo(more: &str) -> Vec<u8> {
    let builder = PackageBuilder::new("hello", "1.0-r0");
    let data = builder.build().data;
    let text = builder.pkginfo(&tar::sha256_hex(&data)).replace("pkgdesc = ", &format!("{more}pkgdesc = "));
    let control = gzip::member(&builder.control_archive(&text).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

/// A description of so many short lines.
fn description(lines: usize) -> Vec<u8> {
    let builder = PackageBuilder::new("hello", "1.0-r0");
    let data = builder.build().data;
    let text = builder
        .pkginfo(&tar::sha256_hex(&data))
        .replace("pkgdesc = ", &format!("pkgdesc = {}", "\n ".repeat(lines)));
    let control = gzip::member(&builder.control_archive(&text).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

/// Paths that lead through so many directories.
fn deep(depth: usize) -> Vec<u8> {
    let name = "a/".repeat(depth);
    package(|data| {
        (0..200).fold(data, |data, n| {
            let path = format!("{name}{n}");
            data.pax(&[("path", &path)]).entry(&Header::directory("x"), b"")
        })
    })
}

/// Pax headers of so many records.
fn records(count: usize) -> Vec<u8> {
    let records: String = (0..count).map(|n| tar::pax_record(&format!("SCHILY.xattr.{n}"), "")).collect();
    let header = Header { typeflag: b'x', ..Header::file("PaxHeaders/x") };
    package(|data| {
        (0..20).fold(data, |data, n| {
            data.entry(&header, records.as_bytes()).entry(&Header::directory(format!("usr/{n}")), b"")
        })
    })
}

fn index(entries: usize) -> Vec<u8> {
    let entry = |n: usize| {
        let identity = apkvet_fixtures::index::identity(&n.to_le_bytes());
        format!("C:{identity}\nP:p{n}\nV:1\nA:x86_64\nS:1\nI:1\nD:so:libc.so.1\n\n")
    };
    (0..entries).fold(IndexBuilder::default(), |index, n| index.text(&entry(n))).build()
}

fn lists(entries: usize) -> Vec<u8> {
    let line = "a>1 ".repeat(entries);
    let identity = apkvet_fixtures::index::identity(b"x");
    IndexBuilder::default()
        .text(&format!("C:{identity}\nP:p\nV:1\nA:x86_64\nS:1\nD:{line}\np:{line}\n\n"))
        .build()
}

fn wrong_entries(entries: usize) -> Vec<u8> {
    IndexBuilder::default().text(&"P:../x\n\n".repeat(entries)).build()
}

fn zeros(mebibytes: usize) -> Vec<u8> {
    let mut bomb = Bomb::default();
    bomb.repeat(b"\0", u64::try_from(mebibytes).unwrap() << 20);
    let builder = PackageBuilder::new("hello", "1.0-r0");
    let data = bomb.finish();
    let control = gzip::member(&builder.control_archive(&builder.pkginfo(&tar::sha256_hex(&data))).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

const SHAPES: &[Shape] = &[
    ("files", 1000, |n| {
        package(|data| (0..n).fold(data, |data, n| data.checked_file(&format!("usr/share/f{n}"), b"x")))
    }),
    ("directories in one path", 400, deep),
    ("records in one pax header", 1200, records),
    ("fields of .PKGINFO", 10_000, |n| pkginfo(&(0..n).map(|n| format!("x{n} = y\n")).collect::<String>())),
    ("dependencies in .PKGINFO", 10_000, |n| {
        pkginfo(&(0..n).map(|n| format!("depend = p{n}\n")).collect::<String>())
    }),
    ("lines of a description", 100_000, description),
    ("entries of an index", 2500, index),
    ("dependencies of an entry", 8000, lists),
    ("entries of an index that are refused", 20_000, wrong_entries),
    ("zeros", 4, zeros),
];

fn look(bytes: &[u8]) -> (Budget, Duration) {
    let limits = Limits { index_ratio: 10_000, ..Limits::default() };
    let options = ReadOptions { limits, level: Level::Full, ..ReadOptions::default() };
    let begin = Instant::now();
    let judged = judge_with(bytes, &trusting_a(), &Policy::default(), &options);
    assert!(!judged.code.starts_with("limit"), "{judged:?}");
    (judged.budget, begin.elapsed())
}

#[test]
fn work_per_byte_does_not_grow_with_the_size_of_the_input() {
    for (what, n, make) in SHAPES {
        let [one, two, four] = [1, 2, 4].map(|times| look(&make(n * times)));
        // The times are for reading: a busy machine must not decide here.
        println!("{what}: n, 2n, 4n with n = {n}: {:?}", [one, two, four].map(|(_, time)| time));
        // Work units: a byte read, a byte inflated, and a kibibyte for each signature.
        let work = |(budget, _): &(Budget, Duration)| {
            budget.bytes_read + budget.bytes_inflated + 1024 * budget.signature_checks
        };
        assert!(work(&four) <= 5 * work(&one), "{what}: {one:?} {two:?} {four:?}");
    }
}
