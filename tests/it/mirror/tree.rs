use apkvet::plan::Action;

use super::rig::{DAY, NOW, Rig, Upstream, built, listing, member_of, package, published, text_of};
use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

fn upstream() -> Upstream {
    let items =
        [package("tool", "1.0-r0", &["lib"]), package("lib", "1.2-r0", &[]), package("rest", "1-r0", &[])];
    Upstream::of(&items)
}

#[test]
fn a_subset_has_the_entries_of_upstream_byte_for_byte_and_nothing_else() {
    let rig = Rig::subset("\"tool\"");
    upstream().write(&rig.path("upstream"));
    let outcome = rig.sync().unwrap();
    assert!(outcome.published && outcome.generation == Some(1), "{outcome:?}");
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.0-r0", "lib-1.2-r0"]);
    let own = std::fs::read(rig.path("srv/current/v3.17/main/x86_64/APKINDEX.tar.gz")).unwrap();
    let whole = text_of(&upstream().index());
    let entries: Vec<&str> = whole.split_inclusive("\n\n").collect();
    assert_eq!(text_of(&own), [entries[0], entries[1]].concat());
    let files: Vec<String> = published(&rig.path("srv")).into_keys().collect();
    let expected = [
        "keys/mirror.rsa.pub",
        "v3.17/main/x86_64/APKINDEX.tar.gz",
        "v3.17/main/x86_64/lib-1.2-r0.apk",
        "v3.17/main/x86_64/tool-1.0-r0.apk",
    ];
    assert_eq!(files, expected);
}

#[test]
fn a_subset_has_the_description_of_upstream_byte_for_byte() {
    let description = "v3.17.0-1 \\ \u{e9}\u{202e}\n\x1b[1m";
    let rig = Rig::subset("\"tool\"");
    Upstream { description: Some(description), ..upstream() }.write(&rig.path("upstream"));
    rig.sync().unwrap();
    let own = std::fs::read(rig.path("srv/current/v3.17/main/x86_64/APKINDEX.tar.gz")).unwrap();
    assert_eq!(member_of(&own, "DESCRIPTION"), description.as_bytes());
    // What is remembered of it may be printed.
    let state = std::fs::read_to_string(rig.path("srv/state/trust.json")).unwrap();
    assert!(
        state.contains("v3.17.0-1") && !state.contains('\u{202e}') && !state.contains("u001b"),
        "{state}"
    );
}

#[test]
fn a_whole_repository_has_the_index_of_upstream_byte_for_byte() {
    let rig = Rig::whole();
    upstream().write(&rig.path("upstream"));
    rig.sync().unwrap();
    let expected = upstream().files().into_iter().map(|(path, bytes)| (format!("v3.17/main/{path}"), bytes));
    assert_eq!(published(&rig.path("srv")), expected.collect());
}

#[test]
fn a_second_run_without_changes_writes_nothing() {
    for rig in [Rig::subset("\"tool\""), Rig::whole()] {
        upstream().write(&rig.path("upstream"));
        rig.sync().unwrap();
        let before = listing(&rig.path("srv"));
        let later = Rig { now: NOW + DAY, ..rig };
        let outcome = later.sync().unwrap();
        assert!(!outcome.published && !outcome.plan.has_changes(), "{outcome:?}");
        assert_eq!(listing(&later.path("srv")), before);
    }
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let rig = Rig::subset("\"tool\"");
    let first = upstream();
    first.write(&rig.path("upstream"));
    rig.sync().unwrap();
    let items = [package("tool", "1.1-r0", &["lib"]), first.items[1].clone(), first.items[2].clone()];
    first.next(&items).write(&rig.path("upstream"));
    // Were it asked for, the run would fail.
    std::fs::remove_file(rig.path("upstream/x86_64/lib-1.2-r0.apk")).unwrap();
    let plan = rig.sync().unwrap().plan;
    let count = |action| plan.count(action);
    assert_eq!([count(Action::Fetch), count(Action::Keep), count(Action::Drop)], [1, 1, 1]);
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.1-r0", "lib-1.2-r0"]);
}

#[test]
fn a_dropped_file_can_be_fetched_until_the_grace_period_is_over() {
    let rig = Rig { mirror: "grace = \"2d\"".to_owned(), ..Rig::subset("\"tool\"") };
    let first = upstream();
    first.write(&rig.path("upstream"));
    rig.sync().unwrap();
    let items = [package("tool", "1.1-r0", &[]), first.items[2].clone()];
    first.next(&items).write(&rig.path("upstream"));
    let old = rig.path("srv/current/v3.17/main/x86_64/tool-1.0-r0.apk");
    let at = |days: u64, rig: Rig| {
        let rig = Rig { now: NOW + days * DAY, ..rig };
        rig.sync().unwrap();
        rig
    };
    let rig = at(1, rig);
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.1-r0"]);
    assert!(old.exists());
    let rig = at(2, rig);
    assert!(old.exists());
    let rig = at(3, rig);
    assert!(!old.exists());
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.1-r0"]);
}

#[test]
fn a_noarch_entry_is_served_where_each_kind_of_client_looks() {
    let builder = PackageBuilder::new("docs", "1-r0").field("arch", "noarch");
    let mut item = built(builder, "docs", "1-r0", &[], &[(FakeKey::a(), Label::Rsa256)]);
    item.arch = "noarch".to_owned();
    let rig = Rig::whole();
    Upstream::of(&[item.clone()]).write(&rig.path("upstream"));
    rig.sync().unwrap();
    for folder in ["x86_64", "noarch"] {
        let path = rig.path(&format!("srv/current/v3.17/main/{folder}/docs-1-r0.apk"));
        assert_eq!(std::fs::read(path).unwrap(), item.package.bytes());
    }
}

#[test]
fn an_index_time_never_goes_back_for_clients() {
    use std::os::unix::fs::MetadataExt;
    let rig = Rig::subset("\"tool\"");
    let first = upstream();
    first.write(&rig.path("upstream"));
    rig.sync().unwrap();
    let time =
        |rig: &Rig| rig.path("srv/current/v3.17/main/x86_64/APKINDEX.tar.gz").metadata().unwrap().mtime();
    let before = time(&rig);
    first.next(&[package("tool", "1.1-r0", &[])]).write(&rig.path("upstream"));
    // The clock of this machine was set back.
    let rig = Rig { now: NOW - DAY / 2, ..rig };
    rig.sync().unwrap();
    assert!(time(&rig) > before);
}

#[test]
fn repositories_of_a_set_are_solved_together_and_sets_apart() {
    let rig = Rig::subset("\"tool\"");
    let other = |name: &str, set: &str| {
        format!(
            "[[repository]]\nname = \"{name}\"\n{set}\nupstream = \"extra\"\narchitectures = [\"x86_64\"]\n\
             keys = [\"{}\"]\nselect = [\"extra\"]\nsign-key = \"mirror.rsa\"\n",
            FakeKey::a().name()
        )
    };
    Upstream::of(&[package("tool", "1.0-r0", &["extra-lib"])]).write(&rig.path("upstream"));
    Upstream::of(&[package("extra", "1-r0", &[]), package("extra-lib", "1-r0", &[])])
        .write(&rig.path("extra"));
    let apart = Rig { others: other("v3.18/community", ""), ..rig };
    assert_eq!(apart.refused(), ["unsolved"]);
    let together = Rig { others: other("v3.17/community", ""), ..apart };
    together.sync().unwrap();
    assert_eq!(together.listed("v3.17/community"), ["extra-1-r0", "extra-lib-1-r0"]);
    let named = Rig { others: other("v3.18/community", "set = \"v3.17\""), ..together };
    named.sync().unwrap();
    assert_eq!(named.listed("v3.18/community"), ["extra-1-r0", "extra-lib-1-r0"]);
}

#[test]
fn everything_of_one_repository_is_not_everything_of_its_set() {
    let rig = Rig::subset("\"tool\"");
    let others = format!(
        "[[repository]]\nname = \"v3.17/community\"\nupstream = \"extra\"\narchitectures = [\"x86_64\"]\n\
         keys = [\"{}\"]\nselect = [\"*\"]\nsign-key = \"mirror.rsa\"\n",
        FakeKey::a().name()
    );
    upstream().write(&rig.path("upstream"));
    Upstream::of(&[package("extra", "1-r0", &[])]).write(&rig.path("extra"));
    let rig = Rig { others, ..rig };
    rig.sync().unwrap();
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.0-r0", "lib-1.2-r0"]);
    assert_eq!(rig.listed("v3.17/community"), ["extra-1-r0"]);
}

#[test]
fn a_world_file_is_closed_over_as_apk_would_install_it() {
    let rig = Rig::subset("\"world:web\"");
    let rig = Rig { lines: format!("{}closure = \"solved\"\n", rig.lines), ..rig };
    std::fs::write(rig.path("web"), "tool\n").unwrap();
    let items =
        [package("tool", "1.0-r0", &["lib"]), package("lib", "1.0-r0", &[]), package("lib", "1.1-r0", &[])];
    Upstream::of(&items).write(&rig.path("upstream"));
    rig.sync().unwrap();
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.0-r0", "lib-1.1-r0"]);
}

#[test]
fn an_unsigned_index_of_a_whole_other_key_is_not_taken() {
    let rig = Rig::subset("\"tool\"");
    Upstream { key: FakeKey::b(), ..upstream() }.write(&rig.path("upstream"));
    assert_eq!(rig.refused(), ["untrusted"]);
    let signed_by_b = [(FakeKey::b(), Label::Rsa256)];
    let item = built(PackageBuilder::new("tool", "1.0-r0"), "tool", "1.0-r0", &[], &signed_by_b);
    Upstream::of(&[item]).write(&rig.path("upstream"));
    assert_eq!(rig.refused(), ["untrusted"]);
}
