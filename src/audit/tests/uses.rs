//! Signatures of packages and indexes, held against a store.

use apkvet_fixtures::{FakeKey, IndexBuilder, Label, PackageBuilder, index};

use crate::audit::testing::Store;
use crate::audit::{SignedObject, Strictness};
use crate::container::Scratch;
use crate::unverified::{Level, ReadOptions, read};

fn object(source: &str, name: &str, bytes: &[u8]) -> SignedObject {
    let options = ReadOptions { level: Level::Identity, ..ReadOptions::default() };
    SignedObject::of(source, name, read(bytes, &options, &mut Scratch::default()).unwrap()).unwrap()
}

fn package(signers: &[(FakeKey, Label)]) -> SignedObject {
    object("repo", "repo/p.apk", &PackageBuilder::new("p", "1-r0").build_signed(signers).bytes())
}

fn an_index(signers: &[(FakeKey, Label)]) -> SignedObject {
    let archive = IndexBuilder::default().archive().bytes();
    object("repo", "repo/APKINDEX.tar.gz", &index::sign(&archive, signers))
}

/// A store of fake keys under such names.
fn store(keys: &[(&str, FakeKey)], objects: Vec<SignedObject>) -> Store {
    let files = keys
        .iter()
        .fold(Store::default(), |store, (name, key)| store.file(&format!("k/{name}"), key.public_pem()));
    Store { objects, ..files }
}

fn own(key: &FakeKey) -> (&'static str, FakeKey) {
    (key.name(), key.clone())
}

#[test]
fn a_store_that_fits_has_nothing_to_tell_but_sha1() {
    let a = FakeKey::a();
    let strong = store(&[own(&a)], vec![package(&[(FakeKey::a(), Label::Rsa256)])]);
    assert_eq!(strong.found(), [""; 0]);
    let report = strong.audit();
    let used = &report.uses[0][0];
    assert_eq!((used.object.as_str(), used.alg.as_str(), used.ok), ("repo/p.apk", "RSA256", Some(true)));
    let mut weak = store(&[own(&a)], vec![package(&[(FakeKey::a(), Label::Rsa)])]);
    assert_eq!(weak.found(), ["info use-sha1 repo/p.apk"]);
    weak.strictness = Strictness::Strict;
    assert!(weak.found().contains(&"warn use-sha1 repo/p.apk".to_owned()));
    let both = package(&[(FakeKey::a(), Label::Rsa), (FakeKey::a(), Label::Rsa256)]);
    assert_eq!(store(&[own(&a)], vec![both]).found(), [""; 0]);
}

#[test]
fn a_signer_that_is_not_here_is_named() {
    let signed = vec![package(&[(FakeKey::b(), Label::Rsa256)])];
    let store = store(&[own(&FakeKey::a())], signed);
    let found = store.audit().findings.into_iter().find(|f| f.id.as_str() == "use-signer-missing").unwrap();
    assert_eq!(found.detail["wanted"][0], FakeKey::b().name());
}

#[test]
fn an_unsigned_package_has_no_signer() {
    let bytes = PackageBuilder::new("p", "1-r0").build_signed(&[]).bytes();
    let options = ReadOptions { level: Level::Identity, ..ReadOptions::default() };
    let read = read(&*bytes, &options, &mut Scratch::default()).unwrap();
    let object = SignedObject::of("repo", "repo/p.apk", read).unwrap();
    let found = store(&[own(&FakeKey::a())], vec![object]).found();
    assert!(found.contains(&"error use-signer-missing repo/p.apk".to_owned()), "{found:?}");
}

#[test]
fn the_right_key_under_another_name_is_a_rename() {
    let signed = || vec![package(&[(FakeKey::a(), Label::Rsa256)])];
    let renamed = store(&[("other.rsa.pub", FakeKey::a())], signed());
    assert_eq!(renamed.found(), ["error use-rename repo/p.apk", "warn id-othername k/other.rsa.pub"]);
    // Its own name is taken by another key.
    let taken = store(&[("other.rsa.pub", FakeKey::a()), (FakeKey::a().name(), FakeKey::b())], signed());
    assert!(taken.found().contains(&"error use-rename repo/p.apk".to_owned()), "{:?}", taken.found());
}

#[test]
fn another_key_of_the_name_is_a_bad_signature() {
    let found =
        store(&[(FakeKey::a().name(), FakeKey::b())], vec![package(&[(FakeKey::a(), Label::Rsa256)])])
            .found();
    assert_eq!(
        found,
        ["error use-bad-signature repo/p.apk", &format!("info use-unused k/{}", FakeKey::a().name())]
    );
}

#[test]
fn one_good_signature_of_several_is_partial() {
    let signed = package(&[(FakeKey::a(), Label::Rsa256), (FakeKey::b(), Label::Rsa256)]);
    assert_eq!(store(&[own(&FakeKey::a())], vec![signed.clone()]).found(), ["info use-partial repo/p.apk"]);
    assert_eq!(store(&[own(&FakeKey::a()), own(&FakeKey::b())], vec![signed]).found(), [""; 0]);
}

#[test]
fn keys_that_nothing_needs_are_told_and_those_of_others_that_no_index_needs_warned_of() {
    let keys = [own(&FakeKey::a()), own(&FakeKey::b())];
    let (unused, unmatched) = (
        format!("info use-unused k/{}", FakeKey::b().name()),
        format!("warn scope-unmatched k/{}", FakeKey::b().name()),
    );
    let by_index = store(&keys, vec![an_index(&[(FakeKey::a(), Label::Rsa256)])]);
    assert_eq!(by_index.found(), [unmatched, unused.clone()]);
    let by_package = store(&keys, vec![package(&[(FakeKey::a(), Label::Rsa256)])]);
    assert_eq!(by_package.found(), std::slice::from_ref(&unused));
    assert_eq!(store(&keys, vec![]).found(), [""; 0]);
    let strict = Store { strictness: Strictness::Strict, ..by_package };
    assert!(strict.found().contains(&unused.replace("info", "warn")));
}

#[test]
fn repositories_that_want_one_name_for_two_keys_collide() {
    let renamed = |key: FakeKey| store(&[], vec![package(&[(key, Label::Rsa256)])]).objects.remove(0);
    // Both directories have the name of a, and each fits its own signature.
    let mut both = store(&[own(&FakeKey::a())], vec![renamed(FakeKey::a())]);
    both = both.file(&format!("other/{}", FakeKey::b().name()), FakeKey::b().public_pem());
    assert!(!both.found().iter().any(|line| line.contains("id-collision")));
    let clash = both.file(&format!("other/{}", FakeKey::a().name()), FakeKey::b().public_pem());
    assert!(clash.found().iter().any(|line| line.contains("id-collision")));
}

#[test]
fn equal_troubles_of_one_source_are_told_together() {
    let signed = [package(&[(FakeKey::b(), Label::Rsa256)]), package(&[(FakeKey::b(), Label::Rsa256)])];
    let store = store(&[own(&FakeKey::a())], signed.to_vec());
    let findings = store.audit().findings;
    let missing: Vec<_> = findings.iter().filter(|f| f.id.as_str() == "use-signer-missing").collect();
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].file.as_deref(), &missing[0].detail["count"]), (Some("repo"), &2.into()));
}
