use std::path::Path;

use apkvet::keys::{Pins, read_key};
use apkvet_fixtures::FakeKey;

use crate::harness::{apkvet, shared};

/// A directory of key files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

fn fingerprint(key: &FakeKey) -> String {
    read_key(key.public_pem().as_bytes()).unwrap().fingerprint().to_string()
}

/// Change, name, old name of each line that `keys diff` prints.
fn changes(old: &Path, new: &Path) -> Vec<String> {
    let ran = apkvet(old, &["keys", "diff", "--json", ".", new.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let lines = ran.json();
    let lines = lines.iter().filter(|line| line["type"] == "key-change");
    lines.map(|line| [&line["change"], &line["name"], &line["old_name"]].map(word).join(" ")).collect()
}

#[test]
fn differences_between_directories_are_named_by_what_happened() {
    let (a, b) = (FakeKey::a(), FakeKey::b());
    let old = directory(&[("one", a.public_pem()), ("two", b.public_pem())]);
    let same = directory(&[("one", a.public_pem()), ("two", b.public_pem())]);
    assert!(changes(old.path(), same.path()).is_empty());
    let renamed = directory(&[("one", a.public_pem()), ("three", b.public_pem())]);
    assert_eq!(changes(old.path(), renamed.path()), ["renamed three two"]);
    let replaced = directory(&[("one", a.public_pem()), ("two", FakeKey::c().public_pem())]);
    assert_eq!(changes(old.path(), replaced.path()), ["replaced two -"]);
    let fewer = directory(&[("one", a.public_pem())]);
    assert_eq!(changes(old.path(), fewer.path()), ["removed two -"]);
    assert_eq!(changes(fewer.path(), old.path()), ["added two -"]);
}

#[test]
fn a_written_pin_file_reads_back_and_leaves_out_what_apk_does_not_load() {
    let key = FakeKey::a();
    let keys = directory(&[
        ("good.rsa.pub", key.public_pem()),
        ("damaged.rsa.pub", "-----BEGIN PUBLIC KEY-----\n"),
        (".hidden.rsa.pub", key.public_pem()),
    ]);
    let ran = apkvet(keys.path(), &["keys", "pin", "."]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let pins = Pins::parse(ran.out.as_bytes()).unwrap();
    let [pin] = pins.pins() else { panic!("{ran:?}") };
    assert_eq!((pin.fingerprint().to_string(), pin.name().as_str()), (fingerprint(&key), "good.rsa.pub"));
    for skipped in ["damaged.rsa.pub is not pinned", ".hidden.rsa.pub is not pinned"] {
        assert!(ran.err.contains(skipped), "{ran:?}");
    }
    let empty = directory(&[]);
    assert_eq!(apkvet(empty.path(), &["keys", "pin", "."]).code, 2);
}

#[test]
fn a_key_is_shown_with_its_fingerprint_and_written_as_clean_pem() {
    let key = FakeKey::a();
    let noisy = format!("a text before it\n{}\n\n", key.public_pem().trim_end());
    let keys = directory(&[("noisy.rsa.pub", &noisy)]);
    let shown = apkvet(keys.path(), &["keys", "show", "noisy.rsa.pub"]);
    assert!(shown.code == 0 && shown.out.contains(&fingerprint(&key)), "{shown:?}");
    let pem = apkvet(keys.path(), &["keys", "show", "--pem", "noisy.rsa.pub"]);
    assert_eq!(pem.out, key.public_pem());
}

#[test]
fn a_private_key_is_named_and_none_of_it_is_printed() {
    let key = FakeKey::a();
    let keys = directory(&[("oops.rsa.pub", key.private_pem())]);
    for arguments in [&["keys", "show", "oops.rsa.pub"][..], &["keys", "list", "--keys-dir", "."]] {
        let ran = apkvet(keys.path(), arguments);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("private key") || said.contains("NOT LOADED"), "{ran:?}");
        let body = key.private_pem().lines().filter(|line| line.len() == 64);
        assert_eq!(body.filter(|line| said.contains(*line)).count(), 0, "{ran:?}");
    }
}

#[test]
fn the_list_says_what_is_trusted_and_what_is_only_known() {
    let key = FakeKey::a();
    let keys = directory(&[(key.name(), key.public_pem()), ("bad.rsa.pub", "nothing")]);
    let ran = apkvet(keys.path(), &["keys", "list", "--json", "--keys-dir", "."]);
    let lines = ran.json();
    let role = |role: &str| lines.iter().filter(|line| line["role"] == role).count();
    let summary = lines.last().unwrap();
    assert_eq!(
        (role("trusted"), summary["trusted"].as_u64(), summary["not_loaded"].as_u64()),
        (2, Some(1), Some(1))
    );
    assert!(role("known") > 30, "{summary}");
    assert_eq!(ran.code, 0);
}

#[test]
fn the_key_of_glibc_is_known_under_both_names() {
    let Some(keys) = shared("real/glibc/keys") else { return };
    let ran = apkvet(&keys, &["keys", "show", "andyshinn.rsa.pub"]);
    for text in [
        "sha256:ba1a4a4bd6e619104222aef2544c48b63911d2ea95a00703358862d4c892da9c",
        "rsa, 2048 bits, exponent 65537",
        "andyshinn.rsa.pub, sgerrand.rsa.pub",
    ] {
        assert!(ran.out.contains(text), "{ran:?}");
    }
}
