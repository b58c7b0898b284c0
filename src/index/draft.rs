//! An index that is being made: entries become the body of `APKINDEX.tar.gz`.

use super::text::{Keep, TextFault, TextReader};
use super::{Index, Record};
use crate::container::{ArchiveEnd, ArchiveWriter, WriteError};
use crate::limits::{LimitReached, Limits};

/// An index under construction: the texts of its entries, in the order in which they will stand.
///
/// Entries that come out of another index are copied byte for byte.
///
/// # Examples
/// ```
/// use apkvet::index::{Index, IndexDraft};
/// use apkvet::limits::Limits;
/// let text = "C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1.0-r0\nA:x86_64\nS:1000\n\n";
/// let upstream = Index::parse(text.into(), &Limits::default()).unwrap();
/// let mut draft = IndexDraft::new(1_700_000_000).described(b"v3.17.0");
/// upstream.records().for_each(|record| draft.copy(&record));
/// let body = draft.body(&Limits::default()).unwrap();
/// assert_eq!(body, draft.body(&Limits::default()).unwrap());
///
/// draft.push("P:no identity\n");
/// assert!(draft.body(&Limits::default()).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct IndexDraft<'a> {
    time: u64,
    description: Option<&'a [u8]>,
    entries: Vec<&'a str>,
}

/// The body of an index: one gzip member, ready to be signed. The same draft gives the same bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IndexBytes(Vec<u8>);

/// Why a draft is not written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// The text would be refused.
    #[error("the text of the index would be refused: line {}: {} [{}]", .0.line, .0.message, .0.code)]
    Text(Box<TextFault>),
    /// A limit would be reached by whoever reads it.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// It does not fit into an archive.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl<'a> IndexDraft<'a> {
    /// Begins an index. Units: seconds since 1970, the time of the entries in the archive.
    pub const fn new(time: u64) -> Self {
        Self { time, description: None, entries: Vec::new() }
    }

    /// Sets the text of `DESCRIPTION`; `apk` shows none of more than 160 bytes.
    #[must_use]
    pub const fn described(mut self, description: &'a [u8]) -> Self {
        self.description = Some(description);
        self
    }

    /// Appends an entry of another index, byte for byte.
    pub fn copy(&mut self, record: &Record<'a>) {
        self.push(record.as_str());
    }

    /// Appends an entry by its lines; the empty line after it is added.
    pub fn push(&mut self, entry: &'a str) {
        self.entries.push(entry);
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text, in pieces.
    fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        let entries = self.entries.iter().flat_map(|entry| {
            // The last line of an index may lack its newline, and entries of it can come to stand first.
            let newline: &[u8] = if entry.ends_with('\n') { b"" } else { b"\n" };
            [entry.as_bytes(), newline, b"\n"]
        });
        entries.filter(|piece| !piece.is_empty())
    }

    /// Writes `DESCRIPTION` and `APKINDEX` into one compressed archive.
    ///
    /// The text is held to the grammar first: what comes out is never refused for it.
    ///
    /// # Errors
    /// - [`DraftError::Text`] for the first fault that the text would have.
    /// - [`DraftError::Limit`] for a line, a text or a number of entries beyond the limits.
    /// - [`DraftError::Write`] for a time or a size that tar has no room for.
    pub fn body(&self, limits: &Limits) -> Result<IndexBytes, DraftError> {
        self.check(limits)?;
        let mut archive = ArchiveWriter::new(self.time);
        if let Some(description) = self.description {
            archive.file("DESCRIPTION", std::iter::once(description))?;
        }
        archive.file("APKINDEX", self.pieces())?;
        Ok(IndexBytes(archive.finish(ArchiveEnd::ZeroBlocks)?))
    }

    fn check(&self, limits: &Limits) -> Result<(), DraftError> {
        let (mut reader, mut size) = (TextReader::new(limits, Keep::Nothing), 0);
        for piece in self.pieces() {
            size += crate::limits::length(piece);
            reader.feed(piece)?;
        }
        if size > limits.index_text {
            return Err(Limits::reached("index-text", limits.index_text).into());
        }
        match reader.finish()?.decisive() {
            Some(fault) => Err(DraftError::Text(Box::new(self.named(fault.clone())))),
            None => Ok(()),
        }
    }

    /// Names the entry of a fault: duplicates are found by their lines alone.
    fn named(&self, mut fault: TextFault) -> TextFault {
        let mut first = 1;
        for entry in self.entries.iter().filter(|_| fault.entry.is_empty()) {
            let lines = memchr::memchr_iter(b'\n', entry.as_bytes()).count();
            let end = first + u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1);
            if (first..end).contains(&fault.line) {
                let label = |index: Index| index.records().next().map(|record| record.label());
                fault.entry = label(Index::read_leniently(entry.as_bytes().to_vec())).unwrap_or_default();
                break;
            }
            first = end;
        }
        fault
    }
}

impl IndexBytes {
    /// The compressed member, which is what a signature covers; alone it is an unsigned index.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The compressed member.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Index, testing};

    #[test]
    fn copies_entries_byte_for_byte_and_mends_a_missing_newline() {
        let text = "\nC:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1\nA:x86_64\nS:1\nx:odd  \n\n\n\
                    C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:bar\nV:2\nA:x86_64\nS:7";
        let index = Index::parse(text.into(), &Limits::default()).unwrap();
        let mut draft = IndexDraft::new(0);
        index.records().rev().for_each(|record| draft.copy(&record));
        let written: Vec<u8> = draft.pieces().flatten().copied().collect();
        let expected = "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:bar\nV:2\nA:x86_64\nS:7\n\n\
                        C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1\nA:x86_64\nS:1\nx:odd  \n\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
        assert!(draft.body(&Limits::default()).is_ok());
    }

    #[test]
    fn a_text_that_would_be_refused_is_not_written() {
        let index = testing::index(&["a 1"]);
        let mut draft = IndexDraft::new(0);
        index.records().for_each(|record| draft.copy(&record));
        index.records().for_each(|record| draft.copy(&record));
        let error = draft.body(&Limits::default()).unwrap_err();
        assert!(
            matches!(&error, DraftError::Text(fault)
            if (fault.code, fault.entry.as_str()) == ("entry-duplicate-identity", "a-1")),
            "{error:?}"
        );
        let limits = Limits { index_text: 10, ..Limits::default() };
        let mut one = IndexDraft::new(0);
        index.records().for_each(|record| one.copy(&record));
        assert_eq!(one.body(&limits), Err(Limits::reached("index-text", 10).into()));
    }
}
