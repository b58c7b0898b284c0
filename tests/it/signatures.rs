use apkvet::unverified::Level;
use apkvet::verify::Policy;
use apkvet_fixtures::{Archive, FakeKey, Header, Label, Package, PackageBuilder, gzip};

use crate::harness::judge;
use crate::refusals::trusting_a;

/// A package with these signatures, each a label, a key name and bytes.
fn signed(package: &Package, signatures: &[(Label, &str, Vec<u8>)]) -> Vec<u8> {
    let entry = |archive: Archive, (label, name, bytes): &(Label, &str, Vec<u8>)| {
        archive.entry(&Header::file(format!(".SIGN.{}.{name}", label.as_str())), bytes)
    };
    let member = gzip::member(&signatures.iter().fold(Archive::default(), entry).bytes());
    [member.as_slice(), &package.control, &package.data].concat()
}

#[test]
fn one_bad_signature_beside_a_good_one_is_refused_in_any_order() {
    let (key, package) = (FakeKey::a(), PackageBuilder::new("hello", "1.0-r0").build());
    let good = (Label::Rsa256, key.name(), key.sign(Label::Rsa256, &package.control));
    let other = (Label::Rsa512, key.name(), key.sign(Label::Rsa512, &package.control));
    let bad = (Label::Rsa512, key.name(), key.sign(Label::Rsa512, b"something else"));
    let verdict = |signatures: &[_]| {
        judge(&signed(&package, signatures), &trusting_a(), &Policy::default(), Level::Full).verdict
    };
    assert_eq!(verdict(&[good.clone(), other]), "verified");
    assert_eq!(verdict(&[good.clone(), bad.clone()]), "bad-signature");
    assert_eq!(verdict(&[bad, good]), "bad-signature");
}

#[test]
fn a_signature_by_a_stranger_beside_a_good_one_decides_nothing_in_any_order() {
    let (key, package) = (FakeKey::a(), PackageBuilder::new("hello", "1.0-r0").build());
    let good = (Label::Rsa256, key.name(), key.sign(Label::Rsa256, &package.control));
    let stranger = (Label::Rsa256, "stranger.rsa.pub", vec![1; 256]);
    for signatures in [[good.clone(), stranger.clone()], [stranger, good]] {
        let bytes = signed(&package, &signatures);
        assert_eq!(judge(&bytes, &trusting_a(), &Policy::default(), Level::Full).verdict, "verified");
    }
}
