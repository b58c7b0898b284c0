//! What differs between two states of a mirror: generations, snapshots, and what a sync would publish now.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::fetch::local;
use super::finding::{Class, Finding};
use super::label;
use super::offer::INDEX_CAP;
use crate::container::Scratch;
use crate::index::Index;
use crate::limits::Limits;
use crate::plan::{Action, Held, Plan};
use crate::publish::{Entry, EntryKind, Look, SnapshotName};
use crate::types::compare_versions;
use crate::unverified::{Keep, ReadOptions, Subject, read};

/// One package of a state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holding {
    /// Where it is, what it is called, and how large it is.
    pub held: Held,
    /// SHA-256 of its file, in hexadecimal; none if it was not fetched yet.
    pub sha256: Option<String>,
}

/// One difference between two states.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// What happened.
    pub kind: DifferenceKind,
    /// On the first side, unless it was added.
    pub before: Option<Holding>,
    /// On the second side, unless it was removed.
    pub after: Option<Holding>,
}

/// What happened to a package.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DifferenceKind {
    /// Only the second state has it.
    Added,
    /// Only the first state has it.
    Removed,
    /// A higher version in the place of a lower one.
    Upgraded,
    /// A lower version in the place of a higher one.
    Downgraded,
    /// Another package under the same version.
    Rebuilt,
    /// The same package with another signature member.
    Resigned,
}

impl DifferenceKind {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Upgraded => "upgraded",
            Self::Downgraded => "downgraded",
            Self::Rebuilt => "rebuilt",
            Self::Resigned => "resigned",
        }
    }
}

/// What the indexes of a generation list.
///
/// # Errors
/// - No such generation, or a tree that cannot be read.
pub fn of_generation(look: &Look, number: u64) -> Result<Vec<Holding>, Finding> {
    let manifest = look.manifest(number).map_err(|error| local(&error))?;
    Ok(holdings(manifest.entries()))
}

/// What the indexes of a snapshot list.
///
/// # Errors
/// - No such snapshot, or a tree that cannot be read.
pub fn of_snapshot(look: &Look, name: &SnapshotName, limits: &Limits) -> Result<Vec<Holding>, Finding> {
    let snapshot = look.snapshot(name).map_err(|error| local(&error))?;
    let mut all = Vec::new();
    for entry in snapshot.entries().filter(|entry| entry.kind() == EntryKind::Index) {
        let opened = look.open_in_snapshot(name, entry.path()).map_err(|error| local(&error))?;
        let Some((index, folder)) = index(opened, limits).zip(entry.path().parent()) else {
            let text = "the index of the snapshot cannot be read";
            return Err(Finding::error(Class::Local, "snapshot", text).about(entry.path().as_str()));
        };
        let (repository, arch) = folder.as_str().rsplit_once('/').unwrap_or_default();
        all.extend(index.records().map(|record| {
            let held = Held {
                repository: repository.to_owned(),
                arch: arch.to_owned(),
                name: record.name().to_owned(),
                version: record.version().to_owned(),
                identity: record.identity().to_string(),
                size: record.size(),
            };
            let file = folder.join(&record.file_name()).ok();
            let sha256 = file.and_then(|file| snapshot.entry(&file)).map(|entry| entry.sha256().to_string());
            Holding { held, sha256 }
        }));
    }
    Ok(all)
}

/// The entries of an index that was verified when it was published.
fn index(opened: impl Read, limits: &Limits) -> Option<Index> {
    let options = ReadOptions { limits: limits.clone(), index_text: Keep::Text, ..ReadOptions::default() };
    match read(opened.take(INDEX_CAP), &options, &mut Scratch::default()).ok()? {
        Subject::Index(index) => {
            let (_, claims) = index.into_claims_without_proof();
            Some(Index::read_leniently(claims?.text()?.to_vec()))
        }
        _ => None,
    }
}

/// What would be published once a plan is carried out.
pub fn of_plan(plan: &Plan, published: &[Holding]) -> Vec<Holding> {
    type Key<'a> = (&'a str, &'a str, &'a str, &'a str);
    let files: BTreeMap<Key<'_>, &Holding> =
        published.iter().map(|holding| (key(&holding.held), holding)).collect();
    let wanted = plan.items().iter().filter(|item| item.action != Action::Drop);
    wanted
        .map(|item| {
            let held = Held {
                repository: item.repository.clone(),
                arch: item.arch.clone(),
                name: item.name.clone(),
                version: item.version.clone(),
                identity: item.identity.clone(),
                size: item.size,
            };
            let there = files.get(&key(&held)).filter(|there| there.held.identity == held.identity);
            let sha256 = there.filter(|_| item.action == Action::Keep).and_then(|there| there.sha256.clone());
            Holding { held, sha256 }
        })
        .collect()
}

fn key(held: &Held) -> (&str, &str, &str, &str) {
    (&held.repository, &held.arch, &held.name, &held.version)
}

fn holdings<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<Holding> {
    let holding =
        |entry: &Entry| Some(Holding { held: label::held(entry)?, sha256: Some(entry.sha256().to_string()) });
    entries.filter_map(holding).collect()
}

/// Compares two states name by name, each repository and architecture for itself.
///
/// Shape: sorted by repository, architecture and name. What has the same version on both sides is compared with
/// each other; what is left of a name is paired from the highest version down.
pub fn differences(before: &[Holding], after: &[Holding]) -> Vec<Difference> {
    let (old, new) = (by_name(before), by_name(after));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    names
        .into_iter()
        .flat_map(|name| {
            of_name(old.get(&name).cloned().unwrap_or_default(), new.get(&name).cloned().unwrap_or_default())
        })
        .collect()
}

type ByName<'a> = BTreeMap<(&'a str, &'a str, &'a str), Vec<&'a Holding>>;

fn by_name(holdings: &[Holding]) -> ByName<'_> {
    let mut names: ByName<'_> = BTreeMap::new();
    for holding in holdings {
        let Held { repository, arch, name, .. } = &holding.held;
        names.entry((repository, arch, name)).or_default().push(holding);
    }
    names
}

fn of_name(mut old: Vec<&Holding>, mut new: Vec<&Holding>) -> Vec<Difference> {
    let mut differences = Vec::new();
    let told = |kind, before: Option<&Holding>, after: Option<&Holding>| Difference {
        kind,
        before: before.cloned(),
        after: after.cloned(),
    };
    old.retain(|before| {
        let same = new.iter().position(|after| after.held.version == before.held.version);
        let Some(after) = same.map(|at| new.remove(at)) else { return true };
        differences.extend(same_version(before, after).map(|kind| told(kind, Some(before), Some(after))));
        false
    });
    let descending = |a: &&Holding, b: &&Holding| compare_versions(&b.held.version, &a.held.version);
    old.sort_by(descending);
    new.sort_by(descending);
    let (mut old, mut new) = (old.into_iter(), new.into_iter());
    loop {
        differences.push(match (old.next(), new.next()) {
            (None, None) => return differences,
            (Some(before), None) => told(DifferenceKind::Removed, Some(before), None),
            (None, Some(after)) => told(DifferenceKind::Added, None, Some(after)),
            (Some(before), Some(after)) => {
                let kind = match compare_versions(&after.held.version, &before.held.version) {
                    Ordering::Less => DifferenceKind::Downgraded,
                    // Two spellings of one version.
                    Ordering::Equal => DifferenceKind::Rebuilt,
                    Ordering::Greater => DifferenceKind::Upgraded,
                };
                told(kind, Some(before), Some(after))
            }
        });
    }
}

fn same_version(before: &Holding, after: &Holding) -> Option<DifferenceKind> {
    if before.held.identity != after.held.identity {
        return Some(DifferenceKind::Rebuilt);
    }
    let other_file = match (&before.sha256, &after.sha256) {
        (Some(before), Some(after)) => before != after,
        _ => before.held.size != after.held.size,
    };
    other_file.then_some(DifferenceKind::Resigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(text: &str) -> Holding {
        let [name, version, identity, size] = text.split(' ').collect::<Vec<_>>()[..] else { panic!() };
        let own = |text: &str| text.to_owned();
        let held = Held {
            repository: own("r"),
            arch: own("x86_64"),
            name: own(name),
            version: own(version),
            identity: own(identity),
            size: size.parse().unwrap(),
        };
        Holding { held, sha256: None }
    }

    fn told(before: &[&str], after: &[&str]) -> Vec<String> {
        let all = |texts: &[&str]| texts.iter().map(|text| holding(text)).collect::<Vec<_>>();
        let version = |side: &Option<Holding>| {
            side.as_ref().map_or_else(|| "-".to_owned(), |holding| holding.held.version.clone())
        };
        differences(&all(before), &all(after))
            .iter()
            .map(|one| {
                let name = &one.before.as_ref().or(one.after.as_ref()).unwrap().held.name;
                format!("{} {name} {} {}", one.kind.name(), version(&one.before), version(&one.after))
            })
            .collect()
    }

    #[test]
    fn each_kind_of_difference_is_told() {
        let before =
            ["down 2-r0 a 1", "gone 1-r0 a 1", "re 1-r0 a 1", "same 1-r0 a 1", "sig 1-r0 a 1", "up 1-r0 a 1"];
        let after =
            ["down 1-r0 b 1", "new 1-r0 a 1", "re 1-r0 b 1", "same 1-r0 a 1", "sig 1-r0 a 2", "up 1-r1 b 1"];
        let expected = [
            "downgraded down 2-r0 1-r0",
            "removed gone 1-r0 -",
            "added new - 1-r0",
            "rebuilt re 1-r0 1-r0",
            "resigned sig 1-r0 1-r0",
            "upgraded up 1-r0 1-r1",
        ];
        assert_eq!(told(&before, &after), expected);
        assert!(told(&before, &before).is_empty());
    }

    #[test]
    fn of_several_versions_those_that_stay_are_no_change() {
        let (before, after) = (["a 1-r0 x 1", "a 2-r0 y 1"], ["a 2-r0 y 1", "a 3-r0 z 1", "a 1.5-r0 w 1"]);
        assert_eq!(told(&before, &after), ["upgraded a 1-r0 3-r0", "added a - 1.5-r0"]);
    }
}
