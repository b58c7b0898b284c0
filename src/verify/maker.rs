//! Whether a key made a signature: for reports, which are no proof.

use crate::envelope::{Signature, SignedDigests};
use crate::types::{Digest, Sha512};

use super::arithmetic::Hashed;
use super::keyring::TrustedKey;
use super::rsa_key::KeyRefused;
use super::signatures::hashed;

impl TrustedKey {
    /// Whether the key made a signature of a v2 file. Trust: none follows; proof comes from a judgement alone.
    ///
    /// # Errors
    /// - [`KeyRefused`] for keys that are not computed with.
    pub(crate) fn made(&self, signature: &Signature, digests: &SignedDigests) -> Result<bool, KeyRefused> {
        let verifying = self.verifying()?;
        Ok(hashed(&signature.label, digests)
            .is_some_and(|hashed| verifying.verifies(&hashed, &signature.bytes)))
    }

    /// The same for a signature over SHA-512, as v3 files have them.
    ///
    /// # Errors
    /// - [`KeyRefused`] for keys that are not computed with.
    pub(crate) fn made_over(&self, digest: Digest<Sha512>, signature: &[u8]) -> Result<bool, KeyRefused> {
        Ok(self.verifying()?.verifies(&Hashed::Sha512(digest), signature))
    }
}
