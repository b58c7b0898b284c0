//! The operator's program that is called after a run: without a shell, with words that are ours alone.

use std::io::Write;
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::record::FindingRecord;
use crate::cli::output::Output;
use crate::mirror::{Finding, MirrorSettings, Severity};
use crate::types::escape_all;

/// How long the program may take; a mirror does not wait for a pager.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether it is done.
const GLANCE: Duration = Duration::from_millis(20);

/// What happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Event {
    /// A new generation is served.
    Published,
    /// The run was refused, or failed.
    Refused,
    /// Upstream signs with a key that is not trusted here.
    NewKeys,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Refused => "refused",
            Self::NewKeys => "new-keys",
        }
    }

    /// What a run came to; nothing happened if nothing changed.
    pub(super) fn of(published: bool, findings: &[Finding]) -> Vec<Self> {
        let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
        let outcome = if failed { Some(Self::Refused) } else { published.then_some(Self::Published) };
        let new_keys = findings.iter().any(|finding| NEW_KEYS.contains(&finding.code));
        outcome.into_iter().chain(new_keys.then_some(Self::NewKeys)).collect()
    }
}

/// Codes that say: signed, and by somebody else than before.
const NEW_KEYS: [&str; 3] = ["untrusted", "key-known", "key-replaced"];

/// What the program reads on its standard input.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    event: &'static str,
    to: String,
    generation: Option<u64>,
    findings: Vec<FindingRecord<'a>>,
}

/// Calls the program for each event; what goes wrong with it is a warning and changes nothing.
pub(super) fn call(
    settings: &MirrorSettings,
    events: &[Event],
    generation: Option<u64>,
    findings: &[Finding],
    output: &mut Output,
) {
    let Some((program, arguments)) = settings.hook.split_first() else { return };
    for event in events {
        let report = Report {
            schema: "apkvet/1",
            kind: "hook",
            event: event.name(),
            to: settings.to.to_string_lossy().into_owned(),
            generation,
            findings: findings.iter().map(FindingRecord::of).collect(),
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(event.name())
            .env("APKVET_EVENT", event.name())
            .env("APKVET_TO", &settings.to);
        if let Some(generation) = generation {
            command.env("APKVET_GENERATION", generation.to_string());
        }
        if let Err(why) = run(command, &report, PATIENCE, thread::Builder::new()) {
            output.warning(&format!("the hook {} for `{}`: {why}", escape_all(program), event.name()));
        }
    }
}

/// Calls the program, which a thread made by `teller` hands the report.
fn run(
    mut command: Command,
    report: &Report<'_>,
    patience: Duration,
    teller: thread::Builder,
) -> Result<(), String> {
    // What it prints is for people, and standard output is ours.
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let mut text = serde_json::to_vec(report).map_err(|error| error.to_string())?;
    text.push(b'\n');
    // A thread of its own: a program that reads nothing must not hold the run. It is there before the program is called, so
    // that no program runs without word of what happened.
    let (hand, handed) = std::sync::mpsc::sync_channel::<ChildStdin>(1);
    let writer = teller
        .spawn(move || handed.recv().map(|mut stdin| stdin.write_all(&text)))
        .map_err(|error| format!("is not called, for nobody could hand it the report: {error}"))?;
    let mut child = command.spawn().map_err(|error| format!("cannot be called: {error}"))?;
    if let Some(stdin) = child.stdin.take() {
        let _ = hand.send(stdin);
    }
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < patience => thread::sleep(GLANCE),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("was not done after {} s and is ended", patience.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    // Whether it read the report is its own business, and whatever it has left running may never read it.
    drop(writer);
    if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::Class;

    fn report() -> Report<'static> {
        Report {
            schema: "apkvet/1",
            kind: "hook",
            event: "published",
            to: "srv".to_owned(),
            generation: Some(3),
            findings: Vec::new(),
        }
    }

    #[test]
    fn nothing_new_calls_nobody() {
        assert!(Event::of(false, &[]).is_empty());
        assert_eq!(Event::of(true, &[]), [Event::Published]);
        assert_eq!(Event::of(true, &[Finding::warning("prune", "later")]), [Event::Published]);
    }

    #[test]
    fn a_refusal_and_a_key_that_nobody_trusts_are_told_apart() {
        let refused = |code| [Finding::error(Class::Refused, code, "no")];
        assert_eq!(Event::of(false, &refused("rollback")), [Event::Refused]);
        for code in NEW_KEYS {
            assert_eq!(Event::of(false, &refused(code)), [Event::Refused, Event::NewKeys]);
        }
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let why = run(command, &report(), Duration::from_millis(50), thread::Builder::new()).unwrap_err();
        assert!(why.contains("not done"), "{why}");
    }

    #[test]
    fn a_program_that_nobody_could_tell_is_not_called() {
        let directory = tempfile::tempdir().unwrap();
        let called = directory.path().join("called");
        let touch = || {
            let mut command = Command::new("touch");
            command.arg(&called);
            command
        };
        // None has room for such a stack.
        let teller = thread::Builder::new().stack_size(1 << 60);
        let why = run(touch(), &report(), PATIENCE, teller).unwrap_err();
        assert!(why.contains("is not called"), "{why}");
        assert!(!called.exists());
        run(touch(), &report(), PATIENCE, thread::Builder::new()).unwrap();
        assert!(called.exists());
    }

    #[test]
    fn a_program_that_reads_nothing_holds_nobody_up_and_a_failure_is_told() {
        run(Command::new("true"), &report(), PATIENCE, thread::Builder::new()).unwrap();
        assert!(
            run(Command::new("false"), &report(), PATIENCE, thread::Builder::new())
                .unwrap_err()
                .contains("ended with")
        );
        assert!(
            run(Command::new("apkvet-no-such-program"), &report(), PATIENCE, thread::Builder::new()).is_err()
        );
    }
}
