//! Findings that are not to count.

use super::finding::Finding;
use super::id::Id;

/// `ID` or `ID:FINGERPRINT`: such findings are listed as ignored and do not count.
///
/// Shape: the fingerprint may be cut to its first 16 digits or more, and may begin with `sha256:`.
///
/// # Examples
/// ```
/// use apkvet::audit::Ignore;
/// assert!(Ignore::parse("rsa-2048:8a70fc55f1a6fb2a").is_ok());
/// assert!(Ignore::parse("rsa-2048:8a70").is_err());
/// assert!(Ignore::parse("no-such-finding").is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ignore {
    id: Id,
    digits: Option<String>,
}

/// Why a text does not say what to ignore.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreError {
    /// No finding has this id.
    #[error("no finding has the id `{0}`")]
    Id(String),
    /// What follows the id is no fingerprint.
    #[error("expected 16 to 64 hexadecimal digits of a fingerprint after `ID:`")]
    Fingerprint,
}

impl Ignore {
    /// Parses `ID[:FINGERPRINT]`.
    ///
    /// # Errors
    /// - [`IgnoreError::Id`] for an unknown id.
    /// - [`IgnoreError::Fingerprint`] if what follows it is no fingerprint.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let (id, rest) = text.split_once(':').map_or((text, None), |(id, rest)| (id, Some(rest)));
        let id = Id::parse(id).ok_or_else(|| IgnoreError::Id(crate::types::escape(id).to_string()))?;
        let digits = rest.map(|rest| rest.strip_prefix("sha256:").unwrap_or(rest).to_ascii_lowercase());
        let good = |digits: &String| {
            (16..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if digits.as_ref().is_some_and(|digits| !good(digits)) {
            return Err(IgnoreError::Fingerprint);
        }
        Ok(Self { id, digits })
    }

    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let digits = finding.fingerprint.map(|fingerprint| fingerprint.digest().to_string());
        let same =
            |wanted: &String| digits.as_ref().is_some_and(|digits| digits.starts_with(wanted.as_str()));
        self.id == finding.id && self.digits.as_ref().is_none_or(same)
    }
}
