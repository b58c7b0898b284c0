//! What the solver knows while it works.

use std::collections::{BTreeMap, VecDeque};

use super::super::atom::{Atom, Provider};
use super::super::steps::Steps;
use super::super::table::{Name, Package, Table};
use super::super::universe::{UNTAGGED, Universe};
use super::asked::AskedWorld;
use crate::limits::LimitReached;

/// What is known of a name.
#[derive(Clone, Debug, Default)]
pub(super) struct NameState<'a> {
    /// Whether the world can lead here at all.
    pub(super) known: bool,
    /// Place in the order of work; the highest comes first.
    pub(super) order: i64,
    /// Whether it is one of the words that were asked for.
    pub(super) asked: bool,
    /// How often it was demanded. `apk` counts in 16 bits, which wrap.
    pub(super) demands: u16,
    /// Whether it is decided what answers to the name.
    pub(super) decided: bool,
    /// What answers to it, once that is decided.
    pub(super) answer: Option<Provider<'a>>,
    /// Whether its candidates have to be looked at again, since something in their `D:` changed.
    pub(super) recheck_needs: bool,
    /// The same for `i:`.
    pub(super) recheck_conditions: bool,
    /// Whether a candidate is triggered by its `i:`.
    pub(super) triggered: bool,
    /// Whether no candidate can be triggered any more.
    pub(super) untriggerable: bool,
    /// Whether a triggered candidate waits to learn that nothing answers to this name.
    pub(super) awaited: bool,
    /// Whether there is more than one candidate, or one that no tag allows.
    pub(super) open: bool,
    /// Whether a candidate may be taken without anybody selecting it.
    pub(super) selectable: bool,
    /// Whether everything that depends on it is decided.
    pub(super) dependants_decided: bool,
    /// How many candidates so far have this name in their `D:`, while they are compared.
    pub(super) shared_needs: usize,
    /// How many candidates so far answer to this name, while they are compared.
    pub(super) shared_answers: usize,
    /// Whether one of those answers without a version.
    pub(super) shared_virtually: bool,
    pub(super) dirty: bool,
    pub(super) queue: Queue,
}

/// Where a name waits to be decided.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Queue {
    #[default]
    None,
    Urgent,
    Selectable,
    Rest,
}

/// What is known of a package.
#[derive(Clone, Debug, Default)]
pub(super) struct PackageState {
    pub(super) known: bool,
    /// Whether it can still be chosen.
    pub(super) eligible: bool,
    /// How many atoms it violates.
    pub(super) violations: u32,
    /// The tags from which it may come, as a set of bits.
    pub(super) allowed_tags: u32,
    pub(super) tag_allowed: bool,
    pub(super) tag_preferred: bool,
    pub(super) triggered: bool,
    pub(super) untriggerable: bool,
    /// Whether it was compared with others when its name was looked at last.
    pub(super) compared: bool,
    /// The same, of the last time that a comparison had consequences.
    pub(super) relied_on: bool,
    pub(super) failed: bool,
}

/// The solver at work on one world.
pub(super) struct Solver<'u, 'a> {
    pub(super) universe: &'u Universe<'a>,
    pub(super) world: AskedWorld<'a>,
    pub(super) names: Table<Name, NameState<'a>>,
    pub(super) packages: Table<Package, PackageState>,
    pub(super) dirty: VecDeque<Name>,
    pub(super) urgent: VecDeque<Name>,
    pub(super) selectable: BTreeMap<i64, Name>,
    pub(super) rest: BTreeMap<i64, Name>,
    pub(super) steps: &'u mut Steps,
    /// Names that are demanded and that nothing answers to.
    pub(super) unanswered: Vec<Name>,
    /// Packages that were chosen although something speaks against them.
    pub(super) failed: Vec<Package>,
    /// How many names have got their place in the order of work.
    pub(super) ordered: i64,
}

impl<'u, 'a> Solver<'u, 'a> {
    pub(super) fn new(universe: &'u Universe<'a>, world: AskedWorld<'a>, steps: &'u mut Steps) -> Self {
        let mut names = Table::<Name, NameState<'a>>::new(universe.names() + world.unknown.len());
        for word in &world.words {
            names.at_mut(word.atom.name).asked = true;
        }
        Self {
            universe,
            names,
            world,
            packages: Table::new(universe.candidates().len()),
            dirty: VecDeque::new(),
            urgent: VecDeque::new(),
            selectable: BTreeMap::new(),
            rest: BTreeMap::new(),
            steps,
            unanswered: Vec::new(),
            failed: Vec::new(),
            ordered: 0,
        }
    }

    /// Works until every name that matters is decided.
    pub(super) fn run(&mut self) -> Result<(), LimitReached> {
        self.discover_world()?;
        self.demand_world()?;
        loop {
            while let Some(name) = self.next_dirty() {
                self.reconsider(name)?;
            }
            let Some(name) = self.next_undecided() else { return Ok(()) };
            self.steps.take(0)?;
            self.decide(name)?;
        }
    }

    pub(super) fn name(&self, name: Name) -> &NameState<'a> {
        self.names.at(name)
    }

    pub(super) fn package(&self, package: Package) -> &PackageState {
        self.packages.at(package)
    }

    /// Whether an atom holds with what answers to its name now, of which something is known.
    pub(super) fn holds(&self, atom: &Atom<'a>, asking: Option<Package>) -> bool {
        self.universe.holds(atom, asking, self.name(atom.name).answer)
    }

    /// A package starts out with what its repositories and its entry say.
    pub(super) fn begin(&mut self, package: Package) {
        let row = self.universe.row(package);
        let preferred = row.empty || row.tags & UNTAGGED != 0;
        *self.packages.at_mut(package) = PackageState {
            known: true,
            eligible: row.installable,
            allowed_tags: UNTAGGED,
            tag_allowed: preferred,
            tag_preferred: preferred,
            untriggerable: self.universe.conditions(package).is_empty(),
            ..PackageState::default()
        };
    }

    pub(super) fn fail(&mut self, package: Package) {
        let state = self.packages.at_mut(package);
        if !state.failed {
            state.failed = true;
            self.failed.push(package);
        }
    }
}
