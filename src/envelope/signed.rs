//! Digests of the signed member, over exactly its stored bytes.

use sha2::Digest as _;

use crate::types::{Digest, Sha1, Sha256, Sha512};

use super::signature::{Label, Signature};

/// Digests of the stored bytes of the control member of a package, or of the body of an index.
///
/// Trust: none by themselves; they are what signatures are checked against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SignedDigests {
    pub(crate) sha1: Option<Digest<Sha1>>,
    /// The bytes carry the marks of a SHA-1 collision attack.
    pub(crate) collision: bool,
    pub(crate) sha256: Option<Digest<Sha256>>,
    pub(crate) sha512: Option<Digest<Sha512>>,
}

/// Computes the digests that the signatures of a file need, and no others.
pub(crate) struct SignedHasher {
    sha1: Option<Box<sha1_checked::Sha1>>,
    sha256: Option<sha2::Sha256>,
    sha512: Option<sha2::Sha512>,
}

impl SignedHasher {
    /// Chooses the digests by the labels; `identity` asks for SHA-1 in any case.
    pub(crate) fn new(signatures: &[Signature], identity: bool) -> Self {
        let labelled = |label: &Label| signatures.iter().any(|signature| signature.label == *label);
        let sha1 = identity || labelled(&Label::Rsa);
        Self {
            sha1: sha1.then(|| Box::new(sha1_checked::Sha1::new())),
            sha256: labelled(&Label::Rsa256).then(sha2::Sha256::new),
            sha512: labelled(&Label::Rsa512).then(sha2::Sha512::new),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(sha1) = &mut self.sha1 {
            sha1_checked::Digest::update(&mut **sha1, bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> SignedDigests {
        let sha1 = self.sha1.map(|sha1| sha1.try_finalize());
        SignedDigests {
            collision: sha1.as_ref().is_some_and(|result| result.has_collision()),
            sha1: sha1.map(|result| Digest::new((*result.hash()).into())),
            sha256: self.sha256.map(|sha256| Digest::new(sha256.finalize().into())),
            sha512: self.sha512.map(|sha512| Digest::new(sha512.finalize().into())),
        }
    }
}

impl std::fmt::Debug for SignedHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedHasher").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    /// The folder of the published collisions that `sha1-checked` ships for its own tests.
    fn published_collisions() -> Option<PathBuf> {
        let metadata = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--locked"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .ok()?;
        let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).ok()?;
        let package = metadata["packages"].as_array()?.iter().find(|p| p["name"] == "sha1-checked")?;
        let data = PathBuf::from(package["manifest_path"].as_str()?).parent()?.join("tests/data");
        data.is_dir().then_some(data)
    }

    fn digests(bytes: &[u8]) -> SignedDigests {
        let mut hasher = SignedHasher::new(&[], true);
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn both_halves_of_the_published_collisions_are_detected() {
        let Some(data) = published_collisions() else {
            eprintln!("SKIPPED: the sources of sha1-checked are not at hand");
            return;
        };
        for name in ["shattered-1.pdf", "shattered-2.pdf", "sha-mbles-1.bin", "sha-mbles-2.bin"] {
            assert!(digests(&std::fs::read(data.join(name)).unwrap()).collision, "{name}");
        }
    }

    #[test]
    fn honest_bytes_show_no_collision_and_have_the_usual_digest() {
        let digests = digests(b"abc");
        assert!(!digests.collision);
        let expected = Digest::parse_hex(b"a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(digests.sha1, expected.ok());
        assert_eq!((digests.sha256, digests.sha512), (None, None));
    }

    #[test]
    fn only_the_digests_that_labels_ask_for_are_computed() {
        let signature = |label| Signature {
            label,
            key_name: crate::types::KeyName::parse(b"a.rsa.pub").unwrap(),
            bytes: Vec::new(),
            member: 0,
        };
        let mut hasher = SignedHasher::new(&[signature(Label::Rsa256), signature(Label::Rsa512)], false);
        hasher.update(b"abc");
        let digests = hasher.finish();
        assert_eq!(digests.sha1, None);
        assert!(digests.sha256.is_some_and(|digest| digest.to_string().starts_with("ba7816bf")));
        assert!(digests.sha512.is_some_and(|digest| digest.to_string().starts_with("ddaf35a1")));
    }
}
