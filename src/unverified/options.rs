//! How a file is read.

use super::FileDigest;
use crate::index::Keep;
use crate::limits::Limits;

/// How much of a package is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// Everything: the data member is inflated, every name and checksum checked.
    Full,
    /// Origin and identity: the stored bytes of the data member are hashed, not inflated.
    Identity,
}

impl Level {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Identity => "identity",
        }
    }
}

/// How a file is read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// How much hostile input may cost.
    pub limits: Limits,
    /// How much of a package is looked at.
    pub level: Level,
    /// Whether SHA-256 of the whole file is computed.
    pub file_digest: FileDigest,
    /// Whether the text of an index is kept.
    pub index_text: Keep,
    /// Whether the entries of a package are kept for a listing.
    pub list_files: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            level: Level::Full,
            file_digest: FileDigest::Skip,
            index_text: Keep::Nothing,
            list_files: false,
        }
    }
}
