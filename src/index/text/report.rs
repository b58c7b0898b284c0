//! What the reader of an index text found.

use crate::index::rule::Rule;
use crate::index::span::Span;

/// What kind of refusal a fault is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FaultClass {
    /// The text is not what an index may be.
    Malformed,
    /// Well formed, but `apk` cannot use it.
    Policy,
}

/// One reason to refuse an index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TextFault {
    /// What kind of refusal.
    pub class: FaultClass,
    /// The id of the rule, see [`crate::index::rule`].
    pub code: &'static str,
    /// The line, counted from 1.
    pub line: u64,
    /// Name and version of the entry, escaped; empty if unknown.
    pub entry: String,
    /// One sentence, escaped.
    pub message: String,
}

/// One oddity that is no reason to refuse an index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TextNote {
    /// The id of the rule, see [`crate::index::rule`].
    pub code: &'static str,
    /// The line, counted from 1.
    pub line: u64,
    /// Name and version of the entry, escaped; empty if unknown.
    pub entry: String,
    /// One sentence, escaped.
    pub message: String,
}

/// What a whole text is.
///
/// Trust: none of its own; a text without faults is as true as the signature over it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TextReport {
    /// Number of entries.
    pub entries: u64,
    /// The first faults, by line.
    pub faults: Vec<TextFault>,
    /// Number of all faults.
    pub fault_count: u64,
    /// The first notes, by line.
    pub notes: Vec<TextNote>,
    /// Number of all notes.
    pub note_count: u64,
    /// The newest `t:`, in seconds since 1970.
    pub newest_build_time: Option<u64>,
    /// The text, if it was to be kept.
    pub text: Option<Vec<u8>>,
    /// Where the entries without faults lie in it.
    pub(crate) spans: Option<Vec<Span>>,
}

impl TextReport {
    /// The fault that decides: the first malformed one, else the first.
    pub fn decisive(&self) -> Option<&TextFault> {
        self.faults.iter().find(|fault| fault.class == FaultClass::Malformed).or_else(|| self.faults.first())
    }
}

/// Collects faults and notes up to a bound, and names them when their entry's name is known.
#[derive(Debug)]
pub(super) struct Sink {
    report: TextReport,
    listed: usize,
    has_malformed: bool,
    unnamed_faults: usize,
    unnamed_notes: usize,
}

impl Sink {
    pub(super) fn new(listed: usize) -> Self {
        Self {
            report: TextReport::default(),
            listed,
            has_malformed: false,
            unnamed_faults: 0,
            unnamed_notes: 0,
        }
    }

    pub(super) fn fault(&mut self, class: FaultClass, rule: &Rule, line: u64, message: String) {
        self.report.fault_count += 1;
        // One place more, so that a flood of policy faults cannot hide that the text is malformed.
        let first_malformed = class == FaultClass::Malformed && !self.has_malformed;
        if self.report.faults.len() < self.listed || first_malformed {
            let (code, entry) = (rule.id, String::new());
            self.report.faults.push(TextFault { class, code, line, entry, message });
            self.has_malformed |= class == FaultClass::Malformed;
        }
    }

    pub(super) fn note(&mut self, rule: &Rule, line: u64, message: impl FnOnce() -> String) {
        self.report.note_count += 1;
        if self.report.notes.len() < self.listed {
            let (code, entry, message) = (rule.id, String::new(), message());
            self.report.notes.push(TextNote { code, line, entry, message });
        }
    }

    /// Names what was found since the last call.
    pub(super) fn name(&mut self, entry: impl FnOnce() -> String) {
        let faults = self.report.faults.get_mut(self.unnamed_faults..).unwrap_or_default();
        let notes = self.report.notes.get_mut(self.unnamed_notes..).unwrap_or_default();
        if faults.is_empty() && notes.is_empty() {
            return;
        }
        let entry = entry();
        faults.iter_mut().for_each(|fault| fault.entry.clone_from(&entry));
        notes.iter_mut().for_each(|note| note.entry.clone_from(&entry));
        self.unnamed_faults = self.report.faults.len();
        self.unnamed_notes = self.report.notes.len();
    }

    pub(super) fn faults(&self) -> u64 {
        self.report.fault_count
    }

    pub(super) fn report_mut(&mut self) -> &mut TextReport {
        &mut self.report
    }

    pub(super) fn finish(mut self) -> TextReport {
        self.report.faults.sort_by_key(|fault| fault.line);
        self.report
    }
}
