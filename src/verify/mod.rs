//! Claims become proof: the only place that can make a [`Verified`].

mod arithmetic;
mod blob;
mod causes;
mod index_entry;
mod judge;
mod keyring;
mod known;
#[cfg(feature = "aws-lc")]
mod made;
mod maker;
mod policy;
mod rsa_key;
mod signatures;
mod subject;
mod witness;

pub use blob::{Blob, BlobKind};
pub use index_entry::IndexEntries;
pub use judge::{Judgement, Proof, verify_index, verify_package, verify_unknown};
pub use keyring::{Keyring, KeyringError, TrustedKey};
pub use known::Known;
#[cfg(feature = "aws-lc")]
pub(crate) use made::{may_sign, signature_holds};
pub use policy::{KeyNames, MinDigest, Pinned, Policy, SignatureDemand};
pub use rsa_key::KeyRefused;
pub use signatures::{SignatureReport, SignatureStatus};
pub use witness::{Evidence, EvidenceKey, Verified, Via};
