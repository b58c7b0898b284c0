//! Deletes what no generation needs any more, after a while, and never much at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::types::{Digest, Sha256};

use super::cleanup::dismantle;
use super::error::{Doing, PublishError};
use super::layout;
use super::look::Look;
use super::path::StorePath;
use super::snapshot_list::PoolNames;
use super::snapshot_name::SnapshotName;
use super::store::{Kind, Listed};
use super::tree::Tree;

/// What may be deleted.
#[derive(Clone, Debug)]
pub struct Prune<'a> {
    /// For how long a generation, and a file that nothing names, is kept.
    pub grace: Duration,
    /// Units: seconds since 1970.
    pub now: u64,
    /// How much may be deleted at once.
    pub floor: Floor,
    /// What else has to stay.
    pub roots: &'a Roots,
}

/// How much of the pool may be deleted at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Floor {
    /// At most this part of its files, once they are more than a few.
    Percent(u8),
    /// As much as it takes.
    None,
}

/// Files and generations that something beside the generations needs: snapshots, locks, pins.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    files: BTreeSet<Digest<Sha256>>,
    generations: BTreeSet<u64>,
}

impl Roots {
    /// Keeps a pool file.
    pub fn keep_file(&mut self, sha256: Digest<Sha256>) {
        self.files.insert(sha256);
    }

    /// Keeps a generation, however old it is.
    pub fn keep_generation(&mut self, number: u64) {
        self.generations.insert(number);
    }
}

/// Something that is deleted, or would be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pruned {
    /// Below the root of the tree.
    pub path: StorePath,
    /// Units: bytes that become free; none for a generation, whose files are in the pool as well.
    pub size: u64,
    /// Where clients found a pool file last, if a generation that goes with it still says so.
    pub was: Option<StorePath>,
    /// The reason.
    pub why: WhyPruned,
}

/// Why something is deleted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WhyPruned {
    /// A generation that another took the place of, at this time.
    Superseded {
        /// Units: seconds since 1970.
        at: u64,
    },
    /// A pool file that no generation names, written at this time.
    Unnamed {
        /// Units: seconds since 1970.
        written: u64,
    },
}

impl WhyPruned {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Superseded { .. } => "superseded",
            Self::Unnamed { .. } => "unnamed",
        }
    }
}

impl fmt::Display for WhyPruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Superseded { .. } => "a newer generation took its place longer ago than the grace period",
            Self::Unnamed { .. } => "no generation, snapshot or lock names it, and its grace period is over",
        })
    }
}

/// Whether to delete.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PruneMode {
    /// Only say what would be deleted, and do not mind the floor.
    DryRun,
    /// Delete.
    Remove,
}

/// Up to here deleting is never too much. Units: pool files.
const FEW: usize = 16;

/// Deletes old generations, and the pool files that nothing names then.
///
/// # Errors
/// - [`PublishError::Floor`] if that were too much; nothing is deleted then.
/// - [`PublishError::Damaged`], [`PublishError::Io`].
pub fn prune(tree: &Tree, rules: &Prune<'_>, mode: PruneMode) -> Result<Vec<Pruned>, PublishError> {
    let old = old_generations(tree, rules)?;
    let (unnamed, _, all) = pool(tree, rules, &old)?;
    let mut pruned: Vec<Pruned> = old
        .iter()
        .map(|(number, at)| Pruned {
            path: layout::generation(*number),
            size: 0,
            was: None,
            why: WhyPruned::Superseded { at: *at },
        })
        .collect();
    if mode == PruneMode::Remove {
        hold_floor(rules.floor, unnamed.len(), all)?;
        remove_generations(tree, &old)?;
        let store = &*tree.look.store;
        unnamed.iter().try_for_each(|file| store.remove_file(&file.path).doing("remove", &file.path))?;
    }
    pruned.extend(unnamed);
    Ok(pruned)
}

/// A pool file that stays.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// Below the root of the tree.
    pub path: StorePath,
    /// Units: bytes.
    pub size: u64,
    /// What keeps it; never empty.
    pub by: Vec<Keeper>,
}

/// What keeps a file of the pool.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Keeper {
    /// A generation that has it.
    Generation(u64),
    /// A snapshot that has it.
    Snapshot(SnapshotName),
    /// Something else that names it.
    Root,
    /// Its age: it was written at this time, in seconds since 1970, and its grace period is not over.
    Grace(u64),
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation(number) => write!(f, "generation {number}"),
            Self::Snapshot(name) => write!(f, "snapshot {name}"),
            Self::Root => f.write_str("a lock or pin"),
            Self::Grace(_) => f.write_str("its grace period"),
        }
    }
}

/// What of the pool stays when these rules are applied, and what keeps each file.
///
/// # Errors
/// - As [`prune`], but for the floor.
pub fn kept(tree: &Tree, rules: &Prune<'_>) -> Result<Vec<Kept>, PublishError> {
    let old = old_generations(tree, rules)?;
    pool(tree, rules, &old).map(|(_, kept, _)| kept)
}

/// Generations whose grace period is over, and when another took their place.
fn old_generations(tree: &Tree, rules: &Prune<'_>) -> Result<BTreeMap<u64, u64>, PublishError> {
    let numbers = tree.look.generations()?;
    let mut old = BTreeMap::new();
    for (number, next) in numbers.iter().zip(numbers.iter().skip(1)) {
        let at = tree.look.manifest(*next)?.created;
        if is_over(at, rules) && !rules.roots.generations.contains(number) {
            old.insert(*number, at);
        }
    }
    Ok(old)
}

fn is_over(since: u64, rules: &Prune<'_>) -> bool {
    since.saturating_add(rules.grace.as_secs()) <= rules.now
}

/// What names a file of the pool.
#[derive(Default)]
struct Names {
    keepers: BTreeSet<Keeper>,
    /// Its path in a generation that goes.
    was: Option<StorePath>,
}

/// Everything that names files of the pool; generations that go only say where the files were.
fn names(
    tree: &Tree,
    rules: &Prune<'_>,
    old: &BTreeMap<u64, u64>,
) -> Result<BTreeMap<Digest<Sha256>, Names>, PublishError> {
    let mut names: BTreeMap<Digest<Sha256>, Names> = BTreeMap::new();
    for number in tree.look.generations()? {
        for entry in tree.look.manifest(number)?.entries() {
            let name = names.entry(entry.sha256).or_default();
            if old.contains_key(&number) {
                name.was = Some(entry.path.clone());
            } else {
                name.keepers.insert(Keeper::Generation(number));
            }
        }
    }
    let pool = PoolNames::read(&tree.look)?;
    for name in tree.look.snapshots()? {
        for entry in tree.look.snapshot_in(&name, &pool)?.entries() {
            // A list holds the beginning of each digest: whatever begins like that stays.
            for sha256 in pool.like(entry.sha256) {
                names.entry(*sha256).or_default().keepers.insert(Keeper::Snapshot(name.clone()));
            }
        }
    }
    for sha256 in &rules.roots.files {
        names.entry(*sha256).or_default().keepers.insert(Keeper::Root);
    }
    Ok(names)
}

/// Pool files that nothing names but generations that go, those that stay, and the number of all.
fn pool(
    tree: &Tree,
    rules: &Prune<'_>,
    old: &BTreeMap<u64, u64>,
) -> Result<(Vec<Pruned>, Vec<Kept>, usize), PublishError> {
    let mut names = names(tree, rules, old)?;
    let (mut unnamed, mut kept, mut all) = (Vec::new(), Vec::new(), 0_usize);
    for (path, sha256) in pool_files(&tree.look)? {
        all = all.saturating_add(1);
        let stat = tree.look.store.stat(&path).doing("look at", &path)?;
        if stat.kind != Kind::File {
            continue;
        }
        let Names { mut keepers, was } = names.remove(&sha256).unwrap_or_default();
        let (size, written) = (stat.size, stat.mtime);
        if keepers.is_empty() && is_over(written, rules) {
            unnamed.push(Pruned { path, size, was, why: WhyPruned::Unnamed { written } });
            continue;
        }
        if keepers.is_empty() {
            keepers.insert(Keeper::Grace(written));
        }
        kept.push(Kept { path, size, by: keepers.into_iter().collect() });
    }
    Ok((unnamed, kept, all))
}

/// What has a name that we would give: a digest, in the folder of its first two digits.
pub(super) fn pool_files(look: &Look) -> Result<Vec<(StorePath, Digest<Sha256>)>, PublishError> {
    let list = |path: &StorePath| look.store.list(path).doing("list", path);
    let digest = |name: &str| Digest::<Sha256>::parse_hex(name.as_bytes()).ok();
    let mut files = Vec::new();
    for Listed { path, kind, .. } in list(&layout::pool())? {
        let Some(dir) = path.filter(|_| kind == Kind::Dir) else { continue };
        let named = list(&dir)?.into_iter().filter_map(|listed| Some((listed.path?, digest(&listed.name)?)));
        files.extend(named.filter(|(path, sha256)| *path == layout::pooled(*sha256)));
    }
    Ok(files)
}

fn hold_floor(floor: Floor, doomed: usize, all: usize) -> Result<(), PublishError> {
    match floor {
        Floor::Percent(percent)
            if doomed > FEW && doomed.saturating_mul(100) > all.saturating_mul(percent.into()) =>
        {
            Err(PublishError::Floor { doomed, all, percent })
        }
        _ => Ok(()),
    }
}

fn remove_generations(tree: &Tree, old: &BTreeMap<u64, u64>) -> Result<(), PublishError> {
    if old.is_empty() {
        return Ok(());
    }
    let store = &*tree.look.store;
    // Its list is renamed before its first file goes: what has a list of the usual name is whole.
    for number in old.keys() {
        let (from, to) = (layout::manifest(*number), layout::doomed_manifest(*number));
        store.rename(&from, &to).doing("rename", &from)?;
    }
    store.sync_dir(&layout::manifests()).doing("sync", &layout::manifests())?;
    store.barrier().doing("sync", &layout::manifests())?;
    for number in old.keys() {
        let list = layout::doomed_manifest(*number);
        let manifest = tree.look.manifest_at(&list, *number)?;
        dismantle(&tree.look, &layout::generation(*number), &manifest, &list)?;
    }
    Ok(())
}
