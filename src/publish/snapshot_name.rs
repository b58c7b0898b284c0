//! What a snapshot may be called.

use std::fmt;

use crate::types::escape;

/// The name of a snapshot: a part of addresses that clients write down for years.
///
/// Shape: 1 to 100 bytes of `[A-Za-z0-9._+-]`, the first a letter or digit, not digits alone (those are numbers of
/// generations), and neither `current` nor `upstream`.
///
/// # Examples
/// ```
/// use apkvet::publish::SnapshotName;
/// assert_eq!(SnapshotName::parse("2026-11-27").unwrap().as_str(), "2026-11-27");
/// assert!(SnapshotName::parse("../x").is_err());
/// assert!(SnapshotName::parse("12").is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SnapshotName(Box<str>);

/// Why a text is no name of a snapshot.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotNameError {
    /// Other bytes, or too many of them.
    #[error("expected 1 to {MAX} of [A-Za-z0-9._+-], the first a letter or digit, found `{}`", escape(.found))]
    Shape {
        /// What stands there.
        found: String,
    },
    /// A word that means something else.
    #[error("`{}` means something else: numbers are generations, `current` and `upstream` are what they say", escape(.found))]
    Taken {
        /// What stands there.
        found: String,
    },
}

/// Units: bytes.
const MAX: usize = 100;

impl SnapshotName {
    /// Parses a whole text.
    ///
    /// # Errors
    /// - [`SnapshotNameError::Shape`] for anything that is not of the shape.
    /// - [`SnapshotNameError::Taken`] for a number, `current` and `upstream`.
    pub fn parse(text: &str) -> Result<Self, SnapshotNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !first || text.len() > MAX || !text.bytes().all(allowed) {
            return Err(SnapshotNameError::Shape { found: text.to_owned() });
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) || matches!(text, "current" | "upstream") {
            return Err(SnapshotNameError::Taken { found: text.to_owned() });
        }
        Ok(Self(text.into()))
    }

    /// As text.
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_safe_segment() {
        for text in ["a", "2026-11-27", "2026-W48", "before.libc+1", "1a"] {
            assert_eq!(SnapshotName::parse(text).unwrap().as_str(), text);
        }
        for text in ["", ".a", "-a", "a/b", "a b", "ä", "a\0", "a@b", &"x".repeat(101)] {
            let found = text.to_owned();
            assert_eq!(SnapshotName::parse(text), Err(SnapshotNameError::Shape { found }));
        }
    }

    #[test]
    fn what_means_something_else_is_no_name() {
        for text in ["0", "12", "current", "upstream"] {
            let found = text.to_owned();
            assert_eq!(SnapshotName::parse(text), Err(SnapshotNameError::Taken { found }));
        }
    }
}
