//! Fingerprints of public keys.

use std::fmt;

use sha2::Digest as _;

use crate::types::{Digest, DigestError, Sha256, Sha256Hasher};

/// Identity of a public key: SHA-256 over its re-encoded SubjectPublicKeyInfo DER.
///
/// Shape: `sha256:` and 64 hexadecimal digits. The same value as
/// `openssl pkey -pubin -outform DER | sha256sum`, whatever bytes the key file had.
///
/// # Examples
/// ```
/// use apkvet::keys::Fingerprint;
/// let text = "sha256:ba1a4a4bd6e619104222aef2544c48b63911d2ea95a00703358862d4c892da9c";
/// assert_eq!(Fingerprint::parse(text).unwrap().to_string(), text);
/// assert!(Fingerprint::parse("ba1a4a4bd6e61910").is_err());
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(Digest<Sha256>);

/// Why a text is not a fingerprint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// The text does not name its hash.
    #[error("expected `sha256:` and 64 hexadecimal digits")]
    Prefix,
    /// What follows is no SHA-256.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Fingerprint {
    /// The fingerprint of an encoded key.
    pub(super) fn of(spki_der: &[u8]) -> Self {
        Self(Sha256Hasher::of(spki_der))
    }

    /// Parses `sha256:HEX`; capital letters are taken too, since other tools print them.
    ///
    /// # Errors
    /// - [`FingerprintError::Prefix`] if the text does not begin with `sha256:`.
    /// - [`FingerprintError::Digest`] if no 64 hexadecimal digits follow.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let lower = text.to_ascii_lowercase();
        let digits = lower.strip_prefix("sha256:").ok_or(FingerprintError::Prefix)?;
        Ok(Self(Digest::parse_hex(digits.as_bytes())?))
    }

    /// The digest alone.
    pub const fn digest(&self) -> Digest<Sha256> {
        self.0
    }

    /// The first 16 digits, enough for a person to compare in a table.
    pub fn short(&self) -> String {
        self.0.to_string().chars().take(16).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How apk 3 finds a key: the first 16 bytes of SHA-512 over the key without its SPKI frame.
///
/// Shape: 32 lower-case hexadecimal digits. Over the RSAPublicKey DER, or over the point of an EC key.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Apk3KeyId([u8; 16]);

impl Apk3KeyId {
    /// The identifier of the inner encoding of a key.
    pub(super) fn of(inner: &[u8]) -> Self {
        let digest: [u8; 64] = sha2::Sha512::digest(inner).into();
        let mut id = [0; 16];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Apk3KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Apk3KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_capitals_and_prints_small_letters() {
        let small = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(Fingerprint::parse(&small.to_uppercase()).unwrap().to_string(), small);
        assert_eq!(Fingerprint::parse(&small).unwrap().short(), "abababababababab");
    }

    #[test]
    fn refuses_other_hashes_and_lengths() {
        assert_eq!(Fingerprint::parse("sha1:00"), Err(FingerprintError::Prefix));
        let short = Fingerprint::parse("sha256:00");
        assert!(matches!(short, Err(FingerprintError::Digest(DigestError::Length { .. }))), "{short:?}");
        let odd = Fingerprint::parse(&format!("sha256:{}", "zz".repeat(32)));
        assert!(matches!(odd, Err(FingerprintError::Digest(DigestError::Digit { .. }))), "{odd:?}");
    }
}
