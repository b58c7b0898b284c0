//! With which digests an index is signed.

use crate::envelope::Label;

/// The digest that one signature rests on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SignDigest {
    /// SHA-256, label `RSA256`: what is written today.
    Sha256,
    /// SHA-1, label `RSA`: what abuild wrote for most of its life, for clients that know nothing else.
    Sha1,
}

/// Which signatures an index gets.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SignDigests {
    /// One over SHA-256.
    #[default]
    Sha256,
    /// One over SHA-1.
    Sha1,
    /// Both, SHA-256 first: `apk` looks at the first signature whose key it has, and at no other.
    Both,
}

impl SignDigest {
    /// The label in the name of the signature entry.
    pub const fn label(self) -> Label {
        match self {
            Self::Sha256 => Label::Rsa256,
            Self::Sha1 => Label::Rsa,
        }
    }

    /// The name that programs use: `sha256`, `sha1`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
        }
    }
}

impl SignDigests {
    /// The digests in the order of the signatures.
    pub const fn as_slice(self) -> &'static [SignDigest] {
        match self {
            Self::Sha256 => &[SignDigest::Sha256],
            Self::Sha1 => &[SignDigest::Sha1],
            Self::Both => &[SignDigest::Sha256, SignDigest::Sha1],
        }
    }
}
