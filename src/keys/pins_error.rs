//! What is wrong with a pin file, and why a pin does not fit.

use jiff::civil::Date;

use super::fingerprint::FingerprintError;
use super::scope::ScopeError;
use crate::types::{KeyName, KeyNameError};

/// How many lines of a pin file are read.
pub(super) const MAX_LINES: usize = 100_000;

/// Why no line of the pin file admits a use of a key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPinned {
    /// No line has the fingerprint.
    #[error("no pin has the fingerprint of this key")]
    Fingerprint,
    /// The key is pinned under another name.
    #[error("this key is pinned under the name `{expected}`")]
    Name {
        /// The name of the pin.
        expected: KeyName,
    },
    /// The pin has expired.
    #[error("the pin of line {line} counts until {until}")]
    Expired {
        /// Line of the pin file.
        line: usize,
        /// The last day on which it counts.
        until: Date,
    },
    /// The file lies outside of every scope.
    #[error("the pin of line {line} does not count at this place")]
    Scope {
        /// Line of the pin file.
        line: usize,
    },
    /// Another architecture.
    #[error("the pin of line {line} does not count for this architecture")]
    Architecture {
        /// Line of the pin file.
        line: usize,
    },
    /// Another package.
    #[error("the pin of line {line} does not count for this package")]
    Package {
        /// Line of the pin file.
        line: usize,
    },
    /// A signature over SHA-1.
    #[error("the pin of line {line} denies signatures over SHA-1")]
    Sha1 {
        /// Line of the pin file.
        line: usize,
    },
}

/// Why a text is no pin file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PinsError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: PinProblem,
}

/// What is wrong with a line of a pin file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PinProblem {
    /// Not UTF-8, or more lines than any pin file has.
    #[error("expected text of at most {MAX_LINES} lines")]
    Text,
    /// No fingerprint.
    #[error("expected `sha256:HEX NAME`, found no fingerprint")]
    NoFingerprint,
    /// No name.
    #[error("expected `sha256:HEX NAME`, found no name")]
    NoName,
    /// A word that is given twice and may be given once.
    #[error("`{word}` is given twice")]
    Twice {
        /// Which.
        word: &'static str,
    },
    /// A word that means nothing.
    #[error("unknown word `{word}`")]
    Unknown {
        /// The word, escaped.
        word: String,
    },
    /// A fingerprint that is none.
    #[error("bad fingerprint: {0}")]
    Fingerprint(#[from] FingerprintError),
    /// A name that no signature can bear.
    #[error("bad name: {0}")]
    Name(#[from] KeyNameError),
    /// A scope that is none.
    #[error("bad `scope=`: {0}")]
    Scope(#[from] ScopeError),
    /// A day that is none.
    #[error("bad `until=`: expected YYYY-MM-DD")]
    Until,
    /// Neither `allow` nor `deny`.
    #[error("bad `sha1=`: expected `allow` or `deny`")]
    Sha1,
    /// An empty list, or one with characters that do not belong there.
    #[error("bad `{word}=`: expected words with commas between")]
    List {
        /// Which.
        word: &'static str,
    },
    /// `ignore=` without a comment.
    #[error("expected a reason for `ignore=`, as a comment on the line")]
    Reason,
}

impl NotPinned {
    /// How near the line came.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Fingerprint => 0,
            Self::Name { .. } => 1,
            Self::Expired { .. } => 2,
            Self::Scope { .. } => 3,
            Self::Architecture { .. } => 4,
            Self::Package { .. } => 5,
            Self::Sha1 { .. } => 6,
        }
    }
}
