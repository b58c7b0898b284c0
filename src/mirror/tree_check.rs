//! What a check of a tree of ours looks at beside its files: its list, and whether its worlds can be installed.

use std::collections::BTreeSet;

use super::check::{Checked, Subjects};
use super::chronicle;
use super::config::{Config, Repository};
use super::fetch::local;
use super::finding::{Class, Finding};
use super::memory::{Init, recall};
use super::run::place;
use super::select::{asked, uninstallable};
use crate::index::Index;
use crate::limits::Limits;
use crate::plan::{PlanError, Source, Universe, prove};
use crate::publish::{Defect, Depth, Look, PublishError};
use crate::types::Architecture;

/// Paths of files that no index lists any more, and that stay for clients with an older one.
///
/// # Errors
/// - A tree that cannot be read.
pub fn dropped(look: &Look) -> Result<BTreeSet<String>, Finding> {
    let published = look.published().map_err(|error| local(&error))?;
    let entries = published.iter().flat_map(|manifest| manifest.entries());
    let dropped = entries.filter(|entry| entry.dropped_at().is_some());
    Ok(dropped.map(|entry| entry.path().as_str().to_owned()).collect())
}

/// Holds the published generation against its list; what is not as listed joins what is broken.
pub fn defects(look: &Look, broken: &mut BTreeSet<String>) -> Vec<Finding> {
    let number = match look.current() {
        Ok(Some(number)) => number,
        Ok(None) => {
            return vec![Finding::error(Class::Usage, "nothing-published", "nothing is published here")];
        }
        Err(error) => return vec![local(&error)],
    };
    let defects = match look.check(number, Depth::Sizes) {
        Ok(defects) => defects,
        Err(error) => return vec![local(&error)],
    };
    let mut findings = Vec::new();
    for defect in &defects {
        let (code, path) = told(defect);
        findings.push(Finding::error(Class::Refused, code, defect));
        if code != "foreign" {
            broken.insert(path.to_owned());
        }
    }
    findings
}

/// Holds the log of what was published against its head, and the published generation against the log.
pub fn history_defects(look: &Look, limits: &Limits) -> Vec<Finding> {
    let published = match look.published() {
        Ok(published) => published,
        Err(error) => return vec![local(&error)],
    };
    let Some(published) = published else { return Vec::new() };
    match recall(look, Some(&published), limits, Init::Refuse) {
        Ok((state, _)) => chronicle::defects(look, &state, &published),
        Err(finding) => vec![finding],
    }
}

/// Holds every snapshot against its list; nothing can be fetched again for one, so that nothing joins what is broken.
pub fn snapshot_defects(look: &Look, depth: Depth) -> Vec<Finding> {
    let names = match look.snapshots() {
        Ok(names) => names,
        Err(error) => return vec![local(&error)],
    };
    let mut findings = Vec::new();
    for name in names {
        let about = format!("snapshots/{name}");
        match look.check_snapshot(&name, depth) {
            Ok(defects) => findings.extend(
                defects
                    .iter()
                    .map(|defect| Finding::error(Class::Refused, told(defect).0, defect).about(&about)),
            ),
            // Somebody removed it meanwhile.
            Err(PublishError::NoSnapshot { .. }) => {}
            Err(error) => findings.push(local(&error).about(&about)),
        }
    }
    findings
}

/// The stable name of a defect, and where it is.
fn told(defect: &Defect) -> (&'static str, &str) {
    match defect {
        Defect::Missing { path } => ("missing", path.as_str()),
        Defect::NotAFile { path } => ("not-a-file", path.as_str()),
        Defect::Size { path, .. } => ("size", path.as_str()),
        Defect::Digest { path, .. } => ("digest", path.as_str()),
        Defect::Time { path, .. } => ("time", path.as_str()),
        Defect::NotInPool { path } => ("not-in-pool", path.as_str()),
        Defect::Foreign { path } => ("foreign", path.as_str()),
    }
}

/// The repositories of one set and one architecture, each with its number and its entries.
type Together<'a> = (&'a str, &'a Architecture, Vec<(usize, &'a Repository, &'a Index)>);

/// Worlds of the configuration that cannot be installed from what is published, with these repositories alone.
pub fn unsolvable(config: &Config, subjects: &Subjects<'_>, checked: &Checked) -> Vec<Finding> {
    let groups = groups(config, subjects, checked);
    groups.iter().flat_map(|group| worlds_of_group(config, group)).collect()
}

/// Retained versions that are listed and cannot be installed from what is published.
pub fn retained_unsolvable(
    look: &Look,
    config: &Config,
    subjects: &Subjects<'_>,
    checked: &Checked,
) -> Vec<Finding> {
    let Ok(published) = look.published() else { return Vec::new() };
    // That the state is lost is told by `history_defects`.
    let Ok((state, _)) = recall(look, published.as_ref(), config.limits(), Init::Refuse) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for group in groups(config, subjects, checked) {
        let Ok(universe) = universe(config, &group) else { continue };
        for (_, repository, index) in &group.2 {
            let place = place(repository, group.1.as_str());
            let formers = index.records().filter(|record| state.former(&place, &record.label()).is_some());
            for record in formers {
                let why = uninstallable(&universe, &record, repository.tag.as_deref(), config.limits());
                let told = |why: String| {
                    let text = format!("is retained and listed, and cannot be installed: {why}");
                    let finding = Finding::error(Class::Refused, "retained-unsolved", text);
                    finding.at(&place).about(record.label())
                };
                findings.extend(why.map(told));
            }
        }
    }
    findings
}

/// The repositories that hold, by sets and architectures.
fn groups<'a>(config: &'a Config, subjects: &'a Subjects<'_>, checked: &'a Checked) -> Vec<Together<'a>> {
    let mut groups: Vec<Together<'_>> = Vec::new();
    for (number, checkee) in subjects.checkees.iter().enumerate() {
        let Some(index) = checked.entries.get(&number) else { continue };
        let named = |repository: &&Repository| repository.name == checkee.place.repository;
        let Some(repository) = config.repositories().iter().find(named) else { continue };
        let member = (number, repository, index);
        let same = |(set, architecture, _): &&mut Together<'_>| {
            *set == repository.set && **architecture == checkee.architecture
        };
        match groups.iter_mut().find(same) {
            Some((_, _, members)) => members.push(member),
            None => groups.push((&repository.set, &checkee.architecture, vec![member])),
        }
    }
    groups
}

fn universe<'a>(
    config: &Config,
    (_, architecture, members): &Together<'a>,
) -> Result<Universe<'a>, PlanError> {
    let sources = members.iter().map(|(number, repository, index)| Source {
        repository: *number,
        index,
        tag: repository.tag.as_deref(),
    });
    Universe::new(architecture, sources, config.limits())
}

fn worlds_of_group(config: &Config, group: &Together<'_>) -> Vec<Finding> {
    let (_, architecture, members) = group;
    let about = |finding: Finding| finding.about(architecture.as_str());
    let repositories = members.iter().map(|(number, repository, _)| (*number, *repository));
    let worlds = match asked(repositories) {
        Ok(asked) => asked.worlds,
        Err(findings) => return findings,
    };
    let universe = match universe(config, group) {
        Ok(universe) => universe,
        Err(error) => return vec![about(Finding::error(Class::Refused, "plan", error))],
    };
    // Held against itself: what cannot be installed from it is told.
    match prove(&universe, &universe, &worlds, config.limits()) {
        Ok(()) => Vec::new(),
        Err(error) => vec![about(Finding::error(Class::Refused, "unsolved", error))],
    }
}
