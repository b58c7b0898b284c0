//! Atoms that have to hold from now on.

use super::super::atom::Atom;
use super::super::table::Package;
use super::state::Solver;
use crate::limits::LimitReached;

impl<'a> Solver<'_, 'a> {
    pub(super) fn demand_world(&mut self) -> Result<(), LimitReached> {
        for word in self.world.words.clone() {
            self.demand(&word.atom, From::World { tag: word.tag })?;
        }
        Ok(())
    }

    /// Demands an atom: what does not fit is out, and what fits may come from where the demand comes from.
    pub(super) fn demand(&mut self, atom: &Atom<'a>, from: From) -> Result<(), LimitReached> {
        if !atom.conflict {
            let state = self.names.at_mut(atom.name);
            state.demands = state.demands.wrapping_add(1);
        }
        if self.name(atom.name).demands == 1 && !atom.conflict {
            self.demanded(atom.name)?;
        }
        let providers = self.universe.providers(atom.name);
        self.steps.take(providers.len())?;
        for provider in providers {
            if self.universe.holds(atom, from.package(), Some(*provider)) {
                self.inherit_tags(provider.package, from);
                continue;
            }
            let state = self.packages.at_mut(provider.package);
            state.violations = state.violations.saturating_add(1);
            if state.eligible {
                self.rule_out(provider.package)?;
            }
        }
        Ok(())
    }

    /// A package may come from the repositories that are allowed to what demands it.
    pub(super) fn inherit_tags(&mut self, package: Package, from: From) {
        let tags = self.universe.row(package).tags;
        match from {
            From::Package(other) => {
                let allowed = self.package(other).allowed_tags;
                self.packages.at_mut(package).allowed_tags |= allowed;
            }
            From::World { tag } => {
                let state = self.packages.at_mut(package);
                state.allowed_tags |= tag;
                state.tag_preferred = tags & tag != 0;
            }
        }
        let state = self.packages.at_mut(package);
        state.tag_allowed |= tags & state.allowed_tags != 0;
    }

    /// A package can no longer be chosen.
    pub(super) fn rule_out(&mut self, package: Package) -> Result<(), LimitReached> {
        self.packages.at_mut(package).eligible = false;
        self.recheck_dependants(self.universe.row(package).name)?;
        for provided in self.universe.provides(package) {
            self.recheck_dependants(provided.name)?;
        }
        self.recheck_triggered_by(package)
    }
}

/// Where a demand comes from.
#[derive(Clone, Copy)]
pub(super) enum From {
    World {
        /// The tag of the word, as a set of bits.
        tag: u32,
    },
    Package(Package),
}

impl From {
    const fn package(self) -> Option<Package> {
        match self {
            Self::World { .. } => None,
            Self::Package(package) => Some(package),
        }
    }

    /// What is triggered because nothing answers to a name inherits nothing, and `apk` prefers it nowhere.
    pub(super) const fn trigger(package: Option<Package>) -> Self {
        match package {
            Some(package) => Self::Package(package),
            None => Self::World { tag: 0 },
        }
    }
}
