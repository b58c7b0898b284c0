use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use apkvet_fixtures::FakeKey;
use serde_json::Value;

use super::{DAY, about, audit, counts};
use crate::harness::{apkvet, shared};

/// A directory of everything that does not belong there.
fn nasty() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let write = |name: &str, content: &[u8], mode| {
        std::fs::write(path(name), content).unwrap();
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("good.rsa.pub", FakeKey::a().public_pem().as_bytes(), 0o644);
    write("open.rsa.pub", FakeKey::b().public_pem().as_bytes(), 0o666);
    write("private.rsa", FakeKey::c().private_pem().as_bytes(), 0o600);
    write("page.rsa.pub", b"<!DOCTYPE html><html><body>404</body></html>", 0o644);
    write("large.rsa.pub", &vec![b'A'; 20 << 20], 0o644);
    write("escape\x1b[31m.rsa.pub", FakeKey::mirror().public_pem().as_bytes(), 0o644);
    let status = std::process::Command::new("mkfifo").arg(path("pipe.rsa.pub")).status().unwrap();
    assert!(status.success());
    symlink("nowhere", path("dangling.rsa.pub")).unwrap();
    directory
}

#[test]
fn a_directory_of_everything_that_does_not_belong_there_is_told_file_by_file() {
    let directory = nasty();
    let ran = apkvet(directory.path(), &["keys", "audit", "--json", "--as-of", DAY, "."]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let has = |id: &str, file: &str| {
        let findings = document["findings"].as_array().unwrap();
        let told =
            findings.iter().any(|finding| finding["id"] == id && finding["file"] == format!("./{file}"));
        assert!(told, "{id} {file}: {:?}", counts(&document));
    };
    has("key-unreadable", "pipe.rsa.pub");
    has("key-unreadable", "dangling.rsa.pub");
    has("form-private", "private.rsa");
    has("form-not-a-key", "page.rsa.pub");
    has("form-not-a-key", "large.rsa.pub");
    has("file-large", "large.rsa.pub");
    has("perm-writable", "open.rsa.pub");
    has("name-odd", "escape\\x1b[31m.rsa.pub");
    let about =
        |finding: &&Value| finding["file"].as_str().is_some_and(|file| file.ends_with("good.rsa.pub"));
    let good = document["findings"].as_array().unwrap().iter().find(about);
    assert!(good.is_none_or(|finding| finding["severity"] == "info"), "{good:?}");
}

#[test]
fn no_byte_of_a_private_key_and_no_escape_sequence_is_printed() {
    let directory = nasty();
    for more in [&["."][..], &["--json", "."], &["-v", "--deep", "."], &["-q", "."]] {
        let ran = apkvet(directory.path(), &[&["keys", "audit"], more].concat());
        let said = format!("{}{}", ran.out, ran.err);
        let lines = FakeKey::c().private_pem().lines().map(str::to_owned);
        assert!(
            lines
                .filter(|line| line.len() > 20 && !line.contains(' '))
                .all(|line| !said.contains(&line[..20]))
        );
        assert!(!said.contains('\x1b'), "{more:?}");
    }
}

#[test]
fn two_runs_print_the_same_bytes() {
    let directory = nasty();
    let run = || apkvet(directory.path(), &["keys", "audit", "--json", "--as-of", DAY, "."]).out;
    assert_eq!(run(), run());
}

#[test]
fn the_object_has_the_documented_fields_in_their_order() {
    let directory = nasty();
    let ran = apkvet(directory.path(), &["keys", "audit", "--json", "--as-of", DAY, "."]);
    assert!(
        ran.out.starts_with(
            r#"{"schema":"apk-key-audit/1","as_of":"2026-11-24","root":"/","policy":"default","#
        )
    );
    let at = |field: &str| ran.out.find(&format!("\"{field}\":")).unwrap_or_else(|| panic!("no {field}"));
    let outer =
        ["schema", "as_of", "root", "policy", "known_date", "dirs", "keys", "findings", "ignored", "summary"];
    assert!(outer.map(at).is_sorted());
    let key = [
        "file",
        "dir",
        "size",
        "mode",
        "uid",
        "file_sha256",
        "loaded",
        "type",
        "bits",
        "exponent",
        "spki_sha256",
        "apk3_key_id",
        "name_time",
        "origin",
        "status",
        "architectures",
        "signs",
    ];
    assert!(key.map(at).is_sorted());
    assert!(ran.out.ends_with("\"exit\":1}\n") && ran.out.lines().count() == 1);
}

#[test]
fn exit_codes_follow_the_severity_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.rsa.pub.bak"), FakeKey::c().public_pem()).unwrap();
    let code = |more: &[&str]| {
        apkvet(directory.path(), &[&["keys", "audit", "--no-perms", "."], more].concat()).code
    };
    assert_eq!((code(&[]), code(&["--fail-on", "warn"]), code(&["--fail-on", "info"])), (0, 1, 1));
    assert_eq!(code(&["--fail-on", "warn", "--ignore", "name-leftover"]), 0);
    assert_eq!(code(&["--fail-on", "info", "--ignore", "name-leftover"]), 1);
    for usage in [
        &["--ignore", "no-such-id"][..],
        &["--fail-on", "fatal"],
        &["--as-of", "today"],
        &["--max-age", "10"],
    ] {
        assert_eq!(code(usage), 2, "{usage:?}");
    }
}

#[test]
fn a_named_directory_that_is_missing_is_exit_3_and_the_rest_is_audited() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.rsa.pub"), FakeKey::c().public_pem()).unwrap();
    let (document, ran) = audit(directory.path(), &["no-such", "."]);
    assert_eq!((ran.code, &document["summary"]["files"], &document["exit"]), (3, &1.into(), &3.into()));
    assert!(ran.err.contains("no-such"), "{ran:?}");
    let (document, ran) = audit(directory.path(), &["no-such"]);
    assert_eq!((ran.code, counts(&document).len()), (3, 0));
}

#[test]
fn a_root_without_key_directories_has_no_key_and_that_is_a_finding() {
    let root = tempfile::tempdir().unwrap();
    let (document, ran) = audit(root.path(), &["--root", "."]);
    assert_eq!((counts(&document), ran.code), (vec!["error key-none 1".to_owned()], 1));
    assert_eq!(audit_code(root.path(), &["--root", "no-such"]), 3);
}

fn audit_code(directory: &Path, arguments: &[&str]) -> i32 {
    apkvet(directory, &[&["keys", "audit"], arguments].concat()).code
}

#[test]
fn links_do_not_leave_the_root() {
    let root = tempfile::tempdir().unwrap();
    let keys = root.path().join("etc/apk/keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::create_dir_all(root.path().join("usr/share/apk/keys")).unwrap();
    std::fs::write(root.path().join("usr/share/apk/keys/a.rsa.pub"), FakeKey::c().public_pem()).unwrap();
    symlink("/usr/share/apk/keys/a.rsa.pub", keys.join("a.rsa.pub")).unwrap();
    symlink("../../../../../../../usr/share/apk/keys/a.rsa.pub", keys.join("b.rsa.pub")).unwrap();
    let ran = apkvet(root.path(), &["keys", "audit", "--json", "--root", "."]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let link = |name: &str| {
        let findings = document["findings"].as_array().unwrap().iter();
        let mut links = findings.filter(|finding| finding["id"] == "perm-symlink");
        links.find(|finding| finding["file"].as_str().unwrap().ends_with(name)).unwrap()["severity"].clone()
    };
    assert_eq!((link("a.rsa.pub"), link("b.rsa.pub")), ("info".into(), "error".into()));
    assert_eq!(document["summary"]["loaded"], 2);
}

#[test]
fn a_reason_in_the_pin_file_makes_a_finding_silent_and_a_flag_does_not() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.rsa.pub"), FakeKey::c().public_pem()).unwrap();
    let line = apkvet(directory.path(), &["keys", "pin", "a.rsa.pub"]).out;
    let pins = directory.path().join("pins");
    let run = |more: &[&str]| {
        let ran = apkvet(
            directory.path(),
            &[&["keys", "audit", "--no-perms", "--key-pins", "pins", "keys"], more].concat(),
        );
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    std::fs::create_dir(directory.path().join("keys")).unwrap();
    std::fs::copy(directory.path().join("a.rsa.pub"), directory.path().join("keys/a.rsa.pub")).unwrap();
    std::fs::write(&pins, &line).unwrap();
    assert!(run(&[]).contains("note    scope-global"));
    assert!(run(&["--ignore", "scope-global"]).contains("ignored scope-global"));
    std::fs::write(&pins, format!("{} ignore=scope-global # one repository only", line.trim())).unwrap();
    assert!(!run(&[]).contains("scope-global"));
}

#[test]
fn a_block_list_of_badkeys_is_used_and_a_broken_one_is_refused() {
    let Some(keys) = shared("real/alpine/keys") else { return };
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list");
    // The hash of 4a6a0840 as badkeys computes it.
    let hash = [0x88, 0x07, 0x07, 0xbb, 0x8a, 0x9d, 0x4a, 0xb8, 0xd1, 0x34, 0x23, 0x3a, 0xa4, 0xd0, 0xa8, 7];
    std::fs::write(&list, hash).unwrap();
    let path = list.to_str().unwrap();
    let (document, ran) = audit(&keys, &["--blocklist", path, "."]);
    assert_eq!((about(&document, "key-published"), ran.code), (vec!["4a6a0840".to_owned()], 1));
    std::fs::write(&list, &hash[1..]).unwrap();
    assert_eq!(audit_code(&keys, &["--blocklist", path, "."]), 2);
}

#[test]
fn what_the_audit_calls_not_loaded_is_no_key_for_verify_either() {
    let Some(state) = shared("real/glibc/key-history/2016-06-07-3db7b4c") else { return };
    let (document, _) = audit(&state, &["."]);
    assert_eq!(document["keys"][0]["loaded"]["openssl"], false);
    let verified = apkvet(&state, &["verify", "--key", "sgerrand.rsa.pub", "../../glibc-bin-2.23-r3.apk"]);
    assert_eq!(verified.code, 2, "{verified:?}");
}

#[test]
fn repositories_are_local_and_must_hold_something() {
    let directory = nasty();
    for more in [&["--repo", "https://example.org/alpine"][..], &["--repo", "."], &["--packages", "."]] {
        assert_eq!(audit_code(directory.path(), &[&["."], more].concat()), 2, "{more:?}");
    }
    assert_eq!(audit_code(directory.path(), &[".", "--repo", "no-such"]), 3);
}
