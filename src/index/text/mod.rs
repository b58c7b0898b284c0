//! The text of an index (`APKINDEX`), checked line by line while it streams through.

mod atoms;
mod entry;
mod report;
#[cfg(test)]
mod tests;
mod uniqueness;

use memchr::{memchr, memchr_iter, memrchr};

use self::entry::{Entry, label};
use self::report::Sink;
pub use self::report::{FaultClass, TextFault, TextNote, TextReport};
use self::uniqueness::Uniqueness;
use super::rule;
use super::span::Span;
use crate::limits::{LimitReached, Limits};
use crate::types::escape;

/// How many faults, and how many notes, a report lists unless told otherwise.
const LISTED: usize = 100;

/// Whether the text is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keep {
    /// Only what the report says: 64 bytes per entry at most.
    Nothing,
    /// The whole text, and where its entries lie in it.
    Text,
}

/// Reads the text of an index in chunks of any size and holds every line to the grammar.
///
/// Shape: `{ { letter ":" value LF } LF }`; UTF-8 without control characters. Empty lines may repeat, the
/// last may be missing. A refused text is read to its end all the same, so that all faults show.
/// Units: lines are counted from 1.
/// Trust: none; the text is checked while nobody knows yet whether its signature holds.
///
/// # Examples
/// ```
/// use apkvet::index::{Keep, TextReader};
/// use apkvet::limits::Limits;
/// let mut reader = TextReader::new(&Limits::default(), Keep::Nothing);
/// reader.feed(b"C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1.0-r0\nA:x86_64\n").unwrap();
/// reader.feed(b"S:12x\n\n").unwrap();
/// let report = reader.finish().unwrap();
/// assert_eq!(report.faults[0].code, "entry-number");
/// assert_eq!((report.faults[0].line, report.faults[0].entry.as_str()), (5, "foo-1.0-r0"));
/// ```
#[derive(Debug)]
pub struct TextReader {
    line_limit: u64,
    entry_limit: u64,
    text: Option<Vec<u8>>,
    /// Where the entries lie in the text, if that is kept.
    spans: Option<Vec<Span>>,
    /// The line that a chunk ended in.
    partial: Vec<u8>,
    line: u64,
    /// Where in the text the line begins that is read next.
    at: usize,
    entries: u64,
    crlf_seen: bool,
    entry: Entry,
    unique: Uniqueness,
    sink: Sink,
}

impl TextReader {
    /// Begins a text.
    pub fn new(limits: &Limits, keep: Keep) -> Self {
        Self {
            line_limit: limits.line,
            entry_limit: limits.index_entries,
            text: (keep == Keep::Text).then(Vec::new),
            spans: (keep == Keep::Text).then(Vec::new),
            partial: Vec::new(),
            line: 0,
            at: 0,
            entries: 0,
            crlf_seen: false,
            entry: Entry::default(),
            unique: Uniqueness::default(),
            sink: Sink::new(LISTED),
        }
    }

    /// Lists up to this many faults and this many notes, instead of 100.
    #[must_use]
    pub fn listing(mut self, most: usize) -> Self {
        self.sink = Sink::new(most);
        self
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// - [`LimitReached`] `line` for a line that is too long.
    /// - [`LimitReached`] `index-entries` for too many entries.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), LimitReached> {
        if let Some(text) = &mut self.text {
            text.extend_from_slice(chunk);
        }
        let mut rest = chunk;
        if !self.partial.is_empty() {
            let Some((head, tail)) = memchr(b'\n', rest).and_then(|at| rest.split_at_checked(at + 1)) else {
                return self.hold(rest);
            };
            self.hold(head)?;
            let line = std::mem::take(&mut self.partial);
            self.block(&line)?;
            self.partial = line;
            self.partial.clear();
            rest = tail;
        }
        let whole = memrchr(b'\n', rest).map_or(0, |at| at + 1);
        let (block, tail) = rest.split_at_checked(whole).unwrap_or((rest, &[]));
        self.block(block)?;
        self.hold(tail)
    }

    /// Ends the text and reports.
    ///
    /// # Errors
    /// - [`LimitReached`] `index-entries` if a last line without newline is one entry too many.
    pub fn finish(mut self) -> Result<TextReport, LimitReached> {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.block(&line)?;
            let message = || "the last line does not end with a newline".into();
            self.sink.note(&rule::NO_FINAL_NEWLINE, self.line, message);
        }
        self.end_entry();
        if self.entries == 0 {
            self.sink.note(&rule::NO_ENTRY, self.line, || "the index has no entry".into());
        }
        self.unique.report(&mut self.sink);
        let report = self.sink.report_mut();
        report.entries = self.entries;
        report.newest_build_time = self.entry.newest_build_time();
        report.text = self.text;
        report.spans = self.spans.filter(|_| report.fault_count == 0);
        let mut report = self.sink.finish();
        name_duplicates(&mut report);
        Ok(report)
    }

    /// Keeps the beginning of a line for the next chunk.
    fn hold(&mut self, bytes: &[u8]) -> Result<(), LimitReached> {
        self.within_line(self.partial.len() + bytes.len() - usize::from(bytes.ends_with(b"\n")))?;
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    fn within_line(&self, length: usize) -> Result<(), LimitReached> {
        if !checked!("index-line") || u64::try_from(length).is_ok_and(|length| length <= self.line_limit) {
            Ok(())
        } else {
            Err(Limits::reached("line", self.line_limit))
        }
    }

    /// Reads whole lines; a missing last newline is the caller's business.
    ///
    /// Honest text is checked for control characters and UTF-8 once per block instead of once per line:
    /// that is half of the speed.
    fn block(&mut self, block: &[u8]) -> Result<(), LimitReached> {
        let lines = block.strip_suffix(b"\n").unwrap_or(block);
        if block.is_empty() {
            return Ok(());
        }
        match std::str::from_utf8(lines).ok().filter(|_| !has_control(lines)) {
            Some(text) => {
                let mut start = 0;
                for end in memchr_iter(b'\n', lines).chain([lines.len()]) {
                    self.line(text.get(start..end).unwrap_or_default())?;
                    self.at += end - start + 1;
                    start = end + 1;
                }
                Ok(())
            }
            None => lines.split(|byte| *byte == b'\n').try_for_each(|line| {
                self.suspicious_line(line)?;
                self.at += line.len() + 1;
                Ok(())
            }),
        }
    }

    /// Reads a line of a block in which something is wrong.
    fn suspicious_line(&mut self, line: &[u8]) -> Result<(), LimitReached> {
        let mut line = line;
        let number = self.line + 1;
        if let Some(without) = line.strip_suffix(b"\r") {
            line = without;
            if !std::mem::replace(&mut self.crlf_seen, true) && checked!("index-crlf") {
                let message = "expected lines that end with LF alone, found CR LF".to_owned();
                self.sink.fault(FaultClass::Malformed, &rule::CRLF, number, message);
            }
        }
        let (rule, message) = match std::str::from_utf8(line) {
            Ok(text) if !has_control(line) => return self.line(text),
            Ok(_) => (&rule::CONTROL_CHARACTER, "expected no control character, found"),
            Err(_) => (&rule::NOT_UTF8, "expected UTF-8, found"),
        };
        self.within_line(line.len())?;
        self.line = number;
        self.begin_entry()?;
        self.sink.fault(FaultClass::Malformed, rule, number, format!("{message} `{}`", escape(line)));
        match line {
            [letter, b':', ..] => self.entry.refused_field(*letter, number, &mut self.sink),
            _ => self.entry.refused_line(),
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), LimitReached> {
        self.line += 1;
        self.within_line(line.len())?;
        match line.as_bytes() {
            [] => self.end_entry(),
            [letter, b':', ..] => {
                self.begin_entry()?;
                self.entry.field(
                    *letter,
                    line.get(2..).unwrap_or_default(),
                    self.line,
                    self.at + 2,
                    &mut self.sink,
                );
            }
            bytes => {
                self.begin_entry()?;
                self.entry.refused_line();
                let rule = if bytes.len() == 1 { &rule::SHORT_LINE } else { &rule::NO_COLON };
                let message = format!("expected a letter, `:` and a value, found `{}`", escape(bytes));
                self.sink.fault(FaultClass::Malformed, rule, self.line, message);
            }
        }
        Ok(())
    }

    fn begin_entry(&mut self) -> Result<(), LimitReached> {
        if self.entry.is_empty() {
            if checked!("index-entries") && self.entries >= self.entry_limit {
                return Err(Limits::reached("index-entries", self.entry_limit));
            }
            self.entries += 1;
            self.entry.begin(self.line, self.at, &self.sink);
        }
        Ok(())
    }

    fn end_entry(&mut self) {
        if !self.entry.is_empty() {
            // A last line without newline ends with the text.
            let end = self.at.min(self.text.as_ref().map_or(0, Vec::len));
            match (&mut self.spans, self.entry.end(self.entries, end, &mut self.unique, &mut self.sink)) {
                (Some(spans), Some(span)) => spans.push(span),
                // A text with faults is split anew, as well as it goes.
                (spans, _) => *spans = None,
            }
        }
    }
}

/// Whether there is a control character other than LF; written for the vectoriser.
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, byte| found | ((*byte < b' ') & (*byte != b'\n')))
        && checked!("index-control-character")
}

/// Duplicates are found at the end, by line alone; if the text was kept, their names are in it.
fn name_duplicates(report: &mut TextReport) {
    let Some(text) = &report.text else { return };
    let duplicate = |fault: &&mut TextFault| {
        fault.code == rule::DUPLICATE_IDENTITY.id || fault.code == rule::DUPLICATE_VERSION.id
    };
    let mut unnamed = report.faults.iter_mut().filter(duplicate).peekable();
    let mut lines = text.split(|byte| *byte == b'\n').zip(1_u64..);
    // Faults are sorted by line, so both run forward once.
    while let Some(fault) = unnamed.next() {
        let (mut name, mut version): (&[u8], &[u8]) = (&[], &[]);
        let entry = lines.by_ref().skip_while(|(_, number)| *number < fault.line);
        for (line, _) in entry.take_while(|(line, _)| !line.is_empty()) {
            match line {
                [b'P', b':', value @ ..] => name = value,
                [b'V', b':', value @ ..] => version = value,
                _ => {}
            }
        }
        fault.entry = label(name, version);
        while let Some(same) = unnamed.next_if(|next| next.line == fault.line) {
            same.entry.clone_from(&fault.entry);
        }
    }
}
