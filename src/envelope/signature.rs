//! One signature entry: `.SIGN.LABEL.KEYNAME` and the bytes of the signature.

use std::fmt;

use crate::types::{KeyName, KeyNameError, escape};

/// The algorithm that a signature entry names.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Label {
    /// RSA over SHA-1, what abuild wrote for most of its life.
    Rsa,
    /// RSA over SHA-256.
    Rsa256,
    /// RSA over SHA-512.
    Rsa512,
    /// DSA over SHA-1; never accepted.
    Dsa,
    /// A label that apk does not know either.
    Unknown(Box<str>),
}

impl Label {
    /// The label as written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Rsa => "RSA",
            Self::Rsa256 => "RSA256",
            Self::Rsa512 => "RSA512",
            Self::Dsa => "DSA",
            Self::Unknown(label) => label,
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "RSA" => Self::Rsa,
            "RSA256" => Self::Rsa256,
            "RSA512" => Self::Rsa512,
            "DSA" => Self::Dsa,
            other => Self::Unknown(other.into()),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One signature as it lies in the file; nothing about it is checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    pub(crate) label: Label,
    pub(crate) key_name: KeyName,
    pub(crate) bytes: Vec<u8>,
    /// Which of the signature members it lies in, from 0.
    pub(crate) member: usize,
}

impl Signature {
    /// The algorithm that the entry names.
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// The name of the key that the entry asks for.
    pub const fn key_name(&self) -> &KeyName {
        &self.key_name
    }

    /// The raw signature.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a name in the signature member is not that of a signature.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not `.SIGN.LABEL.KEYNAME`.
    #[error("expected a name of the form `.SIGN.ALGORITHM.KEY`, found `{found}`")]
    Name {
        /// The name, escaped and shortened.
        found: String,
    },
    /// The key name is not a safe file name.
    #[error("the key name in `{found}` is refused: {error}")]
    KeyName {
        /// The name, escaped and shortened.
        found: String,
        /// What is wrong with the key name.
        error: KeyNameError,
    },
}

/// What every signature entry's name begins with.
pub(crate) const PREFIX: &[u8] = b".SIGN.";

/// Splits the name of a signature entry.
pub(crate) fn parse_name(path: &[u8]) -> Result<(Label, KeyName), SignatureError> {
    let bad = || SignatureError::Name { found: escape(path).to_string() };
    let rest = path.strip_prefix(PREFIX).ok_or_else(bad)?;
    let dot = memchr::memchr(b'.', rest).ok_or_else(bad)?;
    let (label, key) = rest.split_at_checked(dot).ok_or_else(bad)?;
    let named = (1..=16).contains(&label.len()) && label.iter().all(u8::is_ascii_alphanumeric);
    if checked!("signature-label") && !named {
        return Err(bad());
    }
    let label = std::str::from_utf8(label).map_err(|_| bad())?;
    let key = KeyName::parse(key.get(1..).unwrap_or_default())
        .map_err(|error| SignatureError::KeyName { found: escape(path).to_string(), error })?;
    Ok((Label::parse(label), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_label_and_key_name() {
        let (label, key) = parse_name(b".SIGN.RSA256.-5769b15b.rsa.pub").unwrap();
        assert_eq!((label, key.as_str()), (Label::Rsa256, "-5769b15b.rsa.pub"));
        let (label, _) = parse_name(b".SIGN.rsa.a.rsa.pub").unwrap();
        assert_eq!(label, Label::Unknown("rsa".into()));
    }

    #[test]
    fn refuses_names_without_label_and_key_names_with_slashes() {
        for name in [&b".SIGN.key"[..], b".SIGN..key", b".SIGN", b"x.SIGN.RSA.key"] {
            assert!(matches!(parse_name(name), Err(SignatureError::Name { .. })), "{name:?}");
        }
        for name in [&b".SIGN.RSA.../a"[..], b".SIGN.RSA.", b".SIGN.RSA.a\x1b"] {
            assert!(matches!(parse_name(name), Err(SignatureError::KeyName { .. })), "{name:?}");
        }
    }
}
