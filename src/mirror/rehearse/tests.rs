use apkvet_fixtures::{FakeKey, Label, PackageBuilder, index};

use super::*;
use crate::index::Index;

fn package(name: &str, script: &[u8]) -> Vec<u8> {
    let builder = PackageBuilder::new(name, "1.0-r0").script(".post-install", script);
    builder.build_signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

fn entry(name: &str, script: &[u8]) -> Index {
    let builder = PackageBuilder::new(name, "1.0-r0").script(".post-install", script);
    let control = builder.build_signed(&[(FakeKey::a(), Label::Rsa256)]).control;
    let text = format!("C:{}\nP:{name}\nV:1.0-r0\nS:1\n\n", index::identity(&control));
    Index::parse(text.into(), &Limits::default()).unwrap()
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(1), next).map(|state| state.to_be_bytes()[0]).take(count).collect()
}

#[test]
fn a_package_is_that_of_its_entry_and_of_no_other() {
    let page = b"<!DOCTYPE html><html>".repeat(1000);
    let head = usize::try_from(HEAD).unwrap();
    // Control ends before the first part that is read, in it, and far behind it.
    for script in [&b"#!/bin/sh\n"[..], &noise(head - 1000), &noise(head), &noise(5 * head)] {
        let entry = entry("tool", script);
        let record = entry.records().next().unwrap();
        let is_it =
            |bytes: &[u8]| is_named(&record, bytes, &Limits::default(), &mut Scratch::default()).unwrap();
        let good = package("tool", script);
        assert!(is_it(&good));
        // The data is not looked at, control is looked at whole.
        let (last, control) = (good.len() - 1, good.len() - 700);
        assert!(is_it(&good[..last]));
        assert!(!is_it(&good[..control.min(script.len())]), "{}", script.len());
        assert!(!is_it(&package("tail", script)));
        assert!(!is_it(&package("tool", b"#!/bin/sh\nexit 1\n")));
        assert!(!is_it(&page));
        assert!(!is_it(b""));
    }
}
