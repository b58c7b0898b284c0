//! All packages that can be chosen, with their names resolved.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::atom::{Atom, Provider};
use super::plan_error::PlanError;
use super::table::{Lists, Name, Number, Package, Table};
use crate::index::{Index, Record};
use crate::limits::Limits;
use crate::types::{Architecture, Identity};

mod build;

/// How many repository tags `apk` can tell apart.
pub(super) const TAGS: usize = 15;
/// The bit of repositories without a tag, in a set of tags.
pub(super) const UNTAGGED: u32 = 1;

/// One index of one repository, for the one architecture of a universe.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The number of the repository; it means nothing here.
    pub repository: usize,
    /// Its index.
    pub index: &'a Index,
    /// The tag of the repository, if it has one (`@edge` is written `edge` here).
    pub tag: Option<&'a str>,
}

/// One package that can be chosen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidate<'a> {
    /// The place of its source among the sources of the universe, counted from 0.
    pub source: usize,
    /// The number of its repository.
    pub repository: usize,
    /// Its entry.
    pub record: Record<'a>,
}

/// All packages of one architecture that can be chosen, in the order of the repositories.
///
/// Packages of the same identity are one package, of the first source that has it. Packages that `apk`
/// cannot install (of another architecture, or with a version in `D:` that it cannot read) are known, but
/// never chosen.
///
/// Trust: what the indexes say, and as true as they are.
#[derive(Debug)]
pub struct Universe<'a> {
    architecture: Architecture,
    sources: Vec<Source<'a>>,
    candidates: Vec<Candidate<'a>>,
    rows: Table<Package, Row<'a>>,
    atoms: Vec<Atom<'a>>,
    provided: Vec<Provided<'a>>,
    tags: Vec<&'a str>,
    names: Vec<&'a str>,
    by_text: HashMap<&'a str, Name>,
    providers: Lists<Name, Provider<'a>>,
    dependants: Lists<Name, Name>,
    triggered: Lists<Name, Name>,
}

/// What is known of a package.
#[derive(Clone, Debug, Default)]
pub(super) struct Row<'a> {
    pub(super) name: Name,
    pub(super) version: &'a str,
    /// Whether `apk` can install it at all.
    pub(super) installable: bool,
    /// Whether it installs no files: `apk` takes such packages from any repository.
    pub(super) empty: bool,
    /// `k:`.
    pub(super) priority: u16,
    /// The first source that has it.
    pub(super) source: usize,
    /// The tags of all repositories that have it, as a set of bits.
    pub(super) tags: u32,
    needs: Range<usize>,
    provides: Range<usize>,
    conditions: Range<usize>,
}

/// A name of `p:`, and the version after it, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Provided<'a> {
    pub(super) name: Name,
    pub(super) version: &'a str,
}

impl<'a> Universe<'a> {
    /// Takes the sources in the order of the repositories, which decides between equals.
    ///
    /// # Errors
    /// - [`PlanError::Limit`] `index-entries` or `index-atoms` if there is too much.
    /// - [`PlanError::Tags`] if there are more tags than `apk` can tell apart.
    pub fn new(
        architecture: &Architecture,
        sources: impl IntoIterator<Item = Source<'a>>,
        limits: &Limits,
    ) -> Result<Self, PlanError> {
        build::Builder::new(architecture, sources.into_iter().collect(), limits)?.build(|_| true)
    }

    /// The same sources with some of their packages alone: what clients of a subset see.
    ///
    /// # Errors
    /// - as [`Universe::new`].
    pub fn subset<'c>(
        &self,
        keep: impl IntoIterator<Item = &'c Candidate<'a>>,
        limits: &Limits,
    ) -> Result<Self, PlanError>
    where
        'a: 'c,
    {
        let keep: HashSet<Identity> = keep.into_iter().map(|candidate| candidate.record.identity()).collect();
        build::Builder::new(&self.architecture, self.sources.clone(), limits)?
            .build(|record| keep.contains(&record.identity()))
    }

    /// Every package once, in the order of the sources and then of the index.
    pub fn candidates(&self) -> &[Candidate<'a>] {
        &self.candidates
    }

    pub(super) fn packages(&self) -> impl Iterator<Item = Package> + use<> {
        // invariant: the builder makes no more packages than it can number.
        (0..u32::try_from(self.candidates.len()).unwrap_or(u32::MAX)).map(Package::of)
    }

    pub(super) fn candidate(&self, package: Package) -> Option<&Candidate<'a>> {
        self.candidates.get(package.place())
    }

    pub(super) fn row(&self, package: Package) -> &Row<'a> {
        self.rows.at(package)
    }

    pub(super) fn label(&self, package: Package) -> String {
        self.candidate(package).map_or_else(String::new, |candidate| candidate.record.label())
    }

    /// `D:`.
    pub(super) fn needs(&self, package: Package) -> &[Atom<'a>] {
        self.atoms.get(self.row(package).needs.clone()).unwrap_or_default()
    }

    /// `p:`.
    pub(super) fn provides(&self, package: Package) -> &[Provided<'a>] {
        self.provided.get(self.row(package).provides.clone()).unwrap_or_default()
    }

    /// `i:`, empty if `apk` would ignore it.
    pub(super) fn conditions(&self, package: Package) -> &[Atom<'a>] {
        self.atoms.get(self.row(package).conditions.clone()).unwrap_or_default()
    }

    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, text: &str) -> Option<Name> {
        self.by_text.get(text).copied()
    }

    /// The text of a name; none for one that no index mentions.
    pub(super) fn text(&self, name: Name) -> Option<&'a str> {
        self.names.get(name.place()).copied()
    }

    /// What answers to a name, in the order of the packages.
    pub(super) fn providers(&self, name: Name) -> &[Provider<'a>] {
        self.providers.of(name)
    }

    /// The names of all packages, own and provided, whose `D:` mentions a name.
    pub(super) fn dependants(&self, name: Name) -> &[Name] {
        self.dependants.of(name)
    }

    /// The names of all packages, own and provided, whose `i:` mentions a name.
    pub(super) fn triggered(&self, name: Name) -> &[Name] {
        self.triggered.of(name)
    }

    /// The bit of a tag (none: of no tag) in a set of tags.
    pub(super) fn tag(&self, tag: Option<&str>) -> Option<u32> {
        let Some(tag) = tag else { return Some(UNTAGGED) };
        let place = self.tags.iter().position(|known| *known == tag)?;
        u32::try_from(place + 1).ok().and_then(|shift| UNTAGGED.checked_shl(shift))
    }

    /// The tags in a set, each with its `@`.
    pub(super) fn tag_names(&self, set: u32) -> Vec<String> {
        let within = |tag: &&&str| self.tag(Some(tag)).is_some_and(|bit| set & bit != 0);
        self.tags.iter().filter(within).map(|tag| format!("@{tag}")).collect()
    }

    /// Whether an atom holds with what answers to its name, or with nothing.
    ///
    /// What a package excludes is never itself.
    pub(super) fn holds(
        &self,
        atom: &Atom<'a>,
        asking: Option<Package>,
        answer: Option<Provider<'a>>,
    ) -> bool {
        let Some(provider) = answer else { return atom.conflict };
        if atom.conflict && asking == Some(provider.package) {
            return true;
        }
        let identity = || self.candidate(provider.package).map(|candidate| candidate.record.identity());
        atom.holds_with(provider.version, identity)
    }

    /// Everything that answers to a name, for a message.
    pub(super) fn found(&self, name: Name) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let found = self.providers(name).iter().map(|provider| {
            let label = self.label(provider.package);
            match self.row(provider.package).name == name {
                true => label,
                false if provider.owns() => format!("{text}={} of {label}", provider.version),
                false => format!("{text} of {label}"),
            }
        });
        found.collect()
    }
}
