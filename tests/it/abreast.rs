//! Hashing the data of several packages side by side: the same is said of each as of one alone.

use std::io::{self, Read};

use apkvet::container::Scratch;
use apkvet::unverified::{Abreast, Begun, FileDigest, Level, ReadOptions, Subject, begin, read};
use apkvet::verify::Keyring;
use apkvet_fixtures::{FakeKey, Label, Package, PackageBuilder, gzip, tar};

use crate::harness::{Judged, files, keyring, shared};
use crate::mutants;
use crate::refusals::trusting_a;
use crate::stages::{Failing, directory_with_a, lines, said};

/// A reader that gives so many bytes at a time, and is interrupted before every other time.
struct Pieces<'a>(&'a [u8], usize, bool);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.2 = !self.2;
        if self.2 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

fn options() -> ReadOptions {
    ReadOptions { level: Level::Identity, file_digest: FileDigest::Compute, ..ReadOptions::default() }
}

/// Reads files side by side, in the order of the files.
fn side_by_side<R: Read>(readers: impl IntoIterator<Item = R>) -> Vec<io::Result<Subject>> {
    let (mut scratch, mut abreast, mut found) = (Scratch::default(), Abreast::default(), Vec::new());
    for (number, reader) in readers.into_iter().enumerate() {
        found.push(None);
        match begin(reader, &options(), &mut scratch) {
            Ok(Begun::Whole(subject)) => found[number] = Some(Ok(subject)),
            Ok(Begun::Data(data)) => abreast.add(number, data),
            Err(error) => found[number] = Some(Err(error)),
        }
        while !abreast.is_empty() && !abreast.has_room() {
            let (ended, subject) = abreast.next(&mut scratch).unwrap();
            assert!(found[ended].replace(subject).is_none(), "{ended} ended twice");
        }
    }
    while let Some((ended, subject)) = abreast.next(&mut scratch) {
        assert!(found[ended].replace(subject).is_none(), "{ended} ended twice");
    }
    assert!(abreast.is_empty());
    found.into_iter().map(Option::unwrap).collect()
}

fn alone(reader: impl Read, keyring: &Keyring) -> (Judged, String) {
    said(read(reader, &options(), &mut Scratch::default()).unwrap(), keyring)
}

fn assert_same<'f>(names: &[String], all: impl Iterator<Item = &'f [u8]> + Clone, keyring: &Keyring) {
    for piece in [usize::MAX, 1 << 16, 1000, 1] {
        // One byte after the other takes long.
        let fits = |bytes: &[u8]| piece > 1 || bytes.len() < 20_000;
        let files: Vec<_> = names.iter().zip(all.clone()).filter(|(_, bytes)| fits(bytes)).collect();
        let found = side_by_side(files.iter().map(|(_, bytes)| Pieces(bytes, piece, false)));
        for ((name, bytes), found) in files.into_iter().zip(found) {
            let expected = alone(Pieces(bytes, piece, false), keyring);
            assert_eq!(said(found.unwrap(), keyring), expected, "{name}, {piece} at a time");
        }
    }
}

#[test]
fn every_generated_and_real_file_is_judged_the_same_side_by_side() {
    let Some(root) = shared("corpus/v2").and_then(|path| Some(path.parent()?.parent()?.to_owned())) else {
        return;
    };
    for (keys, folder) in [
        ("corpus/v2/keys", "corpus/v2/mutants"),
        ("real/alpine/keys", "real/alpine/v3.16/main/x86_64"),
        ("real/glibc/keys", "real/glibc"),
        ("real/wolfi", "real/wolfi"),
    ] {
        let found = files(&root.join(folder));
        let names: Vec<String> = found.iter().map(|file| file.display().to_string()).collect();
        let bytes: Vec<Vec<u8>> = found.iter().map(|file| std::fs::read(file).unwrap()).collect();
        assert_same(&names, bytes.iter().map(Vec::as_slice), &keyring(&root.join(keys)));
    }
}

#[test]
fn every_mutant_is_judged_the_same_side_by_side() {
    let mutants = mutants::mutants(200);
    let names: Vec<String> = (0..mutants.len()).map(|number| format!("mutant {number}")).collect();
    assert_same(&names, mutants.iter().map(|mutant| mutant.bytes.as_slice()), &trusting_a());
}

/// A package with such data; what they are is not looked at in identity.
fn package(data: Vec<u8>) -> Package {
    let builder = PackageBuilder::new("a", "1-r0");
    let control = gzip::member(&builder.control_archive(&builder.pkginfo(&tar::sha256_hex(&data))).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)])
}

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|at| at.wrapping_mul(0x9e37_79b9).to_le_bytes()[2]).collect()
}

#[test]
fn data_of_any_length_verify_and_not_with_a_byte_changed_added_or_missing() {
    let lengths = (1..200).chain([4095, 65_535, 65_536, 65_537, 200_000, 1 << 20]);
    let (mut names, mut bytes) = (Vec::new(), Vec::new());
    for length in lengths {
        let good = package(data(length));
        let mut changed = good.clone();
        changed.data[length - 1] ^= 1;
        let mut longer = good.clone();
        longer.data.push(0);
        let mut shorter = good.clone();
        shorter.data.pop();
        for (name, package) in
            [("good", good), ("changed", changed), ("longer", longer), ("shorter", shorter)]
        {
            names.push(format!("{name}, {length} bytes"));
            bytes.push(package.bytes());
        }
    }
    let keyring = trusting_a();
    assert_same(&names, bytes.iter().map(Vec::as_slice), &keyring);
    for (name, subject) in names.iter().zip(side_by_side(bytes.iter().map(Vec::as_slice))) {
        let (judged, _) = said(subject.unwrap(), &keyring);
        let expected = if name.starts_with("good") { "verified" } else { "integrity" };
        assert_eq!(judged.verdict, expected, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_an_error_and_does_no_harm_to_the_others() {
    let bytes = package(data(300_000)).bytes();
    let lengths = [100, 5_000, 70_000, 131_072, bytes.len() - 1, bytes.len()];
    let failing = lengths.iter().map(|length| Box::new(Failing(&bytes[..*length])) as Box<dyn Read>);
    let whole = (0..20).map(|_| Box::new(bytes.as_slice()) as Box<dyn Read>);
    let mut found = side_by_side(failing.chain(whole));
    for subject in found.drain(lengths.len()..) {
        assert_eq!(said(subject.unwrap(), &trusting_a()).0.verdict, "verified");
    }
    for (length, failed) in lengths.iter().zip(found) {
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StaleNetworkFileHandle, "after {length} bytes");
    }
}

#[test]
fn more_packages_than_lanes_wait_for_one() {
    let (mut scratch, mut abreast) = (Scratch::default(), Abreast::default());
    let all: Vec<Vec<u8>> = (0..30).map(|number| package(data(1 + number * 1000)).bytes()).collect();
    for (number, bytes) in all.iter().enumerate() {
        let Begun::Data(data) = begin(bytes.as_slice(), &options(), &mut scratch).unwrap() else {
            panic!("package {number} was not left half done");
        };
        abreast.add(number, data);
    }
    let mut ended: Vec<usize> = Vec::new();
    while let Some((number, subject)) = abreast.next(&mut scratch) {
        assert_eq!(said(subject.unwrap(), &trusting_a()).0.verdict, "verified", "{number}");
        ended.push(number);
    }
    ended.sort_unstable();
    assert!(ended.into_iter().eq(0..30));
}

#[test]
fn what_is_asked_for_in_full_is_read_to_the_end() {
    let bytes = PackageBuilder::new("a", "1-r0").build().bytes();
    let begun = begin(bytes.as_slice(), &ReadOptions::default(), &mut Scratch::default()).unwrap();
    let Begun::Whole(subject) = begun else { panic!("the data were left") };
    assert_eq!(said(subject, &trusting_a()).0.verdict, "verified");
}

#[test]
fn the_program_says_the_same_of_many_files_as_of_one() {
    let directory = directory_with_a();
    let mut names = Vec::new();
    for number in 0..60 {
        let mut made = package(data(number * number * 40 + 1));
        if number % 7 == 3 {
            made.data[0] ^= 0x10;
        }
        names.push(format!("{number}.apk"));
        std::fs::write(directory.path().join(&names[number]), made.bytes()).unwrap();
    }
    // Nothing of the kind among them, and one that is not there.
    std::fs::write(directory.path().join("empty.apk"), b"").unwrap();
    std::fs::write(directory.path().join("page.apk"), b"<html>").unwrap();
    names.extend(["empty.apk", "page.apk", "missing.apk"].map(str::to_owned));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let identity =
        |jobs, files: &[&str]| lines(directory.path(), jobs, &[&["--level", "identity"], files].concat());
    let each: Vec<String> = names.iter().map(|name| identity("1", &[name]).swap_remove(0)).collect();
    for jobs in ["1", "2", "5"] {
        let mut found = identity(jobs, &names);
        // The last line sums up.
        assert!(found.pop().unwrap().contains("summary"));
        assert_eq!(found, each, "{jobs} threads");
    }
}
