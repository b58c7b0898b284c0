use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

use super::*;
use crate::container::Scratch;
use crate::envelope::SignedDigests;
use crate::keys::read_key;
use crate::unverified::{ReadOptions, Subject, read};
use crate::verify::{KeyNames, TrustedKey};

/// A signed package as it was read, with a keyring that holds its key.
fn package(label: Label) -> (Unverified<PackageClaims>, Keyring) {
    let key = FakeKey::a();
    let mut keyring = Keyring::default();
    let public = read_key(key.public_pem().as_bytes()).unwrap();
    keyring.add(TrustedKey::new(key.name(), key.name(), public)).unwrap();
    let bytes = PackageBuilder::new("hello", "1.0-r0").build_signed(&[(key, label)]).bytes();
    let subject = read(&*bytes, &ReadOptions::default(), &mut Scratch::default()).unwrap();
    let Subject::Package(package) = subject else { panic!("not a package") };
    (package, keyring)
}

fn judged(label: Label, change: impl FnOnce(&mut SignedDigests)) -> Judgement<PackageClaims> {
    let (mut package, keyring) = package(label);
    change(&mut package.facts.signed.as_mut().unwrap().1);
    let (policy, known) = (Policy::default(), Known::builtin());
    verify_package(package, &Proof { keyring: &keyring, policy: &policy, known: &known })
}

/// A member whose stored bytes collide would need a collision of its own; what is seen of one is exchanged here.
#[test]
fn colliding_control_members_are_refused() {
    for label in [Label::Rsa, Label::Rsa256] {
        let refused = judged(label, |digests| digests.collision = true);
        let reason = refused.reason().unwrap();
        assert_eq!((reason.verdict(), reason.code()), (Verdict::BadSignature, "sha1-collision"));
        assert_eq!(judged(label, |digests| digests.collision = false).verdict(), Verdict::Verified);
    }
}

#[test]
fn a_package_without_evidence_is_not_verified_whatever_else_holds() {
    let (package, keyring) = package(Label::Rsa256);
    let facts = Facts { signed: None, ..package.facts };
    let (policy, known) = (Policy::default(), Known::builtin());
    let proof = Proof { keyring: &keyring, policy: &policy, known: &known };
    let judged = verify_package(Unverified { facts, claims: package.claims }, &proof);
    assert_eq!(judged.reason().map(Fault::code), Some("unproven"));
}

/// Reading makes no claims for a file that is neither; if it did, they would be worth nothing.
#[test]
fn what_is_neither_is_not_verified_whoever_signed_it() {
    let (package, keyring) = package(Label::Rsa256);
    let (policy, known) = (Policy::default(), Known::builtin());
    let proof = Proof { keyring: &keyring, policy: &policy, known: &known };
    let judged = verify_unknown(Unverified { facts: package.facts, claims: Some(()) }, &proof);
    assert_eq!(judged.reason().map(Fault::code), Some("unproven"));
}

/// A collision is no mere lack of a good signature, for which an index could stand in.
#[test]
fn what_is_lacking_is_a_good_signature_only_if_nothing_worse_is_wrong_with_it() {
    let (package, _) = package(Label::Rsa);
    let (policy, known, nobody) = (Policy::default(), Known::builtin(), Keyring::default());
    let untrusted = verify_package(package, &Proof { keyring: &nobody, policy: &policy, known: &known });
    assert!(untrusted.lacks_signature_alone());
    assert!(!judged(Label::Rsa, |digests| digests.collision = true).lacks_signature_alone());
    assert!(!judged(Label::Rsa, |_| ()).lacks_signature_alone());
}

#[test]
fn each_signature_that_is_checked_is_counted() {
    assert_eq!(judged(Label::Rsa256, |_| ()).facts().budget.signature_checks, 1);
}

#[test]
fn the_graver_of_two_refusals_decides_and_of_equal_ones_the_first() {
    let refused = || judged(Label::Rsa, |digests| digests.collision = true);
    for (rank, decides) in
        [(Rank::Framing, "later"), (Rank::Signature, "sha1-collision"), (Rank::Policy, "sha1-collision")]
    {
        let both = refused().refuse(Fault::new(rank, Verdict::Malformed, "later", "a later fault"));
        assert_eq!(both.reason().map(Fault::code), Some(decides), "{rank:?}");
        let other = if decides == "later" { "sha1-collision" } else { "later" };
        assert!(both.notes().iter().any(|note| note.code == other), "{rank:?}");
    }
}

/// A package with these signatures by one key, judged with that key under a name.
fn named(labels: &[Label], name: &str, key_names: KeyNames) -> Judgement<PackageClaims> {
    let key = FakeKey::a();
    let signers: Vec<_> = labels.iter().map(|label| (key.clone(), *label)).collect();
    let bytes = PackageBuilder::new("hello", "1.0-r0").build_signed(&signers).bytes();
    let subject = read(&*bytes, &ReadOptions::default(), &mut Scratch::default()).unwrap();
    let Subject::Package(package) = subject else { panic!("not a package") };
    let mut keyring = Keyring::default();
    let public = read_key(key.public_pem().as_bytes()).unwrap();
    keyring.add(TrustedKey::new(name, name, public)).unwrap();
    let (policy, known) = (Policy { key_names, ..Policy::default() }, Known::builtin());
    verify_package(package, &Proof { keyring: &keyring, policy: &policy, known: &known })
}

#[test]
fn a_signature_over_sha1_is_told_and_whether_a_stronger_one_stands_beside_it() {
    let name = FakeKey::a().name();
    let cases: [(&[Label], &[&str]); 3] = [
        (&[Label::Rsa], &["sha1-signature", "sha1-only"]),
        (&[Label::Rsa256], &[]),
        (&[Label::Rsa, Label::Rsa256], &["sha1-signature"]),
    ];
    for (labels, notes) in cases {
        let judged = named(labels, name, KeyNames::AsSigned);
        assert_eq!(judged.verdict(), Verdict::Verified);
        assert!(
            judged.notes().iter().map(|note| note.code).eq(notes.iter().copied()),
            "{:?}",
            judged.notes()
        );
        let key = judged.verified().unwrap().evidence().keys()[0].fingerprint();
        for signature in judged.signatures() {
            assert_eq!((signature.key_name(), signature.fingerprint()), (name, Some(key)));
        }
    }
}

#[test]
fn a_key_of_another_name_counts_only_where_any_name_may() {
    let refused = named(&[Label::Rsa256], "other.rsa.pub", KeyNames::AsSigned);
    assert_eq!(refused.reason().map(Fault::code), Some("key-renamed"));
    let accepted = named(&[Label::Rsa256], "other.rsa.pub", KeyNames::Any);
    assert_eq!((accepted.verdict(), accepted.facts().budget.signature_checks), (Verdict::Verified, 1));
}

#[test]
fn evidence_names_each_key_once_and_the_strongest_label() {
    let name = FakeKey::a().name();
    for (labels, strongest) in [
        (&[Label::Rsa, Label::Rsa256][..], crate::envelope::Label::Rsa256),
        (&[Label::Rsa256, Label::Rsa], crate::envelope::Label::Rsa256),
        (&[Label::Rsa512, Label::Rsa256], crate::envelope::Label::Rsa512),
    ] {
        let judged = named(labels, name, KeyNames::AsSigned);
        let evidence = judged.verified().unwrap().evidence();
        assert_eq!((evidence.keys().len(), evidence.algorithm()), (1, &strongest));
    }
}
