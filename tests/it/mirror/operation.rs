//! What an operator has around a run: packages of one's own, figures, a hook.

use std::os::unix::fs::PermissionsExt;

use apkvet_fixtures::FakeKey;

use super::rig::{DAY, NOW, Rig, Upstream, listing, package, published};
use crate::harness::{Ran, apkvet, apkvet_on_one_thread};

/// A mirror of one upstream with `more` below `[mirror]`.
fn rig(more: &str) -> Rig {
    let rig = Rig { mirror: more.to_owned(), ..Rig::subset("\"tool\"") };
    upstream().write(&rig.path("upstream"));
    rig
}

/// Of today, as the program asks the clock.
fn upstream() -> Upstream {
    Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.2-r0", &[])])
}

fn sync(rig: &Rig) -> Ran {
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    apkvet(rig.directory.path(), &["mirror", "sync", "--config", "apkvet.toml"])
}

/// A second repository: packages without an index, in a folder of the operator's own.
fn with_own(rig: &mut Rig, key: &FakeKey) {
    rig.others = format!(
        "[[repository]]\nname = \"own/main\"\nupstream = \"build\"\nbuild-index = true\narchitectures = [\"x86_64\"]\n\
         keys = [\"{}\"]\nsign-key = \"mirror.rsa\"\n",
        key.name()
    );
    put(rig, "mine", "1.0-r0");
}

fn put(rig: &Rig, name: &str, version: &str) {
    let folder = rig.path("build/x86_64");
    std::fs::create_dir_all(&folder).unwrap();
    let item = package(name, version, &[]);
    std::fs::write(folder.join(item.file()), item.package.bytes()).unwrap();
}

#[test]
fn packages_of_ones_own_are_indexed_and_published_in_the_same_run() {
    let mut rig = rig("");
    with_own(&mut rig, &FakeKey::a());
    let ran = sync(&rig);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("own/main: wrote the index of"), "{}", ran.err);
    assert_eq!(rig.listed("own/main"), ["mine-1.0-r0"]);
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.0-r0", "lib-1.2-r0"]);
    // Nothing changed: neither the folder nor the tree is written to.
    let before = (listing(&rig.path("srv")), listing(&rig.path("build")));
    let again = sync(&rig);
    assert!(again.out.contains("nothing new"), "{}", again.out);
    assert_eq!((listing(&rig.path("srv")), listing(&rig.path("build"))), before);
    put(&rig, "more", "2.0-r0");
    let more = sync(&rig);
    assert_eq!(more.code, 0, "{} {}", more.out, more.err);
    assert_eq!(rig.listed("own/main"), ["mine-1.0-r0", "more-2.0-r0"]);
}

#[test]
fn a_package_of_ones_own_that_no_key_of_it_signed_stops_the_run() {
    let mut rig = rig("");
    with_own(&mut rig, &FakeKey::b());
    let ran = sync(&rig);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("[own-package]") && ran.out.contains("nothing is changed"), "{}", ran.out);
    assert!(published(&rig.path("srv")).is_empty());
    assert!(!rig.path("build/x86_64/APKINDEX.tar.gz").exists());
}

#[test]
fn an_index_is_built_of_one_folder_alone() {
    let mut rig = rig("");
    with_own(&mut rig, &FakeKey::a());
    rig.others = rig.others.replace("\"build\"", "\"https://build.example/\"");
    let ran = sync(&rig);
    assert_eq!(ran.code, 2, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("own/main, upstream") && ran.err.contains("build-index"), "{}", ran.err);
}

#[test]
fn a_run_leaves_its_figures() {
    let rig = rig("metrics = \"apkvet.prom\"\n");
    assert_eq!(sync(&rig).code, 0);
    let figures = || std::fs::read_to_string(rig.path("apkvet.prom")).unwrap();
    let time = NOW - DAY;
    for line in [
        "apkvet_mirror_last_run_ok{result=\"ok\"} 1".to_owned(),
        "apkvet_mirror_generation 1".to_owned(),
        "apkvet_mirror_packages{repository=\"v3.17/main\",arch=\"x86_64\"} 2".to_owned(),
        format!("apkvet_mirror_index_timestamp_seconds{{repository=\"v3.17/main\",arch=\"x86_64\"}} {time}"),
    ] {
        assert!(figures().lines().any(|found| found == line), "{line} is missing in\n{}", figures());
    }
    std::fs::remove_file(rig.path("upstream/x86_64/APKINDEX.tar.gz")).unwrap();
    assert_ne!(sync(&rig).code, 0);
    assert!(figures().contains("apkvet_mirror_refused_runs_total 1\n"), "{}", figures());
    assert!(figures().contains("apkvet_mirror_last_success_timestamp_seconds"), "{}", figures());
}

#[test]
fn the_hook_is_told_what_a_run_came_to() {
    let rig = rig("hook = [\"./told\", \"for ops; rm -rf .\"]\n");
    let script = rig.path("told");
    std::fs::write(
        &script,
        "#!/bin/sh\nprintf '%s|%s|%s\\n' \"$1\" \"$2\" \"$APKVET_EVENT\" >> events\ncat >> reports\n",
    )
    .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(sync(&rig).code, 0);
    // Nothing new is no event.
    assert_eq!(sync(&rig).code, 0);
    let signed_by_another = Upstream { key: FakeKey::b(), ..upstream() };
    signed_by_another.write(&rig.path("upstream"));
    assert_ne!(sync(&rig).code, 0);
    let events = std::fs::read_to_string(rig.path("events")).unwrap();
    let words = "for ops; rm -rf .";
    let expected = ["published", "refused", "new-keys"].map(|event| format!("{words}|{event}|{event}"));
    assert_eq!(events.lines().collect::<Vec<_>>(), expected);
    let reports = std::fs::read_to_string(rig.path("reports")).unwrap();
    let reports: Vec<serde_json::Value> =
        reports.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports[0]["generation"], 1);
    assert!(reports[1]["findings"][0]["id"].is_string(), "{}", reports[1]);
}

#[test]
fn a_hook_that_cannot_be_called_changes_nothing() {
    let rig = rig("hook = [\"./no-such-program\"]\n");
    let ran = sync(&rig);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("the hook") && ran.err.contains("cannot be called"), "{}", ran.err);
}

#[test]
fn a_run_that_no_signal_could_end_is_not_begun() {
    let rig = rig("");
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    let ran = apkvet_on_one_thread(rig.directory.path(), &["mirror", "sync", "--config", "apkvet.toml"]);
    assert_eq!(ran.code, 3, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("signals"), "{}", ran.err);
    assert!(!rig.path("srv/current").exists());
}

#[test]
fn what_a_lock_file_names_stays_in_the_pool() {
    let rig = rig("grace = \"0s\"\nlocks = [\"apkvet.lock\"]\n");
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    let run = |arguments: &[&str]| apkvet(rig.directory.path(), &[&["mirror"], arguments].concat());
    let sync = || run(&["sync", "--config", "apkvet.toml"]);
    let prune = || run(&["prune", "--config", "apkvet.toml", "--allow-shrink", "--json"]);
    // Without the file nothing is deleted: nobody knows what it would have named.
    let unlocked = sync();
    assert_eq!(unlocked.code, 0, "{} {}", unlocked.out, unlocked.err);
    assert!(unlocked.out.contains("nothing is pruned"), "{}", unlocked.out);
    assert_eq!(prune().code, 3);
    assert_eq!(run(&["lock", "--config", "apkvet.toml", "-o", "apkvet.lock"]).code, 0);
    let locked = std::fs::read_to_string(rig.path("apkvet.lock")).unwrap();
    let pooled = || {
        let folders = std::fs::read_dir(rig.path("srv/pool")).unwrap().map(|folder| folder.unwrap().path());
        let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
        files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| locked.contains(name))
            .count()
    };
    assert_eq!(pooled(), 2);
    upstream().next(&[package("tool", "2.0-r0", &[])]).write(&rig.path("upstream"));
    for _ in 0..2 {
        let ran = run(&["sync", "--config", "apkvet.toml", "--allow-shrink"]);
        assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
        assert_eq!(prune().code, 0);
    }
    assert_eq!(pooled(), 2, "the lock file names two packages");
    std::fs::write(rig.path("apkvet.toml"), rig.text().replace("locks = [\"apkvet.lock\"]", "")).unwrap();
    let pruned = prune();
    assert_eq!(pruned.code, 0, "{} {}", pruned.out, pruned.err);
    assert_eq!(pooled(), 0, "{}", pruned.out);
}
