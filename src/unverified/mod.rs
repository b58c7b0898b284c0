//! What hostile bytes claim: a file read once, front to back, and nothing of it believed yet.

mod abreast;
mod conclude;
mod content;
mod options;
mod read;
mod sinks;
mod stages;
mod stored;

pub use crate::index::Keep;
pub use abreast::{Abreast, Share};
pub use options::{Level, ReadOptions};
pub use read::{begin, read, read_beside};
pub use stages::{Beside, Checks, Chunk, HandOn, Inflate};
pub use stored::{Begun, Stored};

use std::ops::Range;

use crate::envelope::{Signature, SignedDigests};
use crate::fault::Findings;
use crate::index::IndexBody;
use crate::keys::Scope;
use crate::limits::Budget;
use crate::package::{Control, DataFacts};
use crate::types::{Digest, Sha1, Sha256};

/// Whether SHA-256 of the whole file is computed as well, which costs as much as verifying identity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileDigest {
    /// No.
    Skip,
    /// Yes.
    Compute,
}

/// A file that was read, by what it claims to be.
#[derive(Debug)]
pub enum Subject {
    /// A v2 package.
    Package(Unverified<PackageClaims>),
    /// A v2 index.
    Index(Unverified<IndexClaims>),
    /// Neither.
    Unknown(Unverified<()>),
}

impl Subject {
    /// Adds the size of the file where it is known from elsewhere and the reading stopped early.
    #[must_use]
    pub fn with_size(mut self, size: Option<u64>) -> Self {
        let facts = self.facts_mut();
        facts.size = facts.size.or(size);
        self
    }

    /// Says where the file came from, as scopes of pins are written; without it no scope covers the file.
    #[must_use]
    pub fn at(mut self, place: Option<Scope>) -> Self {
        self.facts_mut().place = place;
        self
    }

    const fn facts_mut(&mut self) -> &mut Facts {
        match self {
            Self::Package(unverified) => &mut unverified.facts,
            Self::Index(unverified) => &mut unverified.facts,
            Self::Unknown(unverified) => &mut unverified.facts,
        }
    }

    /// What was measured while the file was read.
    pub const fn facts(&self) -> &Facts {
        match self {
            Self::Package(unverified) => &unverified.facts,
            Self::Index(unverified) => &unverified.facts,
            Self::Unknown(unverified) => &unverified.facts,
        }
    }

    /// Bytes read, if that was all of them.
    pub const fn size(&self) -> Option<u64> {
        self.facts().size
    }
}

/// Claims of type `T`; only `verify` turns them into proof.
#[derive(Debug)]
pub struct Unverified<T> {
    pub(crate) facts: Facts,
    /// None if the member that holds them is refused.
    pub(crate) claims: Option<T>,
}

impl<T> Unverified<T> {
    /// Gives up on proof: what was measured, and what the file says about itself.
    pub fn into_claims_without_proof(self) -> (Facts, Option<T>) {
        (self.facts, self.claims)
    }
}

/// What a package claims.
#[derive(Debug)]
pub struct PackageClaims {
    pub(crate) control: Control,
    /// None if the level did not ask for it, or there is no data member.
    pub(crate) data: Option<DataFacts>,
}

impl PackageClaims {
    /// The control member.
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// The data member, if it was inflated.
    pub const fn data(&self) -> Option<&DataFacts> {
        self.data.as_ref()
    }
}

/// What an index claims.
#[derive(Debug)]
pub struct IndexClaims {
    pub(crate) body: IndexBody,
}

impl IndexClaims {
    /// Number of entries.
    pub const fn entries(&self) -> u64 {
        self.body.report.entries
    }

    /// The description, escaped.
    pub fn description(&self) -> Option<&str> {
        self.body.description.as_deref()
    }

    /// The description as it is stored, for another index that shall have the same: never for output.
    pub fn raw_description(&self) -> Option<&[u8]> {
        self.body.raw_description.as_deref()
    }

    /// The later of the time in the tar header and the newest `t:`; none before the year 2000.
    ///
    /// Units: seconds since 1970.
    pub fn time(&self) -> Option<u64> {
        const YEAR_2000: u64 = 946_684_800;
        let newest = self.body.report.newest_build_time.unwrap_or_default();
        Some(self.body.tar_time.max(newest)).filter(|time| *time >= YEAR_2000)
    }

    /// The text, if it was kept.
    pub fn text(&self) -> Option<&[u8]> {
        self.body.report.text.as_deref()
    }
}

/// What a member is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Signatures; covered by nothing.
    Signatures,
    /// Metadata and scripts of a package; covered by the signatures.
    Control,
    /// Files of a package; covered by `datahash`.
    Data,
    /// Body of an index; covered by the signatures.
    Index,
}

impl Role {
    /// The word in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signatures => "signatures",
            Self::Control => "control",
            Self::Data => "data",
            Self::Index => "index",
        }
    }
}

/// Where a member lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberFact {
    pub(crate) role: Role,
    pub(crate) span: Range<u64>,
    pub(crate) inflated: Option<u64>,
}

impl MemberFact {
    /// What the member is for.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Units: byte offsets into the file.
    pub fn span(&self) -> Range<u64> {
        self.span.clone()
    }

    /// Units: bytes; none if it was not inflated, or not to its end.
    pub const fn inflated(&self) -> Option<u64> {
        self.inflated
    }
}

/// What was measured while the file was read.
#[derive(Debug, Default)]
pub struct Facts {
    pub(crate) size: Option<u64>,
    /// Where the file came from; pins ask for it.
    pub(crate) place: Option<Scope>,
    pub(crate) sha256: Option<Digest<Sha256>>,
    pub(crate) budget: Budget,
    pub(crate) members: Vec<MemberFact>,
    pub(crate) signatures: Vec<Signature>,
    pub(crate) signed: Option<(Range<u64>, SignedDigests)>,
    pub(crate) findings: Findings,
}

impl Facts {
    /// Length of the file, if it was read to its end. Units: bytes.
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// SHA-256 of the whole file, if it was asked for and read to its end.
    pub const fn sha256(&self) -> Option<Digest<Sha256>> {
        self.sha256
    }

    /// What the reading has cost.
    pub const fn budget(&self) -> Budget {
        self.budget
    }

    /// The members, in their order.
    pub fn members(&self) -> &[MemberFact] {
        &self.members
    }

    /// SHA-1 over the stored bytes of the signed member: the identity of a package.
    pub fn identity(&self) -> Option<Digest<Sha1>> {
        self.signed.as_ref().and_then(|(_, digests)| digests.sha1)
    }

    /// The signatures, in their order; none of them is checked.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// What is wrong with the file apart from signatures, gravest first, and what else is worth knowing.
    pub fn into_findings(self) -> (Option<crate::fault::Fault>, Vec<crate::fault::Note>) {
        self.findings.decide()
    }
}
