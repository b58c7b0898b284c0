use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

use super::*;
use crate::container::Scratch;
use crate::envelope::SignedDigests;
use crate::keys::read_key;
use crate::unverified::{ReadOptions, Subject, read};
use crate::verify::TrustedKey;

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
