//! The signature member in front of an index.

use super::digest::SignDigests;
use super::error::SignError;
use super::key::SigningKey;
use crate::container::{ArchiveEnd, ArchiveWriter};
use crate::index::IndexBytes;

/// Signs an index: what comes out is a whole `APKINDEX.tar.gz`, the same bytes for the same index and key.
///
/// # Errors
/// As [`SigningKey`]'s signing: a command that fails, a signature that does not hold.
///
/// # Examples
/// ```
/// use apkvet::index::IndexDraft;
/// use apkvet::limits::Limits;
/// use apkvet::sign::{SignDigests, SigningKey, sign_index};
/// let pem = include_bytes!("../../fixtures/test-keys/FAKE-apkvet-test-mirror.rsa");
/// let key = SigningKey::parse("mirror.rsa", pem).unwrap();
/// let body = IndexDraft::new(0).body(&Limits::default()).unwrap();
/// let index = sign_index(&body, &key, SignDigests::Sha256).unwrap();
/// assert!(index.ends_with(body.as_bytes()));
/// assert_eq!(key.name().as_str(), "mirror.rsa.pub");
/// ```
pub fn sign_index(body: &IndexBytes, key: &SigningKey, digests: SignDigests) -> Result<Vec<u8>, SignError> {
    let mut archive = ArchiveWriter::new(0);
    for digest in digests.as_slice() {
        let signature = key.sign(*digest, body.as_bytes())?;
        let name = format!(".SIGN.{}.{}", signature.label(), signature.key_name());
        archive.file(&name, std::iter::once(signature.bytes()))?;
    }
    let mut index = archive.finish(ArchiveEnd::Open)?;
    index.extend_from_slice(body.as_bytes());
    Ok(index)
}
