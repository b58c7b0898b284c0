//! `apkvet mirror diff`: what differs between two states of a mirror.

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use super::args::SourceArgs;
use super::plan::refusal;
use super::record::size;
use super::settings::{Make, Settings, store};
use super::target::{Target, TargetArgs};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::cli::table::Table;
use crate::mirror::{
    Difference, DifferenceKind, Finding, Holding, Silent, differences, of_generation, of_plan, of_snapshot,
};
use crate::publish::{Look, SnapshotName, Tree};
use crate::types::escape_all;

/// Compares two states: what was added, removed, upgraded, downgraded, rebuilt, and how large it is
///
/// A state is the number of a generation, the name of a snapshot, `current`, or `upstream`: what a sync would publish
/// now (needs --config and asks upstream). Exit code 0 whether or not they differ.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The first state
    before: String,
    /// The second state
    after: String,
    #[command(flatten)]
    target: TargetArgs,
}

/// One `mirror-change` line.
#[derive(Serialize)]
struct Record<'a> {
    change: &'static str,
    repository: &'a str,
    arch: &'a str,
    name: &'a str,
    old: Option<Side<'a>>,
    new: Option<Side<'a>>,
}

#[derive(Serialize)]
struct Side<'a> {
    version: &'a str,
    identity: &'a str,
    size: u64,
    sha256: Option<&'a str>,
}

/// The last JSON line.
#[derive(Default, Serialize)]
struct Summary {
    added: usize,
    removed: usize,
    upgraded: usize,
    downgraded: usize,
    rebuilt: usize,
    resigned: usize,
    old_packages: usize,
    old_bytes: u64,
    new_packages: usize,
    new_bytes: u64,
    exit: u8,
}

/// What an argument names.
#[derive(Clone, Debug, Eq, PartialEq)]
enum State {
    Current,
    Upstream,
    Generation(u64),
    Snapshot(SnapshotName),
}

pub(super) fn run(args: &DiffArgs, output: &mut Output) -> Result<Exit, Failure> {
    let (before, after) = (state(&args.before)?, state(&args.after)?);
    let target = args.target.target()?;
    let look = Tree::look(store(&target.to, Make::Nothing)?);
    let mut sides = Vec::new();
    for one in [&before, &after] {
        match holdings(args, &target, &look, one, output)? {
            Ok(side) => sides.push(side),
            Err(refused) => return refusal(output, &refused),
        }
    }
    let [before, after] = sides.as_slice() else { return Ok(Exit::Holds) };
    let differences = differences(before, after);
    let summary = Summary::of(before, after, &differences);
    print(&differences, &summary, output)?;
    Ok(Exit::Holds)
}

fn state(text: &str) -> Result<State, Failure> {
    if let Ok(number) = text.parse() {
        return Ok(State::Generation(number));
    }
    match text {
        "current" => Ok(State::Current),
        "upstream" => Ok(State::Upstream),
        name => SnapshotName::parse(name).map(State::Snapshot).map_err(Failure::usage),
    }
}

type Found = Result<Vec<Holding>, Vec<Finding>>;

fn holdings(
    args: &DiffArgs,
    target: &Target,
    look: &Look,
    state: &State,
    output: &mut Output,
) -> Result<Found, Failure> {
    let number = match state {
        State::Generation(number) => *number,
        State::Snapshot(name) => {
            return Ok(of_snapshot(look, name, &target.limits()).map_err(|finding| vec![usage(finding)]));
        }
        State::Current | State::Upstream => {
            look.current().map_err(Failure::of_publish)?.ok_or_else(|| {
                Failure::usage(anyhow!("nothing is published here yet: there is no current state"))
            })?
        }
    };
    let published = of_generation(look, number).map_err(|finding| vec![usage(finding)]);
    match (state, published) {
        (State::Upstream, Ok(published)) => upstream(args, target, look, &published, output),
        (_, published) => Ok(published),
    }
}

/// What a sync would publish now.
fn upstream(
    args: &DiffArgs,
    target: &Target,
    look: &Look,
    published: &[Holding],
    output: &mut Output,
) -> Result<Found, Failure> {
    if target.config.is_none() {
        return Err(Failure::usage(anyhow!("expected --config FILE: only it says what upstream is")));
    }
    let source = SourceArgs::of_config(args.target.config.clone());
    let settings = Settings::load(&source, None, output)?;
    let planned = settings.mirror(&Silent).plan(Some(look));
    Ok(planned.map(|outcome| of_plan(&outcome.plan, published)))
}

/// A state that is not there was named by the user.
fn usage(finding: Finding) -> Finding {
    let class = match finding.code {
        "no-generation" | "no-snapshot" => crate::mirror::Class::Usage,
        _ => finding.class,
    };
    Finding { class, ..finding }
}

impl Summary {
    fn of(before: &[Holding], after: &[Holding], differences: &[Difference]) -> Self {
        let count = |kind| differences.iter().filter(|one| one.kind == kind).count();
        let bytes = |side: &[Holding]| side.iter().fold(0_u64, |sum, one| sum.saturating_add(one.held.size));
        Self {
            added: count(DifferenceKind::Added),
            removed: count(DifferenceKind::Removed),
            upgraded: count(DifferenceKind::Upgraded),
            downgraded: count(DifferenceKind::Downgraded),
            rebuilt: count(DifferenceKind::Rebuilt),
            resigned: count(DifferenceKind::Resigned),
            old_packages: before.len(),
            old_bytes: bytes(before),
            new_packages: after.len(),
            new_bytes: bytes(after),
            exit: Exit::Holds.code(),
        }
    }
}

fn print(differences: &[Difference], summary: &Summary, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        for one in differences {
            output.record("mirror-change", &record(one))?;
        }
        return Ok(output.record("summary", summary)?);
    }
    if !differences.is_empty() && !output.is_quiet() {
        let mut table = Table::new(&["CHANGE", "PACKAGE", "OLD", "NEW", "SIZE", "IN"]);
        differences.iter().for_each(|one| row(&mut table, one));
        table.print(output)?;
    }
    let Summary { added, removed, upgraded, downgraded, rebuilt, resigned, .. } = summary;
    output.line(&format!(
        "{added} added, {removed} removed, {upgraded} upgraded, {downgraded} downgraded, {rebuilt} rebuilt, \
         {resigned} resigned; {} packages ({}) became {} ({})",
        summary.old_packages,
        size(summary.old_bytes),
        summary.new_packages,
        size(summary.new_bytes)
    ))?;
    Ok(())
}

fn row(table: &mut Table, one: &Difference) {
    let Some(either) = one.after.as_ref().or(one.before.as_ref()) else { return };
    let style = match one.kind {
        DifferenceKind::Added | DifferenceKind::Upgraded => Some(Style::Good),
        DifferenceKind::Removed => Some(Style::Warning),
        DifferenceKind::Downgraded | DifferenceKind::Rebuilt => Some(Style::Bad),
        DifferenceKind::Resigned => None,
    };
    let version = |side: &Option<Holding>| {
        side.as_ref().map_or_else(|| "-".to_owned(), |holding| escape_all(&holding.held.version).to_string())
    };
    let bytes = |side: &Option<Holding>| side.as_ref().map_or(0, |holding| holding.held.size);
    let (before, after) = (bytes(&one.before), bytes(&one.after));
    let (sign, change) = if after >= before {
        ('+', after.saturating_sub(before))
    } else {
        ('-', before.saturating_sub(after))
    };
    table.row(
        style,
        vec![
            one.kind.name().to_owned(),
            escape_all(&either.held.name).to_string(),
            version(&one.before),
            version(&one.after),
            format!("{sign}{}", size(change)),
            format!("{}/{}", escape_all(&either.held.repository), escape_all(&either.held.arch)),
        ],
    );
}

fn record(one: &Difference) -> Record<'_> {
    let either = one.after.as_ref().or(one.before.as_ref()).map(|holding| &holding.held);
    Record {
        change: one.kind.name(),
        repository: either.map_or("", |held| &held.repository),
        arch: either.map_or("", |held| &held.arch),
        name: either.map_or("", |held| &held.name),
        old: one.before.as_ref().map(of_side),
        new: one.after.as_ref().map(of_side),
    }
}

fn of_side(holding: &Holding) -> Side<'_> {
    let held = &holding.held;
    Side {
        version: &held.version,
        identity: &held.identity,
        size: held.size,
        sha256: holding.sha256.as_deref(),
    }
}
