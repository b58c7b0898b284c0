//! Why a file is no bundle, or not the whole of one.

use std::io;

use crate::types::escape;

/// Why a bundle is refused; nothing of it has been used then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It cannot be read.
    #[error("the bundle cannot be read")]
    Read(#[source] io::Error),
    /// It ends early.
    #[error("the bundle ends in the middle of {0}: a part of it is missing")]
    Cut(String),
    /// It does not begin as a bundle does.
    #[error("this is no bundle: expected a file that `apkvet mirror export` wrote")]
    NoBundle,
    /// Another entry than its list says, or one that is described otherwise.
    #[error("expected {expected} as the next entry of the bundle, found something else")]
    Entry {
        /// The name in the archive.
        expected: String,
    },
    /// Something else than zeros where only zeros belong.
    #[error("bytes follow {0} where only zeros belong")]
    Padding(String),
    /// Bytes that are not what their name says.
    #[error("{name} of the bundle has other bytes than its name says: SHA-256 {found}")]
    Digest {
        /// The name in the archive.
        name: String,
        /// In hexadecimal.
        found: String,
    },
    /// Bytes after the end.
    #[error("bytes follow the end of the bundle")]
    Trailing,
    /// A list that is larger than any that we write.
    #[error("the list of the bundle has {found} bytes, at most {limit} are read")]
    TooLarge {
        /// Units: bytes.
        found: u64,
        /// Units: bytes.
        limit: u64,
    },
    /// A list that this program would not have written.
    #[error("the list of the bundle cannot be used: {}", escape(.0))]
    List(String),
}

impl BundleError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "io",
            Self::Cut(_) => "bundle-cut",
            Self::NoBundle => "not-a-bundle",
            Self::Entry { .. } | Self::Padding(_) | Self::Digest { .. } | Self::Trailing => "bundle-damaged",
            Self::TooLarge { .. } | Self::List(_) => "bundle-list",
        }
    }
}
