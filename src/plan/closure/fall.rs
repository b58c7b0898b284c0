//! Which packages lack something, and which lack something because others do.

use std::collections::VecDeque;

use super::super::atom::{Atom, Provider};
use super::super::steps::Steps;
use super::super::table::{Lists, Name, Package, Table};
use super::super::universe::Universe;
use crate::limits::LimitReached;

/// Packages that lack something.
#[derive(Debug)]
pub(super) struct Fallen {
    /// When each fell, and the place in its `D:` of what nothing satisfied any more.
    lacks: Table<Package, Option<(usize, usize)>>,
    order: Vec<Package>,
}

impl Fallen {
    pub(super) fn has(&self, package: Package) -> bool {
        self.lacks.at(package).is_some()
    }

    /// All of them, in the order in which they fell.
    pub(super) fn all(&self) -> &[Package] {
        &self.order
    }

    /// When a package fell: a number that is lower for those before, and the highest for those that stand.
    pub(super) fn turn(&self, package: Package) -> usize {
        self.lacks.at(package).map_or(usize::MAX, |(turn, _)| turn)
    }

    /// What a package lacks.
    pub(super) fn lacks<'a>(&self, universe: &Universe<'a>, package: Package) -> Option<Atom<'a>> {
        let (_, place) = (*self.lacks.at(package))?;
        universe.needs(package).get(place).copied()
    }
}

/// A dependency that is counted: whose it is, its place in `D:`, and the place of its count.
#[derive(Clone, Copy, Debug)]
struct Mention {
    package: Package,
    place: usize,
    count: usize,
}

/// Counts how many answers each dependency has left.
pub(super) struct Fall<'u, 'a> {
    universe: &'u Universe<'a>,
    mentions: Lists<Name, Mention>,
    counts: Vec<usize>,
    fallen: Fallen,
    queue: VecDeque<Package>,
}

impl<'u, 'a> Fall<'u, 'a> {
    /// Finds what falls among some packages, of which those that are not usable have fallen already.
    pub(super) fn of(
        universe: &'u Universe<'a>,
        usable: &Table<Package, bool>,
        packages: &[Package],
        steps: &mut Steps,
    ) -> Result<Fallen, LimitReached> {
        let mut mentions = Vec::new();
        let mut counts = Vec::new();
        let mut lacking = Vec::new();
        for package in packages {
            for (place, atom) in universe.needs(*package).iter().enumerate() {
                let providers = universe.providers(atom.name);
                steps.take(providers.len())?;
                let answers = |provider: &&Provider<'a>| {
                    *usable.at(provider.package) && universe.holds(atom, Some(*package), Some(**provider))
                };
                let count = providers.iter().filter(answers).count();
                if atom.conflict {
                    continue;
                }
                if count == 0 {
                    lacking.push((*package, place));
                }
                mentions.push((atom.name, Mention { package: *package, place, count: counts.len() }));
                counts.push(count);
            }
        }
        let mut fall = Self {
            universe,
            mentions: Lists::new(mentions, universe.names()),
            counts,
            fallen: Fallen { lacks: Table::new(universe.candidates().len()), order: Vec::new() },
            queue: VecDeque::new(),
        };
        lacking.into_iter().for_each(|(package, place)| fall.fell(package, place));
        while let Some(package) = fall.queue.pop_front() {
            fall.take_away(package, steps)?;
        }
        Ok(fall.fallen)
    }

    fn fell(&mut self, package: Package, place: usize) {
        let lacks = self.fallen.lacks.at_mut(package);
        if lacks.is_none() {
            *lacks = Some((self.fallen.order.len(), place));
            self.fallen.order.push(package);
            self.queue.push_back(package);
        }
    }

    /// Every dependency that a package satisfied has an answer less.
    fn take_away(&mut self, package: Package, steps: &mut Steps) -> Result<(), LimitReached> {
        let universe = self.universe;
        let row = universe.row(package);
        let provides = universe.provides(package).iter();
        let others = provides.map(|provided| (provided.name, provided.version));
        for (name, version) in std::iter::once((row.name, row.version)).chain(others) {
            let count = self.mentions.of(name).len();
            steps.take(count)?;
            for at in 0..count {
                let Some(mention) = self.mentions.of(name).get(at).copied() else { break };
                let Some(atom) = universe.needs(mention.package).get(mention.place) else { break };
                if !universe.holds(atom, Some(mention.package), Some(Provider { package, version })) {
                    continue;
                }
                let Some(left) = self.counts.get_mut(mention.count) else { break };
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.fell(mention.package, mention.place);
                }
            }
        }
        Ok(())
    }
}
