//! What differs between two packages, for example two builds of one version.

use std::collections::BTreeMap;
use std::fmt;

use super::control::{Control, Script};
use super::data::FileFact;
use crate::types::escape;

/// One thing in which two packages differ.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PackageDifference {
    /// A field of `.PKGINFO`; the values of a repeated one are joined by spaces.
    Field {
        /// The key.
        key: String,
        /// The old value, if there was one.
        old: Option<String>,
        /// The new value, if there is one.
        new: Option<String>,
    },
    /// A script, which runs as root.
    Script {
        /// For example `.post-install`.
        name: String,
        /// What happened to it.
        change: Change,
    },
    /// A file.
    File {
        /// The path, escaped.
        path: String,
        /// What happened to it.
        change: Change,
    },
}

/// What happened to a script or a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// Only the new package has it.
    Added,
    /// Only the old package has it.
    Removed,
    /// The content, the target of a link, or the kind is another.
    Content,
    /// The same content with other permissions, owner or extended attributes.
    Attributes,
}

impl Change {
    /// The stable word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Content => "changed",
            Self::Attributes => "attributes",
        }
    }
}

impl fmt::Display for PackageDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |text: &Option<String>| {
            text.as_deref().map_or_else(|| "none".to_owned(), |text| escape(text).to_string())
        };
        match self {
            Self::Field { key, old, new } => {
                write!(f, "{}: {} became {}", escape(key), value(old), value(new))
            }
            Self::Script { name, change } => write!(f, "script {}: {}", escape(name), change.name()),
            Self::File { path, change } => write!(f, "{path}: {}", change.name()),
        }
    }
}

/// Fields that say nothing beyond the rest: they differ in every build.
const DERIVED: &[&str] = &["datahash"];

/// Compares two packages: fields, then scripts, then files, each in the order of their names.
///
/// Trust: none; say beside the result how far each of the two is proven.
pub fn compare(
    old: &Control,
    new: &Control,
    old_files: &[FileFact],
    new_files: &[FileFact],
) -> Vec<PackageDifference> {
    let mut differences = fields(old, new);
    let scripts = |control: &Control| -> BTreeMap<String, Script> {
        control.scripts().iter().map(|script| (script.name().to_owned(), script.clone())).collect()
    };
    let changed = |a: &Script, b: &Script| (a.sha1() != b.sha1()).then_some(Change::Content);
    differences.extend(
        changes(&scripts(old), &scripts(new), changed)
            .map(|(name, change)| PackageDifference::Script { name, change }),
    );
    let files = |files: &[FileFact]| -> BTreeMap<String, FileFact> {
        files.iter().map(|file| (file.path().to_owned(), file.clone())).collect()
    };
    differences.extend(
        changes(&files(old_files), &files(new_files), file_change)
            .map(|(path, change)| PackageDifference::File { path, change }),
    );
    differences
}

fn fields(old: &Control, new: &Control) -> Vec<PackageDifference> {
    let values = |control: &Control| -> BTreeMap<String, String> {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in control.info().fields().filter(|(key, _)| !DERIVED.contains(key)) {
            let known = values.entry(key.to_owned()).or_default();
            known.push_str(if known.is_empty() { "" } else { " " });
            known.push_str(value);
        }
        values
    };
    let (old, new) = (values(old), values(new));
    let changed = |a: &String, b: &String| (a != b).then_some(Change::Content);
    changes(&old, &new, changed)
        .map(|(key, _)| PackageDifference::Field {
            old: old.get(&key).cloned(),
            new: new.get(&key).cloned(),
            key,
        })
        .collect()
}

fn file_change(old: &FileFact, new: &FileFact) -> Option<Change> {
    let content = |file: &FileFact| (file.kind(), file.size(), file.sha1(), file.link().map(str::to_owned));
    let attributes = |file: &FileFact| (file.mode(), file.owner(), file.xattrs().to_vec());
    if content(old) != content(new) {
        Some(Change::Content)
    } else {
        (attributes(old) != attributes(new)).then_some(Change::Attributes)
    }
}

/// What happened to each name, sorted.
fn changes<'m, T>(
    old: &'m BTreeMap<String, T>,
    new: &'m BTreeMap<String, T>,
    change: impl Fn(&T, &T) -> Option<Change> + 'm,
) -> impl Iterator<Item = (String, Change)> + 'm {
    let removed = old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name, Change::Removed));
    let rest = new.iter().filter_map(move |(name, value)| match old.get(name) {
        None => Some((name, Change::Added)),
        Some(before) => change(before, value).map(|change| (name, change)),
    });
    let all: BTreeMap<&String, Change> = removed.chain(rest).collect();
    all.into_iter().map(|(name, change)| (name.clone(), change))
}
