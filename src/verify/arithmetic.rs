//! The one function that checks an RSA signature, over two back ends.
//!
//! The `rsa` crate is portable; `aws-lc-rs` is five times as fast at 4096 bits and serves the default
//! build. Both get a digest that was computed before, and both must give the same answer: the tests
//! run every case through both.

use crate::keys::RsaPublicKey;
use crate::types::{Digest, Sha1, Sha256, Sha512};

/// A digest, and with it the algorithm that the signature must name inside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hashed {
    Sha1(Digest<Sha1>),
    Sha256(Digest<Sha256>),
    Sha512(Digest<Sha512>),
}

/// A public key in the form that the back end of this build wants, made once.
#[derive(Debug)]
pub(super) struct PreparedKey {
    #[cfg(feature = "aws-lc")]
    aws: Option<aws::Prepared>,
    #[cfg(any(test, not(feature = "aws-lc")))]
    portable: Option<portable::Prepared>,
}

impl PreparedKey {
    /// Prepares a key whose size and exponent are within the limits already.
    pub(super) fn new(key: &RsaPublicKey) -> Self {
        Self {
            #[cfg(feature = "aws-lc")]
            aws: aws::prepare(key),
            #[cfg(any(test, not(feature = "aws-lc")))]
            portable: portable::prepare(key),
        }
    }

    /// Whether the signature is PKCS#1 v1.5 by this key over this digest.
    ///
    /// The length of the signature must be that of the modulus, which the caller has compared.
    pub(super) fn verifies(&self, hashed: &Hashed, signature: &[u8]) -> bool {
        #[cfg(feature = "aws-lc")]
        let answer = self.aws.as_ref().is_some_and(|key| aws::verifies(key, hashed, signature));
        #[cfg(not(feature = "aws-lc"))]
        let answer = self.verifies_portably(hashed, signature);
        #[cfg(all(test, feature = "aws-lc"))]
        assert_eq!(answer, self.verifies_portably(hashed, signature), "the two back ends disagree");
        answer
    }

    #[cfg(any(test, not(feature = "aws-lc")))]
    fn verifies_portably(&self, hashed: &Hashed, signature: &[u8]) -> bool {
        self.portable.as_ref().is_some_and(|key| portable::verifies(key, hashed, signature))
    }
}

#[cfg(feature = "aws-lc")]
mod aws {
    use aws_lc_rs::digest::{Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
    use aws_lc_rs::signature::{
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    };

    use super::{Hashed, RsaPublicKey};

    /// One parsed key per digest algorithm: the parameters are part of it.
    #[derive(Debug)]
    pub(super) struct Prepared {
        sha1: ParsedPublicKey,
        sha256: ParsedPublicKey,
        sha512: ParsedPublicKey,
    }

    pub(super) fn prepare(key: &RsaPublicKey) -> Option<Prepared> {
        let components = RsaPublicKeyComponents { n: key.modulus(), e: key.exponent() };
        let parse = |parameters: &'static RsaParameters| components.to_parsed_public_key(parameters).ok();
        Some(Prepared {
            sha1: parse(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY)?,
            sha256: parse(&RSA_PKCS1_2048_8192_SHA256)?,
            sha512: parse(&RSA_PKCS1_2048_8192_SHA512)?,
        })
    }

    pub(super) fn verifies(key: &Prepared, hashed: &Hashed, signature: &[u8]) -> bool {
        let (key, algorithm, bytes) = match hashed {
            Hashed::Sha1(digest) => (&key.sha1, &SHA1_FOR_LEGACY_USE_ONLY, digest.as_bytes()),
            Hashed::Sha256(digest) => (&key.sha256, &SHA256, digest.as_bytes()),
            Hashed::Sha512(digest) => (&key.sha512, &SHA512, digest.as_bytes()),
        };
        // The digest was computed over exactly the stored bytes of the signed member.
        Digest::import_less_safe(bytes, algorithm)
            .is_ok_and(|digest| key.verify_digest_sig(&digest, signature).is_ok())
    }
}

#[cfg(any(test, not(feature = "aws-lc")))]
mod portable {
    use rsa::pkcs1v15::Pkcs1v15Sign;
    use rsa::{BoxedUint, PublicKey};

    use super::{Hashed, RsaPublicKey};

    /// DER of `DigestInfo` up to the digest itself (RFC 8017, section 9.2, note 1).
    const SHA1: &[u8] =
        &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
    const SHA256: &[u8] = &[
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    const SHA512: &[u8] = &[
        0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
        0x04, 0x40,
    ];

    #[derive(Debug)]
    pub(super) struct Prepared(PublicKey);

    pub(super) fn prepare(key: &RsaPublicKey) -> Option<Prepared> {
        let modulus = BoxedUint::from_be_slice_vartime(key.modulus());
        let exponent = BoxedUint::from_be_slice_vartime(key.exponent());
        PublicKey::new(modulus, exponent).ok().map(Prepared)
    }

    pub(super) fn verifies(key: &Prepared, hashed: &Hashed, signature: &[u8]) -> bool {
        let (prefix, digest) = match hashed {
            Hashed::Sha1(digest) => (SHA1, digest.as_bytes()),
            Hashed::Sha256(digest) => (SHA256, digest.as_bytes()),
            Hashed::Sha512(digest) => (SHA512, digest.as_bytes()),
        };
        let scheme = Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: prefix.into() };
        key.0.verify(scheme, digest, signature).is_ok()
    }
}

#[cfg(test)]
mod tests;
