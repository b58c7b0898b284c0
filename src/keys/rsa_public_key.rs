//! RSA public keys.

use std::fmt;

use super::der::{self, DerError, Reader};

/// An RSA public key of any size and exponent, even an absurd one: two numbers, nothing promised.
///
/// Shape: both numbers are big-endian without leading zeros. Trust: none; whether the numbers are fit for a
/// signature is asked elsewhere.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RsaPublicKey {
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
}

/// rsaEncryption with NULL parameters, as an AlgorithmIdentifier.
const RSA_ENCRYPTION: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

impl RsaPublicKey {
    /// Takes the two numbers, big-endian.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Self {
        Self { modulus: der::strip_zeros(modulus).into(), exponent: der::strip_zeros(exponent).into() }
    }

    /// Reads an RSAPublicKey structure (PKCS#1); bytes after it are for the caller to judge.
    pub(super) fn read_pkcs1(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut inner = Reader::new(reader.read(der::SEQUENCE)?);
        let (modulus, exponent) = (inner.read_unsigned()?, inner.read_unsigned()?);
        inner.finish()?;
        reader.note(inner.is_canonical());
        Ok(Self::new(modulus, exponent))
    }

    /// Reads an RSAPublicKey structure (PKCS#1) that was encoded by a program of ours.
    #[cfg(feature = "aws-lc")]
    pub(crate) fn from_pkcs1_der(bytes: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(bytes);
        let key = Self::read_pkcs1(&mut reader)?;
        reader.finish()?;
        Ok(key)
    }

    /// The modulus, big-endian, without leading zeros.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent, big-endian, without leading zeros.
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// The exponent as a number, if it fits into 64 bits.
    pub fn small_exponent(&self) -> Option<u64> {
        (self.exponent.len() <= 8)
            .then(|| self.exponent.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The size of the modulus. Units: bits.
    pub fn bits(&self) -> usize {
        bits(&self.modulus)
    }

    /// The RSAPublicKey structure (PKCS#1), as DER.
    pub fn pkcs1_der(&self) -> Vec<u8> {
        let numbers = [der::encode_unsigned(&self.modulus), der::encode_unsigned(&self.exponent)];
        der::encode(der::SEQUENCE, &numbers.concat())
    }

    /// The SubjectPublicKeyInfo structure, as DER.
    pub fn spki_der(&self) -> Vec<u8> {
        let key = der::encode(der::BIT_STRING, &[&[0][..], &self.pkcs1_der()].concat());
        der::encode(der::SEQUENCE, &[RSA_ENCRYPTION, &key].concat())
    }
}

/// The length of a big-endian number without leading zeros. Units: bits.
pub(super) fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |byte| byte.leading_zeros());
    number.len() * 8 - usize::try_from(unused).unwrap_or(0)
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPublicKey({} bits, exponent 0x", self.bits())?;
        self.exponent.iter().take(16).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_bits_without_leading_zeros() {
        assert_eq!(RsaPublicKey::new(&[0, 0, 1, 0], &[3]).bits(), 9);
        assert_eq!(RsaPublicKey::new(&[0x80, 0], &[3]).bits(), 16);
        assert_eq!(RsaPublicKey::new(&[], &[]).bits(), 0);
    }

    #[test]
    fn an_exponent_of_more_than_64_bits_is_no_small_number() {
        assert_eq!(RsaPublicKey::new(&[1], &[0, 1, 0, 1]).small_exponent(), Some(65_537));
        assert_eq!(RsaPublicKey::new(&[1], &[1; 9]).small_exponent(), None);
        assert_eq!(RsaPublicKey::new(&[1], &[0xff; 8]).small_exponent(), Some(u64::MAX));
    }

    #[test]
    fn its_encoding_reads_back() {
        let key = RsaPublicKey::new(&[0xc5; 128], &[1, 0, 1]);
        let encoded = key.pkcs1_der();
        let mut reader = Reader::new(&encoded);
        assert_eq!(RsaPublicKey::read_pkcs1(&mut reader), Ok(key));
        assert!(reader.is_canonical());
        assert_eq!(reader.finish(), Ok(()));
    }
}
