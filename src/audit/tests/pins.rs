//! Pins, scopes, and findings that do not count.

use apkvet_fixtures::FakeKey;

use crate::audit::testing::Store;
use crate::keys::{PublicKey, read_key};

/// A key of 4096 bits, and another one.
fn key(number: u64) -> PublicKey {
    let key = if number == 1 { FakeKey::c() } else { FakeKey::b() };
    read_key(key.public_pem().as_bytes()).unwrap()
}

/// Findings of a store of key 1 as `a.rsa.pub` under such pins.
fn pinned(pins: &str) -> Vec<String> {
    let mut store = Store::default().key("k/a.rsa.pub", &key(1));
    store.pins = Some(
        pins.replace("KEY", &key(1).fingerprint().to_string())
            .replace("OTHER", &key(7).fingerprint().to_string()),
    );
    store.all()
}

#[test]
fn a_pinned_key_has_no_finding_and_without_pins_a_stranger_has_a_note() {
    assert_eq!(pinned("KEY a.rsa.pub"), ["info scope-global k/a.rsa.pub"]);
    let unpinned = Store::default().key("k/a.rsa.pub", &key(1));
    assert_eq!(unpinned.all(), ["info pin-unlisted k/a.rsa.pub", "info scope-global k/a.rsa.pub"]);
}

#[test]
fn keys_that_differ_from_their_pins_are_told() {
    for (pins, expected) in [
        ("OTHER a.rsa.pub", &["error pin-mismatch k/a.rsa.pub"][..]),
        ("KEY b.rsa.pub", &["error pin-unlisted k/a.rsa.pub"]),
        ("OTHER b.rsa.pub", &["error pin-unlisted k/a.rsa.pub", "warn pin-missing -"]),
        ("KEY a.rsa.pub\nOTHER b.rsa.pub", &["warn pin-missing -"]),
        ("KEY a.rsa.pub until=2026-11-23", &["warn pin-expired k/a.rsa.pub"]),
        ("KEY a.rsa.pub until=2026-11-24", &[]),
        ("KEY a.rsa.pub until=2026-11-23\nKEY a.rsa.pub", &[]),
        ("KEY a.rsa.pub\nOTHER a.rsa.pub", &["warn id-collision a.rsa.pub"]),
    ] {
        let found: Vec<String> = pinned(pins).into_iter().filter(|line| !line.starts_with("info")).collect();
        assert_eq!(found, expected, "{pins}");
    }
}

#[test]
fn a_key_that_is_pinned_under_two_names_and_lies_under_both_is_warned_of() {
    let store = |pins: Option<&str>| {
        let mut store = Store::default().key("k/a.rsa.pub", &key(1)).key("k/b.rsa.pub", &key(1));
        store.pins = pins.map(|pins| pins.replace("KEY", &key(1).fingerprint().to_string()));
        store.all().into_iter().find(|line| line.contains("id-duplicate")).unwrap()
    };
    assert_eq!(store(None), "info id-duplicate k/a.rsa.pub");
    assert_eq!(store(Some("KEY a.rsa.pub\nKEY b.rsa.pub scope=file:/srv")), "warn id-duplicate k/a.rsa.pub");
}

#[test]
fn alpine_s_keys_are_for_everything_unless_their_pin_is_narrower() {
    let known = crate::keys::KnownKeys::builtin();
    let alpine = known.keys().iter().find(|key| key.fingerprint().short() == "8a70fc55f1a6fb2a").unwrap();
    let name = alpine.names()[0].as_str();
    let scope = |words: &str| {
        let mut store = Store::default().key(&format!("k/{name}"), alpine.key().unwrap());
        store.pins = Some(format!("{} {name} {words}", alpine.fingerprint()));
        store.all().iter().any(|line| line.contains("scope-global"))
    };
    assert!(scope("scope=https://dl-cdn.alpinelinux.org/alpine/"));
    assert!(!scope("") && !scope("until=2030-01-01"));
}

#[test]
fn ignored_findings_do_not_count_and_are_silent_only_with_a_reason() {
    let mut store = Store::default().key("k/a.rsa.pub", &key(1));
    store.ignore = vec!["pin-unlisted"];
    let report = store.audit();
    assert_eq!(store.all(), ["info scope-global k/a.rsa.pub"]);
    assert_eq!((report.ignored.len(), report.ignored[0].reason.as_deref()), (1, None));
    let fingerprint = key(1).fingerprint();
    store.pins = Some(format!("{fingerprint} a.rsa.pub ignore=scope-global # the only repository"));
    let report = store.audit();
    assert_eq!(report.findings, []);
    assert_eq!(report.ignored[0].reason.as_deref(), Some("the only repository"));
}

#[test]
fn what_is_ignored_for_one_key_counts_for_another() {
    let mut store = Store::default().key("k/a.rsa.pub", &key(1));
    store.ignore = vec!["scope-global:0000000000000000", "pin-unlisted:0000000000000000"];
    assert_eq!(store.all().len(), 2);
    let digits: &'static str = format!("scope-global:{}", key(1).fingerprint().short()).leak();
    store.ignore = vec![digits];
    assert_eq!(store.all(), ["info pin-unlisted k/a.rsa.pub"]);
}
