//! Processes that must come to an end: one that hangs fails its test by name instead of stopping all of them.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a process may take: many times what the slowest takes on a busy machine.
const LONGEST: Duration = Duration::from_secs(300);

/// Runs a process to its end and returns what it has said.
pub(crate) fn output(command: &mut Command) -> Output {
    let told = format!("{command:?}");
    finished(started(command), &told)
}

/// Starts a process, for [`finished`], which returns what it has said.
pub(crate) fn started(command: &mut Command) -> Child {
    process(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs a process to its end; it says what it says to nobody. None if it has no end, and why.
#[cfg(feature = "network")]
pub(crate) fn status(command: &mut Command) -> std::io::Result<Result<ExitStatus, Hung>> {
    let child = process(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok(ended(child).map(|output| output.status))
}

/// A process that did not end, and was killed.
#[derive(Debug)]
pub(crate) struct Hung {
    /// The threads of its group: name, state, and what each waits for.
    pub(crate) threads: Vec<String>,
}

/// With nothing to read, and in a group of its own, which ends whole.
pub(crate) fn process(command: &mut Command) -> &mut Command {
    std::os::unix::process::CommandExt::process_group(command.stdin(Stdio::null()), 0)
}

/// Waits for a process that [`process`] has prepared.
pub(crate) fn finished(child: Child, told: &str) -> Output {
    ended(child).unwrap_or_else(|hung| {
        panic!(
            "it did not end in {} s, and was killed: {told}\n{}",
            LONGEST.as_secs(),
            hung.threads.join("\n")
        )
    })
}

fn ended(child: Child) -> Result<Output, Hung> {
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let (done, waiting) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let watching = scope.spawn(move || {
            let hung = waiting.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout);
            hung.then(|| {
                let threads = threads(group);
                let _ = kill_process_group(group, Signal::KILL);
                Hung { threads }
            })
        });
        let output = child.wait_with_output().unwrap();
        drop(done);
        watching.join().unwrap().map_or(Ok(output), Err)
    })
}

/// What the threads of each process of a group do, as far as the system tells.
fn threads(group: Pid) -> Vec<String> {
    let of_group = group.as_raw_nonzero().to_string();
    let text = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut told = Vec::new();
    for process in entries(Path::new("/proc")) {
        // After the name in parentheses: state, parent, group.
        let stat = text(process.path().join("stat"));
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        if fields.split_whitespace().nth(2) != Some(&of_group) {
            continue;
        }
        for thread in entries(&process.path().join("task")) {
            let of = |name: &str| text(thread.path().join(name));
            let status = of("status");
            let state = status.lines().find_map(|line| line.strip_prefix("State:")).unwrap_or_default();
            let (name, wait, call) = (of("comm"), of("wchan"), of("syscall"));
            told.push(format!("{}: {}, waits in {wait}: {}", name.trim(), state.trim(), call.trim()));
        }
    }
    told
}
