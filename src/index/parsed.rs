//! A whole index in memory: its text, and where the entries lie in it.

use std::ops::Range;
use std::sync::OnceLock;

use memchr::memchr_iter;

use super::record::Record;
use super::span::Span;
use super::text::{Keep, TextReader, TextReport};
use crate::limits::{LimitReached, Limits};
use crate::types::{Identity, package_name, version_text};

/// A parsed index: every entry without copying any, found by identity, by name and version, or by name.
///
/// Shape: prints back byte for byte. Units: lines are counted from 1.
/// Trust: none; inside a `Verified` it is what the holder of the key signed.
///
/// # Examples
/// ```
/// use apkvet::index::Index;
/// use apkvet::limits::Limits;
/// let text = "C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1.0-r0\nA:x86_64\nS:1000\n\n";
/// let index = Index::parse(text.into(), &Limits::default()).unwrap();
/// assert_eq!(index.named("foo").next().unwrap().file_name(), "foo-1.0-r0.apk");
/// assert_eq!(index.as_str(), text);
/// assert!(Index::parse(text.replace("S:", "S:-").into(), &Limits::default()).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    text: String,
    spans: Vec<Span>,
    /// Places in `spans`, sorted by identity, when the first is looked for.
    by_identity: OnceLock<Vec<usize>>,
    /// Places in `spans`, sorted by name, in the order of the text where names are equal; when the first is looked for.
    by_name: OnceLock<Vec<usize>>,
}

/// Why a text is not an index that can be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexTextError {
    /// A limit was reached.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// The text has faults; the report lists them.
    #[error("{}", first_fault(.0))]
    Faults(Box<TextReport>),
}

fn first_fault(report: &TextReport) -> String {
    report.decisive().map_or_else(
        || "the index has faults".to_owned(),
        |fault| format!("line {}: {} [{}]", fault.line, fault.message, fault.code),
    )
}

impl Index {
    /// Checks a text as strictly as [`TextReader`] does, and parses it.
    ///
    /// # Errors
    /// - [`IndexTextError::Limit`] for a line that is too long, or too many entries.
    /// - [`IndexTextError::Faults`] for any fault, malformed or policy.
    pub fn parse(text: Vec<u8>, limits: &Limits) -> Result<Self, IndexTextError> {
        let mut reader = TextReader::new(limits, Keep::Nothing);
        reader.feed(&text)?;
        Self::from_report(TextReport { text: Some(text), ..reader.finish()? })
    }

    /// Parses the text that a [`TextReader`] has checked and kept.
    ///
    /// # Errors
    /// - [`IndexTextError::Faults`] for any fault, or if the text was not kept.
    pub(crate) fn from_report(mut report: TextReport) -> Result<Self, IndexTextError> {
        let spans = report.spans.take();
        match report.text.take().map(String::from_utf8) {
            Some(Ok(text)) if report.fault_count == 0 => Ok(Self::of_checked(text, spans)),
            _ => Err(IndexTextError::Faults(Box::new(report))),
        }
    }

    /// Parses a text whatever its faults are: entries without name, version or identity are left out.
    ///
    /// For looking at a refused index; what comes out is never verified.
    pub fn read_leniently(text: Vec<u8>) -> Self {
        Self::of_text(lossy(text), Names::Unchecked)
    }

    /// Parses the text that a [`TextReader`] has kept, and takes it out of the report: leniently if there are faults.
    #[cfg(feature = "cli")]
    pub(crate) fn looked_into(report: &mut TextReport) -> Self {
        let (text, spans) = (lossy(report.text.take().unwrap_or_default()), report.spans.take());
        match report.fault_count {
            0 => Self::of_checked(text, spans),
            _ => Self::of_text(text, Names::Unchecked),
        }
    }

    /// The text as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The entries in the order of the text.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = Record<'_>> + ExactSizeIterator {
        self.spans.iter().map(|span| Record::new(&self.text, span))
    }

    /// The entry with an identity.
    pub fn identified(&self, identity: &Identity) -> Option<Record<'_>> {
        let key = |at: &usize| self.spans.get(*at).map(|span| span.identity);
        let sorted = self.by_identity.get_or_init(|| {
            let mut places: Vec<usize> = (0..self.len()).collect();
            places.sort_by_key(key);
            places
        });
        let found = sorted.binary_search_by_key(&Some(*identity), key).ok()?;
        self.record(*sorted.get(found)?)
    }

    /// The entries with a name, in the order of the text.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let sorted = self.by_name.get_or_init(|| {
            let mut places: Vec<usize> = (0..self.len()).collect();
            places.sort_by(|a, b| self.name(*a).cmp(self.name(*b)));
            places
        });
        let first = sorted.partition_point(|at| self.name(*at) < name);
        let rest = sorted.get(first..).unwrap_or_default();
        let end = rest.partition_point(|at| self.name(*at) <= name);
        rest.get(..end).unwrap_or_default().iter().filter_map(|at| self.record(*at))
    }

    /// The entries with a name and exactly this version text: one for each architecture.
    pub fn versioned<'a, 'v>(
        &'a self,
        name: &str,
        version: &'v str,
    ) -> impl Iterator<Item = Record<'a>> + use<'a, 'v> {
        self.named(name).filter(move |record| record.version() == version)
    }

    fn record(&self, at: usize) -> Option<Record<'_>> {
        self.spans.get(at).map(|span| Record::new(&self.text, span))
    }

    fn name(&self, at: usize) -> &str {
        self.record(at).map_or("", |record| record.name())
    }

    /// A text without faults, split already if it was kept while it was checked.
    fn of_checked(text: String, spans: Option<Vec<Span>>) -> Self {
        match spans {
            Some(spans) => Self::of_spans(text, spans),
            None => Self::of_text(text, Names::Checked),
        }
    }

    fn of_text(text: String, names: Names) -> Self {
        let spans = Splitter::new(&text, names).spans();
        Self::of_spans(text, spans)
    }

    fn of_spans(text: String, spans: Vec<Span>) -> Self {
        Self { text, spans, by_identity: OnceLock::new(), by_name: OnceLock::new() }
    }
}

fn lossy(text: Vec<u8>) -> String {
    String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into())
}

/// Whether all names and versions of a text are known to keep to the grammar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Names {
    Checked,
    Unchecked,
}

/// Splits a text into the spans of its entries.
struct Splitter<'a> {
    text: &'a str,
    names: Names,
    spans: Vec<Span>,
    begin: Option<(usize, u64)>,
    identity: Option<Identity>,
    name: Option<Range<usize>>,
    version: Option<Range<usize>>,
}

impl<'a> Splitter<'a> {
    const fn new(text: &'a str, names: Names) -> Self {
        Self { text, names, spans: Vec::new(), begin: None, identity: None, name: None, version: None }
    }

    fn spans(mut self) -> Vec<Span> {
        let (mut start, length) = (0, self.text.len());
        for (end, number) in memchr_iter(b'\n', self.text.as_bytes()).chain([length]).zip(1_u64..) {
            self.line(start..end, number);
            start = end + 1;
        }
        self.end(length);
        self.spans
    }

    fn line(&mut self, at: Range<usize>, number: u64) {
        let line = self.text.get(at.clone()).unwrap_or_default().as_bytes();
        if line.is_empty() {
            self.end(at.start);
            return;
        }
        if self.begin.is_none() {
            self.begin = Some((at.start, number));
        }
        let (value, known) = (at.start.saturating_add(2)..at.end, self.names == Names::Checked);
        match line {
            [b'C', b':', text @ ..] => self.identity = Identity::parse(text).ok(),
            [b'P', b':', text @ ..] => {
                self.name = (known || package_name::check(text).is_ok()).then_some(value)
            }
            [b'V', b':', text @ ..] => {
                self.version = (known || version_text::check(text).is_ok()).then_some(value)
            }
            _ => {}
        }
    }

    fn end(&mut self, end: usize) {
        let found = (self.identity.take(), self.name.take(), self.version.take());
        if let (Some((start, line)), (Some(identity), Some(name), Some(version))) = (self.begin.take(), found)
        {
            self.spans.push(Span { lines: start..end, line, identity, name, version });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::testing;
    use crate::types::Architecture;

    const TEXT: &str = "\n\
        C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1.0-r0\nA:x86_64\nS:1000\nI:4096\nD:a b>=2\nD: !c \np:foo-virtual\n\n\
        C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:bar\nV:2.0-r0\nS:7\n\n\n\
        C:Q1BAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:foo\nV:1.1-r0\nA:noarch\nS:9\nk:10\nt:5";

    fn index() -> Index {
        Index::parse(TEXT.into(), &Limits::default()).unwrap()
    }

    #[test]
    fn finds_entries_by_name_version_and_identity() {
        let index = index();
        let labels: Vec<String> = index.named("foo").map(|record| record.label()).collect();
        assert_eq!(labels, ["foo-1.0-r0", "foo-1.1-r0"]);
        assert_eq!(index.versioned("foo", "1.1-r0").map(|record| record.line()).collect::<Vec<_>>(), [18]);
        assert_eq!(index.named("fo").count() + index.named("fooo").count(), 0);
        let identity = Identity::parse(b"Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        assert_eq!(index.identified(&identity).unwrap().name(), "bar");
        let other = Identity::parse(b"Q1AAAAAAAAAAAAAAAAAAAAAAAAAAE=").unwrap();
        assert_eq!(index.identified(&other), None);
    }

    #[test]
    fn reads_every_field() {
        let index = index();
        let foo = index.records().next().unwrap();
        assert_eq!((foo.line(), foo.line_of(b'S'), foo.line_of(b'Z')), (2, 6, 2));
        assert_eq!(
            (foo.architecture(), foo.size(), foo.installed_size()),
            (Some("x86_64"), 1000, Some(4096))
        );
        assert_eq!(foo.dependencies().map(|atom| atom.as_str()).collect::<Vec<_>>(), ["a", "b>=2", "!c"]);
        assert_eq!(foo.provides().map(|atom| atom.name()).collect::<Vec<_>>(), ["foo-virtual"]);
        assert_eq!(foo.install_if().count(), 0);
        let last = index.records().next_back().unwrap();
        assert_eq!((last.provider_priority(), last.build_time(), last.origin()), (10, Some(5), None));
        assert!(last.as_str().ends_with("t:5"));
    }

    #[test]
    fn fits_its_own_architecture_noarch_and_none() {
        let index = index();
        let arm = Architecture::parse(b"aarch64").unwrap();
        assert_eq!(index.records().map(|record| record.fits(&arm)).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn refuses_a_text_with_faults_but_reads_it_leniently() {
        let text = TEXT.replace("S:7", "S:x").replace("P:bar", "P:../bar");
        let error = Index::parse(text.clone().into(), &Limits::default()).unwrap_err();
        assert!(matches!(&error, IndexTextError::Faults(report) if report.fault_count == 2), "{error:?}");
        assert!(error.to_string().starts_with("line 13: expected a name of letters"), "{error}");
        assert_eq!(Index::read_leniently(text.into()).len(), 2);
    }

    /// The spans that a reader notes while a text comes in chunks of this size.
    fn noted(text: &[u8], size: usize) -> Option<Vec<Span>> {
        let mut reader = TextReader::new(&Limits::default(), Keep::Text);
        text.chunks(size).for_each(|chunk| reader.feed(chunk).unwrap());
        let report = reader.finish().unwrap();
        assert_eq!(report.faults, []);
        report.spans
    }

    #[test]
    fn what_is_noted_while_a_text_comes_in_is_what_splitting_finds() {
        for text in
            [TEXT.to_owned(), format!("{TEXT}\n"), format!("{TEXT}\n\n"), String::new(), "\n\n".to_owned()]
        {
            let split = Splitter::new(&text, Names::Unchecked).spans();
            for size in 1..=text.len() + 1 {
                assert_eq!(noted(text.as_bytes(), size).as_ref(), Some(&split), "{text:?} by {size}");
            }
        }
        for name in ["alpine/v3.17/main/aarch64", "alpine/v3.16/main/x86_64"] {
            let Some(text) = testing::real(name) else { return };
            let split = Splitter::new(std::str::from_utf8(&text).unwrap(), Names::Unchecked).spans();
            for size in [100, 65_521, text.len()] {
                assert_eq!(noted(&text, size).as_ref(), Some(&split), "{name} by {size}");
            }
        }
    }

    /// An entry whose lines come in any order, between lines that may repeat and lines that nobody knows.
    fn entries() -> impl Strategy<Value = String> {
        let lines =
            Just(["P:a", "V:1-r0", "S:1", "A:x", "D:b", "D:c", "i:e f", "x:y", "T:\u{e9}t\u{e9}"].to_vec());
        let entry = (lines.prop_shuffle(), any::<[u8; 20]>(), 0..12_usize, 0..3_usize);
        let print = |(mut lines, digest, at, empty): (Vec<&str>, [u8; 20], usize, usize)| {
            let identity = format!("C:{}", Identity::new(crate::types::Digest::new(digest)));
            lines.insert(at.min(lines.len()), &identity);
            let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
            lines.replace("P:a", &format!("P:a{}", digest[0])) + &"\n".repeat(empty + 1)
        };
        prop::collection::vec(entry.prop_map(print), 0..5).prop_map(|entries| entries.concat())
    }

    proptest! {
        #[test]
        fn what_is_noted_of_any_good_text_is_what_splitting_finds(text in entries(), less in 0..4_usize, size in 1..80_usize) {
            let text = text.get(..text.len().saturating_sub(less)).unwrap_or(&text);
            let mut reader = TextReader::new(&Limits::default(), Keep::Text);
            text.as_bytes().chunks(size).for_each(|chunk| reader.feed(chunk).unwrap());
            let report = reader.finish().unwrap();
            let split = Splitter::new(text, Names::Unchecked).spans();
            prop_assert_eq!(report.spans, (report.fault_count == 0).then_some(split));
        }
    }

    #[test]
    fn names_the_limit() {
        let limits = Limits { index_entries: 2, ..Limits::default() };
        let reached = Limits::reached("index-entries", 2);
        assert_eq!(Index::parse(TEXT.into(), &limits).unwrap_err(), IndexTextError::Limit(reached));
    }

    #[test]
    fn entries_and_empty_lines_print_the_text_back() {
        let index = index();
        let records: Vec<Record<'_>> = index.records().collect();
        let mut printed = String::from("\n");
        for (record, blank) in records.iter().zip(["\n", "\n\n", ""]) {
            printed += record.as_str();
            printed += blank;
        }
        assert_eq!(printed, TEXT);
        assert_eq!(index.as_str(), TEXT);
    }

    #[test]
    fn real_indexes_print_back_byte_for_byte() {
        for (name, entries) in [("alpine/v3.17/main/aarch64", 5004), ("alpine/v3.16/main/x86_64", 4929)] {
            let Some(text) = testing::real(name) else { return };
            let index = Index::parse(text.clone(), &Limits::default()).unwrap();
            assert_eq!(index.len(), entries);
            let printed: String = index.records().flat_map(|record| [record.as_str(), "\n"]).collect();
            assert_eq!(printed.as_bytes(), text);
            for record in index.records() {
                assert_eq!(index.identified(&record.identity()), Some(record));
            }
        }
    }
}
