//! The signature member: nothing covers it, so nothing may stand in it but signatures.

use apkvet_fixtures::{Archive, FakeKey, Header, Label, gzip};

use super::{Case, case, package, signed};

/// The package with another signature member.
fn behind(signatures: Archive) -> Vec<u8> {
    let package = signed(&package());
    [gzip::member(&signatures.bytes()), package.control, package.data].concat()
}

fn entry(name: &str, body: &[u8]) -> Archive {
    Archive::default().entry(&Header::file(name), body)
}

/// A right signature, and something behind it.
fn and(more: impl FnOnce(Archive) -> Archive) -> Vec<u8> {
    let package = signed(&package());
    let signature = FakeKey::a().sign(Label::Rsa256, &package.control);
    let name = format!(".SIGN.RSA256.{}", FakeKey::a().name());
    behind(more(entry(&name, &signature)))
}

fn many(count: usize) -> Vec<u8> {
    let name = |n: usize| format!(".SIGN.RSA.{n}.rsa.pub");
    behind((0..count).fold(Archive::default(), |archive, n| archive.entry(&Header::file(name(n)), b"x")))
}

fn members(count: usize) -> Vec<u8> {
    let member = gzip::member(&entry(".SIGN.RSA.x.rsa.pub", b"x").bytes());
    [member.repeat(count), signed(&package()).bytes()].concat()
}

pub(super) fn cases() -> Vec<Case> {
    let name = format!(".SIGN.RSA.{}", FakeKey::b().name());
    let file = || Header::file(name.as_str());
    vec![
        case("zero-blocks-in-signature", and(|archive| archive.zero_blocks(1))),
        case("signature-name", behind(entry(".SIGN.publickeyname", b"x"))),
        case("signature-key-name", behind(entry(".SIGN.RSA.../../x", b"x"))),
        case("signature-member-mixed", and(|archive| archive.entry(&Header::file(".x"), b"x"))),
        case("signature-kind", and(|archive| archive.entry(&Header { typeflag: b'2', ..file() }, b""))),
        case("signature-pax-key", and(|archive| archive.pax(&[("uname", "x")]).entry(&file(), b"x"))),
        case(
            "signature-hidden-bytes",
            and(|archive| archive.entry(&Header { link: b"hidden".to_vec(), ..file() }, b"x")),
        ),
        case("signature-repeated", and(|archive| archive.entry(&file(), b"x").entry(&file(), b"y"))),
        case("limit-signature", many(17)),
        case("limit-signature", members(9)),
        case("limit-signature", behind(entry(&name, &[0; 4097]))),
        case("limit-signature", behind(entry(&name, &vec![0; 1 << 20]))),
        case("tar-dangling-header", and(|archive| archive.long_name(".x"))),
        case("tar-entry-crosses-end", and(|archive| archive.entry(&Header { size: Some(9), ..file() }, b""))),
        case("tar-partial-block", and(|archive| archive.raw(&[1; 511]))),
        case("tar-padding", and(|archive| archive.entry(&Header { padding: 1, ..file() }, b"x"))),
        case("tar-two-extensions", and(|archive| archive.long_name("a").long_name("b").entry(&file(), b"x"))),
        case(
            "tar-pax-record",
            and(|archive| archive.entry(&Header { typeflag: b'x', ..file() }, b"9 a=b\n")),
        ),
        case("tar-long-name", and(|archive| archive.entry(&Header { typeflag: b'L', ..file() }, b"a\0b\0"))),
        case(
            "tar-two-names",
            and(|archive| archive.long_name("a").entry(&Header { prefix: b"p".to_vec(), ..file() }, b"x")),
        ),
        case("tar-checksum", and(|archive| archive.entry(&Header { checksum_error: 1, ..file() }, b"x"))),
        case("tar-magic", and(|archive| archive.entry(&Header { magic: *b"ustar\x0001", ..file() }, b"x"))),
        case("packed-twice", and(|archive| archive.raw(&[b"\x1f\x8b\x08".as_slice(), &[0; 509]].concat()))),
        case(
            "tar-number",
            and(|archive| archive.entry(&Header { raw_size: Some(*b"00000000009\0"), ..file() }, b"")),
        ),
        case(
            "tar-number-base256",
            and(|archive| {
                archive
                    .entry(&Header { raw_size: Some([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), ..file() }, b"")
            }),
        ),
        case("tar-mode", and(|archive| archive.entry(&Header { mode: 0o100_644, ..file() }, b"x"))),
        case("tar-name-after-nul", and(|archive| archive.entry(&Header::file(".SIGN.RSA.a\0b"), b"x"))),
        case("tar-typeflag", and(|archive| archive.entry(&Header { typeflag: b'7', ..file() }, b"x"))),
        case("tar-empty-name", and(|archive| archive.entry(&Header::file(""), b"x"))),
        case(
            "tar-gnu-prefix",
            and(|archive| {
                let header = Header { prefix: b"p".to_vec(), magic: apkvet_fixtures::tar::GNU, ..file() };
                archive.entry(&header, b"x")
            }),
        ),
        case(
            "limit-pax-header",
            and(|archive| archive.pax(&[("mtime", &"1".repeat(200_000))]).entry(&file(), b"x")),
        ),
    ]
}
