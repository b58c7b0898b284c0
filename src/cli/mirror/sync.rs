//! `apkvet mirror sync`: brings a tree to what the configuration wants.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::args::{AllowedArgs, SourceArgs, WaitArgs};
use super::lock;
use super::plan::{self, Summary, refusal};
use super::progress::Bars;
use super::record::{counted, findings, size};
use super::roots::roots;
use super::settings::{Make, Settings};
use super::{hook, metrics, own_packages};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::cli::signals::Signals;
use crate::mirror::{Dated, Finding, LastRun, Mirror, Outcome, Severity, dated, status};
use crate::publish::{Floor, Prune, PruneMode, StorePath, Tree, prune};
use crate::sign::SigningKey;

/// Fetches, verifies and publishes what the configuration wants
#[derive(Args, Debug)]
pub(super) struct SyncArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    allowed: AllowedArgs,
    #[command(flatten)]
    wait: WaitArgs,
    /// Take exactly what this lock file says, or fail with what differs
    #[arg(long, value_name = "FILE")]
    locked: Option<PathBuf>,
    /// Only say what would be done, as `mirror plan` does
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &SyncArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut settings = Settings::load(&args.source, Some(&args.allowed), output)?;
    settings.allowed.locked = args.locked.as_deref().map(lock::of_file).transpose()?;
    if args.dry_run {
        return plan::show(&settings, false, output);
    }
    let signers = settings.signers()?;
    let tree = Tree::open(settings.store(Make::Root)?, args.wait.wait()).map_err(Failure::of_publish)?;
    if let Some(exit) = own_indexes(&settings, &tree, output)? {
        return Ok(exit);
    }
    whole(&settings, &tree, &signers, &BTreeSet::new(), output)
}

/// Makes the indexes of folders of one's own packages; how the run ends if one of them is refused.
pub(super) fn own_indexes(
    settings: &Settings,
    tree: &Tree,
    output: &mut Output,
) -> Result<Option<Exit>, Failure> {
    let refused = own_packages::index(settings, output)?;
    if refused.is_empty() {
        return Ok(None);
    }
    told(settings, tree, None, &refused, output);
    refusal(output, &refused).map(Some)
}

/// What is told of a run that a signal ended. Once everything is fetched, it is not ended any more.
const INTERRUPTED: &str = "interrupted: nothing is changed; what was published before is published still, and the next run begins anew";

/// One sync of an open tree, with its summary.
pub(super) fn whole(
    settings: &Settings,
    tree: &Tree,
    signers: &[Option<SigningKey>],
    broken: &BTreeSet<StorePath>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    run_with(settings, tree, signers, output, |mirror, signers| mirror.sync(tree, signers, broken))
}

/// What brings a tree forward: a sync, or an import.
pub(super) fn run_with(
    settings: &Settings,
    tree: &Tree,
    signers: &[Option<SigningKey>],
    output: &mut Output,
    run: impl FnOnce(&Mirror<'_>, &[Option<&SigningKey>]) -> Result<Outcome, Vec<Finding>>,
) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let signals = Signals::watch(settings.cancel.clone(), INTERRUPTED)?;
    let bars = Bars::new(output);
    let signers: Vec<Option<&SigningKey>> = signers.iter().map(Option::as_ref).collect();
    let synced = run(&settings.mirror(&bars), &signers);
    bars.finish();
    let synced = match synced {
        Ok(outcome) => outcome,
        Err(refused) => {
            // A run that was ended has no result: the last one stays what `status` tells.
            signals.check()?;
            told(settings, tree, None, &refused, output);
            return refusal(output, &refused);
        }
    };
    told(settings, tree, synced.generation.filter(|_| synced.published), &synced.findings, output);
    plan::print(output, &synced.plan)?;
    let exit = findings(output, &synced.findings)?;
    let exit = exit.worst(findings(output, &dated_snapshot(settings, tree, &synced))?);
    let (pruned, failed) = pruned(settings, tree);
    let exit = exit.worst(findings(output, &failed)?);
    let summary = Summary {
        pruned: Some(pruned),
        seconds: Some(begun.elapsed().as_secs_f64()),
        ..Summary::of(&synced).told(&synced.findings, exit)
    };
    finish(output, &synced, &summary)?;
    Ok(exit)
}

/// How the run ended: kept for `status`, left for Prometheus, and told to the hook.
///
/// A run that cannot tell has more to say than that: what fails here is a warning.
fn told(settings: &Settings, tree: &Tree, published: Option<u64>, findings: &[Finding], output: &mut Output) {
    let failed: Vec<Finding> =
        findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
    let run = LastRun::of(&failed, settings.now);
    if let Err(finding) = run.clone().write(tree) {
        output.warning(&format!("the result is not kept: {finding}"));
    }
    if let Some(path) = &settings.config.mirror().metrics {
        let status = status(tree.as_look(), Some(&settings.config), settings.now);
        let written = status
            .map_err(|finding| finding.to_string())
            .and_then(|status| metrics::write(path, &status, &run).map_err(|failure| failure.to_string()));
        if let Err(error) = written {
            output.warning(&format!("the figures are not written: {error}"));
        }
    }
    let events = hook::Event::of(published.is_some(), findings);
    hook::call(settings.config.mirror(), &events, published, findings, output);
}

/// Makes the snapshot of this day, week or month, as the configuration says, if something was published.
fn dated_snapshot(settings: &Settings, tree: &Tree, synced: &Outcome) -> Vec<Finding> {
    let Some(rule) = settings.config.mirror().snapshots.filter(|_| synced.published) else {
        return Vec::new();
    };
    match dated(tree, rule, settings.now) {
        Ok(Dated { made, removed }) => {
            let made = made.map(|name| Finding::info("snapshot", format!("made the snapshot {name}")));
            let gone = |name| Finding::info("snapshot", format!("removed the snapshot {name}"));
            made.into_iter().chain(removed.into_iter().map(gone)).collect()
        }
        // The tree is published all the same.
        Err(finding) => vec![Finding::warning("snapshot", format!("no snapshot is made: {finding}"))],
    }
}

/// Deletes what is over, never much at once.
fn pruned(settings: &Settings, tree: &Tree) -> (usize, Vec<Finding>) {
    let roots = match roots(settings.config.mirror()) {
        Ok(roots) => roots,
        Err(failure) => return (0, vec![Finding::warning("prune", format!("nothing is pruned: {failure}"))]),
    };
    let rules = Prune {
        grace: settings.config.mirror().grace,
        now: settings.now,
        floor: Floor::Percent(settings.config.mirror().shrink_percent),
        roots: &roots,
    };
    match prune(tree, &rules, PruneMode::Remove) {
        Ok(pruned) => (pruned.len(), Vec::new()),
        // The tree is published all the same; what is left over is told of.
        Err(error) => {
            let text = format!("nothing is pruned: {error}; look at `apkvet mirror prune --dry-run`");
            (0, vec![Finding::warning("prune", text)])
        }
    }
}

fn finish(output: &mut Output, outcome: &Outcome, summary: &Summary) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.record("summary", summary)?);
    }
    if output.is_quiet() {
        return Ok(());
    }
    let Summary { fetch, fetch_bytes, keep, drop, seconds, .. } = summary;
    let time = seconds.unwrap_or_default();
    let generation = outcome.generation.unwrap_or_default();
    let what = if outcome.published { "published as" } else { "nothing new: still" };
    let text = format!(
        "{what} generation {generation}: {} fetched ({}), {keep} re-used, {drop} dropped, {time:.1} s",
        counted(*fetch, "package"),
        size(*fetch_bytes),
    );
    let text = output.paint(Style::Good, &text);
    Ok(output.line(&text)?)
}
