//! Identities of packages: the `C:` of an index.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Digest, Sha1, escape};

/// Identity of a package: the SHA-1 of its control member as stored, in the form that `C:` has.
///
/// Shape: `^Q1[A-Za-z0-9+/]{26}[AEIMQUYcgkosw048]=$`, the one canonical form. `apk` takes much more
/// (missing padding, garbage, text after it), which would let two texts mean one package.
///
/// # Examples
/// ```
/// use apkvet::types::Identity;
/// let identity = Identity::parse(b"Q1R2BIvfiF748uM/EcZjiP75/C3WM=").unwrap();
/// assert_eq!(identity.to_string(), "Q1R2BIvfiF748uM/EcZjiP75/C3WM=");
/// assert!(Identity::parse(b"Q1R2BIvfiF748uM/EcZjiP75/C3WM").is_err());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identity(Digest<Sha1>);

/// Why a text is not an identity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A well-formed value of another kind: `Q2` (SHA-256), or hexadecimal (`X1`, `X2`).
    #[error("expected `Q1` and the base64 of a SHA-1, found `{found}`, a form that packages do not have")]
    Kind {
        /// The value, escaped and shortened.
        found: String,
    },
    /// Anything else.
    #[error("expected `Q1` and the base64 of a SHA-1 in its only form (28 characters), found `{found}`")]
    Form {
        /// The value, escaped and shortened.
        found: String,
    },
}

impl Identity {
    /// Units: bytes of the printed form.
    pub const LENGTH: usize = 30;

    /// Wraps the SHA-1 of a control member.
    pub const fn new(digest: Digest<Sha1>) -> Self {
        Self(digest)
    }

    /// Parses the canonical form.
    ///
    /// # Errors
    /// - [`IdentityError::Kind`] for another algorithm or for hexadecimal digits.
    /// - [`IdentityError::Form`] for everything else that is not the canonical form.
    pub fn parse(raw: &[u8]) -> Result<Self, IdentityError> {
        raw.strip_prefix(b"Q1")
            .and_then(decode)
            .map(|bytes| Self(Digest::new(bytes)))
            .ok_or_else(|| refusal(raw))
    }

    /// The SHA-1 of the control member.
    pub fn digest(&self) -> &Digest<Sha1> {
        &self.0
    }
}

/// Decodes 28 characters; this decoder refuses unused bits that are not zero, and missing padding.
fn decode(text: &[u8]) -> Option<[u8; 20]> {
    let mut buffer = [0; 24];
    let length = if text.len() == 28 { STANDARD.decode_slice(text, &mut buffer).ok()? } else { 0 };
    buffer.get(..length)?.try_into().ok()
}

fn refusal(raw: &[u8]) -> IdentityError {
    let hex = |digits: &[u8], length| digits.len() == length && digits.iter().all(u8::is_ascii_hexdigit);
    let other = match raw {
        [b'Q', b'2', text @ ..] => {
            text.len() == 44 && STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
        }
        [b'X', b'1', digits @ ..] => hex(digits, 40),
        [b'X', b'2', digits @ ..] => hex(digits, 64),
        _ => false,
    };
    let found = escape(raw).to_string();
    if other { IdentityError::Kind { found } } else { IdentityError::Form { found } }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Q1{}", base64::display::Base64Display::new(self.0.as_bytes(), &STANDARD))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_every_other_form() {
        for value in [
            "",
            "Q1",
            "Q1R2BIvfiF748uM/EcZjiP75/C3WM",
            "Q1R2BIvfiF748uM/EcZjiP75/C3WN=",
            "Q1R2BIvfiF748uM/EcZjiP75/C3W==",
            "Q1R2BIvfiF748uM_EcZjiP75_C3WM=",
            "Q1R2BIvfiF748uM/EcZjiP75/C3WM=x",
            " Q1R2BIvfiF748uM/EcZjiP75/C3WM=",
            "Q3R2BIvfiF748uM/EcZjiP75/C3WM=",
            "q1R2BIvfiF748uM/EcZjiP75/C3WM=",
        ] {
            let found = value.to_owned();
            assert_eq!(Identity::parse(value.as_bytes()), Err(IdentityError::Form { found }));
        }
    }

    #[test]
    fn tells_other_kinds_from_garbage() {
        let kinds =
            ["Q2S4Ly826yGTVWimQP42+8xSoGd7s1elp2EvFsJgCA7nA=".to_owned(), format!("X1{}", "0a".repeat(20))];
        for found in kinds {
            assert_eq!(Identity::parse(found.as_bytes()), Err(IdentityError::Kind { found }));
        }
    }

    proptest! {
        #[test]
        fn prints_what_it_read(bytes in any::<[u8; 20]>()) {
            let identity = Identity::new(Digest::new(bytes));
            prop_assert_eq!(Identity::parse(identity.to_string().as_bytes()), Ok(identity));
            prop_assert_eq!(identity.to_string().len(), Identity::LENGTH);
        }
    }
}
