//! What packages and indexes have in common: signature members, and the one member that they sign.

mod lead;
mod pax_policy;
mod signature;
mod signature_member;
mod signed;

pub(crate) use lead::{Lead, lead};
pub(crate) use pax_policy::refused_key;
pub use signature::{Label, Signature, SignatureError};
pub(crate) use signature_member::SignatureMember;
pub use signature_member::SignatureMemberError;
pub use signed::SignedDigests;
pub(crate) use signed::SignedHasher;
