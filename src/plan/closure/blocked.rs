//! Why a request has no answer that lacks nothing.

use super::super::atom::{Atom, Provider};
use super::super::roots::Root;
use super::super::solve::Problem;
use super::super::table::{Package, Table};
use super::super::universe::Universe;
use super::super::why::LONGEST;
use super::Fallen;

/// What is needed to find it out.
#[derive(Clone, Copy)]
pub(super) struct Blocked<'u, 'a> {
    pub(super) universe: &'u Universe<'a>,
    pub(super) usable: &'u Table<Package, bool>,
    pub(super) fallen: &'u Fallen,
}

impl<'a> Blocked<'_, 'a> {
    /// What stands in the way of a request.
    pub(super) fn problem(&self, root: &Root<'a>) -> Problem {
        let chain = vec![root.text.to_owned()];
        let Some(atom) = root.atom else { return Problem::NoSuchPackage { chain } };
        match self.first_fallen(&atom, None) {
            Some(package) => {
                let (rest, package, atom) = self.follow(package);
                let rest = rest.into_iter().filter(|name| *name != root.text);
                let chain = chain.into_iter().chain(rest).collect();
                self.classify(chain, Some(package), &atom)
            }
            None => self.classify(chain, None, &atom),
        }
    }

    /// The names from a package that fell to what is not there.
    pub(super) fn chain(&self, package: Package) -> Vec<String> {
        self.follow(package).0
    }

    /// The chain, and its end: the package that lacks something, and what it lacks.
    fn follow(&self, package: Package) -> (Vec<String>, Package, Atom<'a>) {
        let mut names = Vec::new();
        let mut at = package;
        // Ends: what a package lacks because of others, those fell before it.
        loop {
            names
                .push(self.universe.candidate(at).map_or("", |candidate| candidate.record.name()).to_owned());
            let lacks = self.fallen.lacks(self.universe, at).unwrap_or_default();
            match self.first_fallen(&lacks, Some(at)) {
                Some(next) if names.len() < LONGEST => at = next,
                _ => {
                    names.push(lacks.text(self.universe.text(lacks.name).unwrap_or_default()));
                    return (names, at, lacks);
                }
            }
        }
    }

    /// The first package that fell before the one that asks, and would have satisfied an atom.
    fn first_fallen(&self, atom: &Atom<'a>, asking: Option<Package>) -> Option<Package> {
        let before = asking.map_or(usize::MAX, |asking| self.fallen.turn(asking));
        let providers = self.universe.providers(atom.name).iter();
        let satisfying = providers.filter(|provider| self.universe.holds(atom, asking, Some(**provider)));
        satisfying.map(|provider| provider.package).find(|package| self.fallen.turn(*package) < before)
    }

    fn classify(&self, chain: Vec<String>, asking: Option<Package>, atom: &Atom<'a>) -> Problem {
        let universe = self.universe;
        let providers = universe.providers(atom.name);
        if providers.is_empty() {
            return match asking {
                None => Problem::NoSuchPackage { chain },
                Some(_) => Problem::MissingDependency { chain },
            };
        }
        let satisfies = |provider: &&Provider<'a>| universe.holds(atom, asking, Some(**provider));
        let unusable = providers.iter().filter(satisfies).map(|provider| provider.package);
        let unusable: Vec<Package> = unusable.filter(|package| !*self.usable.at(*package)).collect();
        let Some(first) = unusable.first() else {
            return Problem::VersionUnsatisfied { chain, found: universe.found(atom.name) };
        };
        let masked = unusable.iter().find(|package| universe.row(**package).installable);
        match masked {
            Some(package) => Problem::Masked { chain, tags: universe.tag_names(universe.row(*package).tags) },
            None => {
                let mut chain = chain;
                chain.push(universe.label(*first));
                Problem::Uninstallable { chain }
            }
        }
    }
}
