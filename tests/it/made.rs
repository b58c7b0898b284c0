use std::path::{Path, PathBuf};
use std::process::Command;

use apkvet::index::{Index, IndexDraft};
use apkvet::limits::Limits;
use apkvet::sign::{SignDigests, SigningKey, sign_index};
use apkvet::unverified::Level;
use apkvet::verify::{MinDigest, Policy};
use apkvet_fixtures::FakeKey;

use crate::harness::{judge, keyring};

const ALL: [SignDigests; 3] = [SignDigests::Sha256, SignDigests::Sha1, SignDigests::Both];

fn test_key() -> SigningKey {
    let name = FakeKey::mirror().name().strip_suffix(".pub").unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/test-keys").join(name);
    SigningKey::read(&file).unwrap()
}

/// A directory with the public half, which the tests trust.
fn keys(directory: &Path) -> PathBuf {
    let keys = directory.join("keys");
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(keys.join(FakeKey::mirror().name()), test_key().public_pem()).unwrap();
    keys
}

const TEXT: &str = "C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1.0-r0\nA:x86_64\nS:1000\n\n\
                    C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:bar\nV:2.0-r0\nA:x86_64\nS:7\n\n";

fn made(digests: SignDigests, time: u64) -> Vec<u8> {
    let upstream = Index::parse(TEXT.into(), &Limits::default()).unwrap();
    let mut draft = IndexDraft::new(time).described(b"a subset");
    upstream.records().for_each(|record| draft.copy(&record));
    sign_index(&draft.body(&Limits::default()).unwrap(), &test_key(), digests).unwrap()
}

#[test]
fn what_is_made_is_verified_and_the_same_every_time() {
    let directory = tempfile::tempdir().unwrap();
    let keyring = keyring(&keys(directory.path()));
    for digests in ALL {
        let index = made(digests, 1_700_000_000);
        let judged = judge(&index, &keyring, &Policy::default(), Level::Full);
        assert_eq!(judged.verdict, "verified", "{judged:?}");
        let strict = Policy { min_digest: MinDigest::Sha256, ..Policy::default() };
        let judged = judge(&index, &keyring, &strict, Level::Full);
        assert_eq!(judged.verdict == "verified", digests != SignDigests::Sha1, "{judged:?}");
        assert_eq!(index, made(digests, 1_700_000_000));
    }
    assert_ne!(made(SignDigests::Sha256, 0), made(SignDigests::Sha256, 1));
}

#[test]
fn apk_takes_what_is_made() {
    let Some(apk) = std::env::var_os("APKVET_APK") else {
        eprintln!("SKIPPED: APKVET_APK names no apk: it has not seen what is made here");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let keys = keys(directory.path());
    for digests in ALL {
        let file = directory.path().join("APKINDEX.tar.gz");
        std::fs::write(&file, made(digests, 1_700_000_000)).unwrap();
        let mut command = Command::new(&apk);
        command.args(["--root", "/", "--keys-dir"]).arg(&keys).arg("verify").arg(&file);
        let ran = command.output().unwrap();
        let out = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        assert!(out.trim_end().ends_with(": OK"), "{digests:?}: {out}");
    }
}
