//! The body of an index: an archive of `APKINDEX` and perhaps `DESCRIPTION`.
//!
//! Source: `docs/formats/apk-v2.md`, section 10.

use crate::container::{Entry, EntryKind, TarError, TarReader, TarSink, ZeroBlocks};
use crate::envelope::refused_key;
use crate::limits::{LimitReached, Limits};
use crate::types::{escape, escape_all};

use super::text::{Keep, TextReader, TextReport};

/// The longest description that is read. `apk` shows none that is longer than 160 bytes.
const DESCRIPTION_MAX: u64 = 64 << 10;

/// What the body of an index holds.
#[derive(Debug)]
pub(crate) struct IndexBody {
    pub(crate) report: TextReport,
    /// Escaped.
    pub(crate) description: Option<String>,
    /// The same as it is stored.
    pub(crate) raw_description: Option<Vec<u8>>,
    /// The time that the tar header of `APKINDEX` carries. Units: seconds since 1970.
    pub(crate) tar_time: u64,
    /// A `.SIGN.*` entry stands at the end of the body, where no reader looks for one.
    pub(crate) stray_signature: bool,
}

/// Why the body of an index is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The archive is refused.
    #[error("index: {0}")]
    Tar(TarError),
    /// An entry other than `APKINDEX` and `DESCRIPTION`.
    #[error("index: expected the entries APKINDEX and DESCRIPTION, found `{found}`")]
    Foreign {
        /// The name, escaped and shortened.
        found: String,
    },
    /// An entry is not a regular file.
    #[error("index: expected a regular file, found the {kind} `{name}`")]
    Kind {
        /// The name, escaped and shortened.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// A pax key other than times.
    #[error("index: the pax key `{key}` is not allowed here")]
    PaxKey {
        /// The key, escaped.
        key: String,
    },
    /// An entry stands twice.
    #[error("index: the entry `{name}` is there twice")]
    Repeated {
        /// The name, escaped and shortened.
        name: String,
    },
    /// There is no `APKINDEX`.
    #[error("index: there is no APKINDEX")]
    NoText,
    /// One zero block ends the archive.
    #[error("index: one zero block ends the archive, where two or none do")]
    OneZeroBlock,
    /// The text is larger than allowed.
    #[error("index: {0}")]
    Limit(LimitReached),
}

impl IndexError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Tar(error) => error.code(),
            Self::Foreign { .. } => "index-foreign-entry",
            Self::Kind { .. } => "index-kind",
            Self::PaxKey { .. } => "index-pax-key",
            Self::Repeated { .. } => "index-repeated",
            Self::NoText => "index-no-text",
            Self::OneZeroBlock => "index-one-zero-block",
            Self::Limit(limit) => match limit.name.as_bytes() {
                b"line" => "limit-line",
                b"index-entries" => "limit-index-entries",
                _ => "limit-index-text",
            },
        }
    }

    /// Whether the index is well formed and refused by choice.
    pub(crate) const fn is_policy(&self) -> bool {
        // A line that apk cannot read is no matter of choice.
        matches!(self, Self::Limit(limit) if !matches!(limit.name.as_bytes(), b"line"))
    }
}

/// Reads the body of an index while it is inflated.
#[derive(Debug)]
pub(crate) struct IndexMember {
    tar: TarReader,
    entries: Entries,
}

#[derive(Debug)]
struct Entries {
    text_limit: u64,
    text: TextReader,
    text_seen: bool,
    tar_time: u64,
    description: Option<Vec<u8>>,
    stray_signature: bool,
    open: Open,
    error: Option<IndexError>,
}

/// Whose body passes by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Open {
    Text,
    Description,
    Nothing,
}

impl IndexMember {
    pub(crate) fn new(limits: &Limits, keep: Keep) -> Self {
        Self {
            tar: TarReader::new(ZeroBlocks::Allowed, limits.pax_header),
            entries: Entries {
                text_limit: limits.index_text,
                text: TextReader::new(limits, keep),
                text_seen: false,
                tar_time: 0,
                description: None,
                stray_signature: false,
                open: Open::Nothing,
                error: None,
            },
        }
    }

    /// The next inflated bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.entries.error.is_none() {
            let fed = self.tar.feed(bytes, &mut self.entries);
            self.entries.fail(fed.map_err(IndexError::Tar));
        }
    }

    /// What the body holds, once it has ended.
    pub(crate) fn finish(mut self) -> Result<IndexBody, IndexError> {
        if self.entries.error.is_none() {
            let ended = match self.tar.finish() {
                Err(error) => Err(IndexError::Tar(error)),
                Ok(1) if checked!("index-one-zero-block") => Err(IndexError::OneZeroBlock),
                Ok(_) if !self.entries.text_seen => Err(IndexError::NoText),
                Ok(_) => Ok(()),
            };
            self.entries.fail(ended);
        }
        let Entries { text, description, tar_time, stray_signature, error, .. } = self.entries;
        match error {
            Some(error) => Err(error),
            None => Ok(IndexBody {
                report: text.finish().map_err(IndexError::Limit)?,
                description: description.as_ref().map(|text| escape_all(text).to_string()),
                raw_description: description,
                tar_time,
                stray_signature,
            }),
        }
    }
}

impl Entries {
    /// Keeps the first error.
    fn fail(&mut self, result: Result<(), IndexError>) {
        if let (Err(error), None) = (result, &self.error) {
            self.error = Some(error);
        }
    }

    fn begin(&mut self, entry: &Entry) -> Result<Open, IndexError> {
        let quoted = || escape(&entry.path).to_string();
        if entry.path.starts_with(b".SIGN.") {
            self.stray_signature = true;
            return Ok(Open::Nothing);
        }
        let open = match entry.path.as_slice() {
            b"APKINDEX" => Open::Text,
            b"DESCRIPTION" => Open::Description,
            _ if !checked!("index-foreign") => return Ok(Open::Nothing),
            _ => return Err(IndexError::Foreign { found: quoted() }),
        };
        let misplaced = self.stray_signature || entry.prefixed || entry.long_name;
        if checked!("index-name") && misplaced {
            return Err(IndexError::Foreign { found: quoted() });
        }
        if checked!("index-kind") && entry.kind != EntryKind::Regular {
            return Err(IndexError::Kind { name: quoted(), kind: entry.kind.name() });
        }
        if let Some(key) = refused_key(entry, |_| !checked!("index-pax-key")) {
            return Err(IndexError::PaxKey { key: escape(key).to_string() });
        }
        let (seen, limit) = match open {
            Open::Text => (self.text_seen, self.text_limit),
            _ => (self.description.is_some(), DESCRIPTION_MAX),
        };
        if checked!("index-repeated") && seen {
            return Err(IndexError::Repeated { name: quoted() });
        }
        if checked!("index-text-size") && entry.size > limit {
            return Err(IndexError::Limit(Limits::reached("index-text", limit)));
        }
        Ok(open)
    }
}

impl TarSink for Entries {
    fn entry(&mut self, entry: &Entry) {
        if self.error.is_some() {
            return;
        }
        match self.begin(entry) {
            Ok(open) => {
                self.open = open;
                match open {
                    Open::Text => {
                        self.text_seen = true;
                        self.tar_time = entry.mtime;
                    }
                    Open::Description => self.description = Some(Vec::new()),
                    Open::Nothing => {}
                }
            }
            Err(error) => self.fail(Err(error)),
        }
    }

    fn body(&mut self, chunk: &[u8]) {
        if self.error.is_some() {
            return;
        }
        match (self.open, &mut self.description) {
            (Open::Text, _) => {
                let fed = self.text.feed(chunk).map_err(IndexError::Limit);
                self.fail(fed);
            }
            (Open::Description, Some(text)) => text.extend_from_slice(chunk),
            _ => {}
        }
    }

    fn end(&mut self) {
        self.open = Open::Nothing;
    }
}
