use serde_json::Value;

use super::rig::{Rig, Upstream, files_in, package, published};
use crate::harness::{Ran, apkvet};

fn upstream() -> Upstream {
    Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.2-r0", &[])])
}

fn later(upstream: &Upstream) -> Upstream {
    upstream.next(&[package("tool", "1.1-r0", &["lib"]), package("lib", "1.2-r0", &[])])
}

/// A mirror with its configuration in a file.
fn rig() -> Rig {
    let rig = Rig::subset("\"tool\"");
    upstream().write(&rig.path("upstream"));
    written(rig)
}

fn written(rig: Rig) -> Rig {
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    rig
}

fn run(rig: &Rig, arguments: &[&str]) -> Ran {
    let (command, rest) = arguments.split_first().unwrap();
    apkvet(rig.directory.path(), &[&["mirror", command, "--config", "apkvet.toml"], rest].concat())
}

fn well(rig: &Rig, arguments: &[&str]) -> Ran {
    let ran = run(rig, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {} {}", ran.out, ran.err);
    ran
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

/// Two generations, and a snapshot of the first.
fn moved() -> Rig {
    let rig = rig();
    well(&rig, &["sync"]);
    well(&rig, &["snapshot", "before"]);
    later(&upstream()).write(&rig.path("upstream"));
    well(&rig, &["sync"]);
    rig
}

#[test]
fn status_lists_generations_and_snapshots() {
    let rig = moved();
    let lines = well(&rig, &["status", "--json"]).json();
    let status = of_type(&lines, "status")[0];
    let told: Vec<_> = status["generation_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["number"].as_u64(), one["packages"].as_u64(), one["published"].as_bool()))
        .collect();
    assert_eq!(told, [(Some(1), Some(2), Some(false)), (Some(2), Some(2), Some(true))]);
    let snapshot = &status["snapshots"][0];
    let told = (&snapshot["name"], &snapshot["generation"], &snapshot["packages"], &snapshot["by_rule"]);
    assert_eq!(told, (&"before".into(), &1.into(), &2.into(), &false.into()));
    assert_ne!(status["tree"], snapshot["tree"]);
    let words = well(&rig, &["status"]).out;
    assert!(words.contains("generation 2, made") && words.contains("published"), "{words}");
    assert!(words.contains("snapshots/before  2 packages"), "{words}");
}

#[test]
fn a_rollback_says_that_the_next_sync_goes_forward() {
    let rig = moved();
    let ran = well(&rig, &["rollback"]);
    assert!(ran.out.contains("generation 1 is served again, as generation 3"), "{}", ran.out);
    assert!(ran.out.contains("the next sync goes forward again"), "{}", ran.out);
    let ran = run(&rig, &["rollback", "9", "--json"]);
    assert_eq!(ran.code, 2, "{} {}", ran.out, ran.err);
    assert_eq!(of_type(&ran.json(), "finding")[0]["id"], "no-generation");
    let back = well(&rig, &["rollback", "2", "--json"]).json();
    let summary = back.last().unwrap();
    assert_eq!((&summary["to"], &summary["generation"]), (&2.into(), &4.into()));
}

#[test]
fn a_snapshot_is_listed_refused_twice_and_removed() {
    let rig = moved();
    let ran = run(&rig, &["snapshot", "before"]);
    assert_eq!(ran.code, 2, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("snapshots never change"), "{}", ran.err);
    for wrong in ["12", "current", "../x", ".hidden"] {
        assert_eq!(run(&rig, &["snapshot", wrong]).code, 2, "{wrong}");
    }
    let served = rig.path("srv/current/snapshots/before/v3.17/main/x86_64/tool-1.0-r0.apk");
    assert!(served.exists());
    assert!(well(&rig, &["snapshot", "--list"]).out.contains("snapshots/before"));
    let lines = well(&rig, &["snapshot", "--remove", "before", "--json"]).json();
    assert_eq!(of_type(&lines, "snapshot")[0]["change"], "removed");
    assert!(!served.exists());
    assert_eq!(run(&rig, &["snapshot", "--remove", "before"]).code, 2);
    assert_eq!(well(&rig, &["snapshot", "--list"]).out, "no snapshots\n");
}

#[test]
fn a_rule_makes_snapshots_and_keeps_the_newest_of_its_own() {
    let rig =
        Rig { mirror: "snapshots = \"daily\"\nkeep-snapshots = 1".to_owned(), ..Rig::subset("\"tool\"") };
    upstream().write(&rig.path("upstream"));
    let rig = written(rig);
    well(&rig, &["sync"]);
    well(&rig, &["snapshot", "mine"]);
    let names = |rig: &Rig| -> Vec<String> {
        let lines = well(rig, &["snapshot", "--list", "--json"]).json();
        of_type(&lines, "snapshot").iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = names(&rig);
    assert_eq!(first.len(), 2, "{first:?}");
    assert_eq!((first[0].len(), first[1].as_str()), ("2026-11-27".len(), "mine"));
    // Another rule from now on: the newest of both stays.
    let rig = written(Rig { mirror: rig.mirror.replace("daily", "monthly"), ..rig });
    later(&upstream()).write(&rig.path("upstream"));
    well(&rig, &["sync"]);
    let second = names(&rig);
    assert_eq!((second[0].len(), second[1].as_str(), second.len()), ("2026-11".len(), "mine", 2));
    // A sync that publishes nothing makes none.
    well(&rig, &["snapshot", "--remove", &second[0]]);
    well(&rig, &["sync"]);
    assert_eq!(names(&rig), ["mine"]);
}

#[test]
fn a_difference_names_what_changed_between_generations_snapshots_and_upstream() {
    let rig = moved();
    for (before, after) in [("1", "2"), ("before", "current"), ("1", "current")] {
        let lines = well(&rig, &["diff", before, after, "--json"]).json();
        let changes = of_type(&lines, "mirror-change");
        assert_eq!(changes.len(), 1, "{changes:?}");
        let (change, name) = (&changes[0]["change"], &changes[0]["name"]);
        assert_eq!((change, name), (&"upgraded".into(), &"tool".into()));
        assert_eq!(changes[0]["old"]["version"], "1.0-r0");
        let summary = lines.last().unwrap();
        assert_eq!((&summary["upgraded"], &summary["old_packages"]), (&1.into(), &2.into()));
    }
    let words = well(&rig, &["diff", "2", "1"]).out;
    assert!(words.contains("downgraded  tool") && words.contains("0 rebuilt"), "{words}");
    let same = well(&rig, &["diff", "current", "upstream"]).out;
    assert!(same.starts_with("0 added, 0 removed, 0 upgraded"), "{same}");
    let built = [package("tool", "1.2-r0", &["new"]), package("new", "1-r0", &[])];
    later(&upstream()).next(&built).write(&rig.path("upstream"));
    let lines = well(&rig, &["diff", "current", "upstream", "--json"]).json();
    let told: Vec<_> = of_type(&lines, "mirror-change")
        .iter()
        .map(|one| (one["change"].clone(), one["name"].clone()))
        .collect();
    let expected = [("removed", "lib"), ("added", "new"), ("upgraded", "tool")];
    assert_eq!(told, expected.map(|(change, name)| (change.into(), name.into())));
    for wrong in [["7", "current"], ["nosuch", "current"], ["a/b", "current"]] {
        assert_eq!(run(&rig, &[&["diff"], &wrong[..]].concat()).code, 2, "{wrong:?}");
    }
}

#[test]
fn a_dry_run_of_prune_says_what_goes_what_stays_and_why() {
    let rig = moved();
    let prune = |arguments: &[&str]| {
        let to = rig.path("srv").display().to_string();
        let all = [&["mirror", "prune", "--to", &to, "--grace", "0s", "--dry-run"], arguments].concat();
        let ran = apkvet(rig.directory.path(), &all);
        assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
        ran
    };
    let words = prune(&["-v"]).out;
    assert!(words.contains("gens/1  0 B  a newer generation took its place"), "{words}");
    assert!(words.contains("generation 2, snapshot before"), "{words}");
    let lines = prune(&["-v", "--json"]).json();
    let kept = of_type(&lines, "kept");
    assert!(kept.iter().all(|one| !one["by"].as_array().unwrap().is_empty()), "{kept:?}");
    // The index of the first generation and the old package are kept by the snapshot alone.
    let alone = kept.iter().filter(|one| one["by"] == serde_json::json!(["snapshot before"])).count();
    assert_eq!(alone, 1, "{kept:?}");
    assert!(of_type(&prune(&["--json"]).json(), "kept").is_empty());
}

#[test]
fn a_lock_gives_the_same_tree_on_another_machine() {
    let rig = rig();
    let locked = well(&rig, &["sync"]);
    assert!(locked.out.contains("generation 1"));
    let lock = well(&rig, &["lock", "-o", "apkvet.lock", "--json"]).json();
    let tree = lock.last().unwrap()["tree"].clone();
    let text = std::fs::read(rig.path("apkvet.lock")).unwrap();
    assert_eq!(text, well(&rig, &["lock"]).out.as_bytes());
    let other = Rig { upstreams: format!("{:?}", rig.path("upstream")), ..Rig::subset("\"tool\"") };
    let other = written(other);
    std::fs::write(other.path("apkvet.lock"), &text).unwrap();
    well(&other, &["sync", "--locked", "apkvet.lock"]);
    let status = well(&other, &["status", "--json"]).json();
    assert_eq!(of_type(&status, "status")[0]["tree"], tree);
    assert_eq!(published(&other.path("srv")), published(&rig.path("srv")));
    // The lock of the other machine is the same, too.
    assert_eq!(well(&other, &["lock"]).out.as_bytes(), text);
}

#[test]
fn a_run_that_is_held_to_a_lock_fails_with_the_difference_and_changes_nothing() {
    let rig = rig();
    well(&rig, &["sync"]);
    well(&rig, &["lock", "-o", "apkvet.lock"]);
    let items = [
        package("tool", "1.1-r0", &["lib", "new"]),
        package("lib", "1.2-r0", &[]),
        package("new", "1-r0", &[]),
    ];
    upstream().next(&items).write(&rig.path("upstream"));
    let before = published(&rig.path("srv"));
    for dry in [&["sync", "--locked", "apkvet.lock", "--dry-run"][..], &["sync", "--locked", "apkvet.lock"]] {
        let ran = run(&rig, dry);
        assert_eq!(ran.code, 6, "{} {}", ran.out, ran.err);
        assert!(
            ran.out.contains("tool-1.0-r0: is locked, and upstream has 1.1-r0 [lock-missing]"),
            "{}",
            ran.out
        );
        assert!(
            ran.out.contains("new-1-r0: is selected, and not in the lock file [lock-unlocked]"),
            "{}",
            ran.out
        );
        assert_eq!(published(&rig.path("srv")), before);
    }
    assert_eq!(files_in(&rig.path("srv/spool")), 0);
    well(&rig, &["sync"]);
    assert_ne!(published(&rig.path("srv")), before);
}

#[test]
fn a_version_that_was_built_again_is_not_what_was_locked() {
    let rig = rig();
    well(&rig, &["sync"]);
    well(&rig, &["lock", "-o", "apkvet.lock"]);
    let rebuilt = [package("tool", "1.0-r0", &["lib"]), package("lib", "1.2-r0", &["tool"])];
    let other = Rig::subset("\"tool\"");
    upstream().next(&rebuilt).write(&other.path("upstream"));
    let other = written(other);
    std::fs::copy(rig.path("apkvet.lock"), other.path("apkvet.lock")).unwrap();
    let ran = run(&other, &["sync", "--locked", "apkvet.lock"]);
    assert_eq!(ran.code, 6, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("lib-1.2-r0") && ran.out.contains("[lock-rebuilt]"), "{}", ran.out);
    assert!(!other.path("srv/current").exists());
}

#[test]
fn a_file_that_is_no_lock_is_wrong_usage() {
    let rig = rig();
    std::fs::write(rig.path("wrong.lock"), "{}").unwrap();
    for name in ["wrong.lock", "apkvet.toml"] {
        assert_eq!(run(&rig, &["sync", "--locked", name]).code, 2, "{name}");
    }
    assert_eq!(run(&rig, &["sync", "--locked", "missing"]).code, 3);
    assert_eq!(run(&rig, &["lock"]).code, 3);
}
