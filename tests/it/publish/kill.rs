use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use apkvet::publish::{DiskStore, Durability, Store};

use crate::harness::store::{NOTHING, Seen, fsck, run, spare, steps};

/// Every system call by which a run changes something.
const CHANGES: &[&str] = &[
    "openat2",
    "mkdirat",
    "linkat",
    "symlinkat",
    "renameat2",
    "renameat",
    "unlinkat",
    "pwrite64",
    "ftruncate",
    "fchmod",
    "utimensat",
    "fsync",
    "syncfs",
];

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

/// Runs the second step in a process of its own, under strace with these arguments; whether it ended well.
fn traced(root: &Path, arguments: &[&str]) -> bool {
    let status = Command::new("strace")
        .args(["-f", "-qq"])
        .args(arguments)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "publish::kill::a_process_that_publishes_where_it_is_told", "--nocapture"])
        .env(PUBLISH_AT, root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    assert!(Command::new("cp").arg("-a").arg(from.join(".")).arg(to.path()).status().unwrap().success());
    to
}

/// How often each system call is made by the thread that publishes.
fn count(base: &Path) -> Option<BTreeMap<String, usize>> {
    let (root, log) = (copy(base), tempfile::NamedTempFile::new().unwrap());
    let trace = format!("trace={}", CHANGES.join(","));
    if !traced(root.path(), &["-e", &trace, "-o", log.path().to_str().unwrap()]) {
        return None;
    }
    let mut threads: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for line in fs::read_to_string(log.path()).unwrap().lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let name = call.trim_start().split('(').next().unwrap();
        if CHANGES.contains(&name) {
            *threads.entry(thread.to_owned()).or_default().entry(name.to_owned()).or_default() += 1;
        }
    }
    threads.into_values().max_by_key(|calls| calls.values().sum::<usize>())
}

/// Interrupts a process at every n-th of its system calls, looks, and runs the step again.
fn interrupt_every(nth: usize) {
    let base = tempfile::tempdir().unwrap();
    run(store(base.path()), &steps()[0]).unwrap();
    let mut seen = Seen::default();
    seen.look(&*store(base.path()), 1);
    let Some(calls) = count(base.path()) else {
        eprintln!("SKIPPED: no strace that can trace here: nobody was killed at a system call");
        return;
    };
    let points: Vec<(&String, usize)> =
        calls.iter().flat_map(|(name, count)| (1..=*count).map(move |at| (name, at))).collect();
    eprintln!("{} system calls that change something: {calls:?}; every {nth}. is interrupted", points.len());
    assert!(points.len() > 100, "{calls:?}");
    for (name, at) in points.iter().step_by(nth) {
        for fate in ["signal=KILL", "error=EIO", "error=ENOSPC"] {
            let root = copy(base.path());
            let ended_well = traced(root.path(), &["-e", &format!("inject={name}:{fate}:when={at}")]);
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
