//! `apkvet mirror prune`: deletes what nothing needs any more.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use super::args::WaitArgs;
use super::record::{counted, size};
use super::roots::roots;
use super::settings::{Make, of_file, store};
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::mirror::{MirrorSettings, parse_time};
use crate::publish::{Floor, Kept, Prune, PruneMode, Pruned, StorePath, Tree, kept, prune};

/// Deletes old generations, and files that nothing names any more, after the grace period
#[derive(Args, Debug)]
pub(super) struct PruneArgs {
    /// The configuration of the mirror
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "grace"])]
    config: Option<PathBuf>,
    /// The root of the tree
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// For how long what nothing names is kept [default: 7d]
    #[arg(long, value_name = "TIME", value_parser = time)]
    grace: Option<Duration>,
    /// Only say what would be deleted, and why; with -v also what stays, and what keeps it
    #[arg(long)]
    dry_run: bool,
    /// Delete however much it is
    #[arg(long)]
    allow_shrink: bool,
    #[command(flatten)]
    wait: WaitArgs,
}

/// One `pruned` line.
#[derive(Serialize)]
struct Record<'a> {
    path: &'a str,
    size: u64,
    was: Option<&'a str>,
    why: &'a str,
    message: String,
}

/// One `kept` line.
#[derive(Serialize)]
struct KeptRecord<'a> {
    path: &'a str,
    size: u64,
    by: &'a [String],
}

/// The last JSON line.
#[derive(Serialize)]
struct Summary {
    pruned: usize,
    bytes: u64,
    dry_run: bool,
    exit: u8,
}

pub(super) fn run(args: &PruneArgs, output: &mut Output) -> Result<Exit, Failure> {
    let settings = match (&args.config, &args.to) {
        (Some(path), _) => of_file(path)?.mirror().clone(),
        (None, Some(to)) => MirrorSettings::new(to.clone()),
        (None, None) => return Err(Failure::usage(anyhow!("expected --config FILE or --to DIR"))),
    };
    let tree =
        Tree::open(store(&settings.to, Make::Nothing)?, args.wait.wait()).map_err(Failure::of_publish)?;
    let roots = roots(&settings)?;
    let rules = Prune {
        grace: args.grace.unwrap_or(settings.grace),
        now: now(),
        floor: if args.allow_shrink { Floor::None } else { Floor::Percent(settings.shrink_percent) },
        roots: &roots,
    };
    let mode = if args.dry_run { PruneMode::DryRun } else { PruneMode::Remove };
    if args.dry_run && output.verbosity() > 0 {
        print_kept(&kept(&tree, &rules).map_err(Failure::of_publish)?, output)?;
    }
    let pruned = prune(&tree, &rules, mode).map_err(Failure::of_publish)?;
    print(args.dry_run, &pruned, output)?;
    Ok(Exit::Holds)
}

fn print_kept(kept: &[Kept], output: &mut Output) -> Result<(), Failure> {
    for one in kept {
        let by: Vec<String> = one.by.iter().map(ToString::to_string).collect();
        if output.is_json() {
            output.record("kept", &KeptRecord { path: one.path.as_str(), size: one.size, by: &by })?;
            continue;
        }
        let (first, more) = (by.iter().take(SHOWN), by.len().saturating_sub(SHOWN));
        let mut text = first.cloned().collect::<Vec<_>>().join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        output.line(&format!("stays  {}  {}  {text}", one.path, size(one.size)))?;
    }
    Ok(())
}

/// So many keepers are named in words.
const SHOWN: usize = 4;

fn print(dry_run: bool, pruned: &[Pruned], output: &mut Output) -> Result<(), Failure> {
    for one in pruned {
        if output.is_json() {
            let (path, why) = (one.path.as_str(), one.why.code());
            let was = one.was.as_ref().map(StorePath::as_str);
            let record = Record { path, size: one.size, was, why, message: one.why.to_string() };
            output.record("pruned", &record)?;
        } else if !output.is_quiet() {
            let was = one.was.as_ref().map_or_else(String::new, |was| format!(" (was {was})"));
            output.line(&format!("{}{was}  {}  {}", one.path, size(one.size), one.why))?;
        }
    }
    let bytes = pruned.iter().fold(0_u64, |sum, one| sum.saturating_add(one.size));
    if output.is_json() {
        let summary = Summary { pruned: pruned.len(), bytes, dry_run, exit: Exit::Holds.code() };
        output.record("summary", &summary)?;
    } else if !output.is_quiet() {
        let what = if dry_run { "would be deleted" } else { "deleted" };
        output.line(&format!("{} {what}, {} free", counted(pruned.len(), "thing"), size(bytes)))?;
    }
    Ok(())
}

fn time(text: &str) -> Result<Duration, String> {
    parse_time(text).map_err(|problem| problem.to_string())
}
