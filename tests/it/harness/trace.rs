//! Processes under `strace`: which system calls they make, and what becomes of them when one is refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::bounded;

/// Every system call by which publishing changes something.
pub(crate) const CHANGES: &[&str] = &[
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

/// What becomes of a system call.
pub(crate) const FATES: [&str; 3] = ["signal=KILL", "error=EIO", "error=ENOSPC"];

/// How often a thread makes each system call.
pub(crate) type Calls = BTreeMap<String, usize>;

/// Runs a command under strace with these arguments; whether it ended well.
pub(crate) fn traced(command: &Command, arguments: &[&str]) -> bool {
    let mut strace = Command::new("strace");
    strace.arg("-qq").args(arguments).arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        strace.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    match bounded::status(&mut strace) {
        Ok(Ok(status)) => status.success(),
        Err(_) => false,
        Ok(Err(hung)) if hung.threads.iter().all(|thread| is_held_by_strace(thread)) => {
            // It was killed, and nothing else was asked for.
            eprintln!("strace did not come back from {command:?} {arguments:?}: {:#?}", hung.threads);
            false
        }
        Ok(Err(hung)) => panic!("{command:?} hangs with {arguments:?}: {:#?}", hung.threads),
    }
}

/// Whether a thread is strace's own, or waits for nothing but strace.
fn is_held_by_strace(thread: &str) -> bool {
    let state = thread.split_once(": ").map_or("", |(_, state)| state);
    thread.starts_with("strace: ") || state.starts_with(['t', 'T', 'Z', 'X'])
}

/// The calls of each thread, in the order in which threads make their first one; none where nobody can be traced.
pub(crate) fn calls(command: &Command, names: &[&str]) -> Option<Vec<Calls>> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = format!("trace={}", names.join(","));
    if !traced(command, &["-f", "-e", &trace, "-o", log.path().to_str().unwrap()]) {
        return None;
    }
    let mut threads: Vec<(String, Calls)> = Vec::new();
    for line in std::fs::read_to_string(log.path()).unwrap().lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let name = call.trim_start().split('(').next().unwrap();
        if !names.contains(&name) {
            continue;
        }
        if !threads.iter().any(|(known, _)| known == thread) {
            threads.push((thread.to_owned(), Calls::new()));
        }
        let calls = threads.iter_mut().find(|(known, _)| known == thread).unwrap();
        *calls.1.entry(name.to_owned()).or_default() += 1;
    }
    Some(threads.into_iter().map(|(_, calls)| calls).collect())
}

/// The calls of the thread that makes most of them.
pub(crate) fn calls_of_one(command: &Command, names: &[&str]) -> Option<Calls> {
    calls(command, names)?.into_iter().max_by_key(|calls| calls.values().sum::<usize>())
}

/// A copy of a folder as it is, links and times too.
pub(crate) fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    assert!(Command::new("cp").arg("-a").arg(from.join(".")).arg(to.path()).status().unwrap().success());
    to
}
