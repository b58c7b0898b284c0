//! Whole packages, well formed, that the keys and the policy at hand do not let pass.

use apkvet::keys::{Curve, EcPublicKey, KnownKeys, Pins, PublicKey, read_key};
use apkvet::verify::{Keyring, Known, MinDigest, Pinned, Policy, TrustedKey};
use apkvet_fixtures::{Archive, FakeKey, Header, Label, gzip, package::Style, package::signature_member};

use super::{Case, case, package, rsa, signed, trusting, trusting_a};

const F4: &[u8] = &[1, 0, 1];

fn public(key: &FakeKey) -> PublicKey {
    read_key(key.public_pem().as_bytes()).unwrap()
}

/// A signature member with one entry of this name, made by key `a`.
fn named(name: &str, label: Label) -> Vec<u8> {
    let package = signed(&package());
    let signature = FakeKey::a().sign(label, &package.control);
    let member = gzip::member(&Archive::default().entry(&Header::file(name), &signature).bytes());
    [member, package.control, package.data].concat()
}

/// Another key under the name that the signature asks for.
fn instead(key: PublicKey) -> Keyring {
    trusting(FakeKey::a().name(), key)
}

/// A list of known keys with key `a` in it.
fn known() -> Known {
    let key = public(&FakeKey::a());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let list = serde_json::json!({
        "schema": "apk-known-keys/1",
        "date": "2026-01-01",
        "keys": [{
            "names": [FakeKey::a().name()],
            "spki_sha256": key.fingerprint().to_string().trim_start_matches("sha256:"),
            "file_sha256": [apkvet_fixtures::tar::sha256_hex(FakeKey::a().public_pem().as_bytes())],
            "type": "rsa",
            "origin": "apkvet fixtures",
            "status": "current",
            "modulus_hex": hex(key.as_rsa().unwrap().modulus()),
            "exponent": 65537,
        }],
    });
    Known::from(KnownKeys::parse(list.to_string().as_bytes()).unwrap())
}

fn keys() -> Vec<Case> {
    let bytes = || signed(&package()).bytes();
    let of = |code, key| case(code, bytes()).keyring(instead(key));
    let point = [&[4_u8][..], &[1; 64]].concat();
    vec![
        of("key-not-rsa", PublicKey::Ec(EcPublicKey::new(Curve::P256, &point).unwrap())),
        of("key-small", rsa(1024, 0xff, F4)),
        of("key-large", rsa(16_384, 0xff, F4)),
        of("key-modulus", rsa(2048, 0xfe, F4)),
        of("key-exponent", rsa(2048, 0xff, &[3])),
        case("signature-dsa", named(&format!(".SIGN.DSA.{}", FakeKey::a().name()), Label::Rsa)),
    ]
}

fn signed_twice() -> Vec<u8> {
    let package = package().build_signed(&[(FakeKey::b(), Label::Rsa256)]);
    let outer = signature_member(Style::Plain, &[(FakeKey::a(), Label::Rsa256)], &package.bytes());
    [outer, package.bytes()].concat()
}

fn pinned() -> Policy {
    let pins = Pins::parse(format!("sha256:{} {}", "0".repeat(64), FakeKey::a().name()).as_bytes()).unwrap();
    Policy { pinned: Some(Pinned { pins, today: jiff::civil::date(2026, 1, 1) }), ..Policy::default() }
}

pub(super) fn cases() -> Vec<Case> {
    let bytes = || signed(&package()).bytes();
    let renamed = trusting("other.rsa.pub", public(&FakeKey::a()));
    let mut swapped = instead(public(&FakeKey::b()));
    swapped.add(TrustedKey::new("other.rsa.pub", "other.rsa.pub", public(&FakeKey::a()))).unwrap();
    let mut unknown = case("key-known", bytes()).keyring(Keyring::default());
    unknown.given.known = Some(known());
    let mut replaced = case("key-replaced", bytes()).keyring(instead(public(&FakeKey::b())));
    replaced.given.known = Some(known());
    let sha1 = package().build_signed(&[(FakeKey::a(), Label::Rsa)]).bytes();
    let strong = Policy { min_digest: MinDigest::Sha256, ..Policy::default() };
    let demanded = Policy { fingerprints: vec![public(&FakeKey::b()).fingerprint()], ..Policy::default() };
    let mut cases = vec![
        case("unsigned", package().build_signed(&[]).bytes()),
        case("untrusted", bytes()).keyring(Keyring::default()),
        case("untrusted", bytes()).keyring(trusting("b.rsa.pub", public(&FakeKey::b()))),
        case("untrusted", named(".SIGN.FUTURE.x.rsa.pub", Label::Rsa256)).keyring(trusting_a()),
        case("key-renamed", bytes()).keyring(renamed),
        case("key-renamed", bytes()).keyring(swapped),
        unknown,
        replaced,
        case("bad-signature", named(&format!(".SIGN.RSA.{}", FakeKey::a().name()), Label::Rsa256)),
        case("signed-twice", signed_twice()),
        case("not-pinned", bytes()).policy(pinned()),
        case("fingerprint-mismatch", bytes()).policy(demanded),
        case("digest-too-weak", sha1).policy(strong),
    ];
    cases.extend(keys());
    cases
}

#[test]
fn keys_of_every_size_are_verified_or_refused_by_name() {
    for (key, bits) in [(FakeKey::a(), 2048), (FakeKey::c(), 4096), (FakeKey::d(), 8192)] {
        assert_eq!(public(&key).bits(), bits);
        for label in [Label::Rsa, Label::Rsa256, Label::Rsa512] {
            let bytes = package().build_signed(&[(key.clone(), label)]).bytes();
            let signed = case("verified", bytes).keyring(trusting(key.name(), public(&key)));
            assert_eq!(super::judge(&signed).1, "verified", "{bits} {label:?}");
        }
    }
    let bytes = signed(&package()).bytes();
    for (bits, code) in [
        (512, "key-small"),
        (1024, "key-small"),
        (2040, "key-small"),
        (8200, "key-large"),
        (16_384, "key-large"),
    ] {
        let refused = case(code, bytes.clone()).keyring(instead(rsa(bits, 0xff, F4)));
        assert_eq!(super::judge(&refused).1, code, "{bits}");
    }
    let exponents: [&[u8]; 5] = [&[1], &[3], &[1, 0, 0], &[2, 0, 0, 0, 1], &[1, 0, 0, 0, 0, 0, 0, 0, 1]];
    for exponent in exponents {
        let refused = case("key-exponent", bytes.clone()).keyring(instead(rsa(2048, 0xff, exponent)));
        assert_eq!(super::judge(&refused).1, "key-exponent", "{exponent:?}");
    }
}

#[test]
fn one_bad_signature_beside_a_good_one_is_refused_in_any_order() {
    let package = signed(&package());
    let entry = |key: &FakeKey, signed: &[u8]| {
        (format!(".SIGN.RSA256.{}", key.name()), key.sign(Label::Rsa256, signed))
    };
    let good = entry(&FakeKey::a(), &package.control);
    let (also_good, bad) = (entry(&FakeKey::c(), &package.control), entry(&FakeKey::c(), b"something else"));
    let keyring = || {
        let mut keyring = trusting_a();
        let key = FakeKey::c();
        keyring.add(TrustedKey::new(key.name(), key.name(), public(&key))).unwrap();
        keyring
    };
    for (order, expected) in [
        ([&good, &also_good], "verified"),
        ([&good, &bad], "bad-signature"),
        ([&bad, &good], "bad-signature"),
    ] {
        let archive = order.iter().fold(Archive::default(), |archive, (name, body)| {
            archive.entry(&Header::file(name.as_str()), body)
        });
        let bytes = [&*gzip::member(&archive.bytes()), &package.control, &package.data].concat();
        assert_eq!(super::judge(&case(expected, bytes).keyring(keyring())).1, expected);
    }
}
