//! `apkvet index check`: the signature first, then every entry, then its package.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;
use walkdir::WalkDir;

use super::finding::{FailOn, Printer};
use super::packages;
use super::source::{Content, Judge, JudgeArgs, JudgedIndex, subject};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::cli::subjects::{Subject, shown};
use crate::cli::text;
use crate::cli::threads::threads;
use crate::index::rule::Severity;
use crate::index::{Findings, Index, check_entries, check_text};
use crate::limits::{LimitReached, Limits};
use crate::types::Architecture;

/// Check indexes: signature, every field of every entry, dependencies, and on demand the packages themselves
///
/// Several indexes of one architecture are taken together: what one provides satisfies the others. The findings are
/// explained in docs/findings.md.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Indexes, directories (walked for APKINDEX.tar.gz), or - for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// What this index provides counts as well, for example that of community beside main (repeatable)
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// Verify the package of every entry in this directory, or in its folders of architectures, and list files that no
    /// entry names
    #[arg(long, value_name = "DIR")]
    packages: Option<PathBuf>,
    /// Fail from findings of this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
    /// A missing or untrusted signature of an index is told and does not fail, for indexes on their way to be signed
    #[arg(long)]
    ignore_signature: bool,
    /// Threads that verify packages [default: number of cores]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    judge: JudgeArgs,
}

/// The last JSON line.
#[derive(Debug, Default, Serialize)]
struct Summary {
    indexes: u64,
    verified: usize,
    entries: usize,
    /// Packages that were verified; with `--packages` alone.
    packages: u64,
    errors: u64,
    warnings: u64,
    notes: u64,
    not_read: usize,
    exit: u8,
}

/// One index under check.
struct Checked {
    judged: JudgedIndex,
    architectures: BTreeSet<String>,
    folder: Option<Architecture>,
}

pub(super) fn run(args: &CheckArgs, output: &mut Output) -> Result<Exit, Failure> {
    let threads = threads(args.jobs)?;
    let judge = Judge::load(&args.judge, output)?.on(threads);
    let subjects = subjects(&args.files)?;
    let with = args.with.iter().map(|path| judge.look(path, output)).collect::<Result<Vec<_>, _>>()?;
    let with: Vec<&Index> = with.iter().filter_map(index).collect();
    let checked: Vec<Checked> =
        subjects.iter().map(|subject| Checked::new(judge.index(subject), subject)).collect();
    let mut report = Report { args, output, printer: Printer::default(), summary: Summary::default() };
    let mut exit = Exit::Holds;
    for one in &checked {
        let others = checked.iter().filter(|other| !std::ptr::eq(*other, one) && one.shares(other));
        let beside: Vec<&Index> =
            others.filter_map(|other| index(&other.judged)).chain(with.iter().copied()).collect();
        exit = exit.worst(report.verdict(&one.judged)?);
        let Some(content) = &one.judged.content else { continue };
        report.summary.entries += content.index.len();
        let path = &one.judged.record.path;
        let findings = match findings(content, &beside, one.folder.as_ref(), judge.limits()) {
            Ok(findings) => findings,
            Err(limit) => {
                report.output.error(&format!("{path} is not checked: {limit}"));
                exit = exit.worst(Exit::Refused);
                continue;
            }
        };
        exit = exit.worst(report.findings(&one.judged.record.path, &findings)?);
        if let Some(directory) = &args.packages {
            let held = packages::hold(&content.index, directory, &judge, threads)?;
            report.summary.packages += held.verified;
            exit = exit.worst(report.findings(&one.judged.record.path, &held.findings)?);
        }
    }
    if let Some(directory) = &args.packages {
        let indexes = checked.iter().filter_map(|one| index(&one.judged));
        for (path, finding) in packages::unlisted(indexes, directory)? {
            exit = exit.worst(report.findings(&path, &finding)?);
        }
    }
    report.finish(exit)
}

fn index(judged: &JudgedIndex) -> Option<&Index> {
    judged.content.as_ref().map(|content| &content.index)
}

/// What is found in one index, text and entries together, by line.
fn findings(
    content: &Content,
    beside: &[&Index],
    folder: Option<&Architecture>,
    limits: &Limits,
) -> Result<Findings, LimitReached> {
    let Content { report, index } = content;
    let listed = |count: u64, list: usize| u64::try_from(list).is_ok_and(|list| list == count);
    let all =
        listed(report.fault_count, report.faults.len()) && listed(report.note_count, report.notes.len());
    let mut findings =
        if all { Findings::of_text(report) } else { check_text(index.as_str().as_bytes(), limits)? };
    findings.append(check_entries(index, beside, folder, limits)?);
    findings.sort();
    Ok(findings)
}

impl Checked {
    fn new(judged: JudgedIndex, subject: &Subject) -> Self {
        let architectures = |index: &Index| {
            let all = index.records().filter_map(|record| record.architecture());
            all.filter(|own| *own != Architecture::NOARCH).map(str::to_owned).collect()
        };
        let architectures = index(&judged).map(architectures).unwrap_or_default();
        let folder = match subject {
            Subject::File { path, .. } => folder(path),
            Subject::StandardInput => None,
        };
        Self { judged, architectures, folder }
    }

    /// Whether clients may use both indexes at once.
    fn shares(&self, other: &Self) -> bool {
        self.architectures.is_empty()
            || other.architectures.is_empty()
            || !self.architectures.is_disjoint(&other.architectures)
    }
}

/// The architecture whose folder a file lies in, if the folder is called like one that `apk` knows.
fn folder(path: &Path) -> Option<Architecture> {
    let path = std::path::absolute(path).ok()?;
    let name = path.parent()?.file_name()?;
    Architecture::parse(name.as_encoded_bytes()).ok().filter(Architecture::is_known)
}

/// The indexes that are named, or lie in the directories that are.
fn subjects(paths: &[PathBuf]) -> Result<Vec<Subject>, Failure> {
    let mut subjects = Vec::new();
    for path in paths {
        if !path.is_dir() {
            subjects.push(subject(path));
            continue;
        }
        let before = subjects.len();
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry =
                entry.map_err(|error| Failure::local(anyhow!("cannot read {}: {error}", shown(path))))?;
            if entry.file_name() == OsStr::new("APKINDEX.tar.gz") && entry.path().is_file() {
                subjects.push(subject(entry.path()));
            }
        }
        if subjects.len() == before {
            return Err(Failure::usage(anyhow!("no APKINDEX.tar.gz in {}", shown(path))));
        }
    }
    Ok(subjects)
}

/// What is printed, and counted on the way.
struct Report<'a> {
    args: &'a CheckArgs,
    output: &'a mut Output,
    printer: Printer,
    summary: Summary,
}

impl Report<'_> {
    /// Prints the verdict on one index.
    fn verdict(&mut self, judged: &JudgedIndex) -> Result<Exit, Failure> {
        let record = &judged.record;
        self.summary.indexes += 1;
        self.summary.verified += usize::from(record.holds());
        self.summary.not_read += usize::from(record.error.is_some());
        let ignored = self.args.ignore_signature && judged.lacks_only_signature;
        if self.output.is_json() {
            self.output.record("file", record)?;
        } else if !(self.output.is_quiet() && (record.holds() || ignored)) {
            text::file(self.output, record)?;
        }
        Ok(match record.error {
            Some(_) => Exit::LocalIo,
            None if record.holds() && record.kind == "index" || ignored => Exit::Holds,
            None => Exit::Refused,
        })
    }

    /// Prints the findings about one file, whose path is escaped.
    fn findings(&mut self, path: &str, findings: &Findings) -> Result<Exit, Failure> {
        for finding in findings.listed() {
            self.printer.print(self.output, self.args.fail_on, path, finding)?;
        }
        let all = [Severity::Error, Severity::Warn, Severity::Info];
        let counted: u64 = all.iter().map(|severity| findings.count(*severity)).sum();
        let listed = u64::try_from(findings.listed().len()).unwrap_or(u64::MAX);
        if counted > listed && !self.output.is_json() {
            self.output.line(&format!("    and {} more, which are counted", counted - listed))?;
        }
        self.summary.errors += findings.count(Severity::Error);
        self.summary.warnings += findings.count(Severity::Warn);
        self.summary.notes += findings.count(Severity::Info);
        let fails = findings.worst().is_some_and(|worst| self.args.fail_on.fails(worst));
        Ok(if fails { Exit::Refused } else { Exit::Holds })
    }

    fn finish(mut self, exit: Exit) -> Result<Exit, Failure> {
        self.summary.exit = exit.code();
        if self.output.is_json() {
            self.output.record("summary", &self.summary)?;
        } else if !self.output.is_quiet() {
            let Summary { indexes, verified, entries, packages, errors, warnings, notes, .. } = self.summary;
            let packages =
                self.args.packages.as_ref().map(|_| format!(", {} verified", count(packages, "package")));
            let text = format!(
                "{}, {verified} verified, {entries} entries{}: {}, {}, {}",
                count(indexes, "index"),
                packages.unwrap_or_default(),
                count(errors, "error"),
                count(warnings, "warning"),
                count(notes, "note")
            );
            let style = if exit == Exit::Holds { Style::Good } else { Style::Bad };
            let text = self.output.paint(style, &text);
            self.output.line(&text)?;
        }
        Ok(exit)
    }
}

/// A number with its noun.
fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, noun) => format!("1 {noun}"),
        (_, "index") => format!("{number} indexes"),
        _ => format!("{number} {noun}s"),
    }
}
