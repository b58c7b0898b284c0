//! Which entries of an index count: a name belongs to one upstream, and a version to its first bytes.
//!
//! Clients take the highest version of a name wherever it comes from. An upstream that suddenly has `musl` in
//! version 99 would replace that of the distribution on every machine of the mirror.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, IndexKind, Rebuilt, Repository};
use super::finding::{Class, Finding};
use super::offer::Offer;
use super::run::Allowed;
use super::select::{Group, Selected};
use super::state::{Place, State};
use crate::index::{Index, Record};

/// The index of each offer with only those entries that count; none where all do.
///
/// `published` gives the entries of a place as they are published now, for `rebuilt = "keep-old"`.
pub(super) fn counting(
    config: &Config,
    allowed: &Allowed,
    offers: &[Offer],
    state: &State,
    published: &BTreeMap<Place, Index>,
) -> Vec<Option<Index>> {
    offers.iter().map(|offer| of_offer(config, allowed, offer, state, published)).collect()
}

fn of_offer(
    config: &Config,
    allowed: &Allowed,
    offer: &Offer,
    state: &State,
    published: &BTreeMap<Place, Index>,
) -> Option<Index> {
    let repository = config.repositories().get(offer.repository)?;
    if repository.index_kind == IndexKind::Upstream {
        return None;
    }
    let mut changed = false;
    let mut text = String::with_capacity(offer.index().as_str().len());
    for record in offer.index().records() {
        let mut owners = names(&record).filter_map(|name| owner_within(config, repository, name));
        if owners.any(|owner| owner != repository.name) && checked!("owners") {
            changed = true;
            continue;
        }
        let old = if allowed.replaced.contains(record.name()) {
            None
        } else {
            kept_old(repository, offer, &record, state, published)
        };
        changed |= old.is_some();
        text.push_str(old.unwrap_or(record).as_str().trim_end_matches('\n'));
        text.push_str("\n\n");
    }
    // The entries passed the grammar when their index was read.
    changed.then(|| Index::read_leniently(text.into_bytes()))
}

/// The owner of a name, if it is a repository that clients use together with this one.
fn owner_within<'a>(config: &'a Config, repository: &Repository, name: &str) -> Option<&'a str> {
    let owner = config.mirror().owners.get(name)?;
    let same_set = |other: &&Repository| other.name == *owner && other.set == repository.set;
    config.repositories().iter().find(same_set).map(|other| other.name.as_str())
}

/// The published entry of a version that upstream has built again.
fn kept_old<'a>(
    repository: &Repository,
    offer: &Offer,
    record: &Record<'_>,
    state: &State,
    published: &'a BTreeMap<Place, Index>,
) -> Option<Record<'a>> {
    if repository.rebuilt != Rebuilt::KeepOld {
        return None;
    }
    let proof = state.proof(&offer.place, &record.label())?;
    if proof.identity == record.identity().to_string() {
        return None;
    }
    let mut old = published.get(&offer.place)?.versioned(record.name(), record.version());
    old.find(|old| old.identity().to_string() == proof.identity)
}

/// What must not be published of a group: names of two upstreams, and names taken by another's `provides`.
pub(super) fn confusions(config: &Config, group: &Group<'_>, selected: &[Selected<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told = BTreeSet::new();
    for (at, place) in selected.iter().enumerate() {
        for chosen in &place.chosen {
            let record = chosen.candidate.record;
            for name in names(&record) {
                let Some(other) = other_with(group, at, &record, name) else { continue };
                if !checked!("two-upstreams")
                    || owner(config, group, at, name)
                    || !told.insert((at, name.to_owned()))
                {
                    continue;
                }
                findings.push(told_of(group, at, other, &record, name));
            }
        }
    }
    findings
}

/// The names that a package takes: its own, and what it provides; those with a colon (`so:`, `cmd:`) belong to
/// nobody.
fn names<'a>(record: &Record<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let plain = |name: &&str| !name.contains(':') && !name.starts_with('/');
    std::iter::once(record.name()).chain(record.provides().map(|atom| atom.name()).filter(plain))
}

/// Another repository of the group that has a package of this name, and not the same one.
fn other_with(group: &Group<'_>, own: usize, record: &Record<'_>, name: &str) -> Option<usize> {
    let own_kind = group.members.get(own)?.repository.index_kind;
    group.members.iter().enumerate().position(|(at, member)| {
        let whole = own_kind == IndexKind::Upstream && member.repository.index_kind == IndexKind::Upstream;
        // Two whole repositories are as their upstreams meant them, side by side.
        at != own && !whole && member.index.named(name).any(|other| other.identity() != record.identity())
    })
}

/// Whether the operator says that the name belongs to this member.
fn owner(config: &Config, group: &Group<'_>, at: usize, name: &str) -> bool {
    let own = group.members.get(at).map(|member| member.repository.name.as_str());
    config.mirror().owners.get(name).is_some_and(|owner| Some(owner.as_str()) == own)
}

fn told_of(group: &Group<'_>, own: usize, other: usize, record: &Record<'_>, name: &str) -> Finding {
    let label =
        |at: usize| group.members.get(at).map(|member| member.repository.name.clone()).unwrap_or_default();
    let (own_label, other_label) = (label(own), label(other));
    let what = if record.name() == name { "has" } else { "provides" };
    let message = format!(
        "{own_label} {what} `{name}`, which {other_label} has as well: clients would take the higher version, wherever it comes from"
    );
    let remedy =
        format!("say whose it is: [mirror] owners = {{ \"{name}\" = \"{own_label}\" }} or \"{other_label}\"");
    let finding = Finding::error(Class::State, "two-upstreams", message).about(record.label());
    let finding = finding.remedied(Some(remedy));
    match group.members.get(own) {
        Some(member) => finding.at(&member.offer.place),
        None => finding,
    }
}
