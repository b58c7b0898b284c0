//! Digests from the fastest back end that this build has.
//!
//! Both back ends use the processor's SHA instructions. Where there are none, `aws-lc-rs` is faster by half or more.
//! What every verdict needs has its few bytes from here as well: another crate would ask the processor once more what it can, and a
//! virtual machine answers in the time in which 20 KB are hashed. Elsewhere a few bytes are hashed by `sha1` and `sha2` directly, and
//! where SHA-1 carries trust, it is `sha1-checked`.

use super::digest::{Digest, Sha1, Sha256};

macro_rules! hasher {
    ($(#[$doc:meta])* $name:ident, $algorithm:ident, $length:literal, $aws:ident, $portable:path) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name(
            #[cfg(feature = "aws-lc")] aws_lc_rs::digest::Context,
            #[cfg(not(feature = "aws-lc"))] $portable,
        );

        impl $name {
            pub(crate) fn of(bytes: &[u8]) -> Digest<$algorithm> {
                let mut hasher = Self::new();
                hasher.update(bytes);
                hasher.finish()
            }
        }

        #[cfg(feature = "aws-lc")]
        impl $name {
            pub(crate) fn new() -> Self {
                Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::$aws))
            }

            pub(crate) fn update(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }

            pub(crate) fn finish(self) -> Digest<$algorithm> {
                let mut bytes = [0; $length];
                bytes.iter_mut().zip(self.0.finish().as_ref()).for_each(|(to, from)| *to = *from);
                Digest::new(bytes)
            }
        }

        #[cfg(not(feature = "aws-lc"))]
        impl $name {
            pub(crate) fn new() -> Self {
                Self(sha2::Digest::new())
            }

            pub(crate) fn update(&mut self, bytes: &[u8]) {
                sha2::Digest::update(&mut self.0, bytes);
            }

            pub(crate) fn finish(self) -> Digest<$algorithm> {
                Digest::new(sha2::Digest::finalize(self.0).into())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

hasher!(
    /// SHA-256 of bytes that pass by.
    Sha256Hasher,
    Sha256,
    32,
    SHA256,
    sha2::Sha256
);
hasher!(
    /// SHA-1 of bytes that pass by, where it carries no trust.
    Sha1Hasher,
    Sha1,
    20,
    SHA1_FOR_LEGACY_USE_ONLY,
    sha1::Sha1
);

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    #[test]
    fn the_back_ends_agree_whatever_the_length_and_the_pieces() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        for length in (0..300).chain([65_535, 65_536, 99_999, 100_000]) {
            for piece in [1, 63, 64, 4096, 100_000] {
                let bytes = &bytes[..length];
                let (mut sha1, mut sha256) = (Sha1Hasher::new(), Sha256Hasher::new());
                for part in bytes.chunks(if length > 300 { piece.max(63) } else { piece }) {
                    sha1.update(part);
                    sha256.update(part);
                }
                let expected = Digest::new(sha1::Sha1::digest(bytes).into());
                assert_eq!((sha1.finish(), Sha1Hasher::of(bytes)), (expected, expected), "{length} bytes");
                let expected = Digest::new(sha2::Sha256::digest(bytes).into());
                assert_eq!(
                    (sha256.finish(), Sha256Hasher::of(bytes)),
                    (expected, expected),
                    "{length} bytes"
                );
            }
        }
    }
}
