//! What was just signed, looked at as every reader will look at it.

use std::sync::OnceLock;

use super::rsa_key::{KeyRefused, VerifyingKey};
use super::signatures::hashed;
use crate::envelope::{Signature, SignedHasher};
use crate::keys::PublicKey;

/// Whether signatures by a key are looked at at all.
pub(crate) fn may_sign(key: &PublicKey) -> Result<(), KeyRefused> {
    VerifyingKey::new(key, &OnceLock::new()).map(|_| ())
}

/// Whether a signature over some bytes is one that [`super::verify_index`] accepts.
pub(crate) fn signature_holds(key: &PublicKey, signature: &Signature, signed: &[u8]) -> bool {
    let mut hasher = SignedHasher::new(std::slice::from_ref(signature), false);
    hasher.update(signed);
    let digests = hasher.finish();
    let Some(hashed) = hashed(&signature.label, &digests).filter(|_| !digests.collision) else {
        return false;
    };
    let prepared = OnceLock::new();
    VerifyingKey::new(key, &prepared).is_ok_and(|key| key.verifies(&hashed, &signature.bytes))
}
