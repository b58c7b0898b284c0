//! gzip members: their headers, streams, trailers, number and order.

use apkvet_fixtures::{Archive, Gzip, Header, gzip};

use super::{Case, case, package, signed};

/// The package with its control member written otherwise, and signed so.
fn control(gzip: &Gzip) -> Vec<u8> {
    let builder = package();
    let mut package = builder.build();
    let pkginfo = builder.pkginfo(&apkvet_fixtures::tar::sha256_hex(&package.data));
    package.control = gzip.member(&builder.control_archive(&pkginfo).bytes());
    package.signed(&[(apkvet_fixtures::FakeKey::a(), apkvet_fixtures::Label::Rsa256)]).bytes()
}

fn header_checksum() -> Vec<u8> {
    control(&Gzip { flags: 2, extensions: vec![0, 0], ..Gzip::default() })
}

fn broken_stream() -> Vec<u8> {
    let mut package = signed(&package());
    // A block of the reserved type, where the first block of control begins.
    package.control[10] |= 0b110;
    package.bytes()
}

fn one_member() -> Vec<u8> {
    let builder = package();
    let archive = builder
        .control_archive(&builder.pkginfo(&"0".repeat(64)))
        .entry(&Header::directory("usr"), b"")
        .zero_blocks(2);
    gzip::member(&archive.bytes())
}

pub(super) fn cases() -> Vec<Case> {
    let whole = signed(&package());
    let bytes = whole.bytes();
    let with = |gzip: Gzip| control(&gzip);
    vec![
        case("gzip-method", with(Gzip { method: 7, ..Gzip::default() })),
        case("gzip-reserved-flags", with(Gzip { flags: 0x80, ..Gzip::default() })),
        case("gzip-header-checksum", header_checksum()),
        case("gzip-header-text", with(Gzip { flags: 8, extensions: vec![b'x'; 5000], ..Gzip::default() })),
        case("gzip-deflate", broken_stream()),
        case("gzip-checksum", with(Gzip { crc_error: 1, ..Gzip::default() })),
        case("gzip-length", with(Gzip { length_error: 1, ..Gzip::default() })),
        case("truncated", &bytes[..bytes.len() - 1]),
        case("empty-member", [gzip::member(b""), bytes.clone()].concat()),
        case("trailing-bytes", [bytes.as_slice(), b"\0"].concat()),
        case("data-in-several-members", [bytes, gzip::member(b"")].concat()),
        case("not-three-members", one_member()),
        case("data-missing", [whole.signature, whole.control].concat()),
        case("datahash-mismatch", {
            let mut package = signed(&package());
            package.data = gzip::member(&Archive::default().zero_blocks(2).bytes());
            package.bytes()
        }),
    ]
}
