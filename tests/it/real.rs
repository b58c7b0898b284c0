use std::path::Path;

use apkvet::keys::read_key;
use apkvet::unverified::Level;
use apkvet::verify::{KeyNames, Keyring, Policy, TrustedKey};

use crate::harness::{Judged, files, judge, keyring, shared};

const LEVELS: [Level; 2] = [Level::Full, Level::Identity];

fn judge_file(path: &Path, keyring: &Keyring, policy: &Policy, level: Level) -> Judged {
    judge(&std::fs::read(path).unwrap(), keyring, policy, level)
}

/// Asserts one verdict (and code, if one is given as `verdict/code`) in both levels.
fn assert_judged(path: &Path, keyring: &Keyring, expected: &str) {
    for level in LEVELS {
        let judged = judge_file(path, keyring, &Policy::default(), level);
        let found = if expected.contains('/') {
            format!("{}/{}", judged.verdict, judged.code)
        } else {
            judged.verdict.to_owned()
        };
        assert_eq!(found, expected, "{} {level:?}: {judged:?}", path.display());
    }
}

fn one_key(name: &str, file: &Path) -> Keyring {
    let mut keyring = Keyring::default();
    let key = read_key(&std::fs::read(file).unwrap()).unwrap();
    keyring.add(TrustedKey::new(name, file.display().to_string(), key)).unwrap();
    keyring
}

fn packages(directory: &Path) -> Vec<std::path::PathBuf> {
    files(directory).into_iter().filter(|file| file.extension().is_some_and(|e| e == "apk")).collect()
}

#[test]
fn glibc_is_untrusted_until_the_key_has_the_name_that_the_packages_ask_for() {
    let Some(glibc) = shared("real/glibc") else { return };
    let file = glibc.join("keys/andyshinn.rsa.pub");
    let as_downloaded = one_key("andyshinn.rsa.pub", &file);
    let renamed = one_key("sgerrand.rsa.pub", &file);
    let any_name = Policy { key_names: KeyNames::Any, ..Policy::default() };
    assert_eq!(packages(&glibc).len(), 2);
    for package in packages(&glibc) {
        assert_judged(&package, &as_downloaded, "untrusted/key-renamed");
        assert_judged(&package, &renamed, "verified");
        assert_judged(&package, &Keyring::default(), "untrusted/key-known");
        for level in LEVELS {
            let judged = judge_file(&package, &as_downloaded, &Policy::default(), level);
            assert!(judged.message.contains("andyshinn.rsa.pub"), "{judged:?}");
            assert!(judged.message.contains("sgerrand.rsa.pub"), "{judged:?}");
            assert_eq!(judge_file(&package, &as_downloaded, &any_name, level).verdict, "verified");
        }
    }
}

#[test]
fn the_key_of_six_days_did_not_make_the_packages_that_ask_for_its_name() {
    let Some(glibc) = shared("real/glibc") else { return };
    let other = one_key("sgerrand.rsa.pub", &glibc.join("key-history/2016-06-10-e837f4c/sgerrand.rsa.pub"));
    for package in packages(&glibc) {
        assert_judged(&package, &other, "bad-signature/key-replaced");
    }
}

#[test]
fn alpine_and_its_misnamed_package_are_verified() {
    let Some(alpine) = shared("real/alpine") else { return };
    let keyring = keyring(&alpine.join("keys"));
    assert_eq!(keyring.len(), 18);
    assert_judged(&alpine.join("v3.16/main/x86_64/APKINDEX.tar.gz"), &keyring, "verified");
    assert_judged(&alpine.join("v3.17/main/aarch64/APKINDEX.tar.gz"), &keyring, "verified");
    assert_judged(&alpine.join("v3.17/main/aarch64/alpine-baselayout-3.4.0-r0.apk"), &keyring, "verified");
}

#[test]
fn repositories_of_abuild_and_melange_are_verified_whole() {
    let Some(real) = shared("real") else { return };
    for (keys, repository, count) in [
        ("abuild-2025", "abuild-2025/x86_64", 52),
        ("melange-repo", "melange-repo/x86_64", 5),
        ("melange-repo", "melange-repo/aarch64", 5),
        ("rsa256/keys", "rsa256", 1),
        ("multi-signature/keys", "multi-signature", 1),
    ] {
        let keyring = keyring(&real.join(keys));
        let files = files(&real.join(repository));
        assert_eq!(files.len(), count, "{repository}");
        files.iter().for_each(|file| assert_judged(file, &keyring, "verified"));
    }
}

#[test]
fn each_of_three_signatures_is_enough() {
    let Some(real) = shared("real/multi-signature") else { return };
    for key in files(&real.join("keys")) {
        let keyring = one_key(key.file_name().unwrap().to_str().unwrap(), &key);
        assert_judged(&real.join("APKINDEX.tar.gz"), &keyring, "verified");
    }
}

#[test]
fn odd_files_get_their_verdict() {
    let Some(real) = shared("real") else { return };
    let melange = keyring(&real.join("melange-repo"));
    let wolfi = keyring(&real.join("wolfi"));
    let builder = keyring(&real.join("abuild-2025"));
    let none = Keyring::default();
    let odd = real.join("odd");
    assert_judged(&odd.join("hello-wolfi-2.12.1-r0.apk"), &melange, "bad-signature");
    assert_judged(&odd.join("hello-wolfi-2.12.1-r0.apk"), &none, "untrusted");
    assert_judged(&odd.join("hello-0.1.0-r0.apk"), &melange, "unsigned");
    assert_judged(&odd.join("replaces-0.0.1-r0.apk"), &melange, "unsigned");
    assert_judged(&odd.join("APKINDEX.tar.gz"), &melange, "unsigned");
    assert_judged(&odd.join("python-2.7-2.7.18.10-git-r0.apk"), &wolfi, "untrusted");
    assert_judged(&odd.join("git-lfs-pointer.apk"), &none, "malformed/git-lfs-pointer");
    for name in ["libcap-2.69-r0", "ruby3.2-base64-0.2.0-r2", "kubeflow-pipelines-2.1.3-r7"] {
        assert_judged(&real.join(format!("wolfi/{name}.apk")), &wolfi, "verified");
    }
    assert_judged(&real.join("wolfi/aws-c-s3-0.4.9-r0.apk"), &wolfi, "bad-signature");
    let v3 = files(&real.join("v3-chimera/x86_64"));
    assert_eq!(v3.len(), 19);
    v3.iter().for_each(|file| assert_judged(file, &builder, "unsupported"));
}

#[test]
fn packages_of_strangers_are_untrusted_and_another_key_of_the_name_is_bad() {
    let Some(real) = shared("real") else { return };
    let melange = keyring(&real.join("melange-repo"));
    let mixed = keyring(&real.join("mixed-builders"));
    let none = Keyring::default();
    for package in packages(&real.join("melange-2025/aarch64")) {
        assert_judged(&package, &none, "untrusted");
        assert_judged(&package, &melange, "bad-signature");
    }
    assert_judged(&real.join("melange-2025/aarch64/APKINDEX.tar.gz"), &none, "unsigned");
    for package in packages(&real.join("mixed-builders")) {
        assert_judged(&package, &mixed, "untrusted");
    }
    let index = real.join("mixed-builders/APKINDEX.tar.gz");
    assert_judged(&index, &mixed, "untrusted/key-renamed");
    let any_name = Policy { key_names: KeyNames::Any, ..Policy::default() };
    for level in LEVELS {
        let judged = judge_file(&index, &mixed, &any_name, level);
        assert_eq!(judged.verdict, "verified");
        assert!(judged.notes.contains(&"text-no-entry"), "{judged:?}");
    }
}

/// What apk says with the keys of the folder, and the named exceptions.
#[test]
fn files_of_twenty_producers_get_the_verdict_of_apk_or_a_named_cause() {
    let Some(producers) = shared("real/producers") else { return };
    let table = std::fs::read_to_string(producers.join("PROVENANCE.tsv")).unwrap();
    let mut count = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (file, said) = (columns[0], columns[5]);
        if !file.ends_with(".apk") && !file.ends_with(".tar.gz") {
            continue;
        }
        count += 1;
        let path = producers.join(file);
        let judged = judge_file(&path, &keyring(path.parent().unwrap()), &Policy::default(), Level::Full);
        let expected: &[&str] = match (file.split('/').next().unwrap(), said) {
            ("debian-converted", _) if file.ends_with(".apk") => &["malformed/not-three-members"],
            ("debian-converted", _) => &["malformed/zero-blocks-in-signature"],
            ("handmade-two-members", _) => &["malformed/not-three-members"],
            ("melange-2023-pgzip", _) => &["malformed/data-in-several-members"],
            ("go-apkutils", _) => &["malformed/signature-name"],
            (_, "OK") => &["verified/"],
            (_, "UNTRUSTED signature") => &["untrusted", "unsigned"],
            (_, "BAD signature") => &["bad-signature/signed-twice"],
            (_, other) => panic!("{file}: apk says {other}"),
        };
        let found = format!("{}/{}", judged.verdict, judged.code);
        let fits = |expected: &&str| found == **expected || found.starts_with(&format!("{expected}/"));
        assert!(expected.iter().any(fits), "{file}: expected {expected:?}, found {judged:?}");
    }
    assert_eq!(count, 37);
}
