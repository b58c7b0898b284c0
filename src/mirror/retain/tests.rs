use std::time::Duration;

use super::*;
use crate::index::Index;
use crate::index::testing::index;

const DAY: u64 = 24 * 60 * 60;

/// Decides over two indexes: what is listed, and what was dropped, one a day, the first one first.
fn decide(new: &[&str], old: &[&str], retain: Retain, named: &[&str]) -> [Vec<String>; 3] {
    let (new, old) = (index(new), index(old));
    let listed: Vec<Record<'_>> = new.records().collect();
    let retained = Retained::decide(&listed, dropped(&old, named), |_| retain, 10 * DAY);
    let label = |dropped: &Dropped<'_>| dropped.record.label();
    let unlisted = retained.unlisted.iter().map(|(dropped, why)| format!("{}: {why}", label(dropped)));
    [
        retained.listed.iter().map(label).collect(),
        unlisted.collect(),
        retained.released.iter().map(label).collect(),
    ]
}

fn dropped<'a>(old: &'a Index, named: &[&str]) -> Vec<Dropped<'a>> {
    let one = |(day, record): (u64, Record<'a>)| {
        let named = named.contains(&record.label().as_str());
        let claim = if named { Claim::Named } else { Claim::Rule };
        Dropped { place: 0, record, at: day * DAY, claim }
    };
    (0..).zip(old.records()).map(one).collect()
}

#[test]
fn counts_are_for_each_name_and_take_the_highest() {
    let old = ["a 1", "a 3", "a 2", "b 1"];
    let [listed, _, released] = decide(&["a 4", "b 2"], &old, Retain::Count(2), &[]);
    assert_eq!(listed, ["a-2", "a-3", "b-1"]);
    assert_eq!(released, ["a-1"]);
}

#[test]
fn a_period_ends() {
    let retain = Retain::Period(Duration::from_secs(9 * DAY));
    let [listed, _, released] = decide(&["a 4"], &["a 1", "a 2"], retain, &[]);
    assert_eq!((listed, released), (vec!["a-2".to_owned()], vec!["a-1".to_owned()]));
}

#[test]
fn what_a_file_names_stays_whatever_the_rule_says() {
    let [listed, _, released] = decide(&["a 4"], &["a 1", "a 2"], Retain::Count(0), &["a-1"]);
    assert_eq!((listed, released), (vec!["a-1".to_owned()], vec!["a-2".to_owned()]));
}

#[test]
fn subpackages_and_libraries_stay_with_what_needs_them() {
    let new = ["curl 2|D:libcurl=2", "libcurl 2|p:so:libcurl.so.5=5", "musl 1"];
    let old = [
        "libcurl 1|p:so:libcurl.so.4=4|D:zlib>1",
        "curl 1|D:libcurl=1 so:libcurl.so.4 musl",
        "zlib 2",
        "zlib 1",
    ];
    let [listed, unlisted, released] = decide(&new, &old, Retain::Count(0), &["curl-1"]);
    assert_eq!(listed, ["curl-1", "libcurl-1", "zlib-2"]);
    assert_eq!((unlisted, released), (Vec::new(), vec!["zlib-1".to_owned()]));
}

#[test]
fn what_upstream_still_has_is_not_retained_for_a_need() {
    let [listed, _, released] = decide(&["lib 2"], &["app 1|D:lib", "lib 1"], Retain::Count(0), &["app-1"]);
    assert_eq!((listed, released), (vec!["app-1".to_owned()], vec!["lib-1".to_owned()]));
}

#[test]
fn a_version_that_lacks_something_is_not_listed_and_neither_is_what_needs_it() {
    let old = ["app 1|D:lib=1", "lib 1|D:gone", "alone 1|D:!gone"];
    let [listed, unlisted, _] = decide(&["lib 2"], &old, Retain::All, &[]);
    assert_eq!(listed, ["alone-1"]);
    assert_eq!(
        unlisted,
        [
            "app-1: nothing here satisfies its dependency `lib=1`",
            "lib-1: nothing here satisfies its dependency `gone`"
        ]
    );
}

#[test]
fn what_changes_a_world_leaves_the_index_with_all_that_needs_it() {
    let (new, old) = (index(&["a 2"]), index(&["a-doc 1|D:a=1", "a 1", "b 1"]));
    let listed: Vec<Record<'_>> = new.records().collect();
    let mut retained = Retained::decide(&listed, dropped(&old, &[]), |_| Retain::All, 0);
    let changes = |label: &'static str| {
        move |dropped: &Dropped<'_>| {
            (dropped.record.label() == label).then(|| WhyUnlisted::Changes("docs".to_owned()))
        }
    };
    assert!(!retained.unlist(changes("x-1"), &listed));
    assert_eq!(retained.listed.len(), 3);
    assert!(retained.unlist(changes("a-1"), &listed));
    assert_eq!(retained.listed.iter().map(|dropped| dropped.record.label()).collect::<Vec<_>>(), ["b-1"]);
    let whys: Vec<WhyUnlisted> = retained.unlisted.iter().map(|(_, why)| why.clone()).collect();
    assert_eq!(whys, [WhyUnlisted::Changes("docs".into()), WhyUnlisted::Lacks("a=1".into())]);
}

#[test]
fn what_nobody_asks_for_stays_only_where_it_is_needed_and_counts_for_no_rule() {
    let (new, old) = (index(&["app 2"]), index(&["app 1|D:lib", "lib 1", "rest 1", "app 1.5"]));
    let listed: Vec<Record<'_>> = new.records().collect();
    let spare = |mut dropped: Dropped<'static>| {
        if dropped.record.label() != "app-1" {
            dropped.claim = Claim::Spare;
        }
        dropped
    };
    let old: &'static Index = Box::leak(Box::new(old));
    let dropped = dropped(old, &[]).into_iter().map(spare).collect();
    let retained = Retained::decide(&listed, dropped, |_| Retain::Count(1), 0);
    let labels = |all: &[Dropped<'_>]| all.iter().map(|one| one.record.label()).collect::<Vec<_>>();
    assert_eq!(labels(&retained.listed), ["app-1", "lib-1"]);
    assert_eq!(labels(&retained.released), ["app-1.5", "rest-1"]);
}
