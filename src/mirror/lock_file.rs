//! Lock files: exactly what a selection resolved to, so that it resolves to that again, elsewhere and later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The form of a lock file that this program reads and writes.
const SCHEMA: &str = "apkvet-lock/1";

/// One package of a lock file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// The repository of the mirror.
    pub repository: String,
    /// The architecture whose index lists it.
    pub arch: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The identity (`C:`).
    pub identity: String,
    /// SHA-256 of the data member, in hexadecimal.
    pub datahash: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Size of the file. Units: bytes.
    pub size: u64,
    /// Fingerprints of the keys that proved it.
    pub signers: Vec<String>,
}

/// One index that a selection was resolved on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedIndex {
    /// The repository of the mirror.
    pub repository: String,
    /// The architecture.
    pub arch: String,
    /// SHA-256 of upstream's file, in hexadecimal.
    pub sha256: String,
    /// When it was made, if it says so. Units: seconds since 1970.
    pub time: Option<u64>,
}

/// What a selection resolved to.
///
/// Shape: JSON, sorted, so that two resolutions of the same are the same bytes.
/// Trust: none of its own; what it names is verified like everything else, and must be exactly that.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    schema: String,
    indexes: Vec<LockedIndex>,
    packages: Vec<LockedPackage>,
}

/// Why a text is no lock file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LockFileError {
    /// Not JSON, or not of this shape.
    #[error("line {line}: {message}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A form that this program does not know.
    #[error("expected the schema {SCHEMA}, found `{}`", crate::types::escape(.found))]
    Schema {
        /// What stands there.
        found: String,
    },
}

/// One thing in which a resolution differs from a lock file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LockDifference {
    /// Locked, and not resolved any more.
    Missing(LockedPackage),
    /// Resolved, and not locked.
    Unlocked(LockedPackage),
    /// The same version with other content: the locked one first.
    Rebuilt(LockedPackage, LockedPackage),
    /// The same content under another signature: the locked one first. Nothing to refuse.
    Resigned(LockedPackage, LockedPackage),
}

impl LockDifference {
    /// Whether a run that is held to the lock file must be refused.
    pub const fn is_grave(&self) -> bool {
        !matches!(self, Self::Resigned(..))
    }

    /// The stable word for it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Unlocked(_) => "unlocked",
            Self::Rebuilt(..) => "rebuilt",
            Self::Resigned(..) => "resigned",
        }
    }

    /// The package that it is about, as it is locked if it is.
    pub const fn package(&self) -> &LockedPackage {
        match self {
            Self::Missing(package) | Self::Unlocked(package) => package,
            Self::Rebuilt(locked, _) | Self::Resigned(locked, _) => locked,
        }
    }
}

impl LockFile {
    /// Makes a lock file of what was resolved.
    pub fn new(mut indexes: Vec<LockedIndex>, mut packages: Vec<LockedPackage>) -> Self {
        indexes.sort_by(|a, b| (&a.repository, &a.arch).cmp(&(&b.repository, &b.arch)));
        packages.sort_by(|a, b| key(a).cmp(&key(b)));
        Self { schema: SCHEMA.to_owned(), indexes, packages }
    }

    /// Parses the text of a lock file.
    ///
    /// # Errors
    /// - [`LockFileError::Syntax`] for a text of another shape.
    /// - [`LockFileError::Schema`] for another form of lock file.
    pub fn parse(text: &[u8]) -> Result<Self, LockFileError> {
        let syntax = |error: &serde_json::Error| LockFileError::Syntax {
            line: error.line(),
            message: crate::types::escape(&error.to_string()).to_string(),
        };
        let parsed: Self = serde_json::from_slice(text).map_err(|error| syntax(&error))?;
        if parsed.schema == SCHEMA || !checked!("lock-schema") {
            Ok(Self::new(parsed.indexes, parsed.packages))
        } else {
            Err(LockFileError::Schema { found: parsed.schema })
        }
    }

    /// The text: one line for each index and package, so that a comparison of two files shows what changed.
    ///
    /// # Errors
    /// - as `serde_json`; numbers and texts always have a JSON form.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let lines = |items: Vec<String>| items.join(",\n    ");
        let indexes = self.indexes.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let packages = self.packages.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        Ok(format!(
            "{{\n  \"schema\": \"{SCHEMA}\",\n  \"indexes\": [\n    {}\n  ],\n  \"packages\": [\n    {}\n  ]\n}}\n",
            lines(indexes),
            lines(packages)
        ))
    }

    /// The indexes, sorted.
    pub fn indexes(&self) -> &[LockedIndex] {
        &self.indexes
    }

    /// The packages, sorted.
    pub fn packages(&self) -> &[LockedPackage] {
        &self.packages
    }

    /// How a resolution differs, sorted; the signature member alone can be changed by anyone, so it decides nothing.
    pub fn differences(&self, resolved: &Self) -> Vec<LockDifference> {
        let mut found: BTreeMap<_, &LockedPackage> =
            resolved.packages.iter().map(|package| (key(package), package)).collect();
        let mut differences = Vec::new();
        for locked in &self.packages {
            differences.extend(match found.remove(&key(locked)) {
                None => Some(LockDifference::Missing(locked.clone())),
                Some(other) => differs(locked, other),
            });
        }
        differences.extend(found.into_values().cloned().map(LockDifference::Unlocked));
        differences.sort_by(|a, b| key(a.package()).cmp(&key(b.package())));
        differences
    }
}

fn differs(locked: &LockedPackage, other: &LockedPackage) -> Option<LockDifference> {
    let pair = || (locked.clone(), other.clone());
    let same = (&locked.identity, &locked.datahash) == (&other.identity, &other.datahash);
    if checked!("lock-rebuilt") && !same {
        let (locked, other) = pair();
        return Some(LockDifference::Rebuilt(locked, other));
    }
    (locked.sha256 != other.sha256).then(|| {
        let (locked, other) = pair();
        LockDifference::Resigned(locked, other)
    })
}

fn key(package: &LockedPackage) -> (&str, &str, &str, &str) {
    (&package.repository, &package.arch, &package.name, &package.version)
}

#[cfg(test)]
mod tests;
