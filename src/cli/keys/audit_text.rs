//! The audit for people: the keys, then what to do, from worst to mildest, then a summary.

use std::io;

use super::audit::Audited;
use super::record::KeyRecord;
use crate::audit::{Finding, Severity};
use crate::cli::exit::Exit;
use crate::cli::output::{Output, Style};
use crate::cli::subjects::shown;
use crate::cli::table::Table;
use crate::keys::KeyDirectory;

/// So many files of one finding are named; `--json` has them all.
const NAMED: usize = 20;

pub(super) fn print(audited: &Audited<'_>, output: &mut Output) -> io::Result<()> {
    if !output.is_quiet() {
        tables(audited, output)?;
    }
    let findings = audited.report.findings.as_slice();
    let mild = output.is_quiet();
    let counts = |finding: &&Finding| !mild || finding.severity > Severity::Info;
    let shown: Vec<&Finding> = findings.iter().filter(counts).collect();
    for alike in group(&shown) {
        findings_alike(&alike, audited, output)?;
    }
    if !output.is_quiet() {
        ignored(audited, output)?;
        summary(audited, output)?;
    }
    Ok(())
}

/// A table for each directory; a heading if there are several.
fn tables(audited: &Audited<'_>, output: &mut Output) -> io::Result<()> {
    for directory in audited.directories {
        if audited.directories.len() > 1 {
            output.line(&format!("In {}:", shown(directory.path())))?;
        }
        if !directory.files().is_empty() {
            table(directory, audited).print(output)?;
        }
        output.line("")?;
    }
    Ok(())
}

fn table(directory: &KeyDirectory, audited: &Audited<'_>) -> Table {
    let mut table = Table::new(&["FILE", "TYPE", "AGE", "FINGERPRINT", "ORIGIN", "STATE"]);
    for file in directory.files() {
        let record = KeyRecord::of_file("audited", file, audited.known, audited.as_of);
        let style = (!record.loaded).then_some(Style::Bad);
        let cells = [
            record.name.clone(),
            record.kind_and_bits(),
            record.age.clone(),
            record.short.clone(),
            record.origin(),
            record.state().to_owned(),
        ];
        table.row(style, cells.to_vec());
    }
    table
}

/// Findings with one remedy, together; the order of their first ones is kept.
fn group<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let same = |a: &Finding, b: &Finding| (a.severity, a.id, &a.remedy) == (b.severity, b.id, &b.remedy);
    for finding in findings {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first, finding))) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn findings_alike(alike: &[&Finding], audited: &Audited<'_>, output: &mut Output) -> io::Result<()> {
    let Some(first) = alike.first() else { return Ok(()) };
    let (style, word) = match first.severity {
        Severity::Error => (Style::Bad, "error"),
        Severity::Warn => (Style::Warning, "warning"),
        Severity::Info => (Style::Dim, "note"),
    };
    let head = format!("{} {}", output.paint(style, &format!("{word:<7}")), first.id);
    let name = |finding: &Finding| finding.file.as_deref().map(|file| format!("{}  ", short(file, audited)));
    let name = |finding: &Finding| name(finding).unwrap_or_default();
    if alike.len() == 1 {
        output.line(&format!("{head}  {}{}", name(first), first.message))?;
        return output.line(&format!("        fix: {}", first.remedy));
    }
    let one_message = alike.iter().all(|finding| finding.message == first.message);
    let message = if one_message { format!(": {}", first.message) } else { String::new() };
    output.line(&format!("{head}  {} of them{message}", alike.len()))?;
    for finding in alike.iter().take(NAMED) {
        let message = if one_message { "" } else { finding.message.as_str() };
        output.line(format!("        {}{message}", name(finding)).trim_end())?;
    }
    if alike.len() > NAMED {
        output.line(&format!("        and {} more", alike.len() - NAMED))?;
    }
    output.line(&format!("        fix: {}", first.remedy))
}

/// The file name alone where there is one directory.
fn short<'a>(file: &'a str, audited: &Audited<'_>) -> &'a str {
    let [directory] = audited.directories else { return file };
    let directory = shown(directory.path());
    let rest = file.strip_prefix(directory.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(file)
}

/// What a flag alone keeps from counting; what has a reason in the pin file is silent.
fn ignored(audited: &Audited<'_>, output: &mut Output) -> io::Result<()> {
    for ignored in audited.report.ignored.iter().filter(|ignored| ignored.reason.is_none()) {
        let finding = &ignored.finding;
        let file = finding.file.as_deref().map(|file| short(file, audited)).unwrap_or_default();
        let line = format!("ignored {}  {file}  {}", finding.id, finding.message);
        output.line(&output.paint(Style::Dim, &line))?;
    }
    Ok(())
}

fn summary(audited: &Audited<'_>, output: &mut Output) -> io::Result<()> {
    let files = audited.directories.iter().flat_map(KeyDirectory::files);
    let loaded = files.clone().filter(|file| file.content().is_ok() && !file.is_hidden()).count();
    let report = audited.report;
    let plural = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    };
    let text = format!(
        "{}, {loaded} loaded by apk; {}, {}, {}",
        plural(files.count(), "file"),
        plural(report.count(Severity::Error), "error"),
        plural(report.count(Severity::Warn), "warning"),
        plural(report.count(Severity::Info), "note"),
    );
    let style = if audited.exit == Exit::Holds { Style::Good } else { Style::Bad };
    let text = output.paint(style, &text);
    output.line(&format!("{text} (known keys of {})", audited.known.date()))
}
