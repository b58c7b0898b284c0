//! Whom one repository trusts: keys are an operator's input, each for one repository and for no other.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::config::{PackageSignatures, Repository};
use crate::keys::{Fingerprint, KeyFile, Pin, Pins};
use crate::types::escape_all;
use crate::verify::{Keyring, KeyringError, Known, Pinned, Policy, Proof, SignatureDemand, TrustedKey};

/// The keys and the demands of one repository.
#[derive(Debug)]
pub struct Trust {
    keyring: Keyring,
    policy: Policy,
    known: Known,
}

/// Why the keys of a repository cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A file that cannot be read.
    #[error("cannot read {}: {detail}", escape_all(.path.as_os_str().as_encoded_bytes()))]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// A file that holds no usable key, or no pins.
    #[error("{} cannot be used: {detail}", escape_all(.path.as_os_str().as_encoded_bytes()))]
    Unusable {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        detail: String,
    },
    /// Two keys of one name.
    #[error(transparent)]
    Names(#[from] KeyringError),
    /// Pins of which no key is known.
    #[error("no key at hand has a fingerprint of {}: name key files with `keys`", escape_all(.path.as_os_str().as_encoded_bytes()))]
    NoKey {
        /// The pin file.
        path: PathBuf,
    },
}

impl TrustError {
    /// Whether the file could not even be read.
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }
}

impl Trust {
    /// Loads the keys that a repository names.
    ///
    /// # Errors
    /// - [`TrustError`] for the first file that cannot be used: a key that is not loaded is no key.
    pub fn load(repository: &Repository, today: Date) -> Result<Self, TrustError> {
        let pinned = repository.key_pins.as_deref().map(|path| pins(path, today)).transpose()?;
        let known = Known::builtin();
        let mut keyring = Keyring::default();
        for path in &repository.keys {
            let key = key(path)?;
            if pinned.is_some() { keyring.add_pinned(key) } else { keyring.add(key)? }
        }
        if let Some(pinned) = pinned.as_ref().filter(|_| repository.keys.is_empty()) {
            add_known(&mut keyring, &known, pinned);
        }
        if let Some(path) = repository.key_pins.as_ref().filter(|_| keyring.is_empty()) {
            return Err(TrustError::NoKey { path: path.clone() });
        }
        let policy = Policy { min_digest: repository.min_digest, pinned, ..Policy::default() };
        Ok(Self { keyring, policy, known })
    }

    /// Keys that were loaded elsewhere.
    pub const fn of(keyring: Keyring, policy: Policy, known: Known) -> Self {
        Self { keyring, policy, known }
    }

    /// The same with one more key: that of an index which the operator makes.
    ///
    /// # Errors
    /// - [`TrustError::Names`] if the name stands for another key already.
    pub fn with(mut self, key: TrustedKey) -> Result<Self, TrustError> {
        self.keyring.add(key)?;
        Ok(self)
    }

    /// What judgements are made with.
    pub const fn proof(&self) -> Proof<'_> {
        Proof { keyring: &self.keyring, policy: &self.policy, known: &self.known }
    }

    /// Whether a key with this fingerprint is still trusted.
    pub fn holds(&self, fingerprint: &str) -> bool {
        let Ok(fingerprint) = Fingerprint::parse(fingerprint) else { return false };
        self.keyring.iter().any(|key| key.fingerprint() == fingerprint)
    }

    /// The keys.
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }
}

impl From<PackageSignatures> for SignatureDemand {
    fn from(demand: PackageSignatures) -> Self {
        match demand {
            PackageSignatures::Required => Self::Required,
            PackageSignatures::Known => Self::Known,
            PackageSignatures::Index => Self::IndexAlone,
        }
    }
}

fn key(path: &Path) -> Result<TrustedKey, TrustError> {
    let file = KeyFile::read(path);
    let key = file.content().map_err(|error| {
        let (path, detail) = (path.to_owned(), format!("{error}; {}", error.remedy()));
        match error {
            crate::keys::KeyFileError::Unreadable(_) => TrustError::Unreadable { path, detail },
            _ => TrustError::Unusable { path, detail },
        }
    })?;
    let shown = escape_all(path.as_os_str().as_encoded_bytes()).to_string();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(TrustedKey::new(name, shown, key.clone()))
}

fn pins(path: &Path, today: Date) -> Result<Pinned, TrustError> {
    let text = super::read_text(path)
        .map_err(|error| TrustError::Unreadable { path: path.to_owned(), detail: error.to_string() })?;
    let pins = Pins::parse(&text)
        .map_err(|error| TrustError::Unusable { path: path.to_owned(), detail: error.to_string() })?;
    Ok(Pinned { pins, today })
}

/// Known keys that a pin names, under their own names and under those that the pins give them.
fn add_known(keyring: &mut Keyring, known: &Known, pinned: &Pinned) {
    for key in known.keys() {
        let Some(public) = key.key() else { continue };
        let lines: Vec<&Pin> =
            pinned.pins.pins().iter().filter(|pin| pin.fingerprint() == key.fingerprint()).collect();
        if lines.is_empty() {
            continue;
        }
        for name in key.names().iter().chain(lines.into_iter().map(Pin::name)) {
            let from = format!("the list of known keys: {}", key.origin());
            keyring.add_pinned(TrustedKey::new(name.as_str(), from, public.clone()));
        }
    }
}
