//! The keys that are trusted, by name; loading is explicit, never ambient.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::keys::{Fingerprint, PublicKey};
use crate::types::{KeyName, escape_all};

use super::arithmetic::PreparedKey;
use super::rsa_key::{KeyRefused, VerifyingKey};

/// One trusted key.
#[derive(Debug)]
pub struct TrustedKey {
    name: String,
    file: String,
    key: PublicKey,
    /// Computed when somebody asks: of many keys that are trusted, few are used.
    fingerprint: OnceLock<Fingerprint>,
    prepared: OnceLock<PreparedKey>,
}

impl TrustedKey {
    /// A key under the name that signatures use, with the file that it came from.
    pub fn new(name: impl Into<String>, file: impl Into<String>, key: PublicKey) -> Self {
        let (fingerprint, prepared) = (OnceLock::new(), OnceLock::new());
        Self { name: name.into(), file: file.into(), key, fingerprint, prepared }
    }

    /// The name that a signature must ask for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the key was read from, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The key itself.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SHA-256 over the SPKI DER.
    pub fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.get_or_init(|| self.key.fingerprint())
    }

    pub(super) fn verifying(&self) -> Result<VerifyingKey<'_>, KeyRefused> {
        VerifyingKey::new(&self.key, &self.prepared)
    }
}

/// Two keys want one name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "two different keys are named `{name}`: {first} and {second}; name one of them otherwise, or leave it out"
)]
pub struct KeyringError {
    name: String,
    first: String,
    second: String,
}

/// All trusted keys. A key is found by its name, as `apk` does.
///
/// Shape: one key per name, unless pins say which of several keys counts where ([`Keyring::add_pinned`]).
#[derive(Debug, Default)]
pub struct Keyring(BTreeMap<String, Vec<TrustedKey>>);

impl Keyring {
    /// Adds a key. The same key under the same name again changes nothing.
    ///
    /// # Errors
    /// - [`KeyringError`] if another key has the name.
    pub fn add(&mut self, key: TrustedKey) -> Result<(), KeyringError> {
        let named = self.0.entry(key.name.clone()).or_default();
        match named.first() {
            Some(known) if checked!("key-name-taken") && known.fingerprint() != key.fingerprint() => {
                Err(KeyringError {
                    name: escape_all(&key.name).to_string(),
                    first: escape_all(&known.file).to_string(),
                    second: escape_all(&key.file).to_string(),
                })
            }
            Some(_) => Ok(()),
            None => {
                named.push(key);
                Ok(())
            }
        }
    }

    /// Adds a key unless the name is taken, as `apk` does with its two directories: the first wins.
    pub fn add_unless_taken(&mut self, key: TrustedKey) {
        let named = self.0.entry(key.name.clone()).or_default();
        if named.is_empty() {
            named.push(key);
        }
    }

    /// Adds a key beside others of its name; only for a keyring that is used with pins.
    ///
    /// Pins tell keys apart by fingerprint, so that a name decides nothing there.
    pub fn add_pinned(&mut self, key: TrustedKey) {
        let named = self.0.entry(key.name.clone()).or_default();
        if named.iter().all(|known| known.fingerprint() != key.fingerprint()) {
            named.push(key);
        }
    }

    /// The keys of exactly this name: at most one, unless pins are in use.
    pub fn by_name(&self, name: &KeyName) -> &[TrustedKey] {
        self.0.get(name.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// All keys, by name.
    pub fn iter(&self) -> impl Iterator<Item = &TrustedKey> {
        self.0.values().flatten()
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether nothing is trusted at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
