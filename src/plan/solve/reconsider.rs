//! What the candidates for a name have in common holds whichever is chosen.

use super::super::atom::{Atom, Provider};
use super::super::table::{Name, Package};
use super::demand::From;
use super::state::Solver;
use crate::limits::LimitReached;

/// What a look at the candidates for a name has found.
#[derive(Default)]
struct Look {
    needs: bool,
    conditions: bool,
    first: Option<Package>,
    options: usize,
    disallowed: usize,
    triggered: bool,
    selectable: bool,
}

impl<'a> Solver<'_, 'a> {
    /// Looks at the candidates for a name again, and draws the consequences.
    pub(super) fn reconsider(&mut self, name: Name) -> Result<(), LimitReached> {
        let look = self.look(name)?;
        let state = self.names.at_mut(name);
        state.open = look.options > 1 || look.disallowed > 0;
        state.triggered = look.triggered;
        let moves = state.selectable != look.selectable;
        state.selectable = look.selectable;
        if let Some(first) = look.first {
            for provider in self.universe.providers(name) {
                let state = self.packages.at_mut(provider.package);
                state.relied_on = state.compared;
            }
            self.demand_shared(first, look.options)?;
            self.exclude_others(name, first, look.options)?;
        }
        let dependants = self.universe.dependants(name);
        self.steps.take(dependants.len())?;
        let undecided = |name: &Name| self.name(*name).known && !self.name(*name).decided;
        let decided = !dependants.iter().any(undecided);
        self.names.at_mut(name).dependants_decided = decided;
        self.wait(name, moves);
        Ok(())
    }

    fn look(&mut self, name: Name) -> Result<Look, LimitReached> {
        let state = self.names.at_mut(name);
        let (needs, conditions) = (state.recheck_needs, state.recheck_conditions);
        (state.recheck_needs, state.recheck_conditions) = (false, false);
        let mut look = Look { needs, conditions, ..Look::default() };
        let mut untriggerable = true;
        let providers = self.universe.providers(name);
        self.steps.take(providers.len())?;
        for provider in providers {
            let package = provider.package;
            self.packages.at_mut(package).compared = false;
            if look.needs && self.package(package).eligible && !self.is_satisfiable(package)? {
                self.rule_out(package)?;
            }
            if !self.package(package).eligible {
                continue;
            }
            if look.conditions {
                self.check_conditions(package)?;
            }
            let state = self.package(package);
            untriggerable &= state.untriggerable;
            look.triggered |= state.triggered;
            look.selectable |= state.triggered;
            if self.name(name).demands > 0 {
                self.compare(*provider, &mut look)?;
            }
        }
        self.names.at_mut(name).untriggerable = untriggerable;
        Ok(look)
    }

    /// Whether everything in the `D:` of a package can still be had.
    fn is_satisfiable(&mut self, package: Package) -> Result<bool, LimitReached> {
        for atom in self.universe.needs(package) {
            if !self.can_hold(atom, package)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn can_hold(&mut self, atom: &Atom<'a>, asking: Package) -> Result<bool, LimitReached> {
        let state = self.name(atom.name);
        if state.decided {
            return Ok(self.holds(atom, Some(asking)));
        }
        if state.demands == 0 && atom.conflict {
            return Ok(true);
        }
        let providers = self.universe.providers(atom.name);
        self.steps.take(providers.len())?;
        let fits = |provider: &Provider<'a>| {
            self.package(provider.package).eligible
                && self.universe.holds(atom, Some(asking), Some(*provider))
        };
        Ok(providers.iter().any(fits))
    }

    /// Finds out whether the `i:` of a package holds, as far as that is decided.
    fn check_conditions(&mut self, package: Package) -> Result<(), LimitReached> {
        let conditions = self.universe.conditions(package);
        self.steps.take(conditions.len())?;
        let state = self.package(package);
        if !state.triggered && !state.untriggerable {
            let open = conditions
                .iter()
                .find(|atom| !self.name(atom.name).decided || !self.holds(atom, Some(package)));
            match open {
                None => self.packages.at_mut(package).triggered = true,
                Some(atom) if self.name(atom.name).decided => {
                    self.packages.at_mut(package).untriggerable = true;
                }
                Some(atom) if atom.conflict => {
                    self.names.at_mut(atom.name).awaited = true;
                    self.wait(atom.name, false);
                }
                Some(_) => {}
            }
        }
        if self.package(package).triggered {
            for atom in conditions {
                let trigger = self.name(atom.name).answer.map(|answer| answer.package);
                self.inherit_tags(package, From::trigger(trigger));
            }
        }
        Ok(())
    }

    /// Counts what a candidate has in common with all before it.
    fn compare(&mut self, provider: Provider<'a>, look: &mut Look) -> Result<(), LimitReached> {
        let package = provider.package;
        let (needs, provides) = (self.universe.needs(package), self.universe.provides(package));
        self.steps.take(needs.len() + provides.len())?;
        for atom in needs.iter().filter(|atom| !atom.conflict) {
            shares(&mut self.names.at_mut(atom.name).shared_needs, look.options);
        }
        let own = (self.universe.row(package).name, !provider.owns());
        let others = provides.iter().map(|provided| (provided.name, provided.version.is_empty()));
        for (name, is_virtual) in std::iter::once(own).chain(others) {
            let state = self.names.at_mut(name);
            if shares(&mut state.shared_answers, look.options) {
                state.shared_virtually |= is_virtual;
            }
        }
        let state = self.packages.at_mut(package);
        state.compared = true;
        look.first.get_or_insert(package);
        look.disallowed += usize::from(!state.tag_allowed);
        look.options += 1;
        look.selectable = look.selectable || self.is_selectable(&provider);
        Ok(())
    }

    /// Whether a candidate may be taken without anybody selecting it.
    pub(super) fn is_selectable(&self, provider: &Provider<'a>) -> bool {
        let row = self.universe.row(provider.package);
        provider.owns() || row.priority > 0 || self.name(row.name).demands > 0
    }

    /// Demands what all candidates need; of several only the name, since their versions may differ.
    fn demand_shared(&mut self, first: Package, options: usize) -> Result<(), LimitReached> {
        for atom in self.universe.needs(first) {
            let state = self.names.at_mut(atom.name);
            if std::mem::take(&mut state.shared_needs) != options {
                continue;
            }
            if options == 1 {
                self.demand(atom, From::Package(first))?;
            } else if state.demands == 0 {
                state.demands += 1;
                self.demanded(atom.name)?;
                let providers = self.universe.providers(atom.name);
                self.steps.take(providers.len())?;
                for provider in providers {
                    self.inherit_tags(provider.package, From::Package(first));
                }
            }
        }
        Ok(())
    }

    /// Where all candidates answer to another name too, no others can.
    fn exclude_others(&mut self, name: Name, first: Package, options: usize) -> Result<(), LimitReached> {
        let own = self.universe.row(first).name;
        let provides = self.universe.provides(first);
        let names = || std::iter::once(own).chain(provides.iter().map(|provided| provided.name));
        for other in names() {
            let state = self.names.at_mut(other);
            let shared = std::mem::take(&mut state.shared_answers) == options;
            let virtually = state.shared_virtually;
            if shared && other != name {
                self.exclude_answers(other, name, virtually)?;
            }
        }
        names().for_each(|other| self.names.at_mut(other).shared_virtually = false);
        Ok(())
    }

    /// Rules out what answers to a name but not to another; what answers virtually can stand beside it.
    fn exclude_answers(&mut self, name: Name, other: Name, virtually: bool) -> Result<(), LimitReached> {
        for provider in self.universe.providers(name) {
            let package = provider.package;
            let provides = self.universe.provides(package);
            self.steps.take(provides.len())?;
            let stays = self.universe.row(package).name == other
                || !self.package(package).eligible
                || (virtually && !provider.owns())
                || provides
                    .iter()
                    .any(|provided| provided.name == other || (virtually && provided.version.is_empty()));
            if !stays {
                self.rule_out(package)?;
            }
        }
        Ok(())
    }
}

/// Counts one more candidate, unless one before it was not counted, or this one is already.
const fn shares(count: &mut usize, before: usize) -> bool {
    let counts = *count == before;
    if counts {
        *count = before + 1;
    }
    counts
}
