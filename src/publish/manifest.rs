//! What a generation holds: the list that carrying, checking and deleting go by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::{Digest, Sha256, escape};

use super::error::PublishError;
use super::path::StorePath;

/// What a published file is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A package.
    Package,
    /// An index; the one thing that may change under its path.
    Index,
    /// A public key of the mirror itself.
    Key,
}

/// A file of a generation.
///
/// Trust: comes from a manifest of ours or from staging; what it names was proven when it was published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    pub(super) path: StorePath,
    pub(super) kind: EntryKind,
    pub(super) sha256: Digest<Sha256>,
    pub(super) size: u64,
    pub(super) mtime: Option<u64>,
    pub(super) dropped_at: Option<u64>,
    pub(super) label: String,
}

impl Entry {
    /// Where it lies below the root that is served.
    pub const fn path(&self) -> &StorePath {
        &self.path
    }

    /// What it is.
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Over the whole file.
    pub const fn sha256(&self) -> Digest<Sha256> {
        self.sha256
    }

    /// Units: bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// When an index was published, as clients see it. Units: seconds since 1970.
    pub const fn mtime(&self) -> Option<u64> {
        self.mtime
    }

    /// Since when no index names it. Units: seconds since 1970.
    pub const fn dropped_at(&self) -> Option<u64> {
        self.dropped_at
    }

    /// What whoever published it wrote beside it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The same entry, dropped; the first time stands.
    #[must_use]
    pub fn dropped(mut self, now: u64) -> Self {
        self.dropped_at = self.dropped_at.or(Some(now));
        self
    }

    /// The same entry, named by an index again.
    #[must_use]
    pub fn listed(mut self) -> Self {
        self.dropped_at = None;
        self
    }

    /// The same entry at another path.
    #[must_use]
    pub fn moved(mut self, path: StorePath) -> Self {
        self.path = path;
        self
    }

    /// The same entry with another label.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }
}

/// Everything that a generation holds, by path.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Manifest {
    pub(super) number: u64,
    pub(super) created: u64,
    pub(super) entries: BTreeMap<StorePath, Entry>,
}

impl Manifest {
    /// The number of the generation.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// When it was made. Units: seconds since 1970.
    pub const fn created(&self) -> u64 {
        self.created
    }

    /// The files, by path.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.values()
    }

    /// The file at a path.
    pub fn entry(&self, path: &StorePath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Whether both hold the same files, dropped at the same times and labelled alike.
    pub fn holds_the_same(&self, other: &Self) -> bool {
        let bare = |manifest: &Self| -> Vec<Entry> {
            manifest.entries().map(|entry| Entry { mtime: None, ..entry.clone() }).collect()
        };
        bare(self) == bare(other)
    }

    /// The directories that the files lie in, parents first; the root of the generation is not among them.
    pub(super) fn directories(&self) -> Vec<StorePath> {
        let mut all = std::collections::BTreeSet::new();
        for path in self.entries.keys() {
            let mut at = path.parent();
            while let Some(parent) = at.filter(|parent| !parent.is_root() && !all.contains(parent)) {
                at = parent.parent();
                all.insert(parent);
            }
        }
        // A parent is a prefix of its child, and sorts before it.
        all.into_iter().collect()
    }

    /// The document that is kept; equal lists give equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let entries = self.entries().map(Written::of).collect();
        let whole = Whole { schema: SCHEMA.to_owned(), number: self.number, created: self.created, entries };
        // invariant: numbers, texts and lists have no form that JSON lacks.
        let mut bytes = serde_json::to_vec_pretty(&whole).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads the document of generation `number`, which lies `at` a path that the error names.
    ///
    /// # Errors
    /// - [`PublishError::Damaged`] for what this program would not have written.
    pub fn decode(bytes: &[u8], number: u64, at: &StorePath) -> Result<Self, PublishError> {
        let damaged = |problem: String| PublishError::Damaged { path: at.clone(), problem };
        let whole: Whole =
            serde_json::from_slice(bytes).map_err(|error| damaged(escape(&error.to_string()).to_string()))?;
        if whole.schema != SCHEMA {
            return Err(damaged(format!("expected schema `{SCHEMA}`, found `{}`", escape(&whole.schema))));
        }
        if checked!("manifest-number") && whole.number != number {
            return Err(damaged(format!("expected generation {number}, found {}", whole.number)));
        }
        let mut entries = BTreeMap::new();
        for written in whole.entries {
            let entry = written.entry().map_err(damaged)?;
            if let Some(twice) = entries.insert(entry.path.clone(), entry) {
                return Err(damaged(format!("`{}` stands there twice", twice.path)));
            }
        }
        Ok(Self { number, created: whole.created, entries })
    }
}

const SCHEMA: &str = "apkvet-generation/1";

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    schema: String,
    number: u64,
    created: u64,
    entries: Vec<Written>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    kind: EntryKind,
    sha256: String,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mtime: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped_at: Option<u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
}

impl Written {
    fn of(entry: &Entry) -> Self {
        Self {
            path: entry.path.as_str().to_owned(),
            kind: entry.kind,
            sha256: entry.sha256.to_string(),
            size: entry.size,
            mtime: entry.mtime,
            dropped_at: entry.dropped_at,
            label: entry.label.clone(),
        }
    }

    fn entry(self) -> Result<Entry, String> {
        let path = StorePath::parse(&self.path).map_err(|error| error.to_string())?;
        let sha256 = Digest::parse_hex(self.sha256.as_bytes()).map_err(|error| error.to_string())?;
        let Self { kind, size, mtime, dropped_at, label, .. } = self;
        Ok(Entry { path, kind, sha256, size, mtime, dropped_at, label })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(paths: &[&str]) -> Manifest {
        let entry = |path: &&str| Entry {
            path: StorePath::parse(path).unwrap(),
            kind: EntryKind::Package,
            sha256: Digest::new([7; 32]),
            size: 3,
            mtime: None,
            dropped_at: Some(9),
            label: "x".to_owned(),
        };
        let entries = paths.iter().map(entry).map(|entry| (entry.path.clone(), entry)).collect();
        Manifest { number: 4, created: 5, entries }
    }

    fn decode(text: &str) -> Result<Manifest, PublishError> {
        Manifest::decode(text.as_bytes(), 4, &StorePath::parse("state/gens/4.json").unwrap())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let manifest = manifest(&["a/b.apk", "a/c/d.apk"]);
        let text = String::from_utf8(manifest.encode()).unwrap();
        assert_eq!(decode(&text).unwrap(), manifest);
    }

    #[test]
    fn a_damaged_list_is_none() {
        let text = String::from_utf8(manifest(&["a/b.apk"]).encode()).unwrap();
        let wrong = [
            text[..text.len() / 2].to_owned(),
            text.replace("a/b.apk", "../b.apk"),
            text.replace("\"number\": 4", "\"number\": 5"),
            text.replace("generation/1", "generation/2"),
            text.replace("\"size\"", "\"length\""),
            text.replace("0707", "07"),
            "\0".repeat(text.len()),
        ];
        for text in wrong {
            assert!(matches!(decode(&text), Err(PublishError::Damaged { .. })), "{text}");
        }
    }

    #[test]
    fn directories_come_before_what_lies_in_them() {
        let directories = manifest(&["a/b/c/x", "a/y", "z", "k/x"]).directories();
        let texts: Vec<&str> = directories.iter().map(StorePath::as_str).collect();
        assert_eq!(texts, ["a", "a/b", "a/b/c", "k"]);
    }

    #[test]
    fn a_file_is_dropped_once() {
        let manifest = manifest(&["a"]);
        let entry = manifest.entries().next().unwrap().clone();
        assert_eq!(entry.clone().dropped(20).dropped_at(), Some(9));
        assert_eq!(entry.listed().dropped(20).dropped_at(), Some(20));
    }
}
