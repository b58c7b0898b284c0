//! A signature member: an archive of `.SIGN.*` entries and nothing else.
//!
//! Nothing covers these bytes, so every one of them that could carry something must be as expected.

use crate::container::{Entry, EntryKind, MemberSink, TarError, TarReader, TarSink, ZeroBlocks};
use crate::limits::{LimitReached, Limits};
use crate::types::escape;

use super::refused_key;
use super::signature::{Signature, SignatureError, parse_name};

/// Why a signature member is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureMemberError {
    /// The archive is refused.
    #[error("signature member: {0}")]
    Tar(TarError),
    /// Zero blocks end the archive, which must be cut.
    #[error(
        "signature member: zero blocks end the archive, so what follows is not part of the file for other readers"
    )]
    ZeroBlocks,
    /// The name of an entry is not that of a signature.
    #[error("signature member: {0}")]
    Name(SignatureError),
    /// An entry that is not a signature stands beside signatures.
    #[error("signature member: expected signatures only, found the entry `{found}`")]
    Foreign {
        /// Its name, escaped and shortened.
        found: String,
    },
    /// An entry is not a regular file.
    #[error("signature member: expected a regular file, found a {kind}")]
    Kind {
        /// What it is.
        kind: &'static str,
    },
    /// A pax key other than times.
    #[error("signature member: the pax key `{key}` is not allowed here")]
    PaxKey {
        /// The key, escaped.
        key: String,
    },
    /// The name is built from a prefix field, or the header names a link target.
    #[error("signature member: a header field that must be empty holds bytes")]
    HiddenBytes,
    /// The same label and key name twice.
    #[error("signature member: two signatures `{label}` by `{key_name}`")]
    Repeated {
        /// The label.
        label: String,
        /// The key name.
        key_name: String,
    },
    /// The member holds nothing.
    #[error("signature member: it is empty")]
    Empty,
    /// A signature, or their number, is larger than allowed.
    #[error("signature member: {0}")]
    Limit(LimitReached),
}

impl SignatureMemberError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Tar(error) => error.code(),
            Self::ZeroBlocks => "zero-blocks-in-signature",
            Self::Name(SignatureError::Name { .. }) => "signature-name",
            Self::Name(SignatureError::KeyName { .. }) => "signature-key-name",
            Self::Foreign { .. } => "signature-member-mixed",
            Self::Kind { .. } => "signature-kind",
            Self::PaxKey { .. } => "signature-pax-key",
            Self::HiddenBytes => "signature-hidden-bytes",
            Self::Repeated { .. } => "signature-repeated",
            Self::Empty => "empty-member",
            Self::Limit(_) => "limit-signature",
        }
    }
}

/// Collects the signatures of one member while it is inflated.
#[derive(Debug)]
pub(crate) struct SignatureMember {
    tar: TarReader,
    entries: Entries,
}

#[derive(Debug)]
struct Entries {
    member: usize,
    size_limit: u64,
    number_limit: u64,
    signatures: Vec<Signature>,
    /// Whether the body that follows belongs to the last signature.
    open: bool,
    error: Option<SignatureMemberError>,
}

impl SignatureMember {
    /// Begins member number `member`, after `earlier` signatures in the members before.
    pub(crate) fn new(limits: &Limits, member: usize, earlier: usize) -> Self {
        let earlier = u64::try_from(earlier).unwrap_or(u64::MAX);
        Self {
            tar: TarReader::new(ZeroBlocks::Forbidden, limits.pax_header),
            entries: Entries {
                member,
                size_limit: limits.signature_size,
                number_limit: limits.signature_entries.saturating_sub(earlier),
                signatures: Vec::new(),
                open: false,
                error: None,
            },
        }
    }

    /// The signatures, once the member has ended.
    pub(crate) fn finish(mut self) -> Result<Vec<Signature>, SignatureMemberError> {
        if self.entries.error.is_none() {
            let end = self.tar.finish();
            self.entries.fail(end.err().map(map_tar));
        }
        match self.entries.error {
            Some(error) => Err(error),
            None if self.entries.signatures.is_empty() => Err(SignatureMemberError::Empty),
            None => Ok(self.entries.signatures),
        }
    }
}

fn map_tar(error: TarError) -> SignatureMemberError {
    match error {
        TarError::ZeroBlock { .. } => SignatureMemberError::ZeroBlocks,
        error => SignatureMemberError::Tar(error),
    }
}

impl MemberSink for SignatureMember {
    fn raw(&mut self, _: &[u8]) {}

    fn inflated(&mut self, bytes: &[u8]) {
        if self.entries.error.is_none() {
            let fed = self.tar.feed(bytes, &mut self.entries);
            self.entries.fail(fed.err().map(map_tar));
        }
    }
}

impl Entries {
    /// Keeps the first error.
    fn fail(&mut self, error: Option<SignatureMemberError>) {
        if self.error.is_none() {
            self.error = error;
        }
    }

    fn check(&self, entry: &Entry) -> Result<Signature, SignatureMemberError> {
        if !entry.path.starts_with(super::signature::PREFIX) && !self.signatures.is_empty() {
            return Err(SignatureMemberError::Foreign { found: escape(&entry.path).to_string() });
        }
        let (label, key_name) = parse_name(&entry.path).map_err(SignatureMemberError::Name)?;
        if checked!("signature-kind") && entry.kind != EntryKind::Regular {
            return Err(SignatureMemberError::Kind { kind: entry.kind.name() });
        }
        if let Some(key) = refused_key(entry, |_| !checked!("signature-pax-key")) {
            return Err(SignatureMemberError::PaxKey { key: escape(key).to_string() });
        }
        let hidden = entry.prefixed || entry.link_residue || !entry.link.is_empty();
        if checked!("signature-hidden-bytes") && hidden {
            return Err(SignatureMemberError::HiddenBytes);
        }
        if checked!("signature-size") && entry.size > self.size_limit {
            return Err(SignatureMemberError::Limit(Limits::reached("signature-size", self.size_limit)));
        }
        let number = u64::try_from(self.signatures.len()).unwrap_or(u64::MAX);
        if checked!("signature-entries") && self.number_limit <= number {
            return Err(SignatureMemberError::Limit(Limits::reached("signature-entries", self.number_limit)));
        }
        let repeated = |other: &&Signature| other.label == label && other.key_name == key_name;
        if checked!("signature-repeated") && self.signatures.iter().find(repeated).is_some() {
            let (label, key_name) = (label.to_string(), key_name.to_string());
            return Err(SignatureMemberError::Repeated { label, key_name });
        }
        Ok(Signature { label, key_name, bytes: Vec::new(), member: self.member })
    }
}

impl TarSink for Entries {
    fn entry(&mut self, entry: &Entry) {
        self.open = false;
        if self.error.is_some() {
            return;
        }
        match self.check(entry) {
            Ok(signature) => {
                self.signatures.push(signature);
                self.open = true;
            }
            Err(error) => self.fail(Some(error)),
        }
    }

    fn body(&mut self, chunk: &[u8]) {
        if let (true, Some(signature)) = (self.open, self.signatures.last_mut()) {
            signature.bytes.extend_from_slice(chunk);
        }
    }

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests;
