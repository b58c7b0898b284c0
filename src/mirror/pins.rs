//! The files of `pinned-by`: found, read, and held against the versions that could stay.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::config::{Config, Repository};
use super::finding::{Class, Finding};
use super::pinned_by::{MAX_FILE, Named, NamedVersion};
use crate::index::{Record, matches};
use crate::types::{Dependency, compare_versions, escape_all};

/// How many files one repository may name.
const MAX_FILES: usize = 4096;

/// One version that a file names.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Pin {
    /// What it names.
    pub(super) named: NamedVersion,
    /// The file, escaped.
    pub(super) file: String,
}

/// What all files name, by the set of the repository that names the files.
///
/// A build does not say which repository of a set a package comes from, so its pins count for all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins(BTreeMap<String, BTreeSet<Pin>>);

impl Pins {
    /// Reads the files of all repositories, with warnings for what could not be understood.
    ///
    /// # Errors
    /// - A file that cannot be read: a pin that nobody sees is none.
    pub(super) fn read(config: &Config) -> Result<(Self, Vec<Finding>), Finding> {
        let (mut pins, mut told) = (Self::default(), Vec::new());
        for repository in config.repositories() {
            let about = |finding: Finding| finding.about(&repository.name);
            let of_set = pins.0.entry(repository.set.clone()).or_default();
            for pattern in &repository.selection.pinned_by {
                let files = files(repository, pattern).map_err(about)?;
                if files.is_empty() {
                    let text = format!("`pinned-by` has `{}`, which no file matches", escape_all(pattern));
                    told.push(about(Finding::warning("pinned-by-empty", text)));
                }
                for path in files {
                    read(&path, of_set, &mut told).map_err(about)?;
                }
            }
        }
        // A file that two repositories name is told of once.
        let mut seen = BTreeSet::new();
        told.retain(|finding| seen.insert((finding.subject.clone(), finding.message.clone())));
        Ok((pins, told))
    }

    /// The pins of each set.
    pub(super) fn of_set(&self, set: &str) -> impl Iterator<Item = &Pin> {
        self.0.get(set).into_iter().flatten()
    }

    /// Which of some dropped versions are named; `listed` is what can be had anyway.
    ///
    /// `=` names each version that it fits. Any other operator names the highest one that it fits, and none as
    /// long as something listed fits it.
    pub(super) fn named(&self, set: &str, dropped: &[Record<'_>], listed: &[Record<'_>]) -> BTreeSet<usize> {
        let (dropped_names, listed_names) = (by_name(dropped), by_name(listed));
        let mut named = BTreeSet::new();
        for pin in self.of_set(set) {
            let Ok(atom) = Dependency::parse_requested(&pin.named.atom) else { continue };
            let fits = |all: &[Record<'_>], at: &usize| {
                all.get(*at).is_some_and(|record| atom.accepts_version(record.version()))
            };
            let some = dropped_names.get(atom.name()).into_iter().flatten().copied();
            let some: Vec<usize> = some.filter(|at| fits(dropped, at)).collect();
            if is_exact(&atom) {
                named.extend(some);
                continue;
            }
            let mut others = listed_names.get(atom.name()).into_iter().flatten();
            if !others.any(|at| fits(listed, at)) {
                named.extend(highest(dropped, &some));
            }
        }
        named
    }
}

/// Whether an atom names one version.
pub(super) fn is_exact(atom: &Dependency<'_>) -> bool {
    atom.operator().is_some_and(|operator| operator.as_str() == "=")
}

fn by_name<'r>(records: &[Record<'r>]) -> BTreeMap<&'r str, Vec<usize>> {
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        names.entry(record.name()).or_default().push(at);
    }
    names
}

/// The highest of some, and all that are equal to it.
fn highest(records: &[Record<'_>], some: &[usize]) -> Vec<usize> {
    let version = |at: &usize| records.get(*at).map_or("", Record::version);
    let Some(top) = some.iter().max_by(|a, b| compare_versions(version(a), version(b))) else {
        return Vec::new();
    };
    let same = |at: &&usize| compare_versions(version(at), version(top)) == Ordering::Equal;
    some.iter().filter(same).copied().collect()
}

fn read(path: &Path, pins: &mut BTreeSet<Pin>, told: &mut Vec<Finding>) -> Result<(), Finding> {
    let file = shown(path);
    let failed = |detail: String| {
        let remedy = "name files that can be read, or take this one out of `pinned-by`";
        let text = format!("cannot use {file}: {detail}");
        Finding::error(Class::Usage, "pinned-by", text).remedied(Some(remedy))
    };
    let meta = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if !meta.is_file() || meta.len() > MAX_FILE {
        return Err(failed(format!("expected a file of at most {MAX_FILE} bytes")));
    }
    let bytes = super::read_text(path).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("expected UTF-8".to_owned()))?;
    let Named { versions, unread } = Named::parse(&text);
    pins.extend(versions.into_iter().map(|named| Pin { named, file: file.clone() }));
    for one in unread {
        let (word, why) = (escape_all(&one.word), one.why);
        let text = format!("line {}: `{word}` keeps nothing: {why}", one.line);
        told.push(Finding::warning("pinned-by-unread", text).about(&file));
    }
    Ok(())
}

/// The files that a pattern names, sorted; one without `*` and `?` names just itself.
fn files(repository: &Repository, pattern: &str) -> Result<Vec<PathBuf>, Finding> {
    let whole = Path::new(pattern);
    if !is_pattern(pattern) || whole.exists() {
        return Ok(vec![whole.to_owned()]);
    }
    let mut found = vec![PathBuf::new()];
    for part in whole.components() {
        let text = part.as_os_str().to_string_lossy();
        if !matches!(part, Component::Normal(_)) || !is_pattern(&text) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let mut next: Vec<PathBuf> = found.iter().flat_map(|folder| entries(folder, &text)).collect();
        next.sort();
        if next.len() > MAX_FILES {
            let text = format!("`{}` matches more than {MAX_FILES} names", escape_all(pattern));
            return Err(Finding::error(Class::Usage, "pinned-by", text).about(&repository.name));
        }
        found = next;
    }
    // What a pattern meets beside files is not meant.
    Ok(found.into_iter().filter(|path| path.is_file()).collect())
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// What matches in a folder; hidden files do only if the pattern says so.
fn entries(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let there = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names = fs::read_dir(there).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let hidden = |name: &String| name.starts_with('.') && !pattern.starts_with('.');
    let fitting = names.filter(|name| matches(pattern, name) && !hidden(name));
    fitting.map(|name| folder.join(name)).take(MAX_FILES.saturating_add(1)).collect()
}

fn shown(path: &Path) -> String {
    escape_all(path.as_os_str().as_encoded_bytes()).to_string()
}

#[cfg(test)]
mod tests;
