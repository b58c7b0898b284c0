//! `apkvet mirror plan`: what a sync would do, and why.

use clap::Args;
use serde::Serialize;

use super::args::{AllowedArgs, SourceArgs};
use super::record::{count, counted, exit_of, findings, size};
use super::settings::{Make, Settings};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::mirror::{Finding, Outcome, Severity, Silent};
use crate::plan::{Action, Plan, PlanItem};
use crate::publish::Tree;
use crate::types::escape_all;

/// Shows what a sync would do and why; changes nothing
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    allowed: AllowedArgs,
    /// Exit with 8 if there is something to do
    #[arg(long)]
    exit_code: bool,
}

/// The last JSON line of plans and syncs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    pub(super) fetch: usize,
    pub(super) fetch_bytes: u64,
    pub(super) keep: usize,
    pub(super) keep_bytes: u64,
    pub(super) drop: usize,
    pub(super) drop_bytes: u64,
    pub(super) generation: Option<u64>,
    pub(super) published: bool,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pruned: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<f64>,
    pub(super) exit: u8,
}

impl Summary {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let plan = &outcome.plan;
        Self {
            fetch: plan.count(Action::Fetch),
            fetch_bytes: plan.size(Action::Fetch),
            keep: plan.count(Action::Keep),
            keep_bytes: plan.size(Action::Keep),
            drop: plan.count(Action::Drop),
            drop_bytes: plan.size(Action::Drop),
            generation: outcome.generation,
            published: outcome.published,
            ..Self::default()
        }
    }

    pub(super) fn told(self, told: &[Finding], exit: Exit) -> Self {
        let (errors, warnings) = (count(told, Severity::Error), count(told, Severity::Warning));
        Self { errors, warnings, exit: exit.code(), ..self }
    }
}

pub(super) fn run(args: &PlanArgs, output: &mut Output) -> Result<Exit, Failure> {
    let settings = Settings::load(&args.source, Some(&args.allowed), output)?;
    show(&settings, args.exit_code, output)
}

/// Plans and prints; used by `sync --dry-run` as well.
pub(super) fn show(settings: &Settings, exit_code: bool, output: &mut Output) -> Result<Exit, Failure> {
    let planned = match settings.store(Make::Nothing) {
        Ok(store) => settings.mirror(&Silent).plan(Some(&Tree::look(store))),
        // A tree that is not there yet holds nothing.
        Err(_) if !settings.config.mirror().to.exists() => settings.mirror(&Silent).plan(None),
        Err(failure) => return Err(failure),
    };
    let outcome = match planned {
        Ok(outcome) => outcome,
        Err(refused) => return refusal(output, &refused),
    };
    print(output, &outcome.plan)?;
    let told = findings(output, &outcome.findings)?;
    let pending = if exit_code && outcome.plan.has_changes() { Exit::Pending } else { Exit::Holds };
    let exit = told.worst(pending);
    let summary = Summary::of(&outcome).told(&outcome.findings, exit);
    finish(output, &summary)?;
    Ok(exit)
}

/// What is refused, and that nothing changes.
pub(super) fn refusal(output: &mut Output, refused: &[Finding]) -> Result<Exit, Failure> {
    findings(output, refused)?;
    let exit = exit_of(refused);
    if output.is_json() {
        output.record("summary", &Summary::default().told(refused, exit))?;
    } else {
        let errors = counted(count(refused, Severity::Error), "error");
        let text = output.paint(Style::Bad, &format!("{errors}: nothing is changed"));
        output.line(&text)?;
    }
    Ok(exit)
}

/// A line for each package.
pub(super) fn print(output: &mut Output, plan: &Plan) -> Result<(), Failure> {
    for item in plan.items() {
        if output.is_json() {
            output.record("plan", item)?;
        } else if !(output.is_quiet() || item.action == Action::Keep && output.verbosity() == 0) {
            line(output, item)?;
        }
    }
    Ok(())
}

fn line(output: &mut Output, item: &PlanItem) -> Result<(), Failure> {
    let style = match item.action {
        Action::Fetch => Style::Good,
        Action::Drop => Style::Warning,
        Action::Keep => Style::Dim,
    };
    let action = output.paint(style, &format!("{:<5}", item.action.as_str()));
    let label = escape_all(&format!("{}-{}", item.name, item.version)).to_string();
    let why: Vec<String> = item.why.iter().map(|name| escape_all(name).to_string()).collect();
    let why = if why.is_empty() { String::new() } else { format!("  {}", why.join(" > ")) };
    let text = format!("{action}  {}/{}  {label}  {}{why}", item.repository, item.arch, size(item.size));
    Ok(output.line(&text)?)
}

/// The last line.
pub(super) fn finish(output: &mut Output, summary: &Summary) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.record("summary", summary)?);
    }
    if output.is_quiet() {
        return Ok(());
    }
    let Summary { fetch, fetch_bytes, keep, keep_bytes, drop, drop_bytes, .. } = summary;
    let text = format!(
        "{} to fetch ({}), {keep} to keep ({}), {drop} to drop ({})",
        counted(*fetch, "package"),
        size(*fetch_bytes),
        size(*keep_bytes),
        size(*drop_bytes)
    );
    Ok(output.line(&text)?)
}
