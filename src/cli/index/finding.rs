//! Findings about indexes and their packages, as lines and as JSON.

use std::collections::BTreeSet;
use std::io;

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::output::{Output, Style};
use crate::index::Finding;
use crate::index::rule::Severity;

/// From which severity on findings make the command fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum FailOn {
    /// Errors alone
    Error,
    /// Warnings as well
    Warn,
    /// Everything that is found
    Info,
    /// Nothing that is found; a verdict other than `verified` fails all the same
    Never,
}

impl FailOn {
    /// Whether findings of a severity fail.
    pub(super) fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warn => severity >= Severity::Warn,
            Self::Info => severity >= Severity::Info,
            Self::Never => false,
        }
    }
}

/// One `finding` line.
#[derive(Debug, Serialize)]
struct FindingRecord<'a> {
    id: &'static str,
    severity: &'static str,
    file: &'a str,
    line: Option<u64>,
    entry: Option<&'a str>,
    /// Findings about keys have one.
    fingerprint: Option<&'a str>,
    message: &'a str,
    remedy: &'static str,
    detail: Detail,
}

/// Nothing is added to findings about indexes.
#[derive(Debug, Serialize)]
struct Detail {}

/// Prints findings; what to do about a rule is told once for all of its findings.
#[derive(Debug, Default)]
pub(super) struct Printer {
    told: BTreeSet<&'static str>,
}

impl Printer {
    /// Prints one finding about a file, whose path is escaped.
    pub(super) fn print(
        &mut self,
        output: &mut Output,
        fail_on: FailOn,
        file: &str,
        finding: &Finding,
    ) -> io::Result<()> {
        let Finding { rule, line, entry, message } = finding;
        if output.is_json() {
            let entry = Some(entry.as_str()).filter(|entry| !entry.is_empty());
            let (id, severity, remedy) = (rule.id, rule.severity.as_str(), rule.remedy);
            let (line, fingerprint, detail) = (*line, None, Detail {});
            let record =
                FindingRecord { id, severity, file, line, entry, fingerprint, message, remedy, detail };
            return output.record("finding", &record);
        }
        if output.is_quiet() && !fail_on.fails(rule.severity) {
            return Ok(());
        }
        let style = match rule.severity {
            Severity::Error => Style::Bad,
            Severity::Warn => Style::Warning,
            Severity::Info => Style::Dim,
        };
        let word = output.paint(style, &format!("{:<5}", rule.severity));
        let mut place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        if !entry.is_empty() {
            place += &format!("{entry}: ");
        }
        output.line(&format!("    {word}  {place}{message} [{}]", rule.id))?;
        if self.told.insert(rule.id) {
            let remedy = output.paint(Style::Dim, &format!("           fix: {}", rule.remedy));
            output.line(&remedy)?;
        }
        Ok(())
    }
}
