use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use apkvet::publish::{DiskStore, Durability, Store};

use crate::harness::store::{NOTHING, Seen, fsck, run, spare, steps};
use crate::harness::trace::{CHANGES, FATES, calls_of_one, copy, traced};

/// Names the directory in which another process is to publish the second step.
const PUBLISH_AT: &str = "APKVET_TEST_SECOND_STEP_AT";

fn store(root: &Path) -> Arc<dyn Store> {
    Arc::new(DiskStore::open(root, Durability::EachFile).unwrap())
}

#[test]
fn a_process_that_publishes_where_it_is_told() {
    if let Some(root) = std::env::var_os(PUBLISH_AT) {
        run(store(Path::new(&root)), &steps()[1]).unwrap();
    }
}

/// The second step in a process of its own.
fn second_step(root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "publish::kill::a_process_that_publishes_where_it_is_told", "--nocapture"]);
    command.env(PUBLISH_AT, root);
    command
}

/// Interrupts a process at every n-th of its system calls, looks, and runs the step again.
fn interrupt_every(nth: usize) {
    let base = tempfile::tempdir().unwrap();
    run(store(base.path()), &steps()[0]).unwrap();
    let mut seen = Seen::default();
    seen.look(&*store(base.path()), 1);
    let trial = copy(base.path());
    let Some(calls) = calls_of_one(&second_step(trial.path()), CHANGES) else {
        eprintln!("SKIPPED: no strace that can trace here: nobody was killed at a system call");
        return;
    };
    let points: Vec<(&String, usize)> =
        calls.iter().flat_map(|(name, count)| (1..=*count).map(move |at| (name, at))).collect();
    eprintln!("{} system calls that change something: {calls:?}; every {nth}. is interrupted", points.len());
    assert!(points.len() > 100, "{calls:?}");
    for (name, at) in points.iter().step_by(nth) {
        for fate in FATES {
            let root = copy(base.path());
            let ended_well =
                traced(&second_step(root.path()), &["-f", "-e", &format!("inject={name}:{fate}:when={at}")]);
            let point = format!("{name} number {at}, {fate}");
            assert!(!ended_well || fate != "signal=KILL", "{point}: nobody was killed");
            whole(root.path(), &seen, &point);
        }
    }
}

fn whole(root: &Path, seen: &Seen, point: &str) {
    let store = store(root);
    fsck(&store, &steps()[1], seen).unwrap_or_else(|error| panic!("{point}: {error}"));
    run(Arc::clone(&store), &steps()[1]).unwrap_or_else(|error| panic!("{point}: {error}"));
    assert_eq!(fsck(&store, &steps()[1], seen), Ok(2), "{point}");
    assert_eq!(spare(&store), NOTHING, "{point}");
    let left: Vec<PathBuf> =
        fs::read_dir(root.join("spool")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{point}: {left:?}");
}

#[test]
fn a_process_that_is_killed_or_refused_something_at_some_system_call_leaves_a_whole_state() {
    interrupt_every(23);
}

#[test]
#[ignore = "takes minutes; `just crash` runs it"]
fn a_process_that_is_killed_or_refused_something_at_any_system_call_leaves_a_whole_state() {
    interrupt_every(1);
}
