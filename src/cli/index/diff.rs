//! `apkvet index diff`: what changed between two indexes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::source::{Judge, JudgeArgs};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::index::{Change, Index, Record, diff};
use crate::types::{Architecture, escape_all};

/// Compare two indexes: added, removed, upgraded, downgraded, rebuilt under the same version, edited
///
/// Exit code 0 whether or not they differ. An index that is not verified is compared all the same, with a warning.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The old index
    old: PathBuf,
    /// The new index
    new: PathBuf,
    #[command(flatten)]
    judge: JudgeArgs,
}

/// One `index-change` line.
#[derive(Debug, Serialize)]
struct ChangeRecord<'a> {
    change: &'static str,
    name: &'a str,
    old: Option<SideRecord<'a>>,
    new: Option<SideRecord<'a>>,
}

/// An entry on one side.
#[derive(Debug, Serialize)]
struct SideRecord<'a> {
    version: &'a str,
    arch: Option<String>,
    identity: String,
    size: u64,
    line: u64,
}

/// How many changes there are of each kind; the last line, as JSON.
#[derive(Debug, Default, Serialize)]
struct Summary {
    added: usize,
    removed: usize,
    upgraded: usize,
    downgraded: usize,
    rebuilt: usize,
    edited: usize,
    exit: u8,
}

pub(super) fn run(args: &DiffArgs, output: &mut Output) -> Result<Exit, Failure> {
    let judge = Judge::load(&args.judge, output)?;
    let (old, new) = (judge.look(&args.old, output)?, judge.look(&args.new, output)?);
    let (Some(old), Some(new)) = (&old.content, &new.content) else { return Ok(Exit::Refused) };
    if let Some(text) = apart(&old.index, &new.index) {
        output.warning(&text);
    }
    let mut summary = Summary::default();
    for change in diff(&old.index, &new.index) {
        summary.count(&change);
        if output.is_json() {
            output.record("index-change", &ChangeRecord::of(&change))?;
        } else if !output.is_quiet() || suspicious(&change) {
            print(&change, output)?;
        }
    }
    if output.is_json() {
        output.record("summary", &summary)?;
    } else {
        let Summary { added, removed, upgraded, downgraded, rebuilt, edited, .. } = summary;
        let stands_out = format!("{downgraded} downgraded, {rebuilt} rebuilt");
        let stands_out =
            if downgraded + rebuilt > 0 { output.paint(Style::Bad, &stands_out) } else { stands_out };
        output.line(&format!(
            "{added} added, {removed} removed, {upgraded} upgraded, {stands_out}, {edited} edited"
        ))?;
    }
    Ok(Exit::Holds)
}

/// Says so if the indexes are of different architectures, where everything is built anew.
fn apart(old: &Index, new: &Index) -> Option<String> {
    let architectures = |index: &Index| -> BTreeSet<String> {
        let all = index.records().filter_map(|record| record.architecture());
        all.filter(|own| *own != Architecture::NOARCH).map(|own| escape_all(own).to_string()).collect()
    };
    let (old, new) = (architectures(old), architectures(new));
    let apart = !old.is_empty() && !new.is_empty() && old.is_disjoint(&new);
    let names = |names: BTreeSet<String>| names.into_iter().take(4).collect::<Vec<_>>().join(", ");
    apart.then(|| format!("the indexes are of different architectures: {} and {}", names(old), names(new)))
}

/// What an honest repository rarely does, and a replayed or tampered one always.
const fn suspicious(change: &Change<'_>) -> bool {
    matches!(change, Change::Downgraded(..) | Change::Rebuilt(..))
}

impl Summary {
    const fn count(&mut self, change: &Change<'_>) {
        match change {
            Change::Added(_) => self.added += 1,
            Change::Removed(_) => self.removed += 1,
            Change::Upgraded(..) => self.upgraded += 1,
            Change::Downgraded(..) => self.downgraded += 1,
            Change::Rebuilt(..) => self.rebuilt += 1,
            Change::Edited(..) => self.edited += 1,
        }
    }
}

impl<'a> ChangeRecord<'a> {
    fn of(change: &Change<'a>) -> Self {
        let side = |record: Record<'a>| SideRecord {
            version: record.version(),
            arch: record.architecture().map(|text| escape_all(text).to_string()),
            identity: record.identity().to_string(),
            size: record.size(),
            line: record.line(),
        };
        let name = change.after().or_else(|| change.before()).map_or("", |record| record.name());
        Self { change: change.kind(), name, old: change.before().map(side), new: change.after().map(side) }
    }
}

fn print(change: &Change<'_>, output: &mut Output) -> Result<(), Failure> {
    let (before, after) = (change.before(), change.after());
    let old = before.as_ref().map_or("", Record::version);
    let new = after.as_ref().map_or("", Record::version);
    let name = ChangeRecord::of(change).name;
    let text = match change {
        Change::Added(_) => format!("{name}  {new}"),
        Change::Removed(_) => format!("{name}  {old}"),
        Change::Upgraded(..) | Change::Downgraded(..) => format!("{name}  {old} -> {new}"),
        Change::Rebuilt(before, after) => {
            format!("{name}  {new}  {} -> {}", before.identity(), after.identity())
        }
        Change::Edited(before, after) => format!("{name}  {new}  {}", edited(before, after)),
    };
    let style = if suspicious(change) { Style::Bad } else { Style::Dim };
    let word = format!("{}{:<10}", if suspicious(change) { "! " } else { "  " }, change.kind());
    let word = output.paint(style, &word);
    output.line(&format!("{word}  {text}"))?;
    Ok(())
}

/// The fields in which two entries of one package differ.
fn edited(before: &Record<'_>, after: &Record<'_>) -> String {
    let letters = (b'A'..=b'Z').chain(b'a'..=b'z');
    let differing = letters.filter(|letter| before.field(*letter) != after.field(*letter));
    let fields: Vec<String> = differing.map(|letter| format!("{}:", char::from(letter))).collect();
    if fields.is_empty() { "in the order of its lines".to_owned() } else { fields.join(" ") }
}
