//! Proof as a type: what was verified, and by what.

use std::ops::Range;

use crate::envelope::Label;
use crate::keys::Fingerprint;

/// A value whose origin is proven.
///
/// Trust: can be made in [`crate::verify`] alone. There is no way to change the value inside.
///
/// # Examples
/// A function that takes proof cannot be called with claims. This compiles:
/// ```
/// use apkvet::verify::Verified;
/// use apkvet::unverified::{PackageClaims, Unverified};
/// fn publish(package: Verified<PackageClaims>) {}
/// fn proven(package: Verified<PackageClaims>) { publish(package) }
/// ```
/// and this, which differs in one word, does not:
/// ```compile_fail
/// use apkvet::verify::Verified;
/// use apkvet::unverified::{PackageClaims, Unverified};
/// fn publish(package: Verified<PackageClaims>) {}
/// fn proven(package: Unverified<PackageClaims>) { publish(package) }
/// ```
/// Nor can proof be made outside:
/// ```compile_fail
/// use apkvet::verify::{Evidence, Verified};
/// fn forge<T>(value: T, evidence: Evidence) -> Verified<T> { Verified { value, evidence } }
/// ```
#[derive(Debug)]
pub struct Verified<T> {
    value: T,
    evidence: Evidence,
}

impl<T> Verified<T> {
    pub(in crate::verify) const fn witness(value: T, evidence: Evidence) -> Self {
        Self { value, evidence }
    }

    /// What was proven.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// By what.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The value without its proof.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The same evidence for what follows from the value; `verify` alone may say that it does.
    pub(in crate::verify) fn map<U>(self, follows: impl FnOnce(T) -> U) -> Verified<U> {
        Verified { value: follows(self.value), evidence: self.evidence }
    }

    pub(in crate::verify) fn with_via(mut self, via: Via) -> Self {
        self.evidence.via = via;
        self
    }
}

/// On which road trust came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Via {
    /// The file's own signature.
    Signature,
    /// The file's own signature, and an entry of a verified index.
    SignatureAndIndex,
    /// An entry of a verified index alone.
    Index,
}

impl Via {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::SignatureAndIndex => "signature+index",
            Self::Index => "index",
        }
    }
}

/// A key that made a good signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EvidenceKey {
    pub(in crate::verify) name: String,
    pub(in crate::verify) file: String,
    pub(in crate::verify) fingerprint: Fingerprint,
    pub(in crate::verify) bits: usize,
}

impl EvidenceKey {
    /// The name under which the key is trusted.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that it was read from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// SHA-256 over the SPKI DER.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Size of the modulus.
    pub const fn bits(&self) -> usize {
        self.bits
    }
}

/// Why a value counts as proven.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Evidence {
    pub(in crate::verify) keys: Vec<EvidenceKey>,
    pub(in crate::verify) algorithm: Label,
    pub(in crate::verify) span: Range<u64>,
    pub(in crate::verify) via: Via,
}

impl Evidence {
    /// The keys that made good signatures, each once.
    pub fn keys(&self) -> &[EvidenceKey] {
        &self.keys
    }

    /// The strongest label among the good signatures.
    pub const fn algorithm(&self) -> &Label {
        &self.algorithm
    }

    /// The stored bytes that the signatures cover. Units: byte offsets into the file.
    pub fn span(&self) -> Range<u64> {
        self.span.clone()
    }

    /// On which road trust came.
    pub const fn via(&self) -> Via {
        self.via
    }
}
