//! Versions within the grammar.

use std::cmp::Ordering;
use std::fmt;

use super::escape;
use super::version_items::{compare_versions, grammatical_prefix, is_grammatical};

/// A version within the grammar of `apk`, ordered as `apk` orders versions.
///
/// Shape: `digits *("." digits) [letter] *("_" suffix [digits]) ["~" hash] ["-r" digits]`, where a suffix
/// is one of `alpha beta pre rc cvs svn git hg p` and a hash is lower-case hexadecimal. It prints exactly
/// as it was read; two versions are equal when they sort equally, so `007` equals `7`.
///
/// Units: numbers wrap at 64 bits, as they do in `apk`.
///
/// # Examples
/// ```
/// use apkvet::types::Version;
/// let version = |text: &str| Version::parse(text.as_bytes());
/// assert!(version("1.0").unwrap() < version("1.0-r0").unwrap());
/// assert!(version("1.0-beta").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Version(Box<str>);

/// Why a text is not a version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// No byte at all.
    #[error("expected a version, found nothing")]
    Empty,
    /// The text leaves the grammar.
    #[error(
        "expected a version as `1.2.3_rc4-r5`, found `{found}`, which leaves the grammar after {valid} bytes"
    )]
    Grammar {
        /// The text, escaped and shortened.
        found: String,
        /// How many bytes are within the grammar.
        valid: usize,
    },
}

impl Version {
    /// Parses a whole text.
    ///
    /// # Errors
    /// - [`VersionError::Empty`] for an empty text.
    /// - [`VersionError::Grammar`] for any other text outside the grammar.
    pub fn parse(raw: &[u8]) -> Result<Self, VersionError> {
        Self::check(raw)?;
        Ok(Self(String::from_utf8_lossy(raw).into()))
    }

    /// Checks a text without keeping it.
    ///
    /// # Errors
    /// - as [`Version::parse`].
    pub fn check(raw: &[u8]) -> Result<(), VersionError> {
        if raw.is_empty() {
            Err(VersionError::Empty)
        } else if is_grammatical(raw) {
            Ok(())
        } else {
            Err(VersionError::Grammar { found: escape(raw).to_string(), valid: grammatical_prefix(raw) })
        }
    }

    /// The version as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_versions(&self.0, &other.0)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests;
