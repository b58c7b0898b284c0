//! What is said about one key, ready to be printed: the `key` line of `docs/json.md`.

use jiff::civil::Date;
use serde::Serialize;
use sha2::Digest as _;

use crate::cli::subjects::shown;
use crate::keys::{KeyFile, KnownKey, KnownKeys, NameTime, PublicKey};
use crate::types::{Digest, Sha256, escape_all};

/// One `key` line.
#[derive(Debug, Serialize)]
pub(super) struct KeyRecord {
    /// `trusted`, `known` or `shown`.
    pub(super) role: &'static str,
    pub(super) file: Option<String>,
    pub(super) name: String,
    pub(super) loaded: bool,
    pub(super) error: Option<ErrorRecord>,
    pub(super) kind: Option<&'static str>,
    pub(super) bits: Option<usize>,
    pub(super) exponent: Option<Exponent>,
    pub(super) fingerprint: Option<String>,
    pub(super) apk3_key_id: Option<String>,
    pub(super) pkcs1_sha256: Option<String>,
    pub(super) file_sha256: Option<String>,
    pub(super) name_time: Option<String>,
    pub(super) known: Option<KnownRecord>,
    #[serde(skip)]
    pub(super) short: String,
    #[serde(skip)]
    pub(super) age: String,
}

/// Why a file is not loaded.
#[derive(Debug, Serialize)]
pub(super) struct ErrorRecord {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) remedy: &'static str,
}

/// An exponent: a number, or text if it is too large for one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Exponent {
    Number(u64),
    Hex(String),
}

/// What the list of known keys says.
#[derive(Debug, Serialize)]
pub(super) struct KnownRecord {
    pub(super) origin: String,
    pub(super) status: &'static str,
    pub(super) names: Vec<String>,
    pub(super) architectures: Vec<String>,
    pub(super) first_release: Option<String>,
    pub(super) last_release: Option<String>,
    pub(super) private_key_public_at: Vec<String>,
}

impl KeyRecord {
    /// The record of a file.
    pub(super) fn of_file(role: &'static str, file: &KeyFile, known: &KnownKeys, today: Date) -> Self {
        let name = escape_all(file.name().as_encoded_bytes()).to_string();
        // A damaged file may still hold a key that another reader sees: show which.
        let key = file.content().ok().or_else(|| file.form().mbedtls_key());
        let fact = key.and_then(|key| known.by_fingerprint(&key.fingerprint()));
        let mut record = Self::new(role, name, key, fact, today);
        record.file = Some(shown(file.path()));
        record.file_sha256 = file.sha256().map(|digest| digest.to_string());
        record.loaded = file.content().is_ok() && !file.is_hidden();
        record.error = file.content().err().map(|error| ErrorRecord {
            code: error.code(),
            message: error.to_string(),
            remedy: error.remedy(),
        });
        record
    }

    /// The record of a known key under one of its names.
    pub(super) fn of_known(known: &KnownKey, today: Date) -> Self {
        let names: Vec<&str> = known.names().iter().map(|name| name.as_str()).collect();
        let mut record = Self::new("known", names.join(", "), known.key(), Some(known), today);
        record.fingerprint = Some(known.fingerprint().to_string());
        record.short = known.fingerprint().short();
        record
    }

    fn new(
        role: &'static str,
        name: String,
        key: Option<&PublicKey>,
        known: Option<&KnownKey>,
        today: Date,
    ) -> Self {
        let time = NameTime::of(name.split(',').next().unwrap_or_default(), today);
        let rsa = key.and_then(PublicKey::as_rsa);
        let sha256 = |bytes: Vec<u8>| Digest::<Sha256>::new(sha2::Sha256::digest(bytes).into()).to_string();
        Self {
            role,
            file: None,
            name,
            loaded: false,
            error: None,
            kind: key.map(PublicKey::kind),
            bits: key.map(PublicKey::bits).filter(|bits| *bits > 0),
            exponent: rsa.map(|key| Exponent::of(key.small_exponent(), key.exponent())),
            fingerprint: key.map(|key| key.fingerprint().to_string()),
            apk3_key_id: key.map(|key| key.apk3_key_id().to_string()),
            pkcs1_sha256: rsa.map(|key| sha256(key.pkcs1_der())),
            file_sha256: None,
            name_time: time.date().map(|day| day.to_string()),
            known: known.map(KnownRecord::of),
            short: key.map(|key| key.fingerprint().short()).unwrap_or_else(|| "-".to_owned()),
            age: time.years(today).map_or_else(|| "-".to_owned(), |years| format!("{years}y")),
        }
    }

    /// `rsa4096`, `ec256`, `ed25519`, or a dash.
    pub(super) fn kind_and_bits(&self) -> String {
        let kind = self.kind.unwrap_or("-");
        self.bits.map_or_else(|| kind.to_owned(), |bits| format!("{kind}{bits}"))
    }

    /// Whose key, in a word or two.
    pub(super) fn origin(&self) -> String {
        self.known.as_ref().map_or_else(
            || "-".to_owned(),
            |known| {
                let architectures = known.architectures.join(",");
                if architectures.is_empty() {
                    known.origin.clone()
                } else {
                    format!("{} {architectures}", known.origin)
                }
            },
        )
    }

    /// What the list says of its use, or that apk does not load it.
    pub(super) fn state(&self) -> &'static str {
        if self.file.is_some() && !self.loaded {
            return "NOT LOADED";
        }
        self.known.as_ref().map_or("unknown", |known| known.status)
    }
}

impl Exponent {
    pub(super) fn of(small: Option<u64>, bytes: &[u8]) -> Self {
        small.map(Self::Number).unwrap_or_else(|| {
            // Longer ones than any that makes sense are cut, not printed by the page.
            let digits: String = bytes.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
            Self::Hex(if bytes.len() > 64 { format!("0x{digits}…") } else { format!("0x{digits}") })
        })
    }
}

impl std::fmt::Display for Exponent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Hex(text) => f.write_str(text),
        }
    }
}

impl KnownRecord {
    fn of(known: &KnownKey) -> Self {
        let safe = |text: &str| escape_all(text).to_string();
        Self {
            origin: safe(known.origin()),
            status: known.status().as_str(),
            names: known.names().iter().map(ToString::to_string).collect(),
            architectures: known.architectures().iter().map(|text| safe(text)).collect(),
            first_release: known.first_release().map(safe),
            last_release: known.last_release().map(safe),
            private_key_public_at: known.private_key_public_at().iter().map(|text| safe(text)).collect(),
        }
    }
}
