//! What the commands of a mirror print: findings and summaries, as words and as JSON.

use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::mirror::{Class, Finding, Severity, worst};

/// One `finding` line.
#[derive(Debug, Serialize)]
pub(super) struct FindingRecord<'a> {
    id: &'a str,
    severity: &'a str,
    file: Option<&'a str>,
    line: Option<u64>,
    entry: Option<&'a str>,
    fingerprint: Option<&'a str>,
    message: &'a str,
    remedy: Option<&'a str>,
    detail: Detail<'a>,
}

/// Where it is.
#[derive(Debug, Serialize)]
struct Detail<'a> {
    repository: Option<&'a str>,
    arch: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    lines: &'a [String],
}

impl<'a> FindingRecord<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        let place = finding.place.as_ref();
        Self {
            id: finding.code,
            severity: finding.severity.name(),
            file: None,
            line: None,
            entry: finding.subject.as_deref(),
            fingerprint: None,
            message: &finding.message,
            remedy: finding.remedy.as_deref(),
            detail: Detail {
                repository: place.map(|place| place.repository.as_str()),
                arch: place.map(|place| place.arch.as_str()),
                lines: &finding.detail,
            },
        }
    }
}

/// Prints findings, errors with what to do about them, and says what they mean for the exit code.
pub(super) fn findings(output: &mut Output, findings: &[Finding]) -> Result<Exit, Failure> {
    for finding in findings {
        if output.is_json() {
            output.record("finding", &FindingRecord::of(finding))?;
            continue;
        }
        let (word, style) = match finding.severity {
            Severity::Error => ("ERROR", Style::Bad),
            Severity::Warning => ("WARN", Style::Warning),
            Severity::Info if output.verbosity() == 0 => continue,
            Severity::Info => ("INFO", Style::Dim),
        };
        if output.is_quiet() && finding.severity != Severity::Error {
            continue;
        }
        let word = output.paint(style, &format!("{word:<5}"));
        output.line(&format!("{word}  {finding}"))?;
        for line in &*finding.detail {
            output.line(&format!("       {line}"))?;
        }
        if let Some(remedy) = finding.remedy.as_ref().filter(|_| finding.severity == Severity::Error) {
            output.line(&format!("       fix: {remedy}"))?;
        }
    }
    Ok(exit_of(findings))
}

/// What findings mean for the exit code.
pub(super) fn exit_of(findings: &[Finding]) -> Exit {
    match worst(findings) {
        None => Exit::Holds,
        Some(Class::Locked) => Exit::Locked,
        Some(Class::Usage) => Exit::Usage,
        Some(Class::Refused) => Exit::Refused,
        Some(Class::State) => Exit::State,
        Some(Class::Upstream) => Exit::Upstream,
        Some(Class::Network) => Exit::Network,
        Some(Class::Local) => Exit::LocalIo,
    }
}

/// So many of one severity.
pub(super) fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

/// A size as people read it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut whole, mut rest, mut unit) = (bytes, 0, "B");
    for next in UNITS {
        if whole < 1024 {
            break;
        }
        (rest, unit) = (whole % 1024 * 10 / 1024, next);
        whole /= 1024;
    }
    format!("{whole}.{rest} {unit}")
}

/// A number with its noun.
pub(super) fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ if noun.ends_with('x') => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_cut_to_one_digit_behind_the_point() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1_048_575, "1023.9 KiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn numbers_have_their_noun() {
        assert_eq!([counted(1, "index"), counted(2, "index")], ["1 index", "2 indexes"]);
        assert_eq!([counted(0, "package"), counted(1, "package")], ["0 packages", "1 package"]);
    }
}
