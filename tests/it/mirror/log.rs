use serde_json::Value;

use super::rig::{DAY, NOW, Rig, Upstream, built, package};
use crate::harness::{Ran, apkvet};
use apkvet::index::IndexDraft;
use apkvet::limits::Limits;
use apkvet::mirror::Allowed;
use apkvet::sign::{SignDigests, SigningKey, sign_index};
use apkvet_fixtures::tar::sha256_hex;
use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

/// A mirror of `tool` with its configuration in a file, after one run.
fn rig(lines: &str) -> Rig {
    let rig = Rig::subset("\"tool\"");
    let rig = Rig { lines: format!("{}{lines}\n", rig.lines), ..rig };
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    first().write(&rig.path("upstream"));
    rig.sync().unwrap();
    rig
}

fn first() -> Upstream {
    Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.2-r0", &[])])
}

fn run(rig: &Rig, arguments: &[&str]) -> Ran {
    apkvet(rig.directory.path(), &[&["mirror"], arguments, &["--config", "apkvet.toml"]].concat())
}

fn check(rig: &Rig) -> Vec<String> {
    let lines = run(rig, &["check", "--json"]).json();
    let findings = lines.iter().filter(|line| line["type"] == "finding");
    findings.map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

/// Moves the upstream on, and runs.
fn next(rig: Rig, days: u64, version: &str) -> Rig {
    let items = [package("tool", version, &["lib"]), package("lib", "1.2-r0", &[])];
    let upstream = Upstream { time: NOW + days * DAY, ..Upstream::of(&items) };
    upstream.write(&rig.path("upstream"));
    let rig = Rig { now: NOW + days * DAY, ..rig };
    rig.sync().unwrap();
    rig
}

fn link(rig: &Rig, number: u64) -> std::path::PathBuf {
    rig.path(&format!("srv/state/history-{number}.json"))
}

fn read(rig: &Rig, number: u64) -> Value {
    serde_json::from_slice(&std::fs::read(link(rig, number)).unwrap()).unwrap()
}

#[test]
fn each_generation_has_its_link_and_a_run_without_changes_has_none() {
    let rig = next(rig(""), 1, "1.1-r0");
    rig.sync().unwrap();
    assert!(link(&rig, 2).exists() && !link(&rig, 3).exists());
    let (one, two) = (read(&rig, 1), read(&rig, 2));
    let digest = sha256_hex(&std::fs::read(link(&rig, 1)).unwrap());
    assert_eq!((one["previous"].as_str(), two["previous"].as_str()), (None, Some(digest.as_str())));
    assert_eq!((&one["generation"], &two["generation"], &two["after"]), (&1.into(), &2.into(), &1.into()));
    let events: Vec<(&str, &str)> = two["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (entry["event"].as_str().unwrap(), entry["path"].as_str().unwrap().rsplit('/').next().unwrap())
        })
        .collect();
    assert_eq!(
        events,
        [("published", "APKINDEX.tar.gz"), ("dropped", "tool-1.0-r0.apk"), ("published", "tool-1.1-r0.apk")]
    );
    assert_eq!(
        two["entries"][2]["origin"]["index"],
        sha256_hex(&std::fs::read(rig.path("upstream/x86_64/APKINDEX.tar.gz")).unwrap())
    );
    assert_eq!(check(&rig), [""; 0]);
}

#[test]
fn what_somebody_changes_in_the_log_or_behind_its_back_is_found() {
    let rig = next(next(rig(""), 1, "1.1-r0"), 2, "1.2-r0");
    let healthy = std::fs::read(link(&rig, 2)).unwrap();
    let text = String::from_utf8(healthy.clone()).unwrap();
    std::fs::write(link(&rig, 2), text.replace("\"time\":", "\"time\":1")).unwrap();
    assert_eq!(check(&rig), ["history-broken"]);
    std::fs::remove_file(link(&rig, 2)).unwrap();
    assert_eq!(check(&rig), ["history-broken"]);
    std::fs::write(link(&rig, 2), &healthy).unwrap();
    assert_eq!(check(&rig), [""; 0]);
    // A whole chain that somebody made is not the one that the state names.
    std::fs::copy(link(&rig, 2), link(&rig, 3)).unwrap();
    assert_eq!(check(&rig), ["history-broken"]);
    let ran = run(&rig, &["status", "tool"]);
    assert!(ran.code == 1 && ran.out.contains("[history-broken]"), "{} {}", ran.code, ran.out);
}

#[test]
fn a_run_that_died_leaves_a_log_that_the_next_one_goes_on_with() {
    // Before the state named the link: the link is written over.
    let rig = rig("");
    let state = std::fs::read(rig.path("srv/state/trust.json")).unwrap();
    let rig = next(rig, 1, "1.1-r0");
    let back = |rig: &Rig, generation: &str| {
        std::fs::remove_file(rig.path("srv/current")).unwrap();
        std::os::unix::fs::symlink(format!("gens/{generation}"), rig.path("srv/current")).unwrap();
    };
    back(&rig, "1");
    std::fs::write(rig.path("srv/state/trust.json"), state).unwrap();
    let rig = next(rig, 2, "1.2-r0");
    assert!(link(&rig, 2).exists() && !link(&rig, 3).exists());
    assert_eq!(check(&rig), [""; 0]);
    // After it: the generation never became visible, and its link stays.
    let rig = next(rig, 3, "1.3-r0");
    back(&rig, "2");
    assert_eq!(check(&rig), [""; 0]);
    let rig = next(rig, 4, "1.4-r0");
    assert_eq!((&read(&rig, 3)["generation"], &read(&rig, 4)["generation"]), (&3.into(), &3.into()));
    assert_eq!(check(&rig), [""; 0]);
    // And with the state lost, the log is not.
    std::fs::remove_file(rig.path("srv/state/trust.json")).unwrap();
    let rig = Rig { allowed: Allowed { init: apkvet::mirror::Init::Allow, ..Allowed::default() }, ..rig };
    let rig = next(rig, 5, "1.5-r0");
    assert_eq!(read(&rig, 5)["previous"], sha256_hex(&std::fs::read(link(&rig, 4)).unwrap()));
    assert_eq!(check(&rig), [""; 0]);
}

#[test]
fn the_status_of_a_name_shows_the_proof_and_what_its_path_had_before() {
    let rig = rig("retain = \"all\"");
    let again = PackageBuilder::new("tool", "1.0-r0").field("builddate", "1700009999");
    let again = built(again, "tool", "1.0-r0", &["lib"], &[(FakeKey::a(), Label::Rsa256)]);
    let upstream = Upstream { time: NOW, ..Upstream::of(&[again.clone(), package("lib", "1.2-r0", &[])]) };
    upstream.write(&rig.path("upstream"));
    let replaced = std::collections::BTreeSet::from(["tool".to_owned()]);
    let rig = Rig { allowed: Allowed { replaced, ..Allowed::default() }, now: NOW + DAY, ..rig };
    rig.sync().unwrap();
    let rig = next(rig, 2, "1.1-r0");
    let lines = run(&rig, &["status", "tool", "--json"]).json();
    let versions = lines[0]["versions"].as_array().unwrap();
    let told: Vec<(&str, bool, bool)> = versions
        .iter()
        .map(|one| {
            (
                one["version"].as_str().unwrap(),
                one["listed"].as_bool().unwrap(),
                one["upstream_has"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("1.0-r0", true, false), ("1.1-r0", true, true)]);
    let old = &versions[0];
    assert_eq!(old["sha256"], sha256_hex(&again.package.bytes()));
    assert_eq!(old["index_sha256"], sha256_hex(&upstream.index()));
    assert_eq!(old["other_bytes"][0]["sha256"], sha256_hex(&first().items[0].package.bytes()));
    assert_eq!(old["other_bytes"][0]["time"], NOW);
    assert_eq!(versions[1]["other_bytes"].as_array().unwrap().len(), 0);
    let words = run(&rig, &["status", "tool"]).out;
    assert!(
        words.contains("retained since 2026-01-03") && words.contains("its path never had other bytes"),
        "{words}"
    );
    assert!(run(&rig, &["status", "nothing"]).out.contains("no proof"));
    assert!(
        run(&rig, &["status"]).out.contains("3 packages")
            && run(&rig, &["status"]).out.contains("1 of them retained")
    );
}

#[test]
fn who_has_a_pinned_version_is_told() {
    let rig = rig("");
    let rig = Rig { lines: format!("{}pinned-by = [\"world\"]\n", rig.lines), now: NOW + DAY, ..rig };
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    let world = "tool=1.0-r0 tool=1.1-r0 tool=9-r0 unselected=1-r0\n";
    std::fs::write(rig.path("world"), world).unwrap();
    let items = [
        package("tool", "1.1-r0", &["lib"]),
        package("lib", "1.2-r0", &[]),
        package("unselected", "1-r0", &[]),
    ];
    Upstream { time: NOW, ..Upstream::of(&items) }.write(&rig.path("upstream"));
    rig.sync().unwrap();
    let ran = run(&rig, &["status", "--pinned", "--json"]);
    let lines = ran.json();
    let pins = lines[0]["pinned"].as_array().unwrap();
    let told: Vec<(&str, &str, bool)> = pins
        .iter()
        .map(|pin| {
            (pin["atom"].as_str().unwrap(), pin["has"].as_str().unwrap(), pin["listed"].as_bool().unwrap())
        })
        .collect();
    let expected = [
        ("tool=1.0-r0", "mirror", true),
        ("tool=1.1-r0", "upstream", true),
        ("tool=9-r0", "nowhere", false),
        ("unselected=1-r0", "upstream", false),
    ];
    assert_eq!(told, expected);
    assert_eq!(ran.code, 1);
    let words = run(&rig, &["status", "--pinned"]).out;
    for text in
        ["only the mirror has it", "nobody has it", "world:1", "[pinned-nowhere]", "[pinned-unlisted]"]
    {
        assert!(words.contains(text), "{text}: {words}");
    }
    assert_eq!(run(&rig, &["status", "--pinned", "--client"]).code, 2);
}

#[test]
fn a_file_is_looked_up_in_a_mirror_by_its_bytes() {
    let rig = rig("");
    let inspect = |file: &str| {
        apkvet(rig.directory.path(), &["inspect", file, "--config", "apkvet.toml", "--json"]).json().remove(0)
    };
    let known = inspect("upstream/x86_64/tool-1.0-r0.apk");
    assert_eq!(
        (&known["mirror"][0]["version"], &known["mirror"][0]["via"]),
        (&"1.0-r0".into(), &"signature+index".into())
    );
    assert_eq!(inspect("upstream/x86_64/APKINDEX.tar.gz")["mirror"], Value::Array(Vec::new()));
    let words = apkvet(rig.directory.path(), &["inspect", "apkvet.toml", "--to", "srv"]).out;
    assert!(words.contains("the mirror does not know this file"), "{words}");
    let alone = apkvet(rig.directory.path(), &["inspect", "apkvet.toml", "--json"]).json().remove(0);
    assert!(alone.get("mirror").is_none());
}

#[test]
fn a_retained_version_that_cannot_be_installed_any_more_is_found_by_a_check() {
    let rig = next(rig("retain = \"all\""), 1, "1.1-r0");
    assert_eq!(check(&rig), [""; 0]);
    // Somebody publishes an index without what the old version needs, signed by the key of the mirror.
    let index = rig.path("srv/current/v3.17/main/x86_64/APKINDEX.tar.gz").canonicalize().unwrap();
    let text = super::rig::text_of(&std::fs::read(&index).unwrap());
    let mut draft = IndexDraft::new(NOW);
    let entries = text.split_terminator("\n\n").map(|entry| format!("{entry}\n"));
    let entries: Vec<String> = entries.filter(|entry| !entry.contains("P:lib\n")).collect();
    entries.iter().for_each(|entry| draft.push(entry));
    let key = SigningKey::read(&rig.path("mirror.rsa")).unwrap();
    let body = draft.body(&Limits::default()).unwrap();
    let forged = sign_index(&body, &key, SignDigests::Sha256).unwrap();
    std::fs::remove_file(&index).unwrap();
    std::fs::write(&index, forged).unwrap();
    assert!(check(&rig).contains(&"retained-unsolved".to_owned()), "{:?}", check(&rig));
}

#[test]
fn a_rollback_has_its_link_as_well() {
    let rig = next(rig("retain = \"all\""), 1, "1.1-r0");
    assert_eq!(run(&rig, &["rollback"]).code, 0);
    let link = read(&rig, 3);
    assert_eq!((&link["generation"], &link["after"]), (&3.into(), &2.into()));
    let events: Vec<&str> =
        link["entries"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    // The index, and the version that is not listed any more.
    assert_eq!(events, ["published", "dropped"]);
    assert_eq!(check(&rig), [""; 0]);
    // Forwards again, with the version that stays.
    let rig = next(rig, 2, "1.2-r0");
    assert_eq!(check(&rig), [""; 0]);
    assert!(rig.listed("v3.17/main").contains(&"tool-1.0-r0".to_owned()), "{:?}", rig.listed("v3.17/main"));
}

#[test]
fn what_is_retained_is_locked_with_the_rest() {
    let rig = next(rig("retain = \"all\""), 1, "1.1-r0");
    assert_eq!(run(&rig, &["lock", "-o", "apkvet.lock"]).code, 0);
    let lock = std::fs::read_to_string(rig.path("apkvet.lock")).unwrap();
    assert!(lock.contains("1.0-r0") && lock.contains("1.1-r0"), "{lock}");
    let same = run(&rig, &["sync", "--locked", "apkvet.lock"]);
    assert_eq!(same.code, 0, "{} {}", same.out, same.err);
    // Another machine cannot get what upstream has no more.
    std::fs::rename(rig.path("srv"), rig.path("elsewhere")).unwrap();
    let other = run(&rig, &["sync", "--locked", "apkvet.lock"]);
    assert!(other.code == 6 && other.out.contains("[lock-missing]"), "{} {}", other.code, other.out);
}
