use std::collections::BTreeSet;

use apkvet::mirror::{Allowed, Init, Overrides};
use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

use super::rig::{DAY, Item, NOW, Rig, Upstream, built, listing, package};

fn first() -> Upstream {
    Upstream::of(&[package("tool", "1.0-r0", &[]), package("lib", "1.0-r0", &[])])
}

/// A mirror that has published `first()`.
fn published(lines: &str) -> Rig {
    let rig = Rig::subset("\"tool\"");
    let rig = Rig { lines: format!("{}{lines}\n", rig.lines), ..rig };
    first().write(&rig.path("upstream"));
    rig.sync().unwrap();
    rig
}

fn states(states: Overrides) -> Allowed {
    Allowed { states, ..Allowed::default() }
}

fn digest(upstream: &Upstream) -> String {
    apkvet_fixtures::tar::sha256_hex(&upstream.index())
}

/// Refused without the override, taken with it, and told of then.
fn refused_unless(rig: Rig, code: &'static str, allowed: Allowed) {
    assert_eq!(rig.refused(), [code]);
    let rig = Rig { allowed, ..rig };
    let outcome = rig.sync().unwrap_or_else(|findings| panic!("{findings:?}"));
    assert!(outcome.findings.iter().any(|finding| finding.code == code), "{:?}", outcome.findings);
}

#[test]
fn an_older_index_is_refused_unless_it_is_the_one_that_is_allowed() {
    let rig = published("");
    let newer = first().next(&[package("tool", "1.1-r0", &[]), package("lib", "1.0-r0", &[])]);
    newer.write(&rig.path("upstream"));
    rig.sync().unwrap();
    first().write(&rig.path("upstream"));
    let other =
        Rig { allowed: states(Overrides { rollback: Some("0".repeat(64)), ..Overrides::default() }), ..rig };
    assert_eq!(other.refused(), ["rollback"]);
    let allowed = states(Overrides { rollback: Some(digest(&first())), ..Overrides::default() });
    refused_unless(Rig { allowed: Allowed::default(), ..other }, "rollback", allowed);
}

#[test]
fn a_frozen_index_is_refused_beyond_its_age() {
    let rig = published("max-age = \"10d\"");
    let rig = Rig { now: NOW + 8 * DAY, ..rig };
    let codes: Vec<&str> = rig.sync().unwrap().findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["ageing"]);
    let rig = Rig { now: NOW + 10 * DAY, ..rig };
    refused_unless(rig, "stale", states(Overrides { stale: true, ..Overrides::default() }));
}

#[test]
fn an_index_from_the_future_is_refused() {
    let rig = published("");
    Upstream { time: NOW + 3 * DAY, ..first() }.write(&rig.path("upstream"));
    refused_unless(rig, "future", states(Overrides { future: true, ..Overrides::default() }));
}

#[test]
fn an_index_of_another_branch_is_refused() {
    let rig = published("description = '^v3\\.17\\.'");
    Upstream { description: Some("v3.16.0-9"), time: NOW, ..first() }.write(&rig.path("upstream"));
    refused_unless(rig, "description", states(Overrides { description: true, ..Overrides::default() }));
}

#[test]
fn mass_deletion_is_refused() {
    let rig = Rig::subset("\"p0\"");
    let items: Vec<Item> = (0..40).map(|number| package(&format!("p{number}"), "1-r0", &[])).collect();
    let whole = Upstream::of(&items);
    whole.write(&rig.path("upstream"));
    rig.sync().unwrap();
    whole.next(&items[..20]).write(&rig.path("upstream"));
    refused_unless(rig, "shrunk", states(Overrides { shrink: true, ..Overrides::default() }));
}

#[test]
fn an_index_of_another_architecture_is_refused_whatever_is_allowed() {
    let all = Overrides { stale: true, future: true, description: true, shrink: true, rollback: None };
    let rig =
        Rig { allowed: Allowed { states: all, init: Init::Allow, ..Allowed::default() }, ..published("") };
    for arch in ["aarch64", "x86", "armv7", "ppc64le"] {
        let mut other = first().next(&first().items);
        other.items.iter_mut().for_each(|item| arch.clone_into(&mut item.arch));
        other.write(&rig.path("upstream"));
        assert_eq!(rig.refused(), ["architecture"], "{arch}");
    }
}

#[test]
fn other_bytes_under_the_same_version_are_refused_unless_that_name_is_allowed() {
    let rig = published("");
    let rebuilt = package("tool", "1.0-r0", &["lib"]);
    first().next(&[rebuilt, package("lib", "1.0-r0", &[])]).write(&rig.path("upstream"));
    let other = Allowed { replaced: BTreeSet::from(["lib".to_owned()]), ..Allowed::default() };
    let rig = Rig { allowed: other, ..rig };
    assert_eq!(rig.refused(), ["replaced"]);
    let allowed = Allowed { replaced: BTreeSet::from(["tool".to_owned()]), ..Allowed::default() };
    refused_unless(Rig { allowed: Allowed::default(), ..rig }, "replaced", allowed);
}

#[test]
fn the_old_bytes_of_a_rebuilt_version_are_kept_where_that_is_chosen() {
    let rig = published("rebuilt = \"keep-old\"");
    let before = super::rig::published(&rig.path("srv"));
    let rebuilt = package("tool", "1.0-r0", &["lib"]);
    first().next(&[rebuilt, package("lib", "1.0-r0", &[])]).write(&rig.path("upstream"));
    rig.sync().unwrap();
    let path = "v3.17/main/x86_64/tool-1.0-r0.apk";
    assert_eq!(super::rig::published(&rig.path("srv"))[path], before[path]);
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.0-r0"]);
}

#[test]
fn what_differs_between_two_builds_of_a_version_is_shown() {
    let again = PackageBuilder::new("tool", "1.0-r0")
        .field("builddate", "1700009999")
        .script(".post-install", b"#!/bin/sh\n")
        .data(|data| data.checked_file("usr/share/more", b"x"));
    let again = built(again, "tool", "1.0-r0", &[], &[(FakeKey::a(), Label::Rsa256)]);
    let expected =
        ["builddate: 1700000000 became 1700009999", "script .post-install: added", "usr/share/more: added"];
    for (line, code) in [("", "replaced"), ("rebuilt = \"keep-old\"", "rebuilt")] {
        let rig = published(line);
        first().next(&[again.clone(), package("lib", "1.0-r0", &[])]).write(&rig.path("upstream"));
        let findings = rig.sync().map_or_else(|findings| findings, |outcome| outcome.findings);
        let finding = findings.iter().find(|finding| finding.code == code).unwrap();
        assert_eq!(finding.detail[..], expected);
        assert_eq!(super::rig::files_in(&rig.path("srv/spool")), 0);
        // The second time there is nothing new to be told of what is kept.
        if code == "rebuilt" {
            assert!(rig.sync().unwrap().findings.iter().all(|finding| finding.code != code));
        }
    }
}

#[test]
fn two_builds_of_which_one_does_not_hold_are_not_compared() {
    let rig = published("");
    let mut again = package("tool", "1.0-r0", &["lib"]);
    first().next(&[again.clone(), package("lib", "1.0-r0", &[])]).write(&rig.path("upstream"));
    again.package.signature = package("other", "1-r0", &[]).package.signature;
    std::fs::write(rig.path("upstream/x86_64/tool-1.0-r0.apk"), again.package.bytes()).unwrap();
    let detail = &rig.sync().unwrap_err()[0].detail;
    assert!(detail[0].starts_with("cannot be compared: "), "{detail:?}");
}

#[test]
fn another_signature_member_is_the_same_package() {
    let rig = published("");
    let item = &first().items[0];
    let mut signed = item.clone();
    signed.package =
        item.package.clone().signed(&[(FakeKey::b(), Label::Rsa256), (FakeKey::a(), Label::Rsa256)]);
    let items: Vec<Item> = [signed.clone()].into_iter().chain(first().items[1..].to_vec()).collect();
    first().next(&items).write(&rig.path("upstream"));
    let findings = rig.sync().unwrap().findings;
    assert!(findings.iter().any(|finding| finding.code == "resigned"), "{findings:?}");
    let path = rig.path("srv/current/v3.17/main/x86_64/tool-1.0-r0.apk");
    assert_eq!(std::fs::read(path).unwrap(), signed.package.bytes());
}

#[test]
fn a_tree_without_what_was_remembered_is_not_continued_unless_that_is_allowed() {
    let lost = |rig: &Rig, change: &dyn Fn(&std::path::Path)| change(&rig.path("srv/state/trust.json"));
    let older = published("");
    let old_state = std::fs::read(older.path("srv/state/trust.json")).unwrap();
    first().next(&[package("tool", "1.1-r0", &[])]).write(&older.path("upstream"));
    older.sync().unwrap();
    let allowed = || Allowed { init: Init::Allow, ..Allowed::default() };
    lost(&older, &|path| std::fs::write(path, &old_state).unwrap());
    refused_unless(older, "state-older", allowed());
    let missing = published("");
    lost(&missing, &|path| std::fs::remove_file(path).unwrap());
    refused_unless(missing, "state-missing", allowed());
    let damaged = published("");
    lost(&damaged, &|path| std::fs::write(path, "{").unwrap());
    refused_unless(damaged, "state-damaged", allowed());
}

/// A second repository of the same set with these packages.
fn beside(items: &[Item], owners: &str) -> Rig {
    let rig = Rig::subset("\"tool\"");
    first().write(&rig.path("upstream"));
    Upstream::of(items).write(&rig.path("vendor"));
    let others = format!(
        "[[repository]]\nname = \"v3.17/vendor\"\nupstream = \"vendor\"\narchitectures = [\"x86_64\"]\n\
         keys = [\"{}\"]\nselect = [\"agent\"]\nsign-key = \"mirror.rsa\"\n",
        FakeKey::a().name()
    );
    Rig { others, mirror: owners.to_owned(), ..rig }
}

#[test]
fn a_name_of_two_upstreams_is_refused_unless_it_has_an_owner() {
    let items = [package("agent", "1-r0", &["tool"]), package("tool", "99-r0", &[])];
    assert_eq!(beside(&items, "").refused().first(), Some(&"two-upstreams"));
    let rig = beside(&items, "owners = { tool = \"v3.17/main\" }");
    rig.sync().unwrap();
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.0-r0"]);
    assert_eq!(rig.listed("v3.17/vendor"), ["agent-1-r0"]);
    let rig = beside(&items, "owners = { tool = \"v3.17/vendor\" }");
    rig.sync().unwrap();
    assert_eq!(rig.listed("v3.17/vendor"), ["agent-1-r0", "tool-99-r0"]);
}

#[test]
fn a_name_that_another_upstream_provides_is_refused() {
    let mut agent = package("agent", "1-r0", &[]);
    agent.more = "p:tool=99\n".to_owned();
    assert_eq!(beside(&[agent.clone()], "").refused().first(), Some(&"two-upstreams"));
    let mut harmless = package("agent", "1-r0", &[]);
    harmless.more = "p:cmd:tool=99 so:libtool.so.1\n".to_owned();
    beside(&[harmless], "").sync().unwrap();
}

#[test]
fn a_refused_run_leaves_every_byte_of_what_is_remembered() {
    let rig = published("");
    let before = listing(&rig.path("srv"));
    Upstream { time: NOW + 3 * DAY, ..first() }.write(&rig.path("upstream"));
    assert_eq!(rig.refused(), ["future"]);
    assert_eq!(listing(&rig.path("srv")), before);
}
