//! Versions as real packages write them, within the grammar or not.

use std::cmp::Ordering;
use std::fmt;

use super::escape;
use super::version_items::{compare_versions, is_grammatical};

/// A version that is safe in a file name, whether or not it is within the grammar.
///
/// Shape: `[0-9A-Za-z][0-9A-Za-z._+~-]*`. Real packages are called `0.99f7-r1`, `836b738-r1` or
/// `2.7.18.10-git-r0`; `apk` installs them by name and orders them by what is grammatical in them.
///
/// # Examples
/// ```
/// use apkvet::types::VersionText;
/// let version = VersionText::parse(b"0.99f7-r1").unwrap();
/// assert!(!version.is_grammatical());
/// assert!(VersionText::parse(b"1.0/../../x").is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct VersionText(Box<str>);

/// Why a text is not a safe version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionTextError {
    /// No byte at all.
    #[error("expected a version, found nothing")]
    Empty,
    /// A byte that would not be safe in a file name, or a first byte that is no letter or digit.
    #[error(
        "expected a version of letters, digits and `._+~-` that begins with a letter or digit, found `{found}`"
    )]
    Character {
        /// The text, escaped and shortened.
        found: String,
    },
}

impl VersionText {
    /// Parses a whole text.
    ///
    /// # Errors
    /// - [`VersionTextError::Empty`] for an empty text.
    /// - [`VersionTextError::Character`] for a text that is no safe token.
    pub fn parse(raw: &[u8]) -> Result<Self, VersionTextError> {
        check(raw)?;
        Ok(Self(String::from_utf8_lossy(raw).into()))
    }

    /// The version as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the version is within the grammar of [`Version`](super::Version).
    pub fn is_grammatical(&self) -> bool {
        is_grammatical(self.0.as_bytes())
    }

    /// Compares as `apk` does; different texts may compare as equal.
    pub fn compare(&self, other: &Self) -> Ordering {
        compare_versions(&self.0, &other.0)
    }
}

/// Checks a safe token without keeping it.
pub(crate) fn check(raw: &[u8]) -> Result<(), VersionTextError> {
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'~' | b'-');
    match raw.first() {
        None => Err(VersionTextError::Empty),
        Some(first) if first.is_ascii_alphanumeric() && raw.iter().all(safe) => Ok(()),
        Some(_) => Err(VersionTextError::Character { found: escape(raw).to_string() }),
    }
}

impl fmt::Display for VersionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_real_packages_are_called() {
        for text in ["0.99f7-r1", "6.8.0p2-r4", "836b738-r1", "2.7.18.10-git-r0", "1.0.0+git"] {
            assert_eq!(VersionText::parse(text.as_bytes()).map(|v| v.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn refuses_what_would_leave_a_directory() {
        assert_eq!(VersionText::parse(b""), Err(VersionTextError::Empty));
        for text in ["1.0/../../x", "..", "-r1", "1:2.0", "1.0 ", "1.0\r", "_p1", "~1", "1.0\u{e9}"] {
            let found = escape(text).to_string();
            assert_eq!(VersionText::parse(text.as_bytes()), Err(VersionTextError::Character { found }));
        }
    }

    #[test]
    fn orders_by_what_is_grammatical() {
        let text = |raw: &str| VersionText::parse(raw.as_bytes()).unwrap();
        assert_eq!(text("1.0bc").compare(&text("1.0b")), Ordering::Less);
        assert_eq!(text("1.0bc").compare(&text("1.0bd")), Ordering::Equal);
        assert_ne!(text("1.0bc"), text("1.0bd"));
    }
}
