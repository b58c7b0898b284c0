use std::path::Path;

use serde_json::Value;

use super::rig::{DAY, NOW, Rig, Upstream, listing, package};
use crate::harness::{Ran, apkvet, apkvet_on_one_thread};

/// A mirror with its configuration in a file.
fn rig() -> Rig {
    let rig = Rig::subset("\"tool\"");
    first().write(&rig.path("upstream"));
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    rig
}

fn first() -> Upstream {
    Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.2-r0", &[])])
}

fn run(rig: &Rig, arguments: &[&str]) -> Ran {
    apkvet(rig.directory.path(), &[&["mirror"], arguments].concat())
}

fn sync(rig: &Rig) -> Ran {
    run(rig, &["sync", "--config", "apkvet.toml"])
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn a_plan_says_what_would_be_done_and_why_and_changes_nothing() {
    let rig = rig();
    let plan = run(&rig, &["plan", "--config", "apkvet.toml", "--json", "--exit-code"]);
    let lines = plan.json();
    let items = of_type(&lines, "plan");
    let told: Vec<_> = items.iter().map(|item| (&item["action"], &item["name"], &item["why"])).collect();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(
        told,
        [
            (&json("\"fetch\""), &json("\"tool\""), &json("[\"tool\"]")),
            (&json("\"fetch\""), &json("\"lib\""), &json("[\"tool\", \"lib\"]")),
        ]
    );
    for field in ["repository", "arch", "version", "size", "identity"] {
        assert!(!items[0][field].is_null(), "{field}: {}", items[0]);
    }
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["type"], &summary["fetch"], &summary["exit"]),
        (&json("\"summary\""), &json("2"), &json("8"))
    );
    assert_eq!(plan.code, 8);
    assert!(!rig.path("srv").exists());
    assert_eq!(run(&rig, &["plan", "--config", "apkvet.toml"]).code, 0);
    assert_eq!(sync(&rig).code, 0);
    let settled = run(&rig, &["plan", "--config", "apkvet.toml", "--exit-code"]);
    assert_eq!(settled.code, 0, "{}", settled.out);
    assert!(settled.out.starts_with("0 packages to fetch (0 B), 2 to keep"), "{}", settled.out);
}

#[test]
fn a_dry_run_is_a_plan() {
    let rig = rig();
    let dry = run(&rig, &["sync", "--config", "apkvet.toml", "--dry-run"]);
    assert_eq!(dry.out, run(&rig, &["plan", "--config", "apkvet.toml"]).out);
    assert!(!rig.path("srv").exists());
}

#[test]
fn flags_serve_one_repository_as_a_configuration_does() {
    let rig = rig();
    let key = format!("{}=FAKE-apkvet-test-a.rsa.pub", "FAKE-apkvet-test-a.rsa.pub");
    let flags = [
        "sync",
        "--upstream",
        "upstream",
        "--name",
        "v3.17/main",
        "--to",
        "flags",
        "--arch",
        "x86_64",
        "--select",
        "tool",
        "--closure",
        "solved",
        "--sign-key",
        "mirror.rsa",
        "--key",
        &key,
    ];
    let ran = run(&rig, &flags);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("published as generation 1: 2 packages fetched"), "{}", ran.out);
    assert_eq!(sync(&rig).code, 0);
    let tree = |name: &str| super::rig::published(&rig.path(name));
    assert_eq!(tree("flags"), tree("srv"));
}

#[test]
fn a_file_of_repositories_names_upstreams() {
    let rig = rig();
    let upstream = rig.path("alpine/v3.17/main");
    first().write(&upstream);
    std::fs::write(rig.path("repositories"), format!("# a comment\n{}\n", upstream.display())).unwrap();
    let flags = [
        "sync",
        "--repositories",
        "repositories",
        "--to",
        "flags",
        "--arch",
        "x86_64",
        "--select",
        "tool",
        "--sign-key",
        "mirror.rsa",
        "--key",
        "FAKE-apkvet-test-a.rsa.pub",
    ];
    let ran = run(&rig, &flags);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(rig.path("flags/current/v3.17/main/x86_64/tool-1.0-r0.apk").exists());
}

#[test]
fn wrong_usage_is_told_before_anything_is_done() {
    let rig = rig();
    for (arguments, text) in [
        (vec!["sync"], "expected --config FILE, or --to DIR"),
        (vec!["sync", "--config", "apkvet.toml", "--to", "x"], "cannot be used with"),
        (vec!["sync", "--config", "apkvet.toml", "--key", "mirror.rsa"], "name the keys of each repository"),
        (
            vec!["sync", "--to", "x", "--upstream", "upstream", "--arch", "x86_64", "--select", "a"],
            "sign-key",
        ),
        (vec!["status"], "expected --config FILE or --to DIR"),
        (vec!["prune"], "expected --config FILE or --to DIR"),
        (vec!["check", "keys-only"], ""),
        (vec!["check", "upstream", "-j", "0"], "-j takes a number from 1"),
    ] {
        let ran = run(&rig, &arguments);
        assert!(matches!(ran.code, 2 | 3), "{arguments:?}: {} {}", ran.code, ran.err);
        assert!(ran.err.contains(text), "{arguments:?}: {}", ran.err);
    }
    assert!(!rig.path("srv").exists() && !rig.path("x").exists());
}

#[test]
fn a_refused_state_is_exit_6_and_says_what_to_do() {
    let rig = rig();
    assert_eq!(sync(&rig).code, 0);
    // The clock of the test is that of this machine.
    let future = Upstream { time: 40 * 365 * DAY + NOW, ..first() };
    future.write(&rig.path("upstream"));
    let ran = run(&rig, &["sync", "--config", "apkvet.toml", "--json"]);
    let lines = ran.json();
    let finding = of_type(&lines, "finding")[0];
    assert_eq!(
        (ran.code, &finding["id"], &finding["detail"]["arch"]),
        (6, &"future".into(), &"x86_64".into())
    );
    assert!(finding["remedy"].as_str().unwrap().contains("--allow-future"), "{finding}");
    assert_eq!(lines.last().unwrap()["exit"], 6);
    let status = run(&rig, &["status", "--config", "apkvet.toml", "--json"]).json();
    let last = &of_type(&status, "status")[0]["last_run"];
    assert_eq!((&last["result"], &last["codes"][0]), (&"state".into(), &"future".into()));
    let words = run(&rig, &["status", "--config", "apkvet.toml"]).out;
    assert!(words.contains("runs fail since") && words.contains("(future)"), "{words}");
}

#[test]
fn a_second_run_at_the_same_time_is_exit_7_and_one_that_waits_is_not() {
    let rig = rig();
    assert_eq!(sync(&rig).code, 0);
    let tree = rig.tree();
    let ran = sync(&rig);
    assert_eq!(ran.code, 7, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("another run"), "{}", ran.err);
    let waited = run(&rig, &["sync", "--config", "apkvet.toml", "--wait=1s"]);
    assert_eq!(waited.code, 7);
    // What only reads needs no lock.
    assert_eq!(run(&rig, &["status", "--config", "apkvet.toml"]).code, 0);
    assert_eq!(run(&rig, &["plan", "--config", "apkvet.toml"]).code, 0);
    assert_eq!(run(&rig, &["check", "--config", "apkvet.toml"]).code, 0);
    drop(tree);
    assert_eq!(run(&rig, &["sync", "--config", "apkvet.toml", "--wait"]).code, 0);
}

#[test]
fn clients_are_told_what_to_write_and_which_key_to_install() {
    let rig = rig();
    assert_eq!(sync(&rig).code, 0);
    let ran = run(&rig, &["status", "--config", "apkvet.toml", "--client", "--url", "https://apk.example/"]);
    let expected = "# /etc/apk/repositories\nhttps://apk.example/v3.17/main\n\
                    # /etc/apk/keys/mirror.rsa.pub is https://apk.example/keys/mirror.rsa.pub\n";
    assert_eq!(ran.out, expected);
    let status = run(&rig, &["status", "--to", "srv", "--json"]).json();
    let record = of_type(&status, "status")[0];
    assert_eq!(
        (&record["generation"], &record["packages"], &record["stale"]),
        (&1.into(), &2.into(), &false.into())
    );
    assert_eq!(record["indexes"][0]["repository"], "v3.17/main");
}

fn flip(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    mode(0o644);
    // In place, as a disk does it: all names of the file change.
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    mode(0o444);
}

#[test]
fn a_check_finds_bit_rot_and_repairs_it() {
    let rig = rig();
    assert_eq!(sync(&rig).code, 0);
    let healthy = super::rig::published(&rig.path("srv"));
    let check = |more: &[&str]| run(&rig, &[&["check", "--config", "apkvet.toml"], more].concat());
    assert_eq!(
        check(&[]).out,
        "1 index and 2 packages (2.2 KiB) hold, 0 errors, 0 warnings\n".replace("2.2 KiB", &size(&rig))
    );
    for file in ["tool-1.0-r0.apk", "APKINDEX.tar.gz"] {
        let path = rig.path("srv/current/v3.17/main/x86_64").join(file);
        flip(&path.canonicalize().unwrap());
        let ran = check(&[]);
        assert_eq!(ran.code, 1, "{file}: {}", ran.out);
        let repaired = check(&["--repair"]);
        assert_eq!(repaired.code, 0, "{file}: {} {}", repaired.out, repaired.err);
        assert_eq!(super::rig::published(&rig.path("srv")), healthy, "{file}");
        assert_eq!(check(&[]).code, 0);
    }
}

/// The size of both packages as it is printed.
fn size(rig: &Rig) -> String {
    let of = |file: &str| rig.path("upstream/x86_64").join(file).metadata().unwrap().len();
    let bytes = of("tool-1.0-r0.apk") + of("lib-1.2-r0.apk");
    format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024)
}

#[test]
fn a_check_finds_what_is_missing_and_what_nobody_published() {
    let rig = rig();
    assert_eq!(sync(&rig).code, 0);
    let folder = rig.path("srv/current/v3.17/main/x86_64").canonicalize().unwrap();
    std::fs::remove_file(folder.join("lib-1.2-r0.apk")).unwrap();
    std::fs::write(folder.join("evil-1-r0.apk"), "x").unwrap();
    let ran = run(&rig, &["check", "--config", "apkvet.toml", "--json"]);
    let lines = ran.json();
    let ids: Vec<&str> = of_type(&lines, "finding").iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ran.code, 1);
    assert!(ids.contains(&"missing") && ids.contains(&"foreign") && ids.contains(&"unlisted"), "{ids:?}");
}

#[test]
fn a_pipe_in_the_place_of_a_package_is_named_and_not_waited_for() {
    let rig = rig();
    let package = rig.path("upstream/x86_64/lib-1.2-r0.apk");
    std::fs::remove_file(&package).unwrap();
    let mode = rustix::fs::Mode::from_bits_retain(0o644);
    rustix::fs::mkfifoat(rustix::fs::CWD, &package, mode).unwrap();
    let ran = run(&rig, &["check", "upstream", "--key", "FAKE-apkvet-test-a.rsa.pub"]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("[not-a-file]"), "{} {}", ran.out, ran.err);
}

#[test]
fn a_directory_that_another_tool_made_is_checked_by_keys_alone() {
    let rig = rig();
    let check = |key: &str| run(&rig, &["check", "upstream", "--key", key]);
    let good = check("FAKE-apkvet-test-a.rsa.pub");
    assert_eq!(good.code, 0);
    let starved = ["mirror", "check", "upstream", "-j", "4", "--key", "FAKE-apkvet-test-a.rsa.pub"];
    let starved = apkvet_on_one_thread(rig.directory.path(), &starved);
    let counted = |ran: &Ran| ran.out.split(" in ").next().map(str::to_owned);
    assert_eq!((starved.code, counted(&starved)), (0, counted(&good)), "{}", starved.err);
    let other = check("FAKE-apkvet-test-b.rsa.pub");
    assert_eq!(other.code, 1, "{}", other.out);
    std::fs::remove_file(rig.path("upstream/x86_64/lib-1.2-r0.apk")).unwrap();
    let missing = check("FAKE-apkvet-test-a.rsa.pub");
    assert!(missing.code == 1 && missing.out.contains("[missing]"), "{}", missing.out);
}

#[test]
fn pruning_says_what_it_would_delete_and_deletes_it_after_the_grace_period() {
    let rig = rig();
    assert_eq!(sync(&rig).code, 0);
    first().next(&[package("tool", "1.1-r0", &[])]).write(&rig.path("upstream"));
    assert_eq!(sync(&rig).code, 0);
    let prune = |more: &[&str]| run(&rig, &[&["prune", "--to", "srv", "--grace", "0s"], more].concat());
    let before = listing(&rig.path("srv"));
    let dry = prune(&["--dry-run"]);
    assert!(dry.out.contains("gens/1") && dry.out.contains("would be deleted"), "{}", dry.out);
    assert_eq!(listing(&rig.path("srv")), before);
    assert_eq!(run(&rig, &["prune", "--config", "apkvet.toml"]).out, "0 things deleted, 0 B free\n");
    let pruned = prune(&[]);
    assert_eq!(pruned.code, 0, "{} {}", pruned.out, pruned.err);
    assert!(!rig.path("srv/gens/1").exists() && rig.path("srv/gens/2").exists());
    assert_eq!(run(&rig, &["check", "--config", "apkvet.toml"]).code, 0);
}

#[test]
fn what_the_readme_tries_works_from_any_folder_and_a_second_time() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("fixtures/mirror.toml")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let to = format!("to = {:?}", directory.path().join("srv"));
    let text = text.replace("to = \"../target/mirror\"", &to);
    let text = ["repository", "test-keys"].iter().fold(text, |text, name| {
        text.replace(&format!("\"{name}"), &format!("\"{}", root.join("fixtures").join(name).display()))
    });
    std::fs::write(directory.path().join("mirror.toml"), text).unwrap();
    for expected in ["published as generation 1", "nothing new: still generation 1"] {
        let ran = apkvet(directory.path(), &["mirror", "sync", "--config", "mirror.toml"]);
        assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
        assert!(ran.out.contains(expected), "{}", ran.out);
    }
}
