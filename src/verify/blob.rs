//! A whole file as proof: what may be published.

use crate::fault::{Fault, Rank, Verdict};
use crate::types::{Digest, Sha256};
use crate::unverified::{IndexClaims, PackageClaims};

use super::judge::Judgement;
use super::witness::Verified;

/// What a proven file is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum BlobKind {
    /// A package.
    Package,
    /// An index.
    Index,
}

/// The bytes of a whole file, by digest and size.
///
/// Trust: [`Verified<Blob>`] says that a file of exactly these bytes was verified; it comes from
/// [`Judgement::into_blob`] alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Blob {
    kind: BlobKind,
    sha256: Digest<Sha256>,
    size: u64,
}

impl Blob {
    /// What the file is.
    pub const fn kind(&self) -> BlobKind {
        self.kind
    }

    /// SHA-256 over the whole file.
    pub const fn sha256(&self) -> Digest<Sha256> {
        self.sha256
    }

    /// Units: bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }
}

impl Judgement<PackageClaims> {
    /// The proof for the whole file, where its SHA-256 was computed while it was read.
    ///
    /// # Errors
    /// - The fault that decided.
    /// - Code `unproven` if the file was read with [`crate::unverified::FileDigest::Skip`].
    pub fn into_blob(self) -> Result<Verified<Blob>, Fault> {
        whole(self, BlobKind::Package)
    }
}

impl Judgement<IndexClaims> {
    /// The proof for the whole file, where its SHA-256 was computed while it was read.
    ///
    /// # Errors
    /// - The fault that decided.
    /// - Code `unproven` if the file was read with [`crate::unverified::FileDigest::Skip`].
    pub fn into_blob(self) -> Result<Verified<Blob>, Fault> {
        whole(self, BlobKind::Index)
    }
}

fn whole<T>(judgement: Judgement<T>, kind: BlobKind) -> Result<Verified<Blob>, Fault> {
    let measured = judgement.facts().size().zip(judgement.facts().sha256());
    let verified = judgement.into_verified()?;
    let Some((size, sha256)) = measured else {
        let message = "the SHA-256 of the whole file was not computed, so nothing is proven of all its bytes";
        return Err(Fault::new(Rank::Framing, Verdict::Malformed, "unproven", message));
    };
    Ok(verified.map(|_| Blob { kind, sha256, size }))
}
