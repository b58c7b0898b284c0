use std::path::Path;

use crate::harness::{apkvet, shared};

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a file into a fresh directory.
fn with_file(name: &str, content: &[u8]) -> tempfile::TempDir {
    let directory = empty();
    std::fs::write(directory.path().join(name), content).unwrap();
    directory
}

#[test]
fn a_missing_file_is_an_error_of_its_own_and_exit_3() {
    let ran = apkvet(empty().path(), &["verify", "--keys-dir", ".", "no-such.apk"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("ERROR") && ran.out.contains("[not-found]"), "{ran:?}");
}

#[test]
fn a_directory_without_packages_is_exit_2() {
    let ran = apkvet(empty().path(), &["verify", "--keys-dir", ".", "."]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("no packages"), "{ran:?}");
}

#[test]
fn a_key_that_is_a_web_page_or_a_private_key_is_exit_2_and_told_by_its_content() {
    let page = with_file("a.rsa.pub", b"<!DOCTYPE html><html>404</html>");
    let ran = apkvet(page.path(), &["verify", "--key", "a.rsa.pub", "x.apk"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("HTML"), "{ran:?}");
    let secret = b"-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANSECRETSECRET\n-----END PRIVATE KEY-----\n";
    let private = with_file("a.rsa.pub", secret);
    let ran = apkvet(private.path(), &["verify", "--key", "a.rsa.pub", "x.apk"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("private key") && !ran.err.contains("SECRET"), "{ran:?}");
}

#[test]
fn a_damaged_file_in_a_keys_directory_is_told_of_and_not_fatal() {
    let keys = with_file("bad.rsa.pub", b"nothing");
    std::fs::write(keys.path().join("a.apk"), b"PK\x03\x04").unwrap();
    let ran = apkvet(keys.path(), &["verify", "--keys-dir", ".", "a.apk"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("bad.rsa.pub is not loaded"), "{ran:?}");
    assert!(ran.out.contains("[android-package]"), "{ran:?}");
}

#[test]
fn files_that_are_something_else_are_told_by_their_content() {
    for (content, code) in [
        (&b""[..], "empty"),
        (b"PK\x03\x04rest", "android-package"),
        (b"<html><body>503</body></html>", "html"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git-lfs-pointer"),
        (b"../x86_64/foo-1.0-r0.apk", "link-text"),
        (b"404: Not Found", "text"),
        (b"ADB.pckg\0\0\0\0", "v3-package"),
        (b"ADB.indx\0\0\0\0", "v3-index"),
        (b"\x28\xb5\x2f\xfd", "other-compression"),
        (b"-----BEGIN PUBLIC KEY-----\n", "pem"),
        (b"\0\0\0\0", "gzip-magic"),
        (b"\x1f\x8b\x08", "truncated"),
    ] {
        let directory = with_file("a.apk", content);
        let ran = apkvet(directory.path(), &["verify", "--json", "--keys-dir", ".", "a.apk"]);
        let lines = ran.json();
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(lines[0]["reason"]["code"], code, "{ran:?}");
        assert_eq!(lines[1]["type"], "summary");
        assert_eq!(lines[1]["exit"], 1);
    }
}

#[test]
fn unknown_limits_levels_and_numbers_of_threads_are_usage_errors() {
    for arguments in [
        &["verify", "--limit", "no-such=1", "x"][..],
        &["verify", "--limit", "script", "x"],
        &["verify", "--limit", "script=0", "x"],
        &["verify", "--level", "some", "x"],
        &["verify", "-j", "0", "x"],
        &["verify", "--fingerprint", "sha1:00", "x"],
        &["verify"],
        &["no-such-command"],
    ] {
        let ran = apkvet(empty().path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn help_says_that_this_is_not_about_android() {
    let ran = apkvet(empty().path(), &["--help"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("never Android's"), "{ran:?}");
}

#[test]
fn a_demanded_fingerprint_decides() {
    let Some(glibc) = shared("real/glibc") else { return };
    let right = "sha256:ba1a4a4bd6e619104222aef2544c48b63911d2ea95a00703358862d4c892da9c";
    let wrong = "sha256:a3fce11200f7804cb47237049da33177275e944d4e95ec0e47b1532a0917ec7e";
    let run = |fingerprint: &str| {
        let key = "sgerrand.rsa.pub=keys/andyshinn.rsa.pub";
        apkvet(&glibc, &["verify", "--key", key, "--fingerprint", fingerprint, "glibc-bin-2.23-r3.apk"])
    };
    assert_eq!(run(right).code, 0);
    let refused = run(wrong);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("[fingerprint-mismatch]"), "{refused:?}");
}

#[test]
fn a_weak_digest_is_refused_when_a_strong_one_is_demanded() {
    let Some(real) = shared("real") else { return };
    let verify = |keys: &str, file: &str| {
        apkvet(&real, &["verify", "--min-digest", "sha256", "--keys-dir", keys, file])
    };
    let weak = verify("alpine/keys", "alpine/v3.17/main/aarch64/alpine-baselayout-3.4.0-r0.apk");
    assert!(weak.code == 1 && weak.out.contains("[digest-too-weak]"), "{weak:?}");
    let strong = verify("melange-repo", "melange-repo/x86_64/replayout-1.0.0-r0.apk");
    assert_eq!(strong.code, 0, "{strong:?}");
}

fn against(real: &Path, keys: &str, index: &str, package: &str) -> crate::harness::Ran {
    apkvet(real, &["verify", "--json", "--keys-dir", keys, "--index", index, package])
}

#[test]
fn an_index_adds_its_own_conditions() {
    let Some(real) = shared("real") else { return };
    let alpine = "alpine/v3.17/main/aarch64";
    let (index, package) =
        (format!("{alpine}/APKINDEX.tar.gz"), format!("{alpine}/alpine-baselayout-3.4.0-r0.apk"));
    let other = against(&real, "alpine/keys", &index, &package);
    assert_eq!(other.json()[1]["reason"]["code"], "index-version", "{other:?}");
    let repository = "melange-repo/x86_64";
    let index = format!("{repository}/APKINDEX.tar.gz");
    let held = against(&real, "melange-repo", &index, &format!("{repository}/replayout-1.0.0-r0.apk"));
    assert_eq!(held.json()[1]["evidence"]["via"], "signature+index", "{held:?}");
    let foreign = against(
        &real,
        "melange-repo",
        "melange-repo/aarch64/APKINDEX.tar.gz",
        &format!("{repository}/replayout-1.0.0-r0.apk"),
    );
    assert_eq!(foreign.json()[1]["reason"]["code"], "index-architecture", "{foreign:?}");
    let missing = against(&real, "melange-repo", &index, "wolfi/libcap-2.69-r0.apk");
    assert!(missing.json()[1]["notes"].to_string().contains("not-in-index"), "{missing:?}");
    let unsigned = against(
        &real,
        "melange-repo",
        "odd/APKINDEX.tar.gz",
        &format!("{repository}/replayout-1.0.0-r0.apk"),
    );
    assert_eq!(unsigned.json()[1]["reason"]["code"], "index-untrusted", "{unsigned:?}");
}

#[test]
fn results_come_in_the_order_asked_for_with_any_number_of_threads() {
    let Some(real) = shared("real") else { return };
    let run = |jobs: &str| {
        apkvet(&real, &["verify", "-j", jobs, "--keys-dir", "abuild-2025", "abuild-2025", "odd"]).out
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one, run("9"));
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let commands = ["verify", "inspect", "keys", "index", "version"];
    for shell in ["bash", "zsh", "fish"] {
        let ran = apkvet(directory.path(), &["completions", shell]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(commands.iter().all(|command| ran.out.contains(command)), "{shell}");
    }
    let ran = apkvet(directory.path(), &["man", "."]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for command in commands {
        let page = std::fs::read_to_string(directory.path().join(format!("apkvet-{command}.1"))).unwrap();
        assert!(page.contains(command), "{command}");
    }
    assert_eq!(apkvet(directory.path(), &["man", "no/such/folder"]).code, 3);
}

#[test]
fn a_processor_without_sha_instructions_is_told_of_to_who_asks_for_more() {
    let Ok(processor) = std::fs::read_to_string("/proc/cpuinfo") else {
        eprintln!("SKIPPED: there is no /proc: nothing is known of the processor");
        return;
    };
    // On x86 and on ARM, as the kernel names them.
    let has = processor.split_whitespace().any(|flag| flag == "sha_ni" || flag == "sha2");
    let file = with_file("a.apk", b"PK\x03\x04");
    let run = |more: &[&str]| apkvet(file.path(), &[&["verify", "--keys-dir", ".", "a.apk"], more].concat());
    assert_eq!(run(&["-v"]).err.contains("no SHA instructions"), !has);
    assert!(!run(&[]).err.contains("SHA instructions"));
}
