//! A version whose bytes are not those that were published under it before.

use super::config::{Config, Rebuilt, Repository};
use super::finding::{Class, Finding};
use super::label;
use super::run::{Allowed, package_path};
use super::select::Selected;
use super::state::State;
use crate::publish::{Manifest, StorePath};

/// What is known of a version from before.
enum Before {
    /// Another package under the same name and version.
    Rebuilt { identity: String },
    /// The same package; only its signature member differs.
    Resigned,
}

/// Refusals, lifted refusals, and what is only worth knowing.
pub(super) fn find(
    config: &Config,
    allowed: &Allowed,
    published: Option<&Manifest>,
    state: &State,
    selected: &[Selected<'_>],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in selected {
        let Some(repository) = config.repositories().get(place.offer.repository) else { continue };
        for chosen in &place.chosen {
            let record = chosen.candidate.record;
            findings.extend(kept(repository, allowed, state, place, &record));
            let Some(before) = before(published, state, place, &record) else { continue };
            let finding = told(repository, allowed, &before, record.name(), &record.identity().to_string());
            findings.push(finding.at(&place.offer.place).about(record.label()));
        }
    }
    findings
}

/// The paths that may change this time.
pub(super) fn allowed_paths(
    config: &Config,
    allowed: &Allowed,
    published: Option<&Manifest>,
    selected: &[Selected<'_>],
) -> Vec<StorePath> {
    let mut paths = Vec::new();
    for place in selected {
        let Some(repository) = config.repositories().get(place.offer.repository) else { continue };
        for chosen in &place.chosen {
            let record = chosen.candidate.record;
            let folders = super::next::folders(&record, &place.offer.architecture);
            for folder in folders {
                let Ok(path) = super::next::path(&repository.name, folder, &record.file_name()) else {
                    continue;
                };
                let Some(entry) = published.and_then(|published| published.entry(&path)) else { continue };
                let same = label::read_package(entry)
                    .is_none_or(|held| held.identity == record.identity().to_string());
                if same || allowed.replaced.contains(record.name()) {
                    paths.push(path);
                }
            }
        }
    }
    paths
}

/// A version that is kept as it was although upstream built it again; told of as often as upstream's index changes.
fn kept(
    repository: &Repository,
    allowed: &Allowed,
    state: &State,
    place: &Selected<'_>,
    record: &crate::index::Record<'_>,
) -> Option<Finding> {
    let offer = place.offer;
    let is_news = state.remembered(&offer.place).is_some_and(|known| known.sha256 != offer.sha256);
    if repository.rebuilt != Rebuilt::KeepOld || allowed.replaced.contains(record.name()) || !is_news {
        return None;
    }
    let mut upstream = offer.index().versioned(record.name(), record.version());
    let other = upstream.find(|other| other.identity() != record.identity())?;
    let (name, old, new) = (record.name(), record.identity(), other.identity());
    let message = format!("built again under the same version: {old} is kept, upstream now has {new}");
    let finding = Finding::warning("rebuilt", message);
    let finding = finding.remedied(Some(format!("--allow-replaced {name} takes the new one once")));
    Some(finding.at(&offer.place).about(record.label()))
}

fn before(
    published: Option<&Manifest>,
    state: &State,
    place: &Selected<'_>,
    record: &crate::index::Record<'_>,
) -> Option<Before> {
    let (identity, size) = (record.identity().to_string(), record.size());
    let path = package_path(&place.offer.place, &record.file_name())?;
    let entry = published.and_then(|published| published.entry(&path)).and_then(label::read_package);
    let proof = state.proof(&place.offer.place, &record.label());
    let known = entry
        .map(|held| (held.identity, held.size))
        .or_else(|| proof.map(|proof| (proof.identity.clone(), proof.size)))?;
    match known {
        (old, _) if checked!("replaced") && old != identity => Some(Before::Rebuilt { identity: old }),
        (_, old) if old != size => Some(Before::Resigned),
        _ => None,
    }
}

fn told(repository: &Repository, allowed: &Allowed, before: &Before, name: &str, new: &str) -> Finding {
    let Before::Rebuilt { identity } = before else {
        return Finding::info("resigned", "the same package with another signature member");
    };
    let message =
        format!("built again under the same version: {identity} was published, upstream now has {new}");
    if allowed.replaced.contains(name) {
        return Finding::warning(
            "replaced",
            format!("taken all the same, as allowed for this run: {message}"),
        );
    }
    let keep = match repository.rebuilt {
        Rebuilt::Refuse => "; `rebuilt = \"keep-old\"` keeps the old one",
        Rebuilt::KeepOld => "",
    };
    let remedy = format!("compare the two; --allow-replaced {name} takes the new one once{keep}");
    Finding::error(Class::State, "replaced", message).remedied(Some(remedy))
}
