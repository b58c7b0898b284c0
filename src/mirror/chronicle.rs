//! Where the log of what was published lies, and how it grows: one document a link, its head in the trust state.
//!
//! A link is written before its generation becomes visible, and the trust state that names it right after it.
//! Whatever a run that died leaves, the next one goes on from what the state names: a link that no state named
//! is written over, and one whose generation never became visible stays, followed by what really came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fetch::local;
use super::finding::{Class, Finding};
use super::history::{Entry, Event, History, HistoryError, Link, Origin};
use super::state::{Place, Provenance, State};
use crate::publish::{self, EntryKind, Look, Manifest, Tree};

/// The last link, as the trust state remembers it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many links there are.
    pub links: u64,
    /// SHA-256 of the last one, in hexadecimal.
    pub sha256: String,
}

/// Writes the link of a generation that is about to become visible, and has the state name it.
///
/// Units: `now` in seconds since 1970.
pub(super) fn append(
    tree: &Tree,
    state: &mut State,
    published: Option<&Manifest>,
    next: &Manifest,
    now: u64,
) -> Result<(), Finding> {
    let head = state.history().cloned().or_else(|| longest(tree.as_look()));
    // The first link lists everything, so that the log is whole whenever it began.
    let published = published.filter(|_| head.is_some());
    let entries = changes(published, next, state);
    let link = Link::new(next.number(), head.as_ref().map(|head| head.sha256.clone()), now, entries);
    let link = match published {
        Some(published) => link.following(published.number()),
        None => link,
    };
    let (bytes, sha256) = link.to_bytes().map_err(|error| Finding::error(Class::Local, "history", error))?;
    let links = head.map_or(0, |head| head.links).saturating_add(1);
    tree.write_document(&document(links), &bytes).map_err(|error| local(&error))?;
    state.remember_history(Head { links, sha256 });
    Ok(())
}

/// Reads the whole log, and holds it against what the state remembers of it.
///
/// # Errors
/// - That a link is missing, cannot be read, or does not follow the one before it.
pub(super) fn history(look: &Look, state: &State) -> Result<History, Finding> {
    let Some(head) = state.history() else { return Ok(History::default()) };
    let mut links = Vec::new();
    for number in 1..=head.links {
        match look.read_document(&document(number)).map_err(|error| local(&error))? {
            Some(bytes) => links.push(bytes),
            None => break,
        }
    }
    History::read(links, Some(&head.sha256)).map_err(|error| broken(&error))
}

/// What does not hold of the log, or what it says otherwise of the published generation.
pub(super) fn defects(look: &Look, state: &State, published: &Manifest) -> Vec<Finding> {
    let history = match history(look, state) {
        Ok(history) => history,
        Err(finding) => return vec![finding],
    };
    if state.history().is_none() {
        return Vec::new();
    }
    let Some(listed) = history.listed(published.number()) else {
        let text = format!("generation {} has no link, or follows one that has none", published.number());
        return vec![Finding::info("history-gap", text)];
    };
    let differs = |entry: &&publish::Entry| {
        let known = listed.get(entry.path().as_str());
        known.is_none_or(|known| **known != entry.sha256().to_string())
    };
    let told = |entry: &publish::Entry| {
        let text = "is published with other bytes than the log of the mirror says";
        Finding::error(Class::Refused, "history-broken", text).about(entry.path().as_str())
    };
    published.entries().filter(|entry| is_listed(entry)).filter(differs).map(told).collect()
}

fn broken(error: &HistoryError) -> Finding {
    let remedy = "compare `state` with a backup: somebody, or a disk, has changed what was written down";
    Finding::error(Class::Refused, "history-broken", error).remedied(Some(remedy))
}

/// The links that follow each other from the first one on, where the state has lost what it knew.
fn longest(look: &Look) -> Option<Head> {
    let (mut head, mut history) = (None, History::default());
    for links in 1.. {
        let Ok(Some(bytes)) = look.read_document(&document(links)) else { break };
        if history.follow(links, &bytes).is_err() {
            break;
        }
        head = history.head().map(|sha256| Head { links, sha256: sha256.to_owned() });
    }
    head
}

fn document(number: u64) -> String {
    format!("history-{number}.json")
}

fn is_listed(entry: &publish::Entry) -> bool {
    entry.dropped_at().is_none()
}

/// What clients find from one generation to the next.
fn changes(published: Option<&Manifest>, next: &Manifest, state: &State) -> Vec<Entry> {
    let proofs: BTreeMap<&str, (&Place, &Provenance)> =
        state.proofs().map(|(place, proof)| (proof.sha256.as_str(), (place, proof))).collect();
    let mut entries = Vec::new();
    for entry in next.entries().filter(|entry| is_listed(entry)) {
        let before = published.and_then(|published| published.entry(entry.path()));
        let same = before.is_some_and(|before| before.sha256() == entry.sha256());
        let event = match before {
            Some(before) if same && is_listed(before) => continue,
            // An index changes whenever anything does.
            Some(_) if !same && entry.kind() == EntryKind::Package => Event::Replaced,
            _ => Event::Published,
        };
        entries.push(told(event, entry, state, &proofs));
    }
    for entry in published.iter().flat_map(|published| published.entries()).filter(|entry| is_listed(entry)) {
        if next.entry(entry.path()).is_none_or(|entry| !is_listed(entry)) {
            entries.push(Entry { origin: None, ..told(Event::Dropped, entry, state, &proofs) });
        }
    }
    entries
}

fn told(
    event: Event,
    entry: &publish::Entry,
    state: &State,
    proofs: &BTreeMap<&str, (&Place, &Provenance)>,
) -> Entry {
    let sha256 = entry.sha256().to_string();
    let proof = proofs.get(sha256.as_str());
    let origin = |(place, proof): &(&Place, &Provenance)| Origin {
        index: proof.index.clone(),
        index_time: state
            .remembered(place)
            .filter(|remembered| remembered.sha256 == proof.index)
            .and_then(|remembered| remembered.time),
        signers: proof.keys.clone(),
        via: proof.via.clone(),
        upstream: proof.upstream.clone(),
    };
    Entry {
        event,
        path: entry.path().to_string(),
        identity: proof.map(|(_, proof)| proof.identity.clone()),
        origin: proof.map(origin),
        sha256,
    }
}
