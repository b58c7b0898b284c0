use std::path::Path;

use super::rig::{DAY, Item, NOW, Rig, Upstream, built, files_in, listing, package, published, text_of};
use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

const MAIN: &str = "v3.17/main";

/// A mirror of `tool` that keeps what `lines` say.
fn rig(lines: &str) -> Rig {
    let rig = Rig::subset("\"tool\"");
    Rig { lines: format!("{}{lines}\n", rig.lines), mirror: "grace = \"2d\"".to_owned(), ..rig }
}

/// The rig some days later, after a run.
fn synced(rig: Rig, days: u64) -> Rig {
    let rig = Rig { now: NOW + days * DAY, ..rig };
    rig.sync().unwrap();
    rig
}

/// The same rig with this upstream, a day after the one before it.
fn moved(rig: &Rig, before: &Upstream, items: &[Item]) -> Upstream {
    let next = before.next(items);
    next.write(&rig.path("upstream"));
    next
}

fn file(rig: &Rig, item: &Item) -> std::path::PathBuf {
    rig.path(&format!("srv/current/{MAIN}/x86_64")).join(item.file())
}

fn codes(rig: &Rig) -> Vec<&'static str> {
    rig.sync().unwrap().findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_version_that_upstream_dropped_stays_listed_byte_for_byte_and_a_second_run_writes_nothing() {
    let rig = rig("retain = \"all\"");
    let first = Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.0-r0", &[])]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    let whole = text_of(&first.index());
    let second = moved(&rig, &first, &[package("tool", "1.1-r0", &["lib"]), package("lib", "1.1-r0", &[])]);
    let rig = synced(rig, 1);
    assert_eq!(rig.listed(MAIN), ["tool-1.1-r0", "lib-1.1-r0", "lib-1.0-r0", "tool-1.0-r0"]);
    let text =
        text_of(&std::fs::read(rig.path(&format!("srv/current/{MAIN}/x86_64/APKINDEX.tar.gz"))).unwrap());
    for entry in whole.split_inclusive("\n\n").chain(text_of(&second.index()).split_inclusive("\n\n")) {
        assert!(text.contains(entry), "{entry} is not in {text}");
    }
    // Far beyond the grace period, and upstream has no such file.
    let rig = synced(rig, 30);
    assert_eq!(std::fs::read(file(&rig, &first.items[0])).unwrap(), first.items[0].package.bytes());
    let before = listing(&rig.path("srv"));
    let rig = synced(rig, 60);
    assert_eq!(listing(&rig.path("srv")), before);
}

#[test]
fn without_retention_nothing_is_kept_beyond_the_grace_period_and_within_it_one_can_still_change_ones_mind() {
    let rig = rig("");
    let first = Upstream::of(&[package("tool", "1.0-r0", &[])]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    let second = moved(&rig, &first, &[package("tool", "1.1-r0", &[])]);
    let rig = synced(rig, 1);
    assert_eq!(rig.listed(MAIN), ["tool-1.1-r0"]);
    let late = Rig { lines: format!("{}retain = 1\n", rig.lines), ..rig };
    let late = synced(late, 2);
    assert_eq!(late.listed(MAIN), ["tool-1.1-r0", "tool-1.0-r0"]);
    let rig = synced(Rig { lines: late.lines.replace("retain = 1", "retain = 0"), ..late }, 3);
    assert!(rig.listed(MAIN) == ["tool-1.1-r0"] && file(&rig, &first.items[0]).exists());
    let rig = synced(rig, 5);
    assert!(!file(&rig, &first.items[0]).exists());
    assert!(!std::fs::read_to_string(rig.path("srv/state/trust.json")).unwrap().contains("1.0-r0"));
    drop(second);
}

#[test]
fn a_count_and_a_period_release_the_oldest() {
    let run = |retain: &str| -> Vec<Vec<String>> {
        let mut rig = rig(retain);
        let mut upstream = Upstream::of(&[package("tool", "1-r0", &[])]);
        let mut all = Vec::new();
        for version in 2..=5 {
            upstream.write(&rig.path("upstream"));
            rig = synced(rig, 10 * (version - 1));
            all.push(rig.listed(MAIN));
            upstream = upstream.next(&[package("tool", &format!("{version}-r0"), &[])]);
        }
        all
    };
    let labels = |versions: &[u8]| versions.iter().map(|one| format!("tool-{one}-r0")).collect::<Vec<_>>();
    let expected = [labels(&[1]), labels(&[2, 1]), labels(&[3, 1, 2]), labels(&[4, 2, 3])];
    assert_eq!(run("retain = 2"), expected);
    assert_eq!(run("retain = \"15d\""), expected);
}

#[test]
fn a_retained_version_brings_what_it_needs_and_nothing_else() {
    let rig = rig("retain = 1");
    let first = Upstream::of(&[
        package("tool", "1-r0", &["lib=1-r0", "shared"]),
        package("lib", "1-r0", &["deep"]),
        package("deep", "1-r0", &[]),
        package("shared", "1-r0", &[]),
    ]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    // Upstream still has `deep` and `shared`, but what is selected needs neither of them.
    let second = moved(
        &rig,
        &first,
        &[
            package("tool", "2-r0", &["lib=2-r0"]),
            package("lib", "2-r0", &[]),
            first.items[2].clone(),
            first.items[3].clone(),
        ],
    );
    let rig = synced(rig, 1);
    let expected = ["tool-2-r0", "lib-2-r0", "deep-1-r0", "lib-1-r0", "shared-1-r0", "tool-1-r0"];
    assert_eq!(rig.listed(MAIN), expected);
    // What upstream drops now is not retained for its own sake.
    let third = moved(&rig, &second, &[package("tool", "3-r0", &["lib=3-r0"]), package("lib", "3-r0", &[])]);
    let rig = synced(rig, 2);
    assert_eq!(rig.listed(MAIN), ["tool-3-r0", "lib-3-r0", "lib-2-r0", "tool-2-r0"]);
    drop(third);
}

#[test]
fn what_is_not_selected_any_more_is_not_retained_for_that_nor_later() {
    let both = Rig::subset("\"tool\", \"other\"");
    let rig = Rig {
        lines: format!("{}retain = \"all\"\n", both.lines),
        mirror: "grace = \"9d\"".to_owned(),
        ..both
    };
    let first = Upstream::of(&[package("tool", "1-r0", &[]), package("other", "1-r0", &[])]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    let rig = synced(Rig { lines: rig.lines.replace("\"tool\", \"other\"", "\"tool\""), ..rig }, 1);
    assert_eq!(rig.listed(MAIN), ["tool-1-r0"]);
    let second = moved(&rig, &first, &[package("tool", "1-r0", &[]), package("other", "2-r0", &[])]);
    let rig = synced(rig, 2);
    assert_eq!(rig.listed(MAIN), ["tool-1-r0"]);
    let third = moved(&rig, &second, &[package("tool", "1-r0", &[])]);
    let rig = synced(rig, 3);
    assert_eq!(rig.listed(MAIN), ["tool-1-r0"]);
    drop(third);
}

#[test]
fn a_version_that_comes_back_is_an_ordinary_entry_again() {
    let rig = rig("retain = \"all\"");
    let first = Upstream::of(&[package("tool", "1-r0", &[])]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    let second = moved(&rig, &first, &[package("tool", "2-r0", &[])]);
    let rig = synced(rig, 1);
    assert_eq!(rig.listed(MAIN), ["tool-2-r0", "tool-1-r0"]);
    let state = || std::fs::read_to_string(rig.path("srv/state/trust.json")).unwrap();
    assert!(state().contains("dropped_at"));
    let third = moved(&rig, &second, &[package("tool", "1-r0", &[]), package("tool", "2-r0", &[])]);
    let rig = synced(rig, 2);
    assert_eq!(rig.listed(MAIN), ["tool-1-r0", "tool-2-r0"]);
    assert!(!std::fs::read_to_string(rig.path("srv/state/trust.json")).unwrap().contains("dropped_at"));
    drop(third);
}

#[test]
fn what_would_change_a_selected_request_is_kept_without_being_listed_and_named() {
    let rig = rig("retain = \"all\"");
    let first = Upstream::of(&[package("tool", "2-r0", &[])]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    // Upstream took the version back: clients must get the lower one.
    let second = moved(&rig, &first, &[package("tool", "1-r0", &[])]);
    let rig = Rig { now: NOW + DAY, ..rig };
    let outcome = rig.sync().unwrap();
    let told = outcome.findings.iter().find(|finding| finding.code == "retained-unlisted").unwrap();
    assert!(
        told.message.contains("`tool` would give something else")
            && told.subject.as_deref() == Some("tool-2-r0"),
        "{told:?}"
    );
    assert_eq!(rig.listed(MAIN), ["tool-1-r0"]);
    // It stays, and comes back to the index once it does no harm.
    let rig = synced(rig, 90);
    assert!(file(&rig, &first.items[0]).exists());
    let before = listing(&rig.path("srv"));
    let rig = synced(rig, 91);
    assert_eq!(listing(&rig.path("srv")), before);
    let third = moved(&rig, &second, &[package("tool", "3-r0", &[])]);
    let rig = synced(rig, 92);
    assert_eq!(rig.listed(MAIN), ["tool-3-r0", "tool-1-r0", "tool-2-r0"]);
    drop(third);
}

#[test]
fn what_stands_in_the_way_of_a_request_is_found_though_nothing_names_it() {
    let rig = Rig::subset("\"tool\", \"helper\"");
    let rig = Rig { lines: format!("{}retain = \"all\"\n", rig.lines), ..rig };
    let first = Upstream::of(&[package("tool", "1-r0", &["helper"]), package("helper", "2-r0", &["!base"])]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    // With helper 2 in the index, apk would take it and then find that it excludes `base`.
    let items = [
        package("tool", "2-r0", &["base", "helper"]),
        package("helper", "1-r0", &[]),
        package("base", "1-r0", &[]),
    ];
    let second = moved(&rig, &first, &items);
    let rig = synced(rig, 1);
    let listed = rig.listed(MAIN);
    assert!(
        !listed.contains(&"helper-2-r0".to_owned()) && listed.contains(&"tool-1-r0".to_owned()),
        "{listed:?}"
    );
    drop(second);
}

#[test]
fn a_version_that_cannot_be_installed_any_more_is_not_listed() {
    let rig = rig("pinned-by = [\"world\"]");
    std::fs::write(rig.path("world"), "tool=1-r0\n").unwrap();
    let first = Upstream::of(&[package("tool", "1-r0", &["lib", "!extra"]), package("lib", "1-r0", &[])]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    // The library that answers now wants what the old tool excludes.
    let items = [
        package("tool", "2-r0", &["lib"]),
        package("lib", "2-r0", &["extra"]),
        package("extra", "1-r0", &[]),
    ];
    let second = moved(&rig, &first, &items);
    let rig = synced(rig, 1);
    assert_eq!(rig.listed(MAIN), ["tool-2-r0", "lib-2-r0", "extra-1-r0"]);
    assert!(codes(&rig).contains(&"retained-unlisted"));
    assert!(file(&rig, &first.items[0]).exists());
    drop(second);
}

#[test]
fn a_key_that_is_not_trusted_any_more_takes_its_retained_versions_out_of_the_index() {
    let by_b =
        built(PackageBuilder::new("tool", "1-r0"), "tool", "1-r0", &[], &[(FakeKey::b(), Label::Rsa256)]);
    let keys = |names: &str| format!("keys = [{names}]\nretain = \"all\"");
    let (a, b) = (FakeKey::a(), FakeKey::b());
    let both = keys(&format!("\"{}\", \"{}\"", a.name(), b.name()));
    let rig = rig(&both);
    let first = Upstream::of(&[by_b]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    let second = moved(&rig, &first, &[package("tool", "2-r0", &[])]);
    let rig = synced(rig, 1);
    assert_eq!(rig.listed(MAIN), ["tool-2-r0", "tool-1-r0"]);
    let alone = rig.lines.replace(&both, &keys(&format!("\"{}\"", a.name())));
    let rig = Rig { lines: alone.clone(), now: NOW + 2 * DAY, ..rig };
    assert!(codes(&rig).contains(&"retained-unproven"));
    assert_eq!(rig.listed(MAIN), ["tool-2-r0"]);
    // Within the grace period the key can come back.
    let rig = synced(Rig { lines: alone.replace(&keys(&format!("\"{}\"", a.name())), &both), ..rig }, 3);
    assert_eq!(rig.listed(MAIN), ["tool-2-r0", "tool-1-r0"]);
    let rig = synced(Rig { lines: alone, ..rig }, 4);
    let rig = synced(rig, 6);
    assert!(!file(&rig, &first.items[0]).exists());
    drop(second);
}

#[test]
fn repositories_of_a_set_keep_what_the_others_need() {
    let rig = rig("retain = \"all\"");
    let others = format!(
        "[[repository]]\nname = \"v3.17/community\"\nupstream = \"extra\"\narchitectures = [\"x86_64\"]\n\
         keys = [\"{}\"]\nselect = [\"rest\"]\nsign-key = \"mirror.rsa\"\n",
        FakeKey::a().name()
    );
    let rig = Rig { others, ..rig };
    let main = Upstream::of(&[package("tool", "1-r0", &["lib=1-r0"])]);
    let extra = Upstream::of(&[package("lib", "1-r0", &[]), package("rest", "1-r0", &[])]);
    let write = |rig: &Rig, main: &Upstream, extra: &Upstream| {
        main.write(&rig.path("upstream"));
        extra.write(&rig.path("extra"));
    };
    write(&rig, &main, &extra);
    let rig = synced(rig, 0);
    let main = main.next(&[package("tool", "2-r0", &["lib=2-r0"])]);
    let extra = extra.next(&[package("lib", "2-r0", &[]), package("rest", "2-r0", &[])]);
    write(&rig, &main, &extra);
    let rig = synced(rig, 1);
    assert_eq!(rig.listed(MAIN), ["tool-2-r0", "tool-1-r0"]);
    // This one retains nothing of its own.
    assert_eq!(rig.listed("v3.17/community"), ["lib-2-r0", "rest-2-r0", "lib-1-r0"]);
    // A package that moves to the other repository stays where clients know it.
    let main = main.next(&[package("alone", "1-r0", &[])]);
    let extra = extra.next(&[
        package("lib", "3-r0", &[]),
        package("rest", "2-r0", &[]),
        package("tool", "3-r0", &["lib=3-r0"]),
    ]);
    write(&rig, &main, &extra);
    let rig = synced(Rig { allowed: shrinking(), ..rig }, 2);
    assert_eq!(rig.listed(MAIN), ["tool-1-r0", "tool-2-r0"]);
    assert_eq!(rig.listed("v3.17/community"), ["lib-3-r0", "rest-2-r0", "tool-3-r0", "lib-1-r0", "lib-2-r0"]);
}

fn shrinking() -> apkvet::mirror::Allowed {
    let states = apkvet::mirror::Overrides { shrink: true, ..Default::default() };
    apkvet::mirror::Allowed { states, ..Default::default() }
}

#[test]
fn a_noarch_package_is_retained_where_each_kind_of_client_looks() {
    let noarch = |version: &str| {
        let builder = PackageBuilder::new("tool", version).field("arch", "noarch");
        let mut item = built(builder, "tool", version, &[], &[(FakeKey::a(), Label::Rsa256)]);
        item.arch = "noarch".to_owned();
        item
    };
    let rig = rig("retain = \"all\"");
    let first = Upstream::of(&[noarch("1-r0")]);
    first.write(&rig.path("upstream"));
    let rig = synced(rig, 0);
    let second = moved(&rig, &first, &[noarch("2-r0")]);
    let rig = synced(rig, 30);
    assert_eq!(rig.listed(MAIN), ["tool-2-r0", "tool-1-r0"]);
    for folder in ["x86_64", "noarch"] {
        let path = rig.path(&format!("srv/current/{MAIN}/{folder}/tool-1-r0.apk"));
        assert_eq!(std::fs::read(path).unwrap(), first.items[0].package.bytes());
    }
    drop(second);
}

#[test]
fn what_a_file_names_is_retained_whatever_the_rule_says() {
    let rig = rig("pinned-by = [\"builds/*/Dockerfile\"]");
    let write = |path: &str, text: &str| {
        let path = rig.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("builds/web/Dockerfile", "FROM alpine:3.17\nARG V=2-r0\nRUN apk add tool=$V nothing=$W\n");
    let mut upstream = Upstream::of(&[package("tool", "1-r0", &[])]);
    let mut rig = synced_with(rig, &upstream, 0);
    for version in 2..=4 {
        upstream = upstream.next(&[package("tool", &format!("{version}-r0"), &[])]);
        rig = synced_with(rig, &upstream, 10 * version);
    }
    assert_eq!(rig.listed(MAIN), ["tool-4-r0", "tool-2-r0"]);
    assert!(codes(&rig).contains(&"pinned-by-unread"));
    std::fs::remove_file(rig.path("builds/web/Dockerfile")).unwrap();
    assert!(codes(&rig).contains(&"pinned-by-empty"));
    assert_eq!(rig.listed(MAIN), ["tool-4-r0"]);
    let named = Rig { lines: rig.lines.replace("builds/*/Dockerfile", "Dockerfile"), ..rig };
    assert_eq!(named.refused(), ["pinned-by"]);
}

fn synced_with(rig: Rig, upstream: &Upstream, days: u64) -> Rig {
    upstream.write(&rig.path("upstream"));
    synced(rig, days)
}

#[test]
fn a_retained_file_that_is_damaged_is_told_of_and_given_up() {
    let rig = rig("retain = \"all\"");
    let first = Upstream::of(&[package("tool", "1-r0", &[])]);
    let rig = synced_with(rig, &first, 0);
    let second = moved(&rig, &first, &[package("tool", "2-r0", &[])]);
    let rig = synced(rig, 1);
    let broken = std::collections::BTreeSet::from([apkvet::publish::StorePath::parse(&format!(
        "{MAIN}/x86_64/tool-1-r0.apk"
    ))
    .unwrap()]);
    let outcome = rig.sync_broken(&broken).unwrap();
    assert!(outcome.findings.iter().any(|finding| finding.code == "retained-lost"), "{outcome:?}");
    assert_eq!(rig.listed(MAIN), ["tool-2-r0"]);
    drop(second);
}

#[test]
fn the_pool_holds_nothing_that_nothing_names() {
    let rig = rig("retain = 1");
    let mut upstream = Upstream::of(&[package("tool", "1-r0", &[])]);
    let mut rig = synced_with(rig, &upstream, 0);
    for version in 2..=6 {
        upstream = upstream.next(&[package("tool", &format!("{version}-r0"), &[])]);
        rig = synced_with(rig, &upstream, 10 * version);
    }
    let rig = synced(rig, 90);
    rig.prune();
    let kept = published(&rig.path("srv")).len();
    assert_eq!(pool(&rig.path("srv")), kept, "{:?}", published(&rig.path("srv")).keys());
}

/// How many files the pool has.
fn pool(to: &Path) -> usize {
    let folders = std::fs::read_dir(to.join("pool")).unwrap();
    folders.map(|folder| files_in(&folder.unwrap().path())).sum()
}
