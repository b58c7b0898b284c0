//! What is demanded beyond a good signature; every choice is an enum and fails closed.

use jiff::civil::Date;

use crate::keys::{Fingerprint, Pins};

/// Which digests a signature may rest on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MinDigest {
    /// SHA-1 as well, with a note: Alpine's own signatures are such.
    #[default]
    AcceptSha1,
    /// SHA-256 or SHA-512.
    Sha256,
}

/// Which key may make a signature that names a key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyNames {
    /// The trusted key of that name, as `apk` demands.
    #[default]
    AsSigned,
    /// Any trusted key.
    Any,
}

/// What is demanded of the signature of a package whose index is verified.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SignatureDemand {
    /// A good one by a trusted key.
    #[default]
    Required,
    /// One that names a trusted key must hold; without any, the index speaks for the package.
    Known,
    /// The index speaks for the package, whatever its signature is; `apk` does it so.
    IndexAlone,
}

/// The pins that narrow what keys count for, and the day on which they are read.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The pin file.
    pub pins: Pins,
    /// The day that `until=` is held against.
    pub today: Date,
}

/// What is demanded of a file.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which digests a signature may rest on.
    pub min_digest: MinDigest,
    /// Which key may make a signature.
    pub key_names: KeyNames,
    /// If not empty: one of these keys must have made a good signature.
    pub fingerprints: Vec<Fingerprint>,
    /// If given: a key counts only where a line of these admits it.
    pub pinned: Option<Pinned>,
}
