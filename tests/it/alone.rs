//! Rules that other rules hide: each is the only one that refuses its file.

use apkvet::container::Scratch;
use apkvet::keys::read_key;
use apkvet::unverified::{Level, ReadOptions, Subject, read};
use apkvet::verify::{Keyring, Known, MinDigest, Policy, Proof, TrustedKey, verify_package};
use apkvet_fixtures::{Archive, FakeKey, Gzip, Header, Label, PackageBuilder, gzip, index::sign, tar};

use crate::harness::judge;
use crate::refusals::trusting_a;

fn package() -> PackageBuilder {
    PackageBuilder::new("hello", "1.0-r0")
}

fn with(more: impl FnOnce(Archive) -> Archive) -> Vec<u8> {
    package().data(more).build_signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

fn index(archive: Archive) -> Vec<u8> {
    sign(&archive.zero_blocks(2).bytes(), &[(FakeKey::a(), Label::Rsa256)])
}

/// A package whose control member begins with other bytes than a gzip member.
fn other_magic() -> Vec<u8> {
    let mut package = package().build();
    let pkginfo = self::package().pkginfo(&tar::sha256_hex(&package.data));
    let archive = self::package().control_archive(&pkginfo).bytes();
    package.control = Gzip { magic: 0x8c, ..Gzip::default() }.member(&archive);
    package.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

#[test]
fn each_rule_refuses_what_no_other_would() {
    let other = "0".repeat(40);
    let summed =
        |archive: Archive, header: &Header| archive.pax(&[(tar::CHECKSUM, &other)]).entry(header, b"");
    let text = |archive: Archive| archive.entry(&Header::file("APKINDEX"), b"");
    let claimed = Header { size: Some((64 << 10) + 1), ..Header::file("DESCRIPTION") };
    for (what, bytes, code) in [
        ("a magic of 1f 8c", other_magic(), "gzip-magic"),
        (
            "a symbolic link of another checksum",
            with(|archive| summed(archive, &Header::symlink("usr/link", "x"))),
            "checksum-mismatch",
        ),
        (
            "a hard link of another checksum",
            with(|archive| summed(archive, &Header::hard_link("usr/link", "usr/share/hello"))),
            "checksum-mismatch",
        ),
        (
            "an index named by an extension",
            index(Archive::default().long_name("APKINDEX").entry(&Header::file("x"), b"")),
            "index-foreign-entry",
        ),
        (
            "a description of 64 KiB and a byte",
            index(text(Archive::default()).entry(&claimed, &[0; 65537])),
            "limit-index-text",
        ),
    ] {
        let found = judge(&bytes, &trusting_a(), &Policy::default(), Level::Full);
        assert_eq!(found.code, code, "{what}: {found:?}");
    }
}

/// Signatures by strangers decide nothing; how many bytes they bring does.
#[test]
fn signature_members_are_bounded_together() {
    let long = "1".repeat(100_000);
    let member = |n: u32| {
        let header = Header::file(format!(".SIGN.RSA256.stranger-{n}.rsa.pub"));
        gzip::member(&Archive::default().pax(&[("mtime", &long)]).entry(&header, &[7; 256]).bytes())
    };
    let file = |count| [(0..count).flat_map(member).collect(), with(|data| data)].concat();
    let code = |count| judge(&file(count), &trusting_a(), &Policy::default(), Level::Full).code;
    assert_eq!([1, 2, 3].map(code), ["", "", "limit-signature"]);
}

#[test]
fn a_waiver_is_for_one_code_and_never_for_a_digest() {
    let device = Header { typeflag: b'3', ..Header::file("usr/share/null") };
    let bytes = with(|data| data.entry(&device, b""));
    let strong = Policy { min_digest: MinDigest::Sha256, ..Policy::default() };
    let weak = package().build_signed(&[(FakeKey::a(), Label::Rsa)]).bytes();
    for (bytes, policy, waived, verdict) in [
        (&bytes, Policy::default(), "other-code", "policy"),
        (&bytes, Policy::default(), "device-node", "verified"),
        (&weak, strong, "digest-too-weak", "policy"),
    ] {
        let (keyring, known) = (trusting_a(), Known::builtin());
        let proof = Proof { keyring: &keyring, policy: &policy, known: &known };
        let read = read(&**bytes, &ReadOptions::default(), &mut Scratch::default()).unwrap();
        let Subject::Package(package) = read else { panic!() };
        let judged = verify_package(package, &proof).waiving(waived);
        assert_eq!(judged.verdict().name(), verdict, "{waived}");
    }
}

#[test]
fn two_keys_of_one_name_are_not_both_trusted() {
    let key = |key: FakeKey| read_key(key.public_pem().as_bytes()).unwrap();
    let mut keyring = Keyring::default();
    keyring.add(TrustedKey::new("a.rsa.pub", "first", key(FakeKey::a()))).unwrap();
    keyring.add(TrustedKey::new("a.rsa.pub", "again", key(FakeKey::a()))).unwrap();
    let refused = keyring.add(TrustedKey::new("a.rsa.pub", "second", key(FakeKey::b()))).unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("first") && said.contains("second"), "{said}");
    assert_eq!(keyring.len(), 1);
}
