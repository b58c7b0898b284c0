//! Which keys may verify at all.

use std::sync::OnceLock;

use crate::keys::{PublicKey, RsaPublicKey};

use super::arithmetic::{Hashed, PreparedKey};

/// Why no signature by a key is looked at.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRefused {
    /// Not an RSA key.
    #[error("it is no RSA key, and signatures of this format are RSA")]
    NotRsa,
    /// Too small to mean anything.
    #[error("it has {bits} bits, and 2048 is the least that is accepted")]
    Small {
        /// Size of the modulus.
        bits: usize,
    },
    /// Too large to be worth the time.
    #[error("it has {bits} bits, and 8192 is the most that is accepted")]
    Large {
        /// Size of the modulus.
        bits: usize,
    },
    /// An even modulus is the product of no two odd primes.
    #[error("its modulus is even")]
    EvenModulus,
    /// The exponent is even, small, or huge.
    #[error("its exponent is not odd and between 65537 and 2^33")]
    Exponent,
}

impl KeyRefused {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotRsa => "key-not-rsa",
            Self::Small { .. } => "key-small",
            Self::Large { .. } => "key-large",
            Self::EvenModulus => "key-modulus",
            Self::Exponent => "key-exponent",
        }
    }
}

/// The least and the most bits of a key. Units: bits.
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The least exponent, and the first that is too large.
const EXPONENT: std::ops::Range<u64> = 65_537..1 << 33;

/// An RSA key within the limits, prepared for arithmetic when the first signature asks for it.
#[derive(Debug)]
pub(super) struct VerifyingKey<'k> {
    key: &'k RsaPublicKey,
    prepared: &'k OnceLock<PreparedKey>,
}

impl<'k> VerifyingKey<'k> {
    /// Takes a key that may verify.
    pub(super) fn new(key: &'k PublicKey, prepared: &'k OnceLock<PreparedKey>) -> Result<Self, KeyRefused> {
        let PublicKey::Rsa(key) = key else { return Err(KeyRefused::NotRsa) };
        check(key)?;
        Ok(Self { key, prepared })
    }

    /// Whether the signature holds.
    pub(super) fn verifies(&self, hashed: &Hashed, signature: &[u8]) -> bool {
        signature.len() == self.key.modulus().len()
            && self.prepared.get_or_init(|| PreparedKey::new(self.key)).verifies(hashed, signature)
    }
}

/// Refuses a key before any arithmetic.
pub(super) fn check(key: &RsaPublicKey) -> Result<(), KeyRefused> {
    let bits = key.bits();
    if checked!("key-small") && bits < *BITS.start() {
        return Err(KeyRefused::Small { bits });
    }
    if checked!("key-large") && bits > *BITS.end() {
        return Err(KeyRefused::Large { bits });
    }
    if checked!("key-even") && key.modulus().last().is_none_or(|byte| byte % 2 == 0) {
        return Err(KeyRefused::EvenModulus);
    }
    let exponent = (key.exponent().len() <= 8)
        .then(|| key.exponent().iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte)));
    match exponent {
        Some(value) if EXPONENT.contains(&value) && value % 2 == 1 => Ok(()),
        _ if !checked!("key-exponent") => Ok(()),
        _ => Err(KeyRefused::Exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bits: usize, exponent: &[u8]) -> RsaPublicKey {
        let mut modulus = vec![0xff; bits.div_ceil(8)];
        if !bits.is_multiple_of(8) {
            modulus[0] = (1 << (bits % 8)) - 1;
        }
        RsaPublicKey::new(&modulus, exponent)
    }

    #[test]
    fn keys_outside_the_limits_are_refused_by_name() {
        const F4: &[u8] = &[1, 0, 1];
        assert_eq!(check(&key(512, F4)), Err(KeyRefused::Small { bits: 512 }));
        assert_eq!(check(&key(2047, F4)), Err(KeyRefused::Small { bits: 2047 }));
        assert_eq!(check(&key(2048, F4)), Ok(()));
        assert_eq!(check(&key(2049, F4)), Ok(()));
        assert_eq!(check(&key(8192, F4)), Ok(()));
        assert_eq!(check(&key(8193, F4)), Err(KeyRefused::Large { bits: 8193 }));
        assert_eq!(check(&key(16_384, F4)), Err(KeyRefused::Large { bits: 16_384 }));
    }

    #[test]
    fn exponents_must_be_odd_and_between_65537_and_two_to_the_33() {
        let accepted: [&[u8]; 3] = [&[1, 0, 1], &[1, 0, 3], &[1, 0xff, 0xff, 0xff, 0xff]];
        for exponent in accepted {
            assert_eq!(check(&key(2048, exponent)), Ok(()), "{exponent:?}");
        }
        let refused: [&[u8]; 8] = [
            &[],
            &[1],
            &[3],
            &[0xff, 0xff],
            &[1, 0, 2],
            &[2, 0, 0, 0, 0],
            &[2, 0, 0, 0, 1],
            &[1, 0, 0, 0, 0, 0, 0, 0, 1],
        ];
        for exponent in refused {
            assert_eq!(check(&key(2048, exponent)), Err(KeyRefused::Exponent), "{exponent:?}");
        }
    }

    #[test]
    fn an_even_modulus_is_refused() {
        let mut modulus = vec![0xff; 256];
        modulus[255] = 0xfe;
        assert_eq!(check(&RsaPublicKey::new(&modulus, &[1, 0, 1])), Err(KeyRefused::EvenModulus));
    }
}
