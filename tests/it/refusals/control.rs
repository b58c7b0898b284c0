//! The control member, rightly signed: its archive, `.PKGINFO` and scripts.

use apkvet_fixtures::{Archive, FakeKey, Header, Label, Package, gzip, tar};

use super::{Case, case, package, signed};

/// The package with more entries in control.
fn with(more: impl FnOnce(Archive) -> Archive) -> Vec<u8> {
    let builder = package();
    let data = builder.build().data;
    let pkginfo = builder.pkginfo(&tar::sha256_hex(&data));
    let control = gzip::member(&more(builder.control_archive(&pkginfo)).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

/// The package with a changed `.PKGINFO`.
fn pkginfo(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let builder = package();
    let data = builder.build().data;
    let text = change(builder.pkginfo(&tar::sha256_hex(&data)));
    let control = gzip::member(&builder.control_archive(&text).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

fn line(line: &str) -> Vec<u8> {
    pkginfo(|text| text + line + "\n")
}

fn without_pkginfo() -> Vec<u8> {
    let mut package = package().build();
    package.control = gzip::member(&Archive::default().entry(&Header::file(".x"), b"").bytes());
    package.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

fn not_utf8() -> Vec<u8> {
    let mut package = package().build();
    let body = b"pkgname = \xff\n";
    package.control = gzip::member(&Archive::default().entry(&Header::file(".PKGINFO"), body).bytes());
    package.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

fn field(key: &str, value: &str) -> Vec<u8> {
    signed(&package().field(key, value)).bytes()
}

pub(super) fn cases() -> Vec<Case> {
    let script = || Header::file(".post-install");
    vec![
        case("control-plain-name", with(|archive| archive.entry(&Header::file("usr/x"), b""))),
        case("control-name", with(|archive| archive.entry(&Header::file(".INSTALL"), b""))),
        case("control-kind", with(|archive| archive.entry(&Header::symlink(".post-install", "x"), b""))),
        case("control-pax-key", with(|archive| archive.pax(&[("path", ".x")]).entry(&script(), b""))),
        case("control-repeated", with(|archive| archive.entry(&script(), b"a").entry(&script(), b"b"))),
        case("limit-control-entry", with(|archive| archive.entry(&script(), &[b'x'; 262_145]))),
        case("pkginfo-missing-file", without_pkginfo()),
        case(
            "control-checksum",
            with(|archive| archive.pax(&[(tar::CHECKSUM, &"0".repeat(40))]).entry(&script(), b"a")),
        ),
        case("tar-zero-block", with(|archive| archive.zero_blocks(1))),
        case("pkginfo-control-character", line("url2 = a\rb")),
        case("pkginfo-utf8", not_utf8()),
        case("limit-line", line(&format!("x = {}", "x".repeat(131_064)))),
        case("pkginfo-form", line("no equals sign")),
        case("pkginfo-continuation", pkginfo(|text| text.replace("pkgdesc = ", "pkgdesc = x\n  pkgver = "))),
        case("pkginfo-repeated", line("pkgname = other")),
        case("pkginfo-missing", signed(&package().without("pkgver")).bytes()),
        case("name-not-safe", field("pkgname", "../../hello")),
        case("version-not-safe", field("pkgver", "1:2.0")),
        case("architecture-not-safe", field("arch", "x86/64")),
        case("pkginfo-number", field("size", "12x")),
        case("datahash-form", field("datahash", &"A".repeat(64))),
        case("limit-control", signed(&package().script(".post-install", b"x")).bytes())
            .limit("control-inflated", "1K"),
        case("limit-control", signed(&package()).bytes()).limit("control-compressed", "64"),
    ]
}

#[test]
fn a_field_that_identity_rests_on_stands_once() {
    for key in ["pkgname", "pkgver", "arch", "size", "datahash"] {
        let text = signed(&package()).data;
        let value = if key == "datahash" { tar::sha256_hex(&text) } else { "1".into() };
        let twice = case("pkginfo-repeated", line(&format!("{key} = {value}")));
        assert_eq!(super::judge(&twice).1, "pkginfo-repeated", "{key}");
    }
}
