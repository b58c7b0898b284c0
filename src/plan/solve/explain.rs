//! What stands in the way, where `apk` gives up.

use std::collections::{BTreeMap, BTreeSet};

use super::super::atom::{Atom, Provider};
use super::super::table::{Name, Package, Table};
use super::super::why::Chains;
use super::Problem;
use super::asked::Asked;
use super::state::Solver;
use crate::limits::LimitReached;

/// How many problems are looked for; one alone stops `apk`.
const PROBLEMS: usize = 64;

/// Collects problems.
struct Explanation<'s, 'u, 'a> {
    solver: &'s Solver<'u, 'a>,
    chains: Chains<'u, 'a>,
    problems: Vec<Problem>,
}

impl<'a> Solver<'_, 'a> {
    /// Everything that stands in the way, the nearest to the world first.
    pub(super) fn explain(&mut self, collected: &[Package]) -> Result<Vec<Problem>, LimitReached> {
        let mut within = Table::new(self.universe.candidates().len());
        for package in collected.iter().chain(&self.failed) {
            *within.at_mut(*package) = true;
        }
        let mut chains = Chains::new(self.universe);
        let words = self.world.words.clone();
        for word in words.iter().filter(|word| !word.atom.conflict) {
            chains.request(word.text, self.name(word.atom.name).answer.map(|answer| answer.package));
        }
        chains.follow(&within, self.steps)?;
        let mut explanation = Explanation { solver: self, chains, problems: Vec::new() };
        words.iter().for_each(|word| explanation.word(word));
        for package in explanation.chains.reached().to_vec() {
            explanation.package(package);
        }
        let unreached = |package: &&Package| !explanation.chains.is_reached(**package);
        let unreached: Vec<Package> = self.failed.iter().filter(unreached).copied().collect();
        unreached.into_iter().for_each(|package| explanation.package(package));
        if explanation.problems.is_empty() {
            self.unanswered.iter().for_each(|name| explanation.unanswered(*name));
        }
        Ok(explanation.finish())
    }
}

impl<'a> Explanation<'_, '_, 'a> {
    fn word(&mut self, word: &Asked<'a>) {
        let atom = &word.atom;
        if !self.solver.holds(atom, None) {
            let problem = self.violated(atom, None, vec![word.text.to_owned()]);
            self.problems.push(problem);
        }
    }

    fn package(&mut self, package: Package) {
        if self.problems.len() >= PROBLEMS {
            return;
        }
        let universe = self.solver.universe;
        let state = self.solver.package(package);
        if state.failed && !(state.tag_allowed && universe.row(package).installable) {
            let problem = self.failed(package);
            self.problems.push(problem);
            return;
        }
        let before = self.problems.len();
        for atom in universe.needs(package) {
            if !self.solver.holds(atom, Some(package)) {
                let mut chain = self.chains.to(package);
                chain.push(atom.text(self.text(atom.name)));
                let problem = self.violated(atom, Some(package), chain);
                self.problems.push(problem);
            }
        }
        if self.problems.len() == before && state.failed {
            let problem = self.failed(package);
            self.problems.push(problem);
        }
    }

    /// A name that nothing in the end demands, but that stopped the search.
    fn unanswered(&mut self, name: Name) {
        let chain = vec![self.text(name).to_owned()];
        let providers = self.solver.universe.providers(name).iter();
        let names = providers.map(|provider| self.solver.universe.row(provider.package).name).collect();
        self.problems.push(Problem::VirtualUnselected { chain, providers: self.texts(names) });
    }

    /// An atom that does not hold with what was decided.
    fn violated(&self, atom: &Atom<'a>, asking: Option<Package>, chain: Vec<String>) -> Problem {
        let universe = self.solver.universe;
        let answer = self.solver.name(atom.name).answer;
        let providers = universe.providers(atom.name);
        if atom.conflict {
            let with = answer.map(|answer| universe.label(answer.package));
            return Problem::Conflict { chain, with: with.into_iter().collect() };
        }
        if providers.is_empty() {
            return match asking {
                None => Problem::NoSuchPackage { chain },
                Some(_) => Problem::MissingDependency { chain },
            };
        }
        let fits = |provider: &&Provider<'a>| universe.holds(atom, asking, Some(**provider));
        let answers = |provider: &Provider<'a>| universe.row(provider.package).name;
        if answer.is_none() && providers.iter().any(|provider| fits(&provider)) {
            let names: Vec<Name> = providers.iter().map(answers).collect();
            return Problem::VirtualUnselected { chain, providers: self.texts(names) };
        }
        Problem::VersionUnsatisfied { chain, found: universe.found(atom.name) }
    }

    /// Why a package cannot be chosen although its own needs are met.
    fn failed(&self, package: Package) -> Problem {
        let universe = self.solver.universe;
        let chain = self.chains.to(package);
        let row = universe.row(package);
        if !row.installable {
            return Problem::Uninstallable { chain };
        }
        if !self.solver.package(package).tag_allowed {
            return Problem::Masked { chain, tags: universe.tag_names(row.tags) };
        }
        if let Some(word) = self.excluding(package) {
            let found = vec![universe.label(package)];
            return Problem::VersionUnsatisfied { chain: vec![word.text.to_owned()], found };
        }
        if let Some(problem) = self.excluded(package) {
            return problem;
        }
        let with = self.rivals(package);
        if with.is_empty() { Problem::RuledOut { chain } } else { Problem::Conflict { chain, with } }
    }

    /// The packages that own a name of a package, or that it owns a name of; itself if it owns one twice.
    fn rivals(&self, package: Package) -> Vec<String> {
        let universe = self.solver.universe;
        let row = universe.row(package);
        let provides = universe.provides(package).iter();
        let others = provides.map(|provided| (provided.name, !provided.version.is_empty()));
        let mut owned: BTreeMap<Name, bool> = BTreeMap::new();
        let mut rivals = BTreeSet::new();
        for (name, owns) in std::iter::once((row.name, true)).chain(others) {
            if owned.insert(name, owns).is_some_and(|before| before || owns) {
                rivals.insert(package);
            }
            let answer = self.solver.name(name).answer.map(|answer| answer.package);
            rivals.extend(answer.filter(|other| *other != package));
        }
        rivals.into_iter().map(|rival| universe.label(rival)).collect()
    }

    /// The word of the world that a package answers to, but does not satisfy.
    fn excluding(&self, package: Package) -> Option<&Asked<'a>> {
        let universe = self.solver.universe;
        self.solver.world.words.iter().filter(|word| !word.atom.conflict).find(|word| {
            let mut providers = universe.providers(word.atom.name).iter();
            providers.any(|provider| {
                provider.package == package && !universe.holds(&word.atom, None, Some(*provider))
            })
        })
    }

    /// The `!name` of another package that a package is excluded by.
    fn excluded(&self, package: Package) -> Option<Problem> {
        let universe = self.solver.universe;
        let mut needs = self
            .chains
            .reached()
            .iter()
            .flat_map(|asking| universe.needs(*asking).iter().map(|atom| (*asking, atom)));
        let (asking, atom) = needs.find(|(asking, atom)| {
            let mut providers = universe.providers(atom.name).iter();
            atom.conflict
                && providers.any(|provider| {
                    provider.package == package && !universe.holds(atom, Some(*asking), Some(*provider))
                })
        })?;
        let mut chain = self.chains.to(asking);
        chain.push(atom.text(self.text(atom.name)));
        Some(Problem::Conflict { chain, with: vec![universe.label(package)] })
    }

    fn texts(&self, names: Vec<Name>) -> Vec<String> {
        let mut texts: Vec<String> = names.into_iter().map(|name| self.text(name).to_owned()).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    fn text(&self, name: Name) -> &'a str {
        self.solver.universe.text(name).unwrap_or_default()
    }

    /// Each chain once; what is only ruled out counts where nothing else says why.
    fn finish(mut self) -> Vec<Problem> {
        let mut seen: Vec<Problem> = Vec::new();
        let ruled_out = |problem: &Problem| matches!(problem, Problem::RuledOut { .. });
        let explained = self.problems.iter().any(|problem| !ruled_out(problem));
        for problem in self.problems.drain(..).filter(|problem| !(explained && ruled_out(problem))) {
            let same = |other: &Problem| other.code() == problem.code() && other.chain() == problem.chain();
            if !seen.iter().any(same) {
                seen.push(problem);
            }
        }
        seen
    }
}
