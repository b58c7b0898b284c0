//! What a mirror remembers between runs: the newest index of each place, and the proof of each package.
//!
//! Indexes carry no expiry and no order that a signature covers; whoever remembers nothing can be served
//! last year's. The document is written before a new tree becomes visible, so that it is never older.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::chronicle::Head;
use super::former::Former;
use super::guard::Remembered;
use crate::keys::Fingerprint;
use crate::limits::Limits;
use crate::types::{Architecture, Digest, Identity, PackageName, Sha256, VersionText, escape};

/// What is remembered between runs.
///
/// Shape: JSON, `apkvet-trust/1`, unknown fields refused. Trust: written by this program alone and kept where
/// nobody else may write; still, nothing in it is used before it is checked, and nothing in it is a path.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    indexes: BTreeMap<Place, Remembered>,
    proofs: BTreeMap<(Place, String), Provenance>,
    formers: BTreeMap<(Place, String), Former>,
    history: Option<Head>,
}

/// One repository of one architecture: what has an index of its own.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The name of the repository.
    pub repository: String,
    /// The architecture.
    pub arch: String,
}

/// Why a package was taken, kept for as long as its file is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The `C:` of its entry.
    pub identity: String,
    /// SHA-256 of its data member, in hexadecimal.
    pub datahash: String,
    /// Units: bytes.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Fingerprints of the keys whose signatures held.
    pub keys: Vec<String>,
    /// On which road trust came: `signature+index` or `index`.
    pub via: String,
    /// How deep the file was looked at.
    pub level: String,
    /// A code that was waived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// SHA-256 of the index whose entry it was held against, in hexadecimal.
    pub index: String,
    /// Where it came from, without credentials.
    pub upstream: String,
    /// When it was verified. Units: seconds since 1970.
    pub time: u64,
}

impl Provenance {
    /// Name and version, as in the name of the file.
    pub fn label(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// Why a document is no trust state.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Not JSON of this shape.
    #[error("expected a trust state, found {found}")]
    Shape {
        /// What the parser says.
        found: String,
    },
    /// Written by another version of this program.
    #[error("expected the schema `{SCHEMA}`, found `{}`", escape(.found))]
    Schema {
        /// The schema.
        found: String,
    },
    /// A value that this program never writes.
    #[error("expected {expected}, found `{}`", escape(.found))]
    Value {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// More of something than there can be.
    #[error("expected at most {limit} {what}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
}

const SCHEMA: &str = "apkvet-trust/1";

/// The document as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    indexes: Vec<IndexLine>,
    proofs: Vec<ProofLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<FormerLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<Head>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct IndexLine {
    place: Place,
    index: Remembered,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ProofLine {
    place: Place,
    package: Provenance,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FormerLine {
    place: Place,
    version: Former,
}

impl State {
    /// The name of the document.
    pub const DOCUMENT: &'static str = "trust.json";

    /// Reads a document.
    ///
    /// # Errors
    /// - [`StateError`] for the first value that this program would not have written.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, StateError> {
        // The schema first: what another version wrote has other fields, too.
        let schema = serde_json::from_slice::<SchemaOnly>(bytes).map_err(shape)?.schema;
        if schema != SCHEMA {
            return Err(StateError::Schema { found: schema });
        }
        let document: Document = serde_json::from_slice(bytes).map_err(shape)?;
        document.history.as_ref().map_or(Ok(()), |head| digest(&head.sha256))?;
        let mut state = Self { history: document.history, ..Self::default() };
        let limit = limits.index_entries.saturating_mul(2);
        bounded(document.proofs.len(), "proofs", limit)?;
        for IndexLine { place, index } in document.indexes {
            check_place(&place)?;
            check_remembered(&index, limit)?;
            state.indexes.insert(place, index);
        }
        for ProofLine { place, package } in document.proofs {
            check_place(&place)?;
            check_provenance(&package)?;
            state.proofs.insert((place, package.label()), package);
        }
        bounded(document.dropped.len(), "dropped versions", limit)?;
        for FormerLine { place, version } in document.dropped {
            check_place(&place)?;
            state.formers.insert((place, version.label(limits)?), version);
        }
        Ok(state)
    }

    /// The document; equal states give equal bytes.
    ///
    /// # Errors
    /// - That of the serialiser, which has no reason to fail.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let indexes = self.indexes.iter();
        let proofs = self.proofs.iter();
        let formers = self.formers.iter();
        let document = Document {
            schema: SCHEMA.to_owned(),
            indexes: indexes
                .map(|(place, index)| IndexLine { place: place.clone(), index: index.clone() })
                .collect(),
            proofs: proofs
                .map(|((place, _), package)| ProofLine { place: place.clone(), package: package.clone() })
                .collect(),
            dropped: formers
                .map(|((place, _), version)| FormerLine { place: place.clone(), version: version.clone() })
                .collect(),
            history: self.history.clone(),
        };
        let mut bytes = serde_json::to_vec_pretty(&document)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// What is remembered of the index of a place.
    pub fn remembered(&self, place: &Place) -> Option<&Remembered> {
        self.indexes.get(place)
    }

    /// The places whose indexes are remembered.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.indexes.keys()
    }

    /// Remembers the index of a place.
    pub fn remember(&mut self, place: Place, index: Remembered) {
        self.indexes.insert(place, index);
    }

    /// The proof of a package, by name and version as in the name of its file.
    pub fn proof(&self, place: &Place, label: &str) -> Option<&Provenance> {
        self.proofs.get(&(place.clone(), label.to_owned()))
    }

    /// All proofs, by place and label.
    pub fn proofs(&self) -> impl Iterator<Item = (&Place, &Provenance)> {
        self.proofs.iter().map(|((place, _), package)| (place, package))
    }

    /// Keeps the proof of a package.
    pub fn prove(&mut self, place: Place, package: Provenance) {
        self.proofs.insert((place, package.label()), package);
    }

    /// A version that was published and is dropped, by name and version.
    pub fn former(&self, place: &Place, label: &str) -> Option<&Former> {
        self.formers.get(&(place.clone(), label.to_owned()))
    }

    /// All versions that were published and are dropped, by place and label.
    pub fn formers(&self) -> impl Iterator<Item = (&Place, &str, &Former)> {
        self.formers.iter().map(|((place, label), former)| (place, label.as_str(), former))
    }

    /// Remembers just these dropped versions of a place.
    pub fn drop_versions(&mut self, place: &Place, formers: BTreeMap<String, Former>) {
        self.formers.retain(|(known, _), _| known != place);
        self.formers.extend(formers.into_iter().map(|(label, former)| ((place.clone(), label), former)));
    }

    /// The last link of the log.
    pub const fn history(&self) -> Option<&Head> {
        self.history.as_ref()
    }

    /// Remembers the last link of the log.
    pub fn remember_history(&mut self, head: Head) {
        self.history = Some(head);
    }

    /// Forgets the proofs of files that nothing holds any more, and what they are proofs of.
    pub fn keep_only(&mut self, files: &BTreeSet<String>) {
        self.proofs.retain(|_, package| files.contains(&package.sha256));
        self.formers.retain(|key, _| self.proofs.contains_key(key));
    }
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: String,
}

fn shape(error: serde_json::Error) -> StateError {
    StateError::Shape { found: escape(&error.to_string()).to_string() }
}

fn bounded(found: usize, what: &'static str, limit: u64) -> Result<(), StateError> {
    let within = u64::try_from(found).is_ok_and(|found| found <= limit);
    if within { Ok(()) } else { Err(StateError::TooMany { what, limit }) }
}

fn value<T, E>(parsed: Result<T, E>, expected: &'static str, found: &str) -> Result<(), StateError> {
    parsed.map(drop).or_else(|_| {
        let refused = StateError::Value { expected, found: found.to_owned() };
        if checked!("state-value") { Err(refused) } else { Ok(()) }
    })
}

fn digest(text: &str) -> Result<(), StateError> {
    value(Digest::<Sha256>::parse_hex(text.as_bytes()), "a SHA-256 in hexadecimal", text)
}

fn check_place(place: &Place) -> Result<(), StateError> {
    value(Architecture::parse(place.arch.as_bytes()), "an architecture", &place.arch)?;
    let name = super::config::is_path(&place.repository).then_some(()).ok_or(());
    value(name, "the name of a repository", &place.repository)
}

fn check_remembered(index: &Remembered, limit: u64) -> Result<(), StateError> {
    bounded(index.versions.len(), "versions", limit)?;
    bounded(index.before.len(), "digests of indexes", 4096)?;
    index.before.iter().chain([&index.sha256]).try_for_each(|text| digest(text))?;
    index.versions.iter().try_for_each(|(name, version)| check_name(name, version))
}

fn check_name(name: &str, version: &str) -> Result<(), StateError> {
    value(PackageName::parse(name.as_bytes()), "the name of a package", name)?;
    value(VersionText::parse(version.as_bytes()), "a version", version)
}

fn check_provenance(package: &Provenance) -> Result<(), StateError> {
    check_name(&package.name, &package.version)?;
    value(Identity::parse(package.identity.as_bytes()), "an identity", &package.identity)?;
    [&package.datahash, &package.sha256, &package.index].into_iter().try_for_each(|text| digest(text))?;
    package
        .keys
        .iter()
        .try_for_each(|key| value(Fingerprint::parse(key), "the fingerprint of a key", key))?;
    let word = |words: &[&str], found: &str| words.contains(&found).then_some(()).ok_or(());
    value(word(&["signature+index", "index"], &package.via), "`signature+index` or `index`", &package.via)?;
    value(word(&["full", "identity"], &package.level), "`full` or `identity`", &package.level)
}

#[cfg(test)]
mod tests;
