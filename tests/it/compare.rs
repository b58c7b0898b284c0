use apkvet::container::Scratch;
use apkvet::package::compare;
use apkvet::unverified::{PackageClaims, ReadOptions, Subject, read};
use apkvet_fixtures::PackageBuilder;
use apkvet_fixtures::tar::Header;

fn claims(builder: &PackageBuilder) -> PackageClaims {
    let options = ReadOptions { list_files: true, ..ReadOptions::default() };
    let Subject::Package(package) =
        read(&*builder.build().bytes(), &options, &mut Scratch::default()).unwrap()
    else {
        panic!()
    };
    package.into_claims_without_proof().1.unwrap()
}

/// The differences as people read them.
fn differences(old: &PackageBuilder, new: &PackageBuilder) -> Vec<String> {
    let (old, new) = (claims(old), claims(new));
    let files = |claims: &PackageClaims| claims.data().unwrap().files().unwrap().to_vec();
    let found = compare(old.control(), new.control(), &files(&old), &files(&new));
    found.iter().map(ToString::to_string).collect()
}

fn builder() -> PackageBuilder {
    PackageBuilder::new("hello", "1.0-r0").script(".post-install", b"#!/bin/sh\n")
}

#[test]
fn the_same_package_has_no_difference() {
    assert_eq!(differences(&builder(), &builder()), [""; 0]);
}

#[test]
fn a_rebuild_shows_its_time_scripts_and_files() {
    let old =
        builder().data(|data| data.checked_file("usr/share/gone", b"x").checked_file("usr/share/same", b"x"));
    let new = PackageBuilder::new("hello", "1.0-r0")
        .field("builddate", "1700000001")
        .field("license", "MIT\u{202e}")
        .script(".post-install", b"#!/bin/sh\nrm -rf /\n")
        .script(".pre-deinstall", b"")
        .data(|data| {
            data.checked_file("usr/share/same", b"y").entry(&Header::directory("usr/share/new"), b"")
        });
    assert_eq!(
        differences(&old, &new),
        [
            "builddate: 1700000000 became 1700000001",
            "license: MIT became MIT\\u{202e}",
            "script .post-install: changed",
            "script .pre-deinstall: added",
            "usr/share/gone: removed",
            "usr/share/new: added",
            "usr/share/same: changed",
        ]
    );
}

#[test]
fn permissions_alone_are_told_apart_from_content() {
    let with =
        |mode| builder().data(|data| data.entry(&Header { mode, ..Header::directory("usr/bin") }, b""));
    assert_eq!(differences(&with(0o755), &with(0o2755)), ["usr/bin: attributes"]);
}
