//! Which candidate answers to a name.

use std::cmp::Ordering;

use super::super::atom::Provider;
use super::super::table::Name;
use super::demand::From;
use super::state::Solver;
use crate::limits::LimitReached;
use crate::types::compare_versions;

impl<'a> Solver<'_, 'a> {
    /// Decides what answers to a name, and draws the consequences.
    pub(super) fn decide(&mut self, name: Name) -> Result<(), LimitReached> {
        let Some(best) = self.best(name)? else {
            self.assign(name, None)?;
            if self.name(name).demands > 0 {
                self.unanswered.push(name);
            }
            return Ok(());
        };
        let package = best.package;
        if !self.package(package).eligible || !self.package(package).tag_allowed {
            self.fail(package);
        }
        let row = self.universe.row(package);
        self.assign(row.name, Some(Provider { package, version: row.version }))?;
        for provided in self.universe.provides(package) {
            self.assign(provided.name, Some(Provider { package, version: provided.version }))?;
        }
        for atom in self.universe.needs(package) {
            self.demand(atom, From::Package(package))?;
        }
        Ok(())
    }

    fn best(&mut self, name: Name) -> Result<Option<Provider<'a>>, LimitReached> {
        let state = self.name(name);
        if state.demands == 0 && !state.triggered {
            return Ok(None);
        }
        let demanded = state.demands > 0;
        let providers = self.universe.providers(name);
        self.steps.take(providers.len())?;
        let mut best: Option<Provider<'a>> = None;
        for provider in providers {
            let state = self.package(provider.package);
            let pulled_in = state.triggered && state.tag_allowed && state.eligible;
            if (demanded || pulled_in)
                && self.is_selectable(provider)
                && best.is_none_or(|best| self.rank(*provider, best).is_gt())
            {
                best = Some(*provider);
            }
        }
        Ok(best)
    }

    /// Which of two candidates is better; of equals the first is taken.
    fn rank(&self, a: Provider<'a>, b: Provider<'a>) -> Ordering {
        let (one, other) = (self.package(a.package), self.package(b.package));
        let (row, other_row) = (self.universe.row(a.package), self.universe.row(b.package));
        let by_own_version = || match row.name == other_row.name {
            true => compare_versions(row.version, other_row.version),
            false => Ordering::Equal,
        };
        one.eligible
            .cmp(&other.eligible)
            .then_with(|| one.relied_on.cmp(&other.relied_on))
            .then_with(|| other.violations.cmp(&one.violations))
            .then_with(|| one.tag_allowed.cmp(&other.tag_allowed))
            .then_with(|| one.tag_preferred.cmp(&other.tag_preferred))
            .then_with(|| compare_versions(a.version, b.version))
            .then_with(by_own_version)
            .then_with(|| row.priority.cmp(&other_row.priority))
            .then_with(|| other_row.source.cmp(&row.source))
    }

    /// Lets a package answer to a name, or nothing; other answerers are out, unless all are virtual.
    fn assign(&mut self, name: Name, answer: Option<Provider<'a>>) -> Result<(), LimitReached> {
        let owned = answer.is_some_and(|answer| answer.owns());
        let state = self.names.at_mut(name);
        if state.decided {
            let before = state.answer;
            if owned || before.is_some_and(|before| before.owns()) {
                [answer, before].into_iter().flatten().for_each(|both| self.fail(both.package));
            }
            return Ok(());
        }
        (state.decided, state.answer) = (true, answer);
        self.leave(name);
        self.demand_conditions(name)?;
        let providers = self.universe.providers(name);
        self.steps.take(providers.len())?;
        for provider in providers {
            let same = answer.is_some_and(|answer| answer.package == provider.package);
            if !same && (owned || provider.owns()) {
                self.rule_out(provider.package)?;
            }
        }
        self.recheck_dependants(name)?;
        match answer {
            Some(answer) => self.recheck_triggered_by(answer.package),
            None => self.recheck_triggered(name),
        }
    }

    /// What was pulled in by its `i:` alone needs that to stay as it is.
    fn demand_conditions(&mut self, name: Name) -> Result<(), LimitReached> {
        let state = self.name(name);
        let Some(answer) = state.answer.filter(|_| state.demands == 0) else { return Ok(()) };
        if !self.package(answer.package).triggered {
            return Ok(());
        }
        for atom in self.universe.conditions(answer.package) {
            if !self.name(atom.name).decided {
                self.demand(atom, From::Package(answer.package))?;
            }
        }
        Ok(())
    }
}
