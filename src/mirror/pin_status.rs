//! Where the versions can be had that builds name: upstream, in the mirror alone, or nowhere.
//!
//! Nothing is fetched for this: what upstream has is what the last run saw.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, Repository};
use super::fetch::local;
use super::finding::{Class, Finding};
use super::label;
use super::memory::{Init, recall};
use super::pins::Pins;
use super::run::place;
use super::state::{Place, State};
use crate::publish::{Look, Manifest};
use crate::types::{Architecture, Dependency, compare_versions, escape_all};

/// Who has a version.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Whereabouts {
    /// Upstream still has it.
    Upstream,
    /// Only the mirror has it.
    Mirror,
    /// Nobody has it.
    Nowhere,
}

impl Whereabouts {
    /// The stable word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Mirror => "mirror",
            Self::Nowhere => "nowhere",
        }
    }
}

/// One version that files name, for one architecture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PinStatus {
    /// The set of repositories that the files belong to.
    pub set: String,
    /// The architecture.
    pub arch: String,
    /// The atom, as the files have it; escaped.
    pub atom: String,
    /// Files and lines that name it, as `FILE:LINE`.
    pub files: Vec<String>,
    /// Who has it.
    pub whereabouts: Whereabouts,
    /// Whether clients of the mirror get it.
    pub listed: bool,
    /// The repository that has it.
    pub repository: Option<String>,
    /// The highest version that fits there.
    pub version: Option<String>,
    /// Why the mirror keeps it without listing it.
    pub unlisted: Option<String>,
}

/// What there is of one name in one place.
struct Has {
    repository: String,
    version: String,
    upstream: bool,
    /// Whether the mirror has it, and lists it.
    mirror: Option<bool>,
    unlisted: Option<String>,
}

/// Asks for each version that the files of `pinned-by` name where it can be had.
///
/// # Errors
/// - A tree or a file that cannot be read, or a trust state that is lost.
pub fn pinned(look: &Look, config: &Config) -> Result<(Vec<PinStatus>, Vec<Finding>), Finding> {
    let published = look.published().map_err(|error| local(&error))?;
    let (state, _) = recall(look, published.as_ref(), config.limits(), Init::Refuse)?;
    let (pins, mut findings) = Pins::read(config)?;
    let mut found = Vec::new();
    for (set, architecture) in groups(config) {
        let mut atoms: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for pin in pins.of_set(set) {
            let at = format!("{}:{}", pin.file, pin.named.line);
            atoms.entry(&pin.named.atom).or_default().push(at);
        }
        let repositories = config
            .repositories()
            .iter()
            .filter(|repository| repository.set == set && repository.architectures.contains(architecture));
        let repositories: Vec<&Repository> = repositories.collect();
        for (atom, files) in atoms {
            let Ok(dependency) = Dependency::parse_requested(atom) else { continue };
            let best = repositories
                .iter()
                .flat_map(|one| {
                    has(&state, published.as_ref(), &place(one, architecture.as_str()), dependency.name())
                })
                .filter(|has| dependency.accepts_version(&has.version))
                .max_by(best);
            let status = told(set, architecture, atom, files, best);
            findings.extend(finding(&status));
            found.push(status);
        }
    }
    Ok((found, findings))
}

/// The sets of repositories, each with each of its architectures, in the order of the configuration.
fn groups(config: &Config) -> Vec<(&str, &Architecture)> {
    let mut groups = Vec::new();
    for repository in config.repositories() {
        for architecture in &repository.architectures {
            let group = (repository.set.as_str(), architecture);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    groups
}

/// Every version of a name in a place that upstream or the mirror has.
fn has(state: &State, published: Option<&Manifest>, place: &Place, name: &str) -> Vec<Has> {
    let entries = published.iter().flat_map(|published| published.entries());
    let own = entries.filter_map(|entry| Some((entry, label::read_package(entry)?)));
    let own = own.filter(|(_, held)| {
        held.name == name && held.repository == place.repository && held.arch == place.arch
    });
    let mut all: Vec<Has> = own
        .filter_map(|(entry, held)| {
            let former = state.former(place, &format!("{}-{}", held.name, held.version));
            let listed = entry.dropped_at().is_none();
            let kept = listed || former.is_some_and(|former| former.unlisted.is_some());
            let upstream = former.map_or(listed, |former| former.upstream);
            (kept || upstream).then(|| Has {
                repository: place.repository.clone(),
                version: held.version,
                upstream,
                mirror: kept.then_some(listed),
                unlisted: former.and_then(|former| former.unlisted.clone()),
            })
        })
        .collect();
    let seen: BTreeSet<String> = all.iter().map(|has| has.version.clone()).collect();
    // Of what is not mirrored, the highest version of each name is remembered.
    let remembered = state.remembered(place).and_then(|remembered| remembered.versions.get(name));
    all.extend(remembered.filter(|version| !seen.contains(*version)).map(|version| Has {
        repository: place.repository.clone(),
        version: version.clone(),
        upstream: true,
        mirror: None,
        unlisted: None,
    }));
    all
}

/// What clients get first, then what upstream has, then the higher version.
fn best(a: &Has, b: &Has) -> Ordering {
    let rank = |has: &Has| (has.mirror == Some(true), has.upstream, has.mirror.is_some());
    rank(a).cmp(&rank(b)).then_with(|| compare_versions(&a.version, &b.version))
}

fn told(
    set: &str,
    architecture: &Architecture,
    atom: &str,
    files: Vec<String>,
    best: Option<Has>,
) -> PinStatus {
    let whereabouts = match &best {
        Some(has) if has.upstream => Whereabouts::Upstream,
        Some(_) => Whereabouts::Mirror,
        None => Whereabouts::Nowhere,
    };
    PinStatus {
        set: set.to_owned(),
        arch: architecture.as_str().to_owned(),
        atom: escape_all(atom).to_string(),
        files,
        whereabouts,
        listed: best.as_ref().is_some_and(|has| has.mirror == Some(true)),
        repository: best.as_ref().map(|has| has.repository.clone()),
        unlisted: best.as_ref().and_then(|has| has.unlisted.clone()),
        version: best.map(|has| has.version),
    }
}

/// What somebody has to do something about.
fn finding(status: &PinStatus) -> Option<Finding> {
    let PinStatus { atom, arch, files, .. } = status;
    let named = format!("`{atom}`, named by {}, for {arch}", files.join(", "));
    match status.whereabouts {
        Whereabouts::Nowhere => {
            let text = format!("{named}: neither upstream nor the mirror has it: such a build fails");
            let remedy = "name a version that there is; only what was mirrored once can be kept";
            Some(Finding::error(Class::Refused, "pinned-nowhere", text).remedied(Some(remedy)))
        }
        Whereabouts::Upstream if !status.listed => {
            let text =
                format!("{named}: upstream has it, and the mirror does not list it: add it to `select`");
            Some(Finding::warning("pinned-unlisted", text))
        }
        Whereabouts::Mirror if !status.listed => {
            let why = status.unlisted.as_deref().unwrap_or("its file is kept for older indexes alone");
            Some(Finding::warning("pinned-unlisted", format!("{named}: kept without being listed: {why}")))
        }
        Whereabouts::Upstream | Whereabouts::Mirror => None,
    }
}
