//! `apkvet mirror snapshot`: what is published today, under a name that stays.

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use super::args::WaitArgs;
use super::record::{counted, size};
use super::status::when;
use super::target::TargetArgs;
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::mirror::{SnapshotStatus, snapshots};
use crate::publish::{Origin, PublishError, SnapshotHead, SnapshotName};

/// Keeps what is published under a name that stays: current/snapshots/NAME/…, immutable, in hard links
#[derive(Args, Debug)]
pub(super) struct SnapshotArgs {
    /// What it shall be called: letters, digits and ._+-
    #[arg(value_parser = name, required_unless_present_any = ["list", "remove"])]
    name: Option<SnapshotName>,
    /// Show what there is
    #[arg(long, conflicts_with_all = ["name", "remove"])]
    list: bool,
    /// Remove one (repeatable)
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with = "name")]
    remove: Vec<SnapshotName>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// One `snapshot` line.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    change: Option<&'static str>,
    name: &'a str,
    generation: u64,
    created: u64,
    packages: usize,
    bytes: u64,
    by_rule: bool,
    tree: &'a str,
}

/// The last JSON line.
#[derive(Default, Serialize)]
struct Summary {
    snapshots: usize,
    made: usize,
    removed: usize,
    exit: u8,
}

pub(super) fn run(args: &SnapshotArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.list {
        return list(args, output);
    }
    let tree = args.target.target()?.open(args.wait)?;
    let mut summary = Summary::default();
    for name in &args.remove {
        let about = tree.remove_snapshot(name).map_err(of_snapshot)?;
        summary.removed += 1;
        print(output, "removed", &about)?;
    }
    if let Some(name) = &args.name {
        let snapshot = tree.make_snapshot(name, now(), Origin::Asked).map_err(of_snapshot)?;
        summary.made += 1;
        print(output, "made", snapshot.about())?;
    }
    if output.is_json() {
        let snapshots = tree.as_look().snapshots().map_err(Failure::of_publish)?.len();
        output.record("summary", &Summary { snapshots, ..summary })?;
    }
    Ok(Exit::Holds)
}

fn list(args: &SnapshotArgs, output: &mut Output) -> Result<Exit, Failure> {
    let look = args.target.target()?.look()?;
    let all = snapshots(&look).map_err(|finding| Failure::local(anyhow!("{finding}")))?;
    for one in &all {
        if output.is_json() {
            output.record("snapshot", &record(None, one))?;
        } else {
            output.line(&line(one))?;
        }
    }
    if output.is_json() {
        output.record("summary", &Summary { snapshots: all.len(), ..Summary::default() })?;
    } else if all.is_empty() && !output.is_quiet() {
        output.line("no snapshots")?;
    }
    Ok(Exit::Holds)
}

/// A snapshot in one line of words.
pub(super) fn line(one: &SnapshotStatus) -> String {
    let SnapshotStatus { name, generation, created, packages, bytes, by_rule, .. } = one;
    let rule = if *by_rule { ", by rule" } else { "" };
    let packages = counted(*packages, "package");
    format!(
        "snapshots/{name}  {packages} ({}) of generation {generation}, made {}{rule}",
        size(*bytes),
        when(*created)
    )
}

/// A snapshot as JSON.
pub(super) fn record<'a>(change: Option<&'static str>, one: &'a SnapshotStatus) -> Record<'a> {
    let SnapshotStatus { generation, created, packages, bytes, by_rule, .. } = *one;
    let (name, tree) = (one.name.as_str(), one.tree.as_str());
    Record { change, name, generation, created, packages, bytes, by_rule, tree }
}

fn print(output: &mut Output, change: &'static str, about: &SnapshotHead) -> Result<(), Failure> {
    let one = SnapshotStatus::of(about);
    if output.is_json() {
        return Ok(output.record("snapshot", &record(Some(change), &one))?);
    }
    if output.is_quiet() {
        return Ok(());
    }
    let text = output.paint(Style::Good, &format!("{change}  {}", line(&one)));
    Ok(output.line(&text)?)
}

/// What is there already, or is not there, is wrong usage; nothing has changed.
fn of_snapshot(error: PublishError) -> Failure {
    match error {
        PublishError::SnapshotExists { .. }
        | PublishError::NoSnapshot { .. }
        | PublishError::NothingPublished => Failure::usage(error),
        error => Failure::of_publish(error),
    }
}

fn name(text: &str) -> Result<SnapshotName, String> {
    SnapshotName::parse(text).map_err(|error| error.to_string())
}
