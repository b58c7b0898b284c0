//! What a selection resolved to: as it is published, for a lock file; as a run finds it, held against one.

use std::collections::{BTreeMap, BTreeSet};

use super::fetch::local;
use super::finding::{Class, Finding};
use super::label;
use super::lock_file::{LockDifference, LockFile, LockedIndex, LockedPackage};
use super::memory::{Init, recall};
use super::select::Selected;
use super::state::{Place, Provenance, State};
use crate::limits::Limits;
use crate::publish::{Look, tree_hash};
use crate::types::escape_all;

/// A lock file of what is published.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The file.
    pub file: LockFile,
    /// The digest of everything that is listed.
    pub tree: String,
    /// The published generation.
    pub generation: u64,
}

/// Makes a lock file of what is published, each package with the proof that is kept of it.
///
/// # Errors
/// - Nothing published, a trust state that is lost, or packages without a proof.
pub fn lock(look: &Look, limits: &Limits) -> Result<Locked, Vec<Finding>> {
    let one = |finding| vec![finding];
    let Some(published) = look.published().map_err(|error| one(local(&error)))? else {
        return Err(one(Finding::error(Class::Usage, "nothing-published", "nothing is published here")));
    };
    let (state, _) = recall(look, Some(&published), limits, Init::Refuse).map_err(one)?;
    let (mut indexes, mut packages, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (place, upstream) in published.entries().filter_map(label::read_index) {
        let remembered = state.remembered(&place).filter(|remembered| remembered.sha256 == upstream);
        let time = remembered.and_then(|remembered| remembered.time);
        let Place { repository, arch } = place;
        indexes.push(LockedIndex { repository, arch, sha256: upstream.to_owned(), time });
    }
    for held in published.entries().filter_map(label::held) {
        let place = Place { repository: held.repository, arch: held.arch };
        let label = format!("{}-{}", held.name, held.version);
        match state.proof(&place, &label).filter(|proof| proof.identity == held.identity) {
            Some(proof) => packages.push(locked(&place, proof)),
            None => missing.push(unproven(&place, &label)),
        }
    }
    if !missing.is_empty() {
        return Err(missing);
    }
    let tree = tree_hash(published.entries()).to_string();
    Ok(Locked { file: LockFile::new(indexes, packages), tree, generation: published.number() })
}

fn unproven(place: &Place, label: &str) -> Finding {
    let text = "the proof of this package is not kept any more, and a lock file names it";
    let remedy = "run a sync, which fetches and proves it again";
    Finding::error(Class::State, "proof-missing", text).remedied(Some(remedy)).at(place).about(label)
}

fn locked(place: &Place, proof: &Provenance) -> LockedPackage {
    LockedPackage {
        repository: place.repository.clone(),
        arch: place.arch.clone(),
        name: proof.name.clone(),
        version: proof.version.clone(),
        identity: proof.identity.clone(),
        datahash: proof.datahash.clone(),
        sha256: proof.sha256.clone(),
        size: proof.size,
        signers: proof.keys.clone(),
    }
}

/// Holds what is selected against a lock file before anything is fetched: names, versions and identities.
///
/// # Errors
/// - Every package in which they differ.
pub(super) fn hold_selection(lock: &LockFile, selected: &[Selected<'_>]) -> Result<(), Vec<Finding>> {
    type Key = (Place, String, String);
    let mut found: BTreeMap<Key, String> = BTreeMap::new();
    for place in selected {
        for chosen in place.listed() {
            let record = chosen.candidate.record;
            let key = (place.offer.place.clone(), record.name().to_owned(), record.version().to_owned());
            found.insert(key, record.identity().to_string());
        }
    }
    let mut findings = Vec::new();
    for package in lock.packages() {
        let place = Place { repository: package.repository.clone(), arch: package.arch.clone() };
        let key = (place, package.name.clone(), package.version.clone());
        match found.remove(&key) {
            None => findings.push(missing(&key.0, &key.1, &key.2, &found)),
            Some(identity) if identity != package.identity => {
                let text =
                    format!("is locked as {}, and upstream has {identity}", escape_all(&package.identity));
                findings.push(differs("lock-rebuilt", &text, &key.0, &label_of(&key.1, &key.2)));
            }
            Some(_) => {}
        }
    }
    for (place, name, version) in found.keys() {
        let text = "is selected, and not in the lock file";
        findings.push(differs("lock-unlocked", text, place, &label_of(name, version)));
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn missing(
    place: &Place,
    name: &str,
    version: &str,
    found: &BTreeMap<(Place, String, String), String>,
) -> Finding {
    let others: Vec<&str> = found
        .keys()
        .filter(|(other, own, _)| other == place && own == name)
        .map(|(_, _, version)| version.as_str())
        .collect();
    let text = if others.is_empty() {
        "is locked, and not selected any more".to_owned()
    } else {
        format!("is locked, and upstream has {}", escape_all(&others.join(", ")))
    };
    differs("lock-missing", &text, place, &label_of(name, version))
}

/// Holds what came in, and what was there, against a lock file: to the data member, and to the byte for a note.
///
/// # Errors
/// - Every package in which they differ by more than the signature member.
pub(super) fn hold_content<'p>(
    lock: &LockFile,
    selected: &[Selected<'_>],
    state: &State,
    brought: impl Iterator<Item = (&'p Place, &'p Provenance)>,
) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut proofs: BTreeMap<(&Place, String), LockedPackage> = BTreeMap::new();
    for place in selected {
        let at = &place.offer.place;
        for label in place.listed().map(|chosen| chosen.candidate.record.label()) {
            if let Some(proof) = state.proof(at, &label) {
                proofs.insert((at, label), locked(at, proof));
            }
        }
    }
    for (place, proof) in brought {
        proofs.insert((place, proof.label()), locked(place, proof));
    }
    let resolved = LockFile::new(Vec::new(), proofs.into_values().collect());
    let (mut notes, mut grave) = (Vec::new(), Vec::new());
    for difference in lock.differences(&resolved) {
        let package = difference.package();
        let place = Place { repository: package.repository.clone(), arch: package.arch.clone() };
        let label = label_of(&package.name, &package.version);
        let (code, text) = match &difference {
            LockDifference::Resigned(..) => {
                ("resigned", "is the locked package under another signature member")
            }
            LockDifference::Rebuilt(..) => ("lock-rebuilt", "has other data than the lock file says"),
            LockDifference::Missing(_) => ("lock-missing", "is locked, and was not resolved"),
            LockDifference::Unlocked(_) => ("lock-unlocked", "was resolved, and is not in the lock file"),
        };
        if difference.is_grave() {
            grave.push(differs(code, text, &place, &label));
        } else {
            notes.push(Finding::info(code, text).at(&place).about(&label));
        }
    }
    if grave.is_empty() { Ok(notes) } else { Err(grave) }
}

/// Names in a lock file that the configuration does not have: a lock of another mirror.
pub(super) fn foreign_places(lock: &LockFile, known: &BTreeSet<Place>) -> Vec<Finding> {
    let places: BTreeSet<Place> = lock
        .packages()
        .iter()
        .map(|package| Place { repository: package.repository.clone(), arch: package.arch.clone() })
        .collect();
    let text = "is in the lock file, and not in the configuration";
    let told = |place: &Place| {
        let shown = format!("{}/{}", place.repository, place.arch);
        Finding::error(Class::State, "lock-place", text).about(shown)
    };
    places.difference(known).map(told).collect()
}

fn label_of(name: &str, version: &str) -> String {
    format!("{name}-{version}")
}

fn differs(code: &'static str, text: &str, place: &Place, label: &str) -> Finding {
    let remedy =
        "`apkvet mirror sync` without --locked takes what upstream has; `apkvet mirror lock` locks it";
    Finding::error(Class::State, code, text).remedied(Some(remedy)).at(place).about(label)
}
