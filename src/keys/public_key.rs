//! Public keys of every kind that OpenSSL would load.

use super::der::{self, DerError, Reader};
use super::fingerprint::{Apk3KeyId, Fingerprint};
use super::rsa_public_key::RsaPublicKey;

/// A public key as a key file holds it.
///
/// Trust: none. Only RSA keys can verify what this program verifies; the others are told apart, so that
/// they can be named.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum PublicKey {
    /// RSA with PKCS#1 v1.5 signatures.
    Rsa(RsaPublicKey),
    /// A point on an elliptic curve.
    Ec(EcPublicKey),
    /// Anything else.
    Other(OtherPublicKey),
}

/// A point on an elliptic curve, not checked to lie there.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EcPublicKey {
    curve: Curve,
    parameters: Box<[u8]>,
    point: Box<[u8]>,
}

/// The curve of an EC key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Another curve that has a name.
    Named,
    /// A curve that is spelled out in the key.
    Explicit,
}

/// A key that is neither RSA nor EC.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OtherPublicKey {
    algorithm: OtherAlgorithm,
    spki: Box<[u8]>,
    key: Box<[u8]>,
}

/// What kind of key it is that can never verify a package.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum OtherAlgorithm {
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// X25519, not even a signature key.
    X25519,
    /// X448, not even a signature key.
    X448,
    /// DSA.
    Dsa,
    /// RSA bound to PSS signatures, which apk does not make.
    RsaPss,
}

/// Why a structure is no public key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The encoding is broken.
    #[error("the encoding is broken: {0}")]
    Der(#[from] DerError),
    /// No kind of key that this program or OpenSSL knows.
    #[error("the key is of no known algorithm")]
    Algorithm,
}

const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// An identifier from X.509 that OpenSSL takes for RSA as well.
const OID_RSA_X509: &[u8] = &[0x55, 8, 1, 1];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const OID_P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
const OID_P521: &[u8] = &[0x2b, 0x81, 4, 0, 0x23];

/// The kinds of key that load and are of no use, by their identifiers.
const OTHERS: &[(&[u8], OtherAlgorithm)] = &[
    (&[0x2b, 0x65, 0x70], OtherAlgorithm::Ed25519),
    (&[0x2b, 0x65, 0x71], OtherAlgorithm::Ed448),
    (&[0x2b, 0x65, 0x6e], OtherAlgorithm::X25519),
    (&[0x2b, 0x65, 0x6f], OtherAlgorithm::X448),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], OtherAlgorithm::Dsa),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10], OtherAlgorithm::RsaPss),
];

/// A key together with what its encoding looked like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Decoded {
    pub(super) key: PublicKey,
    /// Whether the bytes are those that re-encoding gives.
    pub(super) canonical: bool,
    /// Bytes after the structure, which OpenSSL overlooks.
    pub(super) trailing: usize,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo structure as OpenSSL does.
    pub(super) fn decode_spki(bytes: &[u8]) -> Result<Decoded, PublicKeyError> {
        let mut outer = Reader::new(bytes);
        let start = outer.clone();
        let mut spki = Reader::new(outer.read(der::SEQUENCE)?);
        let mut algorithm = Reader::new(spki.read(der::SEQUENCE)?);
        let bits = spki.read_bits()?;
        spki.finish()?;
        let identifier = algorithm.read(der::OBJECT_IDENTIFIER)?;
        let parameters = if algorithm.rest().is_empty() { &[][..] } else { algorithm.read_any()? };
        algorithm.finish()?;
        let whole = start.clone().read_any()?;
        let key = if identifier == OID_RSA || identifier == OID_RSA_X509 {
            Self::Rsa(RsaPublicKey::read_pkcs1(&mut Reader::new(&bits))?)
        } else if identifier == OID_EC {
            Self::Ec(EcPublicKey::read(parameters, &bits)?)
        } else {
            let known = OTHERS.iter().find(|(oid, _)| *oid == identifier);
            let (_, algorithm) = known.ok_or(PublicKeyError::Algorithm)?;
            if *algorithm == OtherAlgorithm::RsaPss {
                RsaPublicKey::read_pkcs1(&mut Reader::new(&bits))?;
                if !parameters.is_empty() {
                    Reader::new(parameters).read(der::SEQUENCE)?;
                }
            }
            Self::Other(OtherPublicKey { algorithm: *algorithm, spki: whole.into(), key: bits.into() })
        };
        let canonical = key.spki_der() == whole;
        Ok(Decoded { key, canonical, trailing: outer.rest().len() })
    }

    /// Reads an RSAPublicKey structure (PKCS#1) as OpenSSL does.
    pub(super) fn decode_pkcs1(bytes: &[u8]) -> Result<Decoded, PublicKeyError> {
        let mut outer = Reader::new(bytes);
        let key = Self::Rsa(RsaPublicKey::read_pkcs1(&mut outer)?);
        Ok(Decoded { key, canonical: outer.is_canonical(), trailing: outer.rest().len() })
    }

    /// The RSA key, if it is one.
    pub const fn as_rsa(&self) -> Option<&RsaPublicKey> {
        match self {
            Self::Rsa(key) => Some(key),
            _ => None,
        }
    }

    /// The SubjectPublicKeyInfo structure, as DER, in its canonical bytes.
    pub fn spki_der(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => key.spki_der(),
            Self::Ec(key) => key.spki_der(),
            Self::Other(key) => key.spki.to_vec(),
        }
    }

    /// The identity of the key: SHA-256 over [`PublicKey::spki_der`].
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.spki_der())
    }

    /// The identifier by which apk 3 finds the key.
    pub fn apk3_key_id(&self) -> Apk3KeyId {
        match self {
            Self::Rsa(key) => Apk3KeyId::of(&key.pkcs1_der()),
            Self::Ec(key) => Apk3KeyId::of(&key.point),
            Self::Other(key) => Apk3KeyId::of(&key.key),
        }
    }

    /// The size of the key. Units: bits of the modulus, or of the curve; 0 if that has no meaning.
    pub fn bits(&self) -> usize {
        match self {
            Self::Rsa(key) => key.bits(),
            Self::Ec(key) => key.curve.bits(),
            Self::Other(_) => 0,
        }
    }

    /// The kind of key, in one short word: `rsa`, `ec`, `ed25519`, …
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa",
            Self::Ec(_) => "ec",
            Self::Other(key) => key.algorithm.name(),
        }
    }

    /// The key as a PEM file with the label `PUBLIC KEY`, as OpenSSL writes it.
    pub fn to_pem(&self) -> String {
        super::pem::write("PUBLIC KEY", &self.spki_der())
    }
}

impl EcPublicKey {
    fn read(parameters: &[u8], point: &[u8]) -> Result<Self, PublicKeyError> {
        let mut reader = Reader::new(parameters);
        let curve = match reader.clone().read(der::OBJECT_IDENTIFIER) {
            Ok(OID_P256) => Curve::P256,
            Ok(OID_P384) => Curve::P384,
            Ok(OID_P521) => Curve::P521,
            Ok(_) => Curve::Named,
            Err(_) => reader.read(der::SEQUENCE).map(|_| Curve::Explicit)?,
        };
        Ok(Self { curve, parameters: parameters.into(), point: point.into() })
    }

    /// Takes a point on one of the curves that have a name here; `None` for the others.
    pub fn new(curve: Curve, point: &[u8]) -> Option<Self> {
        let identifier = match curve {
            Curve::P256 => OID_P256,
            Curve::P384 => OID_P384,
            Curve::P521 => OID_P521,
            Curve::Named | Curve::Explicit => return None,
        };
        let parameters = der::encode(der::OBJECT_IDENTIFIER, identifier);
        Some(Self { curve, parameters: parameters.into(), point: point.into() })
    }

    /// The curve.
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The point as encoded: 4, then both coordinates, or 2 or 3, then one.
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    fn spki_der(&self) -> Vec<u8> {
        let oid = der::encode(der::OBJECT_IDENTIFIER, OID_EC);
        let algorithm = der::encode(der::SEQUENCE, &[&oid[..], &self.parameters].concat());
        let key = der::encode(der::BIT_STRING, &[&[0][..], &self.point].concat());
        der::encode(der::SEQUENCE, &[algorithm, key].concat())
    }
}

impl OtherPublicKey {
    /// The kind of key.
    pub const fn algorithm(&self) -> OtherAlgorithm {
        self.algorithm
    }
}

impl OtherAlgorithm {
    /// The kind in one short word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Ed448 => "ed448",
            Self::X25519 => "x25519",
            Self::X448 => "x448",
            Self::Dsa => "dsa",
            Self::RsaPss => "rsa-pss",
        }
    }
}

impl Curve {
    /// Units: bits; 0 for curves that are not told apart.
    pub const fn bits(self) -> usize {
        match self {
            Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
            Self::Named | Self::Explicit => 0,
        }
    }
}
