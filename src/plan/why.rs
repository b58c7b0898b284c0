//! Why packages are there: the shortest chain of names from a request to each.

use std::collections::VecDeque;

use super::atom::{Atom, Provider};
use super::steps::Steps;
use super::table::{Package, Table};
use super::universe::Universe;
use crate::limits::LimitReached;

/// The longest chain that is written out; in a longer one the names after the request are left out.
pub(super) const LONGEST: usize = 32;

/// What led to a package.
#[derive(Clone, Copy, Debug, Default)]
enum Origin {
    #[default]
    None,
    Request,
    Package(Package),
}

#[derive(Clone, Debug, Default)]
struct Link {
    origin: Origin,
    /// Place of the request that led here in the end.
    request: usize,
}

/// Chains from requests to packages.
pub(super) struct Chains<'u, 'a> {
    universe: &'u Universe<'a>,
    requests: Vec<&'u str>,
    links: Table<Package, Link>,
    /// Every package that was reached, in the order of the distance.
    reached: Vec<Package>,
    queue: VecDeque<Package>,
}

impl<'u, 'a> Chains<'u, 'a> {
    pub(super) fn new(universe: &'u Universe<'a>) -> Self {
        Self {
            universe,
            requests: Vec::new(),
            links: Table::new(universe.candidates().len()),
            reached: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// Begins a chain at a request; all requests come before anything is followed.
    pub(super) fn request(&mut self, text: &'u str, answers: impl IntoIterator<Item = Package>) {
        let request = self.requests.len();
        self.requests.push(text);
        answers.into_iter().for_each(|package| self.link(package, Link { origin: Origin::Request, request }));
    }

    /// Follows `D:` and `i:` as far as they lead within a set of packages.
    pub(super) fn follow(
        &mut self,
        within: &Table<Package, bool>,
        steps: &mut Steps,
    ) -> Result<(), LimitReached> {
        while let Some(package) = self.queue.pop_front() {
            for atom in self.universe.needs(package).iter().filter(|atom| !atom.conflict) {
                let providers = self.universe.providers(atom.name);
                steps.take(providers.len())?;
                for provider in providers {
                    if *within.at(provider.package)
                        && self.universe.holds(atom, Some(package), Some(*provider))
                    {
                        self.lead(package, provider.package);
                    }
                }
            }
            self.trigger(package, within, steps)?;
        }
        Ok(())
    }

    /// Every package that was reached, the nearest first.
    pub(super) fn reached(&self) -> &[Package] {
        &self.reached
    }

    pub(super) fn is_reached(&self, package: Package) -> bool {
        !matches!(self.links.at(package).origin, Origin::None)
    }

    /// The names that lead to a package, itself last.
    pub(super) fn to(&self, package: Package) -> Vec<String> {
        let mut names = Vec::new();
        let mut at = package;
        loop {
            names.push(self.name(at).to_owned());
            match self.links.at(at).origin {
                Origin::Package(other) if names.len() + 2 < LONGEST => at = other,
                Origin::Package(_) => {
                    names.push("…".to_owned());
                    break;
                }
                Origin::Request | Origin::None => break,
            }
        }
        let request = self.requests.get(self.links.at(package).request).filter(|_| self.is_reached(package));
        names.extend(
            request
                .filter(|text| names.last().is_none_or(|name| name != *text))
                .map(|text| (*text).to_owned()),
        );
        names.reverse();
        names
    }

    fn name(&self, package: Package) -> &'a str {
        self.universe.candidate(package).map_or("", |candidate| candidate.record.name())
    }

    fn lead(&mut self, from: Package, to: Package) {
        let request = self.links.at(from).request;
        self.link(to, Link { origin: Origin::Package(from), request });
    }

    fn link(&mut self, package: Package, link: Link) {
        if !self.is_reached(package) {
            *self.links.at_mut(package) = link;
            self.reached.push(package);
            self.queue.push_back(package);
        }
    }

    /// Leads to what a package triggers, if everything that it takes has been reached.
    fn trigger(
        &mut self,
        package: Package,
        within: &Table<Package, bool>,
        steps: &mut Steps,
    ) -> Result<(), LimitReached> {
        let own = self.universe.row(package).name;
        let provides = self.universe.provides(package).iter().map(|provided| provided.name);
        for name in std::iter::once(own).chain(provides) {
            for triggered in self.universe.triggered(name) {
                for provider in self.universe.providers(*triggered) {
                    steps.take(0)?;
                    let other = provider.package;
                    if *within.at(other) && !self.is_reached(other) && self.is_triggered(other, steps)? {
                        self.lead(package, other);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether every name in the `i:` of a package is answered by what has been reached.
    pub(super) fn is_triggered(&self, package: Package, steps: &mut Steps) -> Result<bool, LimitReached> {
        let conditions = self.universe.conditions(package);
        for atom in conditions.iter().filter(|atom| !atom.conflict) {
            let providers = self.universe.providers(atom.name);
            steps.take(providers.len())?;
            if !providers.iter().any(|provider| self.answers(atom, package, *provider)) {
                return Ok(false);
            }
        }
        Ok(!conditions.is_empty())
    }

    fn answers(&self, atom: &Atom<'a>, asking: Package, provider: Provider<'a>) -> bool {
        self.is_reached(provider.package) && self.universe.holds(atom, Some(asking), Some(provider))
    }
}
