use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use apkvet::unverified::Level;
use apkvet::verify::Policy;
use apkvet_fixtures::{FakeKey, Label, PackageBuilder};
use serde_json::Value;

use crate::harness::{apkvet, files, judge, keyring, shared};
use crate::mutants;

/// Files that apkvet verifies, with the directory of the keys that it was given.
struct Verified {
    keys: PathBuf,
    files: Vec<PathBuf>,
}

/// Of the files in a folder those that are verified with these keys.
fn verified(keys: &Path, folder: &Path) -> Verified {
    let keyring = keyring(keys);
    let holds = |file: &PathBuf| {
        let bytes = std::fs::read(file).unwrap();
        judge(&bytes, &keyring, &Policy::default(), Level::Full).verdict == "verified"
    };
    // Only absolute paths mean the same to every program.
    let (keys, folder) = (keys.canonicalize().unwrap(), folder.canonicalize().unwrap());
    let mut files = files(&folder);
    files.retain(holds);
    Verified { keys, files }
}

/// Everything under `../shared` that is verified with the keys that belong to it.
fn all() -> Vec<Verified> {
    let Some(root) = shared("real").and_then(|real| Some(real.parent()?.to_owned())) else {
        return Vec::new();
    };
    [
        ("corpus/v2/keys", "corpus/v2/mutants"),
        ("real/abuild-2025", "real/abuild-2025/x86_64"),
        ("real/melange-repo", "real/melange-repo/x86_64"),
        ("real/melange-repo", "real/melange-repo/aarch64"),
        ("real/rsa256/keys", "real/rsa256"),
        ("real/multi-signature/keys", "real/multi-signature"),
        ("real/wolfi", "real/wolfi"),
        ("real/alpine/keys", "real/alpine/v3.16/main/x86_64"),
        ("real/alpine/keys", "real/alpine/v3.17/main/aarch64"),
    ]
    .iter()
    .map(|(keys, folder)| verified(&root.join(keys), &root.join(folder)))
    .collect()
}

/// Small packages of each builder's habits, made here, and every accepted change of one bit.
fn own(directory: &Path) -> Verified {
    let key = FakeKey::a();
    std::fs::write(directory.join(key.name()), key.public_pem()).unwrap();
    let keyring = keyring(directory);
    let packages = directory.join("packages");
    std::fs::create_dir(&packages).unwrap();
    for label in [Label::Rsa, Label::Rsa256, Label::Rsa512] {
        let package = PackageBuilder::new("hello", "1.0-r0").build_signed(&[(FakeKey::a(), label)]);
        let bytes = package.bytes();
        for at in 0..package.signature.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                if judge(&bytes, &keyring, &Policy::default(), Level::Full).verdict == "verified" {
                    std::fs::write(packages.join(format!("{label:?}-{at}-{bit}.apk")), bytes).unwrap();
                }
            }
        }
        std::fs::write(packages.join(format!("{label:?}.apk")), bytes).unwrap();
    }
    // Changes that mean something and still hold.
    for (number, mutant) in mutants::mutants(500).into_iter().enumerate() {
        if judge(&mutant.bytes, &keyring, &Policy::default(), Level::Full).verdict == "verified" {
            std::fs::write(packages.join(format!("mutant-{number}.apk")), mutant.bytes).unwrap();
        }
    }
    verified(directory, &packages)
}

/// What apkvet lists in a package: name, type as in tar, size.
fn listed(file: &Path) -> BTreeMap<String, u64> {
    let folder = file.parent().unwrap();
    let ran = apkvet(folder, &["inspect", "--json", file.file_name().unwrap().to_str().unwrap()]);
    let files = ran.json()[0]["files"].as_array().unwrap().clone();
    let entry = |file: &Value| (file["path"].as_str().unwrap().to_owned(), file["size"].as_u64().unwrap());
    files.iter().map(entry).collect()
}

/// The opinion of Python's zlib and tarfile, and of openssl, by path.
fn second_opinion(verified: &Verified) -> BTreeMap<PathBuf, Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts/second_opinion.py");
    let ran = Command::new("python3")
        .env("PYTHONUTF8", "1")
        .arg(script)
        .arg(&verified.keys)
        .args(&verified.files)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let text = String::from_utf8(ran.stdout).unwrap();
    let parse = |line| serde_json::from_str(line).unwrap();
    text.lines().map(parse).map(|line: Value| (line["path"].as_str().unwrap().into(), line)).collect()
}

fn has(program: &str, argument: &str) -> bool {
    let ran = Command::new(program).arg(argument).output();
    ran.is_ok_and(|output| output.status.success())
}

#[test]
fn python_and_openssl_agree_with_what_is_verified_and_with_the_files_in_it() {
    if !has("python3", "--version") || !has("openssl", "version") {
        eprintln!("SKIPPED: python3 or openssl is missing: there was no second opinion");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut count = 0;
    for verified in all().into_iter().chain([own(directory.path())]) {
        let opinions = second_opinion(&verified);
        for file in &verified.files {
            let opinion = &opinions[file];
            assert_eq!(opinion["ok"], true, "{opinion}");
            let theirs = opinion["entries"].as_array().unwrap();
            let entry = |entry: &Value| (entry[0].as_str().unwrap().to_owned(), entry[2].as_u64().unwrap());
            let theirs: BTreeMap<String, u64> = theirs.iter().map(entry).collect();
            if !theirs.is_empty() {
                assert_eq!(listed(file), theirs, "{}", file.display());
            }
            count += 1;
        }
    }
    println!("{count} files, one opinion");
    assert!(count > 60, "{count}");
}

/// What gzip and GNU tar see in a file whose members they take for one archive; names in the root that begin with a dot are left out.
fn gnu_listing(file: &Path) -> BTreeSet<String> {
    let command = "gzip -dc < \"$0\" | tar --quoting-style=literal -tf -";
    let ran = Command::new("sh").args(["-c", command]).arg(file).output().unwrap();
    assert!(ran.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&ran.stderr));
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    text.lines()
        .filter(|name| !name.starts_with('.'))
        .map(|name| name.trim_end_matches('/').to_owned())
        .collect()
}

#[test]
fn gnu_tar_and_gzip_list_the_same_files() {
    let is_gnu = Command::new("tar").arg("--version").output();
    if !is_gnu.is_ok_and(|ran| String::from_utf8_lossy(&ran.stdout).contains("GNU tar")) {
        eprintln!("SKIPPED: GNU tar is missing: its opinion was not heard");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut count = 0;
    for verified in all().into_iter().chain([own(directory.path())]) {
        for file in verified.files.iter().filter(|file| file.extension().is_some_and(|end| end == "apk")) {
            let ours: BTreeSet<String> =
                listed(file).into_keys().filter(|name| !name.starts_with('.')).collect();
            // What no text can hold is told by the other test.
            if ours.iter().all(|name| name.is_ascii() && !name.contains('\\')) && !ours.is_empty() {
                assert_eq!(ours, gnu_listing(file), "{}", file.display());
                count += 1;
            }
        }
    }
    println!("{count} packages, one opinion");
    assert!(count > 40, "{count}");
}

/// Rule zero of `docs/differences.md`.
#[test]
fn apk_says_ok_to_all_that_is_verified() {
    let Some(apk) = std::env::var_os("APKVET_APK") else {
        eprintln!("SKIPPED: APKVET_APK names no apk: rule zero was not tested against it");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let mut count = 0;
    for verified in all().into_iter().chain([own(directory.path())]) {
        let ran = Command::new(&apk)
            .args(["--root", "/", "--keys-dir"])
            .arg(&verified.keys)
            .arg("verify")
            .args(&verified.files)
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&ran.stdout);
        let refused: Vec<&str> = out.lines().filter(|line| !line.ends_with(": OK")).collect();
        assert!(refused.is_empty(), "{refused:?} {}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(out.lines().count(), verified.files.len());
        count += verified.files.len();
    }
    println!("{count} files, all OK to apk");
}
