use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use apkvet_fixtures::FakeKey;

use super::rig::{Rig, Upstream, files_in, package, published};
use crate::harness::apkvet;
use crate::harness::trace::{CHANGES, FATES, calls_of_one, copy, traced};

/// And those by which a command changes documents outside of the mirror.
const DOCUMENTS: &[&str] = &["openat", "rename", "unlink", "write"];

/// One command, from the directory of the mirror.
struct Case {
    arguments: &'static [&'static str],
    /// What it says when a run before has done it already.
    done: &'static [i32],
}

const CASES: &[Case] = &[
    Case { arguments: &["snapshot", "new"], done: &[0, 2] },
    Case { arguments: &["snapshot", "--remove", "old"], done: &[0, 2] },
    Case { arguments: &["rollback", "1"], done: &[0] },
    Case { arguments: &["lock", "-o", "apkvet.lock"], done: &[0] },
    Case { arguments: &["prune", "--grace", "0s", "--allow-shrink"], done: &[0] },
    Case { arguments: &["import", "day.bundle"], done: &[0] },
];

fn whole(case: &Case) -> Vec<&'static str> {
    let mut arguments = vec!["mirror"];
    arguments.extend(case.arguments);
    // `prune` takes a time of its own beside the root, and no configuration then.
    let of_root = case.arguments.contains(&"--grace");
    arguments.extend(if of_root { ["--to", "srv"] } else { ["--config", "apkvet.toml"] });
    arguments
}

fn command(directory: &Path, case: &Case) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apkvet"));
    command.args(whole(case)).current_dir(directory).env_remove("APKVET_AUTH");
    command
}

/// Everything that clients can fetch, snapshots too, and the lock file.
fn seen(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = published(&directory.join("srv"));
    for name in ["old", "new"] {
        let link = directory.join("links").join(name);
        let _ = fs::create_dir_all(&link);
        let _ = std::os::unix::fs::symlink(directory.join("srv/snapshots").join(name), link.join("current"));
        files.extend(published(&link).into_iter().map(|(path, bytes)| (format!("{name}:{path}"), bytes)));
    }
    if let Ok(lock) = fs::read(directory.join("apkvet.lock")) {
        files.insert("apkvet.lock".to_owned(), lock);
    }
    let _ = fs::remove_dir_all(directory.join("links"));
    files
}

/// A mirror of two generations and a snapshot, with a bundle of a third that it has not seen.
fn base() -> Rig {
    let rig = Rig::subset("\"*\"");
    let first = Upstream::of(&[package("tool", "1.0-r0", &[]), package("lib", "1.0-r0", &[])]);
    first.write(&rig.path("upstream"));
    rig.sync().unwrap();
    fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    let run = |directory: &Path, arguments: &[&str]| {
        let ran = apkvet(directory, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {} {}", ran.out, ran.err);
    };
    run(rig.directory.path(), &["mirror", "snapshot", "old", "--to", "srv"]);
    let second = first.next(&[package("tool", "1.1-r0", &[]), package("lib", "1.0-r0", &[])]);
    second.write(&rig.path("upstream"));
    rig.sync().unwrap();
    // Another mirror has gone on, and signs by the same key; its index is trusted here.
    let other = Rig::subset("\"*\"");
    second.next(&[package("tool", "1.2-r0", &[])]).write(&other.path("upstream"));
    other.sync().unwrap();
    run(other.directory.path(), &["mirror", "export", "day.bundle", "--to", "srv"]);
    fs::copy(other.path("day.bundle"), rig.path("day.bundle")).unwrap();
    fs::write(rig.path("mirror.rsa.pub"), FakeKey::mirror().public_pem()).unwrap();
    let keys = format!("keys = [\"{}\", \"mirror.rsa.pub\"]\n", FakeKey::a().name());
    let rig = Rig { lines: format!("{}{keys}", rig.lines), ..rig };
    fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    rig
}

/// Interrupts each command at every n-th of its system calls, looks, and runs it again.
fn interrupt_every(nth: usize) {
    let (base, changes) = (base(), [CHANGES, DOCUMENTS].concat());
    for case in CASES {
        let trial = copy(base.directory.path());
        let Some(calls) = calls_of_one(&command(trial.path(), case), &changes) else {
            eprintln!("SKIPPED: no strace that can trace here: nobody was killed at a system call");
            return;
        };
        let older = seen(base.directory.path());
        let ended = copy(base.directory.path());
        let ran = apkvet(ended.path(), &whole(case));
        assert_eq!(ran.code, 0, "{:?}: {} {}", case.arguments, ran.out, ran.err);
        let newer = seen(ended.path());
        let points: Vec<(&String, usize)> =
            calls.iter().flat_map(|(name, count)| (1..=*count).map(move |at| (name, at))).collect();
        eprintln!("{:?}: {} system calls, every {nth}. is interrupted", case.arguments, points.len());
        for (number, (name, at)) in points.iter().step_by(nth).enumerate() {
            for fate in FATES.iter().skip(number % 3).take(if nth == 1 { 3 } else { 1 }) {
                let directory = copy(base.directory.path());
                let inject = format!("inject={name}:{fate}:when={at}");
                traced(&command(directory.path(), case), &["-f", "-e", &inject]);
                let point = format!("{:?}, {name} number {at}, {fate}", case.arguments);
                let found = seen(directory.path());
                assert!(found == older || found == newer, "{point}: {:?}", found.keys());
                let again = apkvet(directory.path(), &whole(case));
                assert!(case.done.contains(&again.code), "{point}: {} {}", again.out, again.err);
                let found = seen(directory.path());
                assert!(found == newer, "{point}: {:?}", found.keys());
                assert_eq!(files_in(&directory.path().join("srv/spool")), 0, "{point}");
            }
        }
    }
}

#[test]
fn a_command_that_is_killed_or_refused_something_at_some_system_call_leaves_a_whole_state() {
    interrupt_every(41);
}

#[test]
#[ignore = "takes minutes; `just crash` runs it"]
fn a_command_that_is_killed_or_refused_something_at_any_system_call_leaves_a_whole_state() {
    interrupt_every(1);
}
