//! The data member, rightly hashed: its archive, names, links and checksums.

use apkvet_fixtures::{Archive, Header, tar};

use super::{Case, case, package, signed};

/// The package with more entries in data.
fn with(more: impl FnOnce(Archive) -> Archive) -> Vec<u8> {
    signed(&package().data(more)).bytes()
}

/// The package with another data archive, its end included.
fn whole(archive: Archive) -> Vec<u8> {
    signed(&package().whole_data(archive)).bytes()
}

fn summed(archive: Archive, header: &Header, body: &[u8]) -> Archive {
    archive.pax(&[(tar::CHECKSUM, &tar::sha1_hex(body))]).entry(header, body)
}

pub(super) fn cases() -> Vec<Case> {
    let file = || Header::file("usr/share/x");
    let zeros = vec![0; 24 << 20];
    vec![
        case("data-nothing", whole(Archive::default())),
        case("data-one-zero-block", whole(Archive::default().zero_blocks(1))),
        case("tar-after-end", whole(Archive::default().zero_blocks(1).raw(&[1; 512]))),
        case("data-pax-key", with(|archive| archive.pax(&[("size", "1")]).entry(&file(), b"x"))),
        case("data-long-name", with(|archive| archive.long_name("usr/share/y").entry(&file(), b"x"))),
        case("data-body", with(|archive| archive.entry(&Header::directory("usr/lib"), b"x"))),
        case("data-control-name", with(|archive| summed(archive, &Header::file(".PKGINFO"), b"x"))),
        case("data-repeated", with(|archive| archive.checked_file("usr/share/hello", b"x"))),
        case("file-without-directory", with(|archive| archive.checked_file("opt/x", b"x"))),
        case("file-without-checksum", with(|archive| archive.entry(&file(), b"x"))),
        case("checksum-form", with(|archive| archive.pax(&[(tar::CHECKSUM, "00")]).entry(&file(), b"x"))),
        case(
            "checksum-mismatch",
            with(|archive| archive.pax(&[(tar::CHECKSUM, &"0".repeat(40))]).entry(&file(), b"x")),
        ),
        case("link-forward", with(|archive| archive.entry(&Header::hard_link("usr/x", "usr/y"), b""))),
        case(
            "link-outside",
            with(|archive| archive.entry(&Header::hard_link("usr/x", "../../etc/shadow"), b"")),
        ),
        case("name-unsafe", with(|archive| archive.checked_file("usr/../../etc/passwd", b"x"))),
        case(
            "name-through-link",
            with(|archive| archive.checked_symlink("usr/link", "/etc").checked_file("usr/link/passwd", b"x")),
        ),
        case("device-node", with(|archive| archive.entry(&Header { typeflag: b'3', ..file() }, b""))),
        case("limit-data-entries", with(|archive| archive)).limit("data-entries", "2"),
        case("limit-data-inflated", with(|archive| archive)).limit("data-inflated", "1K"),
        case("limit-data-ratio", with(|archive| summed(archive, &file(), &zeros))),
    ]
}
