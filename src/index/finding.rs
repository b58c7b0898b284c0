//! What is found in an index that is worth telling.

use super::Record;
use super::rule::{self, Rule, Severity};
use super::text::TextReport;

/// One finding: what, how grave, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The rule, with its severity and its remedy.
    pub rule: Rule,
    /// The line of the index, counted from 1; none if it is about no line.
    pub line: Option<u64>,
    /// Name and version of the entry, escaped; empty if it is about none.
    pub entry: String,
    /// One sentence, escaped.
    pub message: String,
}

/// How many findings about one index are listed; hostile text could make millions.
const LISTED: usize = 10_000;

/// The findings about one index, the first of them listed, all of them counted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings {
    listed: Vec<Finding>,
    counts: [u64; 3],
}

impl Findings {
    /// How many a list holds at most.
    pub const LISTED: usize = LISTED;

    /// Turns faults and notes of a text into findings.
    pub fn of_text(report: &TextReport) -> Self {
        let mut findings = Self::default();
        let faults = report.faults.iter().map(|f| (f.code, f.line, &f.entry, &f.message));
        let notes = report.notes.iter().map(|n| (n.code, n.line, &n.entry, &n.message));
        for (code, line, entry, message) in faults.chain(notes) {
            if let Some(rule) = rule::find(code) {
                let (entry, message) = (entry.clone(), message.clone());
                findings.push(Finding { rule: *rule, line: Some(line), entry, message });
            }
        }
        findings
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        let [info, warn, error] = &mut self.counts;
        match finding.rule.severity {
            Severity::Info => *info += 1,
            Severity::Warn => *warn += 1,
            Severity::Error => *error += 1,
        }
        if self.listed.len() < LISTED {
            self.listed.push(finding);
        }
    }

    /// Adds a finding about a field of an entry.
    pub(super) fn about(&mut self, rule: Rule, record: &Record<'_>, letter: u8, message: String) {
        let (line, entry) = (Some(record.line_of(letter)), record.label());
        self.push(Finding { rule, line, entry, message });
    }

    /// Adds the findings of another list.
    pub fn append(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        let free = LISTED.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(free));
    }

    /// Sorts by line; what is about no line comes first.
    pub fn sort(&mut self) {
        self.listed.sort_by_key(|finding| finding.line);
    }

    /// The first findings.
    pub fn listed(&self) -> &[Finding] {
        &self.listed
    }

    /// The number of all findings of one severity.
    pub fn count(&self, severity: Severity) -> u64 {
        let [info, warn, error] = self.counts;
        match severity {
            Severity::Info => info,
            Severity::Warn => warn,
            Severity::Error => error,
        }
    }

    /// The gravest severity that was found.
    pub fn worst(&self) -> Option<Severity> {
        [Severity::Error, Severity::Warn, Severity::Info]
            .into_iter()
            .find(|severity| self.count(*severity) > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: Rule) -> Finding {
        Finding { rule, line: None, entry: String::new(), message: String::new() }
    }

    #[test]
    fn counts_what_it_no_longer_lists() {
        let mut findings = Findings::default();
        (0..=LISTED).for_each(|_| findings.push(finding(rule::ATOM_NAME)));
        findings.push(finding(rule::IDENTITY));
        let mut all = Findings::default();
        all.append(findings.clone());
        all.append(findings);
        assert_eq!(all.listed().len(), LISTED);
        assert_eq!((all.count(Severity::Info), all.count(Severity::Error)), (20_002, 2));
        assert_eq!(all.worst(), Some(Severity::Error));
        assert_eq!(Findings::default().worst(), None);
    }
}
