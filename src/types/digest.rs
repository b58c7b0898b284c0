//! Digests whose algorithm is part of their type.

use std::fmt;
use std::hash::Hash;

/// A hash algorithm that a [`Digest`] can belong to.
///
/// Shape: implemented by [`Sha1`], [`Sha256`] and [`Sha512`] alone.
pub trait Algorithm: sealed::Sealed + Copy + Eq + Ord + Hash + fmt::Debug {
    /// The raw bytes of a digest, an array.
    type Bytes: AsRef<[u8]> + for<'a> TryFrom<&'a [u8]> + Copy + Eq + Ord + Hash + fmt::Debug;
    /// The name in messages, for example `SHA-256`.
    const NAME: &'static str;
    /// Units: bytes.
    const LENGTH: usize;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! algorithm {
    ($(#[$doc:meta])* $name:ident, $text:literal, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name;
        impl sealed::Sealed for $name {}
        impl Algorithm for $name {
            type Bytes = [u8; $length];
            const NAME: &'static str = $text;
            const LENGTH: usize = $length;
        }
    };
}

algorithm!(
    /// SHA-1: identity of control members, checksums of files, signatures labelled `RSA`.
    Sha1,
    "SHA-1",
    20
);
algorithm!(
    /// SHA-256: `datahash`, fingerprints, signatures labelled `RSA256`.
    Sha256,
    "SHA-256",
    32
);
algorithm!(
    /// SHA-512: signatures labelled `RSA512`.
    Sha512,
    "SHA-512",
    64
);

/// A digest of algorithm `A`; digests of different algorithms cannot be compared.
///
/// # Examples
/// ```
/// use apkvet::types::{Digest, Sha1};
/// let empty = Digest::<Sha1>::parse_hex(b"da39a3ee5e6b4b0d3255bfef95601890afd80709").unwrap();
/// assert_eq!(empty.to_string(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
/// assert!(Digest::<Sha1>::parse_hex(b"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709").is_err());
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest<A: Algorithm>(A::Bytes);

/// Why a text is not a digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// Wrong number of digits or bytes.
    #[error("expected {expected} {unit} of {algorithm}, found {found}")]
    Length {
        /// Name of the algorithm.
        algorithm: &'static str,
        /// What is counted.
        unit: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A byte outside `[0-9a-f]`.
    #[error("expected lower-case hexadecimal digits of {algorithm}, found byte 0x{found:02x}")]
    Digit {
        /// Name of the algorithm.
        algorithm: &'static str,
        /// The first offending byte.
        found: u8,
    },
}

impl<A: Algorithm> Digest<A> {
    /// Wraps the bytes that a hash function returned.
    pub const fn new(bytes: A::Bytes) -> Self {
        Self(bytes)
    }

    /// Takes a slice of exactly the right length.
    ///
    /// # Errors
    /// - [`DigestError::Length`] for any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DigestError> {
        A::Bytes::try_from(bytes).map(Self).map_err(|_| DigestError::Length {
            algorithm: A::NAME,
            unit: "bytes",
            expected: A::LENGTH,
            found: bytes.len(),
        })
    }

    /// Parses lower-case hexadecimal digits, exactly as many as the algorithm has.
    ///
    /// # Errors
    /// - [`DigestError::Length`] for another number of digits.
    /// - [`DigestError::Digit`] for any byte outside `[0-9a-f]`.
    pub fn parse_hex(text: &[u8]) -> Result<Self, DigestError> {
        let expected = A::LENGTH * 2;
        if text.len() != expected {
            return Err(DigestError::Length {
                algorithm: A::NAME,
                unit: "digits",
                expected,
                found: text.len(),
            });
        }
        let nibble = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            found => Err(DigestError::Digit { algorithm: A::NAME, found }),
        };
        let mut bytes = Vec::with_capacity(A::LENGTH);
        for pair in text.chunks_exact(2) {
            if let [high, low] = pair {
                bytes.push(nibble(*high)? << 4 | nibble(*low)?);
            }
        }
        Self::from_slice(&bytes)
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl<A: Algorithm> fmt::Display for Digest<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digit by digit into one text: formatting each byte by itself shows in profiles of many small packages.
        let halves = self.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let text: String = halves.filter_map(|half| char::from_digit(half.into(), 16)).collect();
        f.write_str(&text)
    }
}

impl<A: Algorithm> fmt::Debug for Digest<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", A::NAME)
    }
}
