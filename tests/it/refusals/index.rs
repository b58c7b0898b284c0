//! Indexes, rightly signed: their archive and their text.

use apkvet_fixtures::{Archive, FakeKey, Header, IndexBuilder, Label, index::identity, index::sign};

use super::{Case, case, package, signed};

fn of(archive: Archive) -> Vec<u8> {
    sign(&archive.bytes(), &[(FakeKey::a(), Label::Rsa256)])
}

/// One good entry, and more text.
fn text(more: &str) -> Vec<u8> {
    IndexBuilder::default().text(&entry("a", "")).text(more).build()
}

/// An entry that fits, with further lines or without one.
fn entry(name: &str, more: &str) -> String {
    let identity = identity(name.as_bytes());
    format!("C:{identity}\nP:{name}\nV:1.0-r0\nA:x86_64\nS:1\nI:1\n{more}\n")
}

/// A second entry in which one line is another.
fn other(line: &str, instead: &str) -> Vec<u8> {
    text(&entry("b", "").replacen(line, instead, 1))
}

fn text_cases() -> Vec<Case> {
    let first = entry("a", "");
    let identity = first.lines().next().unwrap().to_owned();
    let mut latin = IndexBuilder::default().text(&entry("a", "T:x\n")).archive().bytes();
    let at = latin.windows(4).position(|window| window == b"\nT:x").unwrap() + 3;
    latin[at] = 0xff;
    vec![
        case("text-control-character", text(&entry("b", "T:\x1b[31m\n"))),
        case("text-crlf", text(&entry("b", "T:x\r\n"))),
        case("text-not-utf8", sign(&latin, &[(FakeKey::a(), Label::Rsa256)])),
        case("text-short-line", text(&entry("b", "x\n"))),
        case("text-no-colon", text(&entry("b", "xyz\n"))),
        case("entry-repeated-field", text(&entry("b", "V:2\n"))),
        case("entry-missing-field", other("S:1\n", "")),
        case("entry-installed-field", text(&entry("b", "F:usr\n"))),
        case("entry-unknown-field", text(&entry("b", "X:1\n"))),
        case("entry-identity", other("C:Q1", "C:Q1=")),
        case("entry-identity-kind", {
            let second = entry("b", "");
            let own = second.lines().next().unwrap().to_owned();
            text(&second.replace(&own, &format!("C:Q2{}=", "A".repeat(43))))
        }),
        case("entry-name", other("P:b", "P:../b")),
        case("entry-version", other("V:1.0-r0", "V:1.0/../x")),
        case("entry-architecture", other("A:x86_64", "A:../x")),
        case("entry-number", other("S:1", "S:-1")),
        case("entry-number-range", text(&entry("b", "k:70000\n"))),
        case("entry-duplicate-version", text(&entry("b", "").replace("P:b", "P:a"))),
        case("entry-duplicate-identity", {
            let second = entry("b", "");
            let own = second.lines().next().unwrap().to_owned();
            text(&second.replace(&own, &identity))
        }),
        case("atom-broken", text(&entry("b", "D:a>\n"))),
        case("atom-tag", text(&entry("b", "D:a@edge\n"))),
        case("limit-line", text(&entry("b", &format!("D:{}\n", "a ".repeat(70_000))))),
        case("limit-index-entries", text(&entry("b", ""))).limit("index-entries", "1"),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let file = |name: &str| Header::file(name);
    let apkindex = || Archive::default().entry(&file("APKINDEX"), b"");
    let mut cases = vec![
        case("index-foreign-entry", of(apkindex().entry(&file("other"), b"").zero_blocks(2))),
        case(
            "index-kind",
            of(Archive::default().entry(&Header::symlink("APKINDEX", "x"), b"").zero_blocks(2)),
        ),
        case(
            "index-pax-key",
            of(Archive::default().pax(&[("path", "APKINDEX")]).entry(&file("x"), b"").zero_blocks(2)),
        ),
        case("index-repeated", of(apkindex().entry(&file("APKINDEX"), b"").zero_blocks(2))),
        case("index-no-text", of(Archive::default().entry(&file("DESCRIPTION"), b"x").zero_blocks(2))),
        case("index-one-zero-block", of(apkindex().zero_blocks(1))),
        case("signature-at-end", of(apkindex().entry(&file(".SIGN.RSA.x.rsa.pub"), b"x").zero_blocks(2))),
        case("limit-index-text", IndexBuilder::default().text(&entry("a", "")).build())
            .limit("index-text", "64"),
        case(
            "limit-index-ratio",
            IndexBuilder::default()
                .text(&entry("a", &format!("T:{}\n", "x".repeat(100_000)).repeat(20)))
                .build(),
        ),
    ];
    cases.extend(text_cases());
    cases.extend(packages());
    cases
}

/// Packages that are not what their index says.
fn packages() -> Vec<Case> {
    let package = signed(&package());
    let index = |name: &str, version: &str, more: (&str, &str)| {
        let builder =
            IndexBuilder::default().package("other", "1", &signed(&super::package().field("url", "x")), "");
        let text = IndexBuilder::default().package(name, version, &package, "");
        let archive = String::from_utf8(text.archive().bytes()).unwrap();
        let begin = archive.find("C:Q1").unwrap();
        let end = archive[begin..].find("\n\n").unwrap() + begin + 2;
        builder.text(&archive[begin..end].replacen(more.0, more.1, 1)).build()
    };
    let own = identity(&package.control);
    let held = |code, index| case(code, package.bytes()).against(index);
    let none = IndexBuilder::default().build();
    let unsigned = none[none.windows(2).rposition(|pair| pair == [0x1f, 0x8b]).unwrap()..].to_vec();
    vec![
        held("index-untrusted", unsigned),
        held("not-in-index", none),
        held("index-name", index("bye", "1.0-r0", ("", ""))),
        held("index-version", index("hello", "2.0-r0", ("", ""))),
        held("index-architecture", index("hello", "1.0-r0", ("A:x86_64", "A:aarch64"))),
        held("index-identity", index("hello", "1.0-r0", (&own, &identity(b"other")))),
        held("index-size", index("hello", "1.0-r0", ("S:", "S:1"))),
    ]
}
