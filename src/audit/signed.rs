//! What was signed, as an audit sees it: names, digests and signatures, nothing else.

use super::adb::AdbSignature;
use super::branch::Branch;
use crate::envelope::{Label, Signature, SignedDigests};
use crate::types::escape;
use crate::unverified::{self, Facts};

/// A package or an index, with its signatures.
///
/// Trust: none. What an audit says of it is a report; proof comes from `verify` alone.
#[derive(Clone, Debug)]
pub struct SignedObject {
    pub(super) source: String,
    pub(super) object: String,
    pub(super) index: bool,
    pub(super) branch: Option<Branch>,
    pub(super) signed: Signed,
}

#[derive(Clone, Debug)]
pub(super) enum Signed {
    V2(Vec<Signature>, SignedDigests),
    V3(Vec<AdbSignature>),
}

/// Whom a signature asks for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Signer {
    /// A key by its file name.
    Name(String),
    /// A key by its identifier.
    KeyId(String),
}

impl SignedObject {
    /// Takes what was read of a v2 file; `None` if it has no signed member.
    ///
    /// `source` is what the operator named, `object` the file; both are escaped already.
    pub fn of(source: &str, object: &str, read: unverified::Subject) -> Option<Self> {
        let (facts, index, description) = match read {
            unverified::Subject::Package(package) => (package.into_claims_without_proof().0, false, None),
            unverified::Subject::Index(index) => {
                let (facts, claims) = index.into_claims_without_proof();
                let description = claims.and_then(|claims| claims.description().map(str::to_owned));
                (facts, true, description)
            }
            unverified::Subject::Unknown(file) => (file.into_claims_without_proof().0, false, None),
        };
        let branch = Branch::find(object).or_else(|| Branch::find(description.as_deref()?)).filter(|_| index);
        Some(Self {
            source: source.to_owned(),
            object: object.to_owned(),
            index,
            branch,
            signed: signed(facts)?,
        })
    }

    /// Takes the signatures of a v3 file.
    pub fn adb(source: &str, object: &str, signatures: Vec<AdbSignature>) -> Self {
        let signed = Signed::V3(signatures);
        Self { source: source.to_owned(), object: object.to_owned(), index: false, branch: None, signed }
    }
}

fn signed(facts: Facts) -> Option<Signed> {
    let (_, digests) = facts.signed?;
    let known = |signature: &Signature| !matches!(signature.label, Label::Unknown(_));
    Some(Signed::V2(facts.signatures.into_iter().filter(known).collect(), digests))
}

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{}`", escape(name)),
            Self::KeyId(id) => write!(f, "key id {id}"),
        }
    }
}
