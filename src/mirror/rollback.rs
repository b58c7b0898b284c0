//! Going back: what an older generation served is served again, as a new generation.
//!
//! Numbers of generations and times of indexes only grow, so that clients notice the change. What was seen of
//! upstream is not forgotten: the next sync goes forward again, and an upstream that went back is still refused.

use std::collections::BTreeSet;
use std::io::{self, Read};

use sha2::Digest as _;

use super::chronicle;
use super::fetch::local;
use super::finding::{Class, Finding, chain};
use super::label;
use super::memory::{Init, recall};
use super::next::{folders, path};
use super::published;
use super::state::State;
use crate::limits::Limits;
use crate::publish::{Defect, Depth, Entry, EntryKind, Generation, Look, Manifest, StorePath, Tree};
use crate::types::{Architecture, Digest, Sha256};

/// What a step back has done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RolledBack {
    /// The generation that was published before.
    pub from: u64,
    /// The generation whose content is served again.
    pub to: u64,
    /// The published generation now.
    pub generation: u64,
    /// Whether that is a new one; if not, it held just this before.
    pub published: bool,
    /// Packages that its indexes list.
    pub packages: usize,
    /// What is worth knowing.
    pub findings: Vec<Finding>,
}

/// Serves the content of a generation again; without a number, of the one before the published one.
///
/// Units: `now` in seconds since 1970.
///
/// # Errors
/// - No such generation, or files of it that are not what they were: nothing is switched then.
/// - A trust state that is lost: there is nothing that the next sync could be held against.
pub fn rollback(
    tree: &Tree,
    number: Option<u64>,
    limits: &Limits,
    now: u64,
) -> Result<RolledBack, Vec<Finding>> {
    let one = |finding| vec![finding];
    let of_tree = |error| one(local(&error));
    let look = tree.as_look();
    let Some(published) = look.published().map_err(of_tree)? else {
        return Err(one(Finding::error(Class::Usage, "nothing-published", "nothing is published here")));
    };
    let old = target(look, &published, number).map_err(one)?;
    let (state, mut findings) = recall(look, Some(&published), limits, Init::Refuse).map_err(one)?;
    whole(look, &old)?;
    let mut staging = tree.generation(now).map_err(of_tree)?;
    for entry in replaced(&old, &published) {
        let text = "has other bytes again, as the older generation had them";
        findings.push(Finding::warning("replaced", text).about(entry.path().as_str()));
        staging.allow_replaced(entry.path().clone());
    }
    for entry in next(&old, &published, now) {
        staging.carry(entry).map_err(of_tree)?;
    }
    let done = |generation, is_new, findings| RolledBack {
        from: published.number(),
        to: old.number(),
        generation,
        published: is_new,
        packages: old.entries().filter_map(label::held).count(),
        findings,
    };
    if staging.is_published().map_err(of_tree)? {
        return Ok(done(published.number(), false, findings));
    }
    let generation = staging.finish().map_err(of_tree)?;
    rehearse(look, &generation, &published, limits)?;
    findings.extend(unproven(&old, &state));
    let mut knowing = knowing(&state, &old);
    chronicle::append(tree, &mut knowing, Some(&published), generation.manifest(), now).map_err(one)?;
    let bytes = knowing.to_bytes().map_err(|error| one(Finding::error(Class::Local, "state", error)))?;
    tree.write_document(State::DOCUMENT, &bytes).map_err(of_tree)?;
    let number = generation.number();
    tree.switch(generation).map_err(of_tree)?;
    Ok(done(number, true, findings))
}

/// The generation to go back to.
fn target(look: &Look, published: &Manifest, number: Option<u64>) -> Result<Manifest, Finding> {
    let there = look.generations().map_err(|error| local(&error))?;
    let before = there.iter().rev().find(|other| **other < published.number()).copied();
    let Some(number) = number.or(before) else {
        let text = format!("generation {} is the only one that is left", published.number());
        return Err(Finding::error(Class::Usage, "no-generation", text));
    };
    if number == published.number() {
        let text = format!("generation {number} is the published one");
        return Err(Finding::error(Class::Usage, "no-generation", text));
    }
    if !there.contains(&number) {
        let numbers: Vec<String> = there.iter().map(u64::to_string).collect();
        let text = format!("there is no generation {number} any more; left are {}", numbers.join(", "));
        let remedy = "generations go when their grace period is over: a snapshot stays";
        return Err(Finding::error(Class::Usage, "no-generation", text).remedied(Some(remedy)));
    }
    look.manifest(number).map_err(|error| local(&error))
}

/// Every file of the generation is there, in its place and in the pool.
fn whole(look: &Look, old: &Manifest) -> Result<(), Vec<Finding>> {
    let defects = look.check(old.number(), Depth::Sizes).map_err(|error| vec![local(&error)])?;
    let told = |defect: &Defect| Finding::error(Class::Local, "generation-broken", defect);
    let findings: Vec<Finding> =
        defects.iter().filter(|defect| !matches!(defect, Defect::Foreign { .. })).map(told).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// Files that the published generation has with other bytes; of indexes that is no wonder.
fn replaced<'m>(old: &'m Manifest, published: &'m Manifest) -> impl Iterator<Item = &'m Entry> {
    old.entries().filter(|entry| {
        let other = published.entry(entry.path()).filter(|other| other.sha256() != entry.sha256());
        other.is_some_and(|other| other.kind() != EntryKind::Index || entry.kind() != EntryKind::Index)
    })
}

/// The old entries, and what clients with the index of now may still fetch.
fn next<'m>(old: &'m Manifest, published: &'m Manifest, now: u64) -> impl Iterator<Item = Entry> + 'm {
    let newer = published.entries().filter(|entry| {
        // An index at a path that the old generation did not have is one that it did not serve.
        entry.kind() != EntryKind::Index && old.entry(entry.path()).is_none()
    });
    old.entries().cloned().chain(newer.map(move |entry| entry.clone().dropped(now)))
}

/// Reads the generation as a client would, and what was not listed until now to the last byte.
fn rehearse(
    look: &Look,
    generation: &Generation<'_>,
    published: &Manifest,
    limits: &Limits,
) -> Result<(), Vec<Finding>> {
    let listed = published.entries().filter(|entry| entry.dropped_at().is_none());
    let served: BTreeSet<Digest<Sha256>> = listed.map(Entry::sha256).collect();
    let mut findings = Vec::new();
    for entry in generation.manifest().entries() {
        if !served.contains(&entry.sha256()) {
            findings.extend(unchanged(generation, entry).err());
        }
        if let Some((place, _)) = label::read_index(entry) {
            let found = client(look, generation, entry.path(), limits);
            findings.extend(found.into_iter().map(|finding| finding.at(&place)));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn unchanged(generation: &Generation<'_>, entry: &Entry) -> Result<(), Finding> {
    let mut opened = generation.open(entry.path()).map_err(|error| local(&error))?;
    let found = hash(&mut opened).map_err(|error| Finding::error(Class::Local, "io", chain(&error)))?;
    if found == entry.sha256() {
        return Ok(());
    }
    let text = format!("has the SHA-256 {found}, and was published with {}", entry.sha256());
    Err(Finding::error(Class::Local, "generation-broken", text).about(entry.path().as_str()))
}

/// What a client would stumble over in one index.
fn client(look: &Look, generation: &Generation<'_>, at: &StorePath, limits: &Limits) -> Vec<Finding> {
    let broken = |text: String| Finding::error(Class::Local, "rehearsal", text).about(at.as_str());
    let Some(index) = published::entries(look, generation.number(), at, limits) else {
        return vec![broken("the index cannot be read".to_owned())];
    };
    let Some((repository, arch)) = at.parent().and_then(|folder| {
        let (repository, arch) = folder.as_str().rsplit_once('/')?;
        Some((repository.to_owned(), Architecture::parse(arch.as_bytes()).ok()?))
    }) else {
        return vec![broken("the index lies in no folder of an architecture".to_owned())];
    };
    let mut findings = Vec::new();
    for record in index.records() {
        for folder in folders(&record, &arch) {
            let file = path(&repository, folder, &record.file_name());
            let size = file.ok().and_then(|file| Some(generation.open(&file).ok()?.size()));
            if size != Some(record.size()) {
                findings.push(broken(format!("{} of the index is not there", record.label())));
            }
        }
    }
    findings
}

/// Packages whose proof has been forgotten since: the next sync fetches them again.
fn unproven(old: &Manifest, state: &State) -> Option<Finding> {
    let proven = |held: &crate::plan::Held| {
        let place = super::state::Place { repository: held.repository.clone(), arch: held.arch.clone() };
        state.proof(&place, &format!("{}-{}", held.name, held.version)).is_some()
    };
    let count = old.entries().filter_map(label::held).filter(|held| !proven(held)).count();
    let text = format!("of {count} packages the proof is no longer kept: the next sync fetches them again");
    (count > 0).then(|| Finding::info("proof-missing", text))
}

/// The state, knowing every index of the old generation as one that was published before.
///
/// A state that was begun anew since does not; a run afterwards would take it for older than the tree.
fn knowing(state: &State, old: &Manifest) -> State {
    let mut knowing = state.clone();
    for (place, upstream) in old.entries().filter_map(label::read_index) {
        let Some(known) = state.remembered(&place) else { continue };
        if known.sha256 != upstream && !known.before.iter().any(|digest| digest == upstream) {
            let mut known = known.clone();
            known.before.insert(0, upstream.to_owned());
            knowing.remember(place, known);
        }
    }
    knowing
}

fn hash(reader: &mut dyn Read) -> io::Result<Digest<Sha256>> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(Digest::new(hasher.finalize().into())),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}
