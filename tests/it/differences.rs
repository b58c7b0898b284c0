//! Every file on which apkvet and `apk verify` differ, and the row of `docs/differences.md` that explains it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use apkvet::unverified::Level;
use apkvet::verify::{Keyring, Policy};
use apkvet_fixtures::FakeKey;

use crate::harness::{files, judge, keyring, shared};
use crate::mutants;
use crate::refusals;

/// How many mutants of packages, and of indexes, apk is asked about.
const MUTANTS: u64 = 3000;

/// The rows: each id with the codes that it explains.
fn rows() -> BTreeMap<String, BTreeSet<String>> {
    let text = include_str!("../../docs/differences.md");
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let id = columns.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        let is_choice = id.starts_with("--");
        let codes = columns.get(2)?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (!is_choice).then(|| (id.to_owned(), codes))
    };
    text.lines().filter_map(row).collect()
}

/// A file, what it is, and our opinion of it.
struct File {
    what: String,
    path: PathBuf,
    verdict: &'static str,
    code: &'static str,
}

fn judged(what: String, path: PathBuf, bytes: &[u8], keyring: &Keyring) -> File {
    let judged = judge(bytes, keyring, &Policy::default(), Level::Full);
    File { what, path, verdict: judged.verdict, code: judged.code }
}

/// Files made here, written into a folder.
fn made(folder: &Path) -> Vec<File> {
    let keyring = refusals::trusting_a();
    let mut made: Vec<(String, Vec<u8>)> = Vec::new();
    made.extend(refusals::cases().into_iter().map(|case| (format!("case {}", case.code), case.bytes)));
    made.extend(mutants::mutants(MUTANTS).into_iter().map(|mutant| (mutant.what, mutant.bytes)));
    made.extend((0..MUTANTS).map(|number| {
        let (what, bytes, _) = mutants::index::mutant(number);
        (what, bytes)
    }));
    let write = |(number, (what, bytes)): (usize, (String, Vec<u8>))| {
        let path = folder.join(format!("{number}.apk"));
        std::fs::write(&path, &bytes).unwrap();
        judged(what, path, &bytes, &keyring)
    };
    made.into_iter().enumerate().map(write).collect()
}

fn corpus() -> Option<(PathBuf, Vec<File>)> {
    let root = shared("corpus/v2")?.canonicalize().unwrap();
    let keys = root.join("keys");
    let keyring = keyring(&keys);
    let file = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        judged(path.file_name().unwrap().to_string_lossy().into_owned(), path, &bytes, &keyring)
    };
    Some((keys, files(&root.join("mutants")).into_iter().map(file).collect()))
}

/// Which of the files apk says OK to.
fn apk_accepts(apk: &OsString, keys: &Path, files: &[File]) -> BTreeSet<PathBuf> {
    let mut accepted = BTreeSet::new();
    for some in files.chunks(200) {
        let ran = Command::new(apk)
            .args(["--root", "/", "--keys-dir"])
            .arg(keys)
            .arg("verify")
            .args(some.iter().map(|file| &file.path))
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(out.lines().filter(|line| line.contains(": ")).count(), some.len(), "{out}");
        accepted.extend(out.lines().filter_map(|line| line.strip_suffix(": OK")).map(PathBuf::from));
    }
    accepted
}

/// Holds opinions against each other; how often each row was needed.
fn compare(
    files: &[File],
    accepted: &BTreeSet<PathBuf>,
    needed: &mut BTreeMap<String, usize>,
) -> Vec<String> {
    let rows = rows();
    let mut unexplained = Vec::new();
    for file in files {
        let (ours, theirs) = (file.verdict == "verified", accepted.contains(&file.path));
        if ours && !theirs {
            unexplained.push(format!("rule zero: we verify and apk refuses: {}", file.what));
        }
        if !ours && theirs {
            match rows.iter().find(|(_, codes)| codes.contains(file.code)) {
                Some((id, _)) => *needed.entry(id.clone()).or_default() += 1,
                None => unexplained.push(format!("no row explains [{}]: {}", file.code, file.what)),
            }
        }
    }
    unexplained
}

#[test]
fn every_difference_from_apk_is_a_named_row() {
    let Some(apk) = std::env::var_os("APKVET_APK") else {
        eprintln!("SKIPPED: APKVET_APK names no apk: differences were not compared");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (folder, keys) = (directory.path().join("files"), directory.path().join("keys"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(keys.join(FakeKey::a().name()), FakeKey::a().public_pem()).unwrap();
    let (mut needed, mut unexplained, mut count) = (BTreeMap::new(), Vec::new(), 0);
    for (keys, files) in [(keys, made(&folder))].into_iter().chain(corpus()) {
        let accepted = apk_accepts(&apk, &keys, &files);
        unexplained.extend(compare(&files, &accepted, &mut needed));
        count += files.len();
    }
    println!("{count} files; refused here and accepted by apk, by row: {needed:?}");
    unexplained.sort();
    unexplained.dedup();
    assert!(unexplained.is_empty(), "{}:\n{}", unexplained.len(), unexplained.join("\n"));
    let unneeded: Vec<String> = rows().into_keys().filter(|id| !needed.contains_key(id)).collect();
    assert!(unneeded.is_empty(), "rows that no file needs: {unneeded:?}");
}

#[test]
fn each_row_of_the_differences_has_an_id_and_codes_of_its_own() {
    let rows = rows();
    assert!(rows.len() >= 8, "{rows:?}");
    let mut seen = BTreeSet::new();
    for (id, codes) in &rows {
        assert!(!codes.is_empty(), "{id} explains nothing");
        for code in codes {
            assert!(seen.insert(code), "{code} stands in two rows");
        }
    }
}
