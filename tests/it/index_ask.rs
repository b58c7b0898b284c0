use std::path::Path;

use apkvet_fixtures::{FakeKey, IndexBuilder};
use serde_json::Value;

use crate::harness::{Ran, apkvet, shared};

fn entry(number: u32, name: &str, version: &str, more: &str) -> String {
    let identity = apkvet_fixtures::index::identity(&number.to_be_bytes());
    format!("C:{identity}\nP:{name}\nV:{version}\nA:x86_64\nS:1536\nI:4096\no:{name}-src\nL:MIT\n{more}\n")
}

/// A directory with the key `a.rsa.pub`, and the index `index`, signed with it.
fn with_index(entries: &[String]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(FakeKey::a().name()), FakeKey::a().public_pem()).unwrap();
    write(directory.path(), "index", entries);
    directory
}

fn write(directory: &Path, name: &str, entries: &[String]) {
    std::fs::write(directory.join(name), IndexBuilder::default().text(&entries.concat()).build()).unwrap();
}

fn ask(directory: &Path, command: &str, arguments: &[&str]) -> Ran {
    apkvet(directory, &[&["index", command, "--key", FakeKey::a().name()], arguments].concat())
}

fn names(ran: &Ran) -> Vec<String> {
    let entries = ran.json().into_iter().filter(|line| line["type"] == "entry");
    entries.map(|line| line["name"].as_str().unwrap().to_owned()).collect()
}

fn small() -> tempfile::TempDir {
    with_index(&[
        entry(1, "libssl3", "3.0.8-r0", "T:TLS\np:so:libssl.so.3=3\n"),
        entry(2, "curl", "8.0-r0", "T:Fetches \u{202e}things\nD:so:libssl.so.3 ca-certificates\n"),
        entry(3, "curl-doc", "8.0-r0", "i:curl=8.0-r0 docs\n"),
        entry(4, "wget", "1.0-r0", "D:libssl3>=3\n"),
    ])
}

#[test]
fn the_table_has_the_columns_that_people_expect() {
    let directory = small();
    let ran = ask(directory.path(), "list", &["index", "curl*"]);
    let expected = "NAME      VERSION  ARCH    SIZE     ORIGIN        LICENCE\n\
                    curl      8.0-r0   x86_64  1.5 KiB  curl-src      MIT\n\
                    curl-doc  8.0-r0   x86_64  1.5 KiB  curl-doc-src  MIT\n\
                    2 of 4 entries\n";
    assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{}", ran.err);
}

#[test]
fn questions_are_answered_by_name_by_provides_and_by_need() {
    let directory = small();
    let listed = |arguments: &[&str]| {
        names(&ask(directory.path(), "list", &[&["--json", "index"], arguments].concat()))
    };
    assert_eq!(listed(&[]), ["libssl3", "curl", "curl-doc", "wget"]);
    assert_eq!(listed(&["?get"]), ["wget"]);
    assert_eq!(listed(&["--provides", "so:libssl.so.3"]), ["libssl3"]);
    assert_eq!(listed(&["--provides", "so:libssl.so.3>3"]), [""; 0]);
    assert_eq!(listed(&["--depends-on", "libssl3"]), ["wget"]);
    assert_eq!(listed(&["--who-needs", "libssl3"]), ["curl", "wget"]);
    assert_eq!(listed(&["w*", "--who-needs", "libssl3"]), ["wget"]);
    assert_eq!(ask(directory.path(), "list", &["index", "--provides", "a@b"]).code, 2);
}

#[test]
fn an_entry_has_all_its_fields_in_json_and_is_escaped() {
    let directory = small();
    let ran = ask(directory.path(), "list", &["--json", "index", "curl"]);
    let lines = ran.json();
    assert_eq!(lines[0]["description"], r"Fetches \u{202e}things");
    assert_eq!(lines[0]["depends"], serde_json::json!(["so:libssl.so.3", "ca-certificates"]));
    assert_eq!((&lines[0]["size"], &lines[0]["line"]), (&Value::from(1536), &Value::from(12)));
    assert_eq!((&lines[1]["entries"], &lines[1]["listed"]), (&Value::from(4), &Value::from(1)));
    assert_eq!(lines[1]["verdict"], "verified");
}

#[test]
fn an_index_that_is_not_verified_is_listed_with_a_warning() {
    let directory = small();
    let ran = apkvet(directory.path(), &["index", "list", "--keys-dir", "/", "index"]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("index is not verified") && ran.err.contains("[untrusted]"), "{}", ran.err);
    assert_eq!(ask(directory.path(), "list", &[FakeKey::a().name()]).code, 1);
    assert_eq!(ask(directory.path(), "list", &["nothing"]).code, 3);
}

#[test]
fn downgrades_and_rebuilds_stand_out_among_the_changes() {
    let old = [
        entry(1, "down", "2.0-r0", ""),
        entry(2, "edited", "1.0-r0", ""),
        entry(3, "gone", "1.0-r0", ""),
        entry(4, "rebuilt", "1.0-r0", ""),
        entry(5, "up", "1.9-r0", ""),
    ];
    let new = [
        entry(11, "down", "1.0-r0", ""),
        entry(2, "edited", "1.0-r0", "D:more\n"),
        entry(14, "rebuilt", "1.0-r0", ""),
        entry(15, "up", "1.10-r0", ""),
        entry(16, "new", "1.0-r0", ""),
    ];
    let directory = with_index(&old);
    write(directory.path(), "newer", &new);
    let ran = ask(directory.path(), "diff", &["index", "newer"]);
    assert_eq!(ran.code, 0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "! downgraded  down  2.0-r0 -> 1.0-r0");
    assert_eq!(lines[1], "  edited      edited  1.0-r0  D:");
    assert!(lines[4].starts_with("! rebuilt     rebuilt  1.0-r0  Q1"), "{}", ran.out);
    assert_eq!(lines[6], "1 added, 1 removed, 1 upgraded, 1 downgraded, 1 rebuilt, 1 edited");
    let json = ask(directory.path(), "diff", &["--json", "index", "newer"]).json();
    let kinds: Vec<&str> = json.iter().filter_map(|line| line["change"].as_str()).collect();
    assert_eq!(kinds, ["downgraded", "edited", "removed", "added", "rebuilt", "upgraded"]);
    assert_eq!(
        (&json[5]["old"]["version"], &json[5]["new"]["version"]),
        (&"1.9-r0".into(), &"1.10-r0".into())
    );
    assert_eq!(json[6]["downgraded"], 1);
    assert_eq!(ask(directory.path(), "diff", &["-q", "index", "newer"]).out.lines().count(), 3);
}

#[test]
fn the_real_index_answers_as_apk_does() {
    let Some(alpine) = shared("real/alpine") else { return };
    let file = "v3.17/main/aarch64/APKINDEX.tar.gz";
    let list = |arguments: &[&str]| {
        let ran =
            apkvet(&alpine, &[&["index", "list", "--json", "--keys-dir", "keys", file], arguments].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        names(&ran)
    };
    assert_eq!(list(&[]).len(), 5004);
    assert_eq!(list(&["--provides", "cmd:bash"]), ["bash"]);
    assert_eq!(list(&["--provides", "/bin/sh"]).len(), 3);
    assert_eq!(list(&["--depends-on", "tzdata"]), list(&["--depends-on", "tzdata", "*"]));
    assert!(list(&["--who-needs", "libpq"]).contains(&"postgresql15-client".to_owned()));
}
