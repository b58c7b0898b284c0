//! Keys that are known by fact: whose they are and since when. Facts, no trust.

use std::fmt;

use serde::Deserialize;

use super::fingerprint::{Fingerprint, FingerprintError};
use super::public_key::{Curve, EcPublicKey, PublicKey};
use super::rsa_public_key::RsaPublicKey;
use crate::types::{Digest, DigestError, KeyName, KeyNameError, Sha256};

/// The schema that a list of known keys names.
const SCHEMA: &str = "apk-known-keys/1";
/// The list that is built in.
const BUILTIN: &str = include_str!("known-keys.json");

/// A list of known keys: names, fingerprints and facts.
///
/// Trust: none. That a key is listed here does not make it trusted; trust is named on the command line, lies
/// in the keys directory, or is pinned.
///
/// # Examples
/// ```
/// use apkvet::keys::KnownKeys;
/// let known = KnownKeys::builtin();
/// let keys: Vec<_> = known.by_name("sgerrand.rsa.pub").collect();
/// assert_eq!(keys.len(), 3);
/// assert!(keys.iter().all(|key| known.by_fingerprint(&key.fingerprint()).is_some()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct KnownKeys {
    date: String,
    keys: Vec<KnownKey>,
    name_only: Vec<NameOnly>,
}

/// What is known of one key.
#[derive(Clone, Debug)]
pub struct KnownKey {
    names: Vec<KeyName>,
    fingerprint: Fingerprint,
    key: Option<PublicKey>,
    file_sha256: Vec<Digest<Sha256>>,
    status: KnownStatus,
    facts: Facts,
}

/// A name that is known to belong to a file whose key is not known.
#[derive(Clone, Debug)]
pub struct NameOnly {
    name: KeyName,
    file_sha256: Digest<Sha256>,
}

/// What a known key is used for now.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KnownStatus {
    /// It signs today.
    Current,
    /// It is shipped; no signature by it was seen.
    Shipped,
    /// It is still shipped, and signs only branches up to [`KnownKey::last_release`].
    Legacy,
    /// Its owner removed it.
    Retired,
    /// It came into a repository by accident and belongs to somebody else.
    Foreign,
    /// It was seen in test data only.
    SeenInTestData,
    /// Its private half lies in public: anybody can sign with it.
    PrivateKeyPublic,
    /// Whose it is, is known; whether it is used, is not.
    Unknown,
}

/// Why a text is no list of known keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnownKeysError {
    /// Not JSON, or not of the expected shape.
    #[error("expected a list of known keys in JSON")]
    Json(#[from] serde_json::Error),
    /// JSON of another schema.
    #[error("expected schema `{SCHEMA}`, found `{found}`")]
    Schema {
        /// The schema, escaped.
        found: String,
    },
    /// An entry without a name.
    #[error("key {number}: expected a name")]
    NoName {
        /// Number of the entry, from 1.
        number: usize,
    },
    /// A name that no key file can have.
    #[error("key {number}: bad name")]
    Name {
        /// Number of the entry, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: KeyNameError,
    },
    /// A fingerprint that is none.
    #[error("key {number}: bad fingerprint")]
    Fingerprint {
        /// Number of the entry, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: FingerprintError,
    },
    /// A digest that is none.
    #[error("key {number}: bad SHA-256 of a file")]
    FileDigest {
        /// Number of the entry, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: DigestError,
    },
    /// Numbers that are none.
    #[error("key {number}: expected hexadecimal digits of the key")]
    Numbers {
        /// Number of the entry, from 1.
        number: usize,
    },
    /// The numbers and the fingerprint do not belong together.
    #[error("key {number}: its numbers have fingerprint {found}, not the one it states")]
    Mismatch {
        /// Number of the entry, from 1.
        number: usize,
        /// The fingerprint of the numbers.
        found: Fingerprint,
    },
}

#[derive(Deserialize)]
struct RawList {
    schema: String,
    date: String,
    #[serde(default)]
    name_only: Vec<RawName>,
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
struct RawName {
    name: String,
    file_sha256: String,
}

#[derive(Deserialize)]
struct RawKey {
    names: Vec<String>,
    spki_sha256: String,
    #[serde(default)]
    file_sha256: Vec<String>,
    status: KnownStatus,
    modulus_hex: Option<String>,
    exponent: Option<u64>,
    curve: Option<String>,
    point_hex: Option<String>,
    #[serde(flatten)]
    facts: Facts,
}

/// What is stated and not computed.
#[derive(Clone, Debug, Deserialize)]
struct Facts {
    origin: String,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    first_release: Option<String>,
    last_release: Option<String>,
    made: Option<String>,
    added: Option<String>,
    removed: Option<String>,
    #[serde(default)]
    private_key_public_at: Option<Vec<String>>,
}

impl KnownKeys {
    /// The list that this program carries.
    pub fn builtin() -> Self {
        // A test reads the same text; an empty list is the harmless answer to the impossible case.
        Self::parse(BUILTIN.as_bytes()).unwrap_or_default()
    }

    /// Parses a list: JSON of the same shape as the built-in one; unknown fields are passed over.
    ///
    /// # Errors
    /// - [`KnownKeysError::Json`], [`KnownKeysError::Schema`] for anything else.
    /// - the other variants for an entry that contradicts itself.
    pub fn parse(json: &[u8]) -> Result<Self, KnownKeysError> {
        let raw: RawList = serde_json::from_slice(json)?;
        if raw.schema != SCHEMA {
            return Err(KnownKeysError::Schema { found: crate::types::escape(&raw.schema).to_string() });
        }
        let keys = raw.keys.into_iter().zip(1..).map(|(key, number)| KnownKey::parse(key, number));
        let names = raw.name_only.into_iter().zip(1..).map(|(name, number)| {
            Ok(NameOnly {
                name: parse_name(&name.name, number)?,
                file_sha256: file(&name.file_sha256, number)?,
            })
        });
        let name_only = names.collect::<Result<_, KnownKeysError>>()?;
        Ok(Self { date: raw.date, keys: keys.collect::<Result<_, _>>()?, name_only })
    }

    /// The day of the list, `YYYY-MM-DD`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// All keys, in the order of the list.
    pub fn keys(&self) -> &[KnownKey] {
        &self.keys
    }

    /// Names whose key is not known, but whose file is.
    pub fn name_only(&self) -> &[NameOnly] {
        &self.name_only
    }

    /// The key with this fingerprint.
    pub fn by_fingerprint(&self, fingerprint: &Fingerprint) -> Option<&KnownKey> {
        self.keys.iter().find(|key| key.fingerprint == *fingerprint)
    }

    /// All keys that are used under this name: one name may carry several.
    pub fn by_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a KnownKey> {
        self.keys.iter().filter(move |key| key.names.iter().any(|known| known.as_str() == name))
    }
}

impl KnownKey {
    fn parse(raw: RawKey, number: usize) -> Result<Self, KnownKeysError> {
        let names: Vec<KeyName> =
            raw.names.iter().map(|name| parse_name(name, number)).collect::<Result<_, _>>()?;
        if names.is_empty() {
            return Err(KnownKeysError::NoName { number });
        }
        let fingerprint = Fingerprint::parse(&format!("sha256:{}", raw.spki_sha256))
            .map_err(|source| KnownKeysError::Fingerprint { number, source })?;
        let key = numbers(&raw, number)?;
        if let Some(found) = key.as_ref().map(PublicKey::fingerprint).filter(|found| *found != fingerprint) {
            return Err(KnownKeysError::Mismatch { number, found });
        }
        let file_sha256 = raw.file_sha256.iter().map(|hex| file(hex, number)).collect::<Result<_, _>>()?;
        Ok(Self { names, fingerprint, key, file_sha256, status: raw.status, facts: raw.facts })
    }

    /// The file names under which the key is used, at least one.
    pub fn names(&self) -> &[KeyName] {
        &self.names
    }

    /// The identity of the key.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The key itself, if the list has its numbers.
    pub const fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// SHA-256 of the files in which the key circulates.
    pub fn file_sha256(&self) -> &[Digest<Sha256>] {
        &self.file_sha256
    }

    /// What it is used for now.
    pub const fn status(&self) -> KnownStatus {
        self.status
    }

    /// Whose it is, in a word or two, for example `alpine`.
    pub fn origin(&self) -> &str {
        &self.facts.origin
    }

    /// The architectures that it signs, if it signs some only.
    pub fn architectures(&self) -> &[String] {
        self.facts.architectures.as_deref().unwrap_or_default()
    }

    /// The first stable release that ships it.
    pub fn first_release(&self) -> Option<&str> {
        self.facts.first_release.as_deref()
    }

    /// The last stable release that it is needed for; `None` while it is in use.
    pub fn last_release(&self) -> Option<&str> {
        self.facts.last_release.as_deref()
    }

    /// The day in its file name, `YYYY-MM-DD`.
    pub fn made(&self) -> Option<&str> {
        self.facts.made.as_deref()
    }

    /// Since when its owner ships it, a day or a month.
    pub fn added(&self) -> Option<&str> {
        self.facts.added.as_deref()
    }

    /// Since when its owner does not ship it any more.
    pub fn removed(&self) -> Option<&str> {
        self.facts.removed.as_deref()
    }

    /// Where its private half lies in public.
    pub fn private_key_public_at(&self) -> &[String] {
        self.facts.private_key_public_at.as_deref().unwrap_or_default()
    }
}

impl NameOnly {
    /// The file name.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// SHA-256 of the file that bears the name.
    pub const fn file_sha256(&self) -> Digest<Sha256> {
        self.file_sha256
    }
}

impl KnownStatus {
    /// The status in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Shipped => "shipped",
            Self::Legacy => "legacy",
            Self::Retired => "retired",
            Self::Foreign => "foreign",
            Self::SeenInTestData => "seen-in-test-data",
            Self::PrivateKeyPublic => "private-key-public",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for KnownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn parse_name(name: &str, number: usize) -> Result<KeyName, KnownKeysError> {
    KeyName::parse(name.as_bytes()).map_err(|source| KnownKeysError::Name { number, source })
}

fn file(hex: &str, number: usize) -> Result<Digest<Sha256>, KnownKeysError> {
    Digest::parse_hex(hex.as_bytes()).map_err(|source| KnownKeysError::FileDigest { number, source })
}

fn numbers(raw: &RawKey, number: usize) -> Result<Option<PublicKey>, KnownKeysError> {
    let bad = || KnownKeysError::Numbers { number };
    if let (Some(modulus), Some(exponent)) = (&raw.modulus_hex, raw.exponent) {
        let modulus = unhex(modulus).ok_or_else(bad)?;
        return Ok(Some(PublicKey::Rsa(RsaPublicKey::new(&modulus, &exponent.to_be_bytes()))));
    }
    let (Some(curve), Some(point)) = (&raw.curve, &raw.point_hex) else { return Ok(None) };
    let curve = match curve.as_str() {
        "prime256v1" => Curve::P256,
        "secp384r1" => Curve::P384,
        "secp521r1" => Curve::P521,
        _ => return Err(bad()),
    };
    let point = unhex(point).ok_or_else(bad)?;
    EcPublicKey::new(curve, &point).map(PublicKey::Ec).map(Some).ok_or_else(bad)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_parses_and_every_fingerprint_is_recomputed() {
        let known = KnownKeys::parse(BUILTIN.as_bytes()).unwrap();
        assert_eq!((known.keys().len(), known.name_only().len()), (52, 2));
        assert_eq!(known.date(), "2026-11-23");
        assert!(known.keys().iter().all(|key| key.key().is_some()));
        assert_eq!(known.keys().iter().filter(|key| key.origin() == "alpine").count(), 21);
        let public = |key: &&KnownKey| key.status() == KnownStatus::PrivateKeyPublic;
        assert_eq!(known.keys().iter().filter(public).count(), 10);
        assert!(known.keys().iter().filter(public).all(|key| !key.private_key_public_at().is_empty()));
    }

    /// The folder that a known key belongs to, if it has a file in `keys/`.
    fn folder(key: &KnownKey) -> Option<&'static str> {
        let ours = ["alpine", "postmarketos", "wolfi", "chainguard", "andyshinn/sgerrand glibc"]
            .contains(&key.origin());
        match key.status() {
            KnownStatus::Retired => ours.then_some("retired"),
            KnownStatus::Current | KnownStatus::Shipped | KnownStatus::Legacy => ours.then_some("active"),
            _ => None,
        }
    }

    #[test]
    fn the_files_in_keys_are_those_that_the_numbers_make() {
        let keys = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/keys"));
        let readme = std::fs::read_to_string(keys.join("README.md")).unwrap();
        let mut expected = Vec::new();
        for known in KnownKeys::builtin().keys() {
            let Some(folder) = folder(known) else { continue };
            for name in known.names() {
                let path = keys.join(folder).join(name.as_str());
                let text = std::fs::read(&path).unwrap();
                let key = known.key().unwrap();
                assert_eq!(text, key.to_pem().as_bytes(), "{name}");
                assert_eq!(
                    super::super::read_key(&text).unwrap().fingerprint(),
                    known.fingerprint(),
                    "{name}"
                );
                use sha2::Digest as _;
                let sha256 = Digest::new(sha2::Sha256::digest(&text).into());
                assert!(known.file_sha256().contains(&sha256), "{name}: {sha256}");
                let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}` ")));
                assert!(row.is_some_and(|row| row.contains(&known.fingerprint().to_string())), "{name}");
                expected.push(path);
            }
        }
        let files = |folder: &str| std::fs::read_dir(keys.join(folder)).unwrap();
        let mut found: Vec<_> =
            files("active").chain(files("retired")).map(|entry| entry.unwrap().path()).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(readme.matches("sha256:").count(), expected.len());
    }

    #[test]
    fn one_key_has_two_names_and_one_name_three_keys() {
        let known = KnownKeys::builtin();
        let glibc = known.by_name("andyshinn.rsa.pub").next().unwrap();
        assert_eq!(glibc.names()[1].as_str(), "sgerrand.rsa.pub");
        assert_eq!(known.by_name("sgerrand.rsa.pub").count(), 3);
        assert_eq!(known.by_fingerprint(&glibc.fingerprint()).unwrap().origin(), glibc.origin());
    }

    #[test]
    fn refuses_another_schema_and_numbers_that_contradict_the_fingerprint() {
        let other = br#"{"schema":"x","date":"2026-01-01","keys":[]}"#;
        assert!(matches!(KnownKeys::parse(other), Err(KnownKeysError::Schema { found }) if found == "x"));
        let text = format!(
            r#"{{"schema":"{SCHEMA}","date":"2026-01-01","keys":[{{"names":["a.rsa.pub"],
            "spki_sha256":"{}","status":"current","origin":"x","modulus_hex":"c5","exponent":3}}]}}"#,
            "00".repeat(32)
        );
        let error = KnownKeys::parse(text.as_bytes()).unwrap_err();
        assert!(matches!(error, KnownKeysError::Mismatch { number: 1, .. }), "{error:?}");
        assert!(matches!(KnownKeys::parse(b"[]"), Err(KnownKeysError::Json(_))));
    }
}
