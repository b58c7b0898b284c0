//! Known keys and their names, ages, architectures.

use jiff::civil::date;

use crate::audit::Branch;
use crate::audit::numbers::testing::prime;
use crate::audit::testing::{Store, rsa};
use crate::keys::{KnownKeys, PublicKey};

const ALPINE: &str = "alpine-devel@lists.alpinelinux.org-";

fn stranger() -> PublicKey {
    rsa(&(prime(1024, 1) * prime(1024, 2)), 65_537)
}

/// A known key by the begin of its fingerprint.
fn known(digits: &str) -> PublicKey {
    let known = KnownKeys::builtin();
    let mut keys = known.keys().iter().filter(|key| key.fingerprint().short().starts_with(digits));
    keys.next().unwrap().key().unwrap().clone()
}

#[test]
fn another_key_under_a_known_name_is_an_impostor() {
    let name = format!("k/{ALPINE}6165ee59.rsa.pub");
    assert_eq!(Store::default().key(&name, &stranger()).found(), [format!("error id-impostor {name}")]);
    assert_eq!(Store::default().key(&name, &known("8a70fc55")).found(), [""; 0]);
}

#[test]
fn names_of_test_keys_belong_to_anybody() {
    assert_eq!(Store::default().key("k/melange.rsa.pub", &stranger()).found(), [""; 0]);
}

#[test]
fn a_name_that_passes_for_alpine_is_told() {
    for (name, told) in [
        (format!("{ALPINE}68000000.rsa.pub"), true),
        ("alpine-devel@lists.aIpinelinux.org-68000000.rsa.pub".to_owned(), true),
        ("packages@example.org-68000000.rsa.pub".to_owned(), false),
    ] {
        let store = Store::default().key(&format!("k/{name}"), &stranger());
        assert_eq!(store.found().iter().any(|line| line.starts_with("warn id-lookalike")), told, "{name}");
    }
}

#[test]
fn a_known_key_under_a_foreign_name_is_told() {
    let key = known("8a70fc55");
    assert_eq!(Store::default().key("k/x.rsa.pub", &key).found(), ["warn id-othername k/x.rsa.pub"]);
    // Both names of this one are in use.
    for name in ["andyshinn.rsa.pub", "sgerrand.rsa.pub"] {
        assert_eq!(Store::default().key(&format!("k/{name}"), &known("ba1a4a4b")).found(), [""; 0]);
    }
}

#[test]
fn what_its_owner_gave_up_is_told() {
    let retired = format!("k/{ALPINE}4d07755e.rsa.pub");
    assert_eq!(
        Store::default().key(&retired, &known("4a4fd9d6")).found(),
        [format!("warn id-retired {retired}")]
    );
    let foreign = Store::default().key("k/stackfeed.rsa.pub", &known("73a03895"));
    assert_eq!(foreign.found(), ["warn id-retired k/stackfeed.rsa.pub"]);
}

#[test]
fn legacy_keys_are_told_where_every_branch_is_newer() {
    let name = format!("k/{ALPINE}5261cecb.rsa.pub");
    for (branches, told) in [
        (vec![], false),
        (vec![Branch::Stable(3, 14)], false),
        (vec![Branch::Stable(3, 15)], true),
        (vec![Branch::Stable(3, 20), Branch::Stable(3, 13)], false),
        (vec![Branch::Edge], true),
    ] {
        let mut store = Store::default().key(&name, &known("bb1f0937"));
        store.branches = branches.clone();
        assert_eq!(store.found().contains(&format!("info id-legacy {name}")), told, "{branches:?}");
    }
}

#[test]
fn keys_of_another_architecture_are_told() {
    let name = format!("k/{ALPINE}4a6a0840.rsa.pub");
    for (architecture, told) in
        [(None, false), (Some("x86"), false), (Some("x86_64"), false), (Some("aarch64"), true)]
    {
        let mut store = Store::default().key(&name, &known("4e0c2675"));
        store.architecture = architecture;
        assert_eq!(store.found().contains(&format!("info id-otherarch {name}")), told, "{architecture:?}");
    }
}

#[test]
fn age_is_told_from_ten_years_on_and_above_what_is_allowed() {
    // 2016-11-24 00:00 UTC is 58362e00.
    let age = |name: &str, day, max_age| {
        let mut store = Store::default().key(&format!("k/{name}"), &stranger());
        (store.as_of, store.max_age) = (day, max_age);
        let found = store.all().into_iter().find(|line| line.contains(" id-age "));
        found.map(|line| line.split(' ').next().unwrap().to_owned()).unwrap_or_default()
    };
    let name = "a-58362e00.rsa.pub";
    assert_eq!(age(name, date(2026, 11, 23), None), "");
    assert_eq!(age(name, date(2026, 11, 24), None), "info");
    assert_eq!(age(name, date(2017, 11, 24), Some(365)), "");
    assert_eq!(age(name, date(2017, 11, 25), Some(365)), "warn");
    assert_eq!(age(name, date(2016, 11, 23), None), "");
    assert_eq!(age(name, date(2016, 11, 22), None), "warn");
    assert_eq!(age("a-00000000.rsa.pub", date(2026, 11, 24), None), "info");
    assert_eq!(age("a.rsa.pub", date(2026, 11, 24), None), "info");
    let large = rsa(&(prime(2048, 1) * prime(2048, 2)), 65_537);
    assert!(!Store::default().key("k/a.rsa.pub", &large).all().iter().any(|line| line.contains("id-age")));
}

#[test]
fn one_name_for_two_keys_and_one_key_in_two_files_are_told() {
    let collide = Store::default().key("a/x.rsa.pub", &stranger()).key("b/x.rsa.pub", &known("ba1a4a4b"));
    assert!(collide.found().contains(&"warn id-collision a/x.rsa.pub".to_owned()));
    let same = Store::default().key("a/x.rsa.pub", &stranger()).key("b/x.rsa.pub", &stranger());
    assert_eq!(same.found(), ["info id-duplicate a/x.rsa.pub"]);
    let other = rsa(&(prime(1024, 3) * prime(1024, 4)), 65_537);
    let apart = Store::default().key("a/x.rsa.pub", &stranger()).key("b/y.rsa.pub", &other);
    assert_eq!(apart.found(), [""; 0]);
}

#[test]
fn a_file_that_is_known_by_its_hash_alone_is_compared_by_it() {
    let known = KnownKeys::builtin();
    let name = known.name_only()[0].name().to_string();
    let store = Store::default().key(&format!("k/{name}"), &stranger());
    assert_eq!(store.found(), [format!("warn id-impostor k/{name}")]);
}
