//! Names of signing keys.

use std::fmt;

use super::escape;

/// Name of a signing key as written in a signature entry: `.SIGN.RSA.` is followed by it.
///
/// Shape: 1 to 200 bytes of `[A-Za-z0-9@._+-]`, not `.` or `..`. A file name, never a path: it is looked
/// up among the names of loaded keys and never opened.
///
/// # Examples
/// ```
/// use apkvet::types::KeyName;
/// assert!(KeyName::parse(b"-5769b15b.rsa.pub").is_ok());
/// assert!(KeyName::parse(b"../keys/a.rsa.pub").is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyName(Box<str>);

/// Why bytes are not a key name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyNameError {
    /// No byte, or more than 200.
    #[error("expected 1 to 200 bytes, found {found}")]
    Length {
        /// Number of bytes.
        found: usize,
    },
    /// A byte that no key name has.
    #[error("expected letters, digits and `@._+-`, found `{found}`")]
    Character {
        /// The name, escaped and shortened.
        found: String,
    },
    /// `.` or `..`.
    #[error("`.` and `..` are not file names")]
    Dots,
}

impl KeyName {
    /// The longest name that is accepted. Units: bytes.
    pub const MAX: usize = 200;

    /// Parses the bytes after `.SIGN.ALGORITHM.`, or the name of a key file.
    ///
    /// # Errors
    /// - [`KeyNameError::Length`] if empty or longer than [`KeyName::MAX`].
    /// - [`KeyNameError::Character`] for a byte outside `[A-Za-z0-9@._+-]`.
    /// - [`KeyNameError::Dots`] for `.` and `..`.
    pub fn parse(raw: &[u8]) -> Result<Self, KeyNameError> {
        if raw.is_empty() || raw.len() > Self::MAX {
            return Err(KeyNameError::Length { found: raw.len() });
        }
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"@._+-".contains(byte);
        match std::str::from_utf8(raw) {
            Ok("." | "..") if checked!("key-name") => Err(KeyNameError::Dots),
            Ok(text) if !checked!("key-name") || raw.iter().all(allowed) => Ok(Self(text.into())),
            _ => Err(KeyNameError::Character { found: escape(raw).to_string() }),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
