//! What of the decided names the world leads to.

use super::super::atom::Atom;
use super::super::table::{Name, Package, Table};
use super::state::Solver;
use crate::limits::LimitReached;

/// The packages that a world leads to, and where the walk stands.
struct Collected {
    packages: Vec<Package>,
    taken: Table<Package, bool>,
    passed: Table<Name, bool>,
    frames: Vec<Frame>,
}

/// Where the walk stands in a package.
struct Frame {
    package: Package,
    /// Places in `D:`, then in what is triggered by each of its names.
    need: usize,
    /// Place among its names, its own first.
    name: usize,
    triggered: usize,
}

impl<'a> Solver<'_, 'a> {
    /// Walks from the world through what has been decided, and marks what fails on the way.
    pub(super) fn collect(&mut self) -> Result<Vec<Package>, LimitReached> {
        let mut collected = Collected {
            packages: Vec::new(),
            taken: Table::new(self.universe.candidates().len()),
            passed: Table::new(self.names.len()),
            frames: Vec::new(),
        };
        for word in self.world.words.clone() {
            self.pass(word.atom.name, &mut collected);
            self.walk(&mut collected)?;
        }
        Ok(collected.packages)
    }

    fn walk(&mut self, collected: &mut Collected) -> Result<(), LimitReached> {
        while let Some(frame) = collected.frames.last_mut() {
            self.steps.take(0)?;
            if let Some(atom) = self.universe.needs(frame.package).get(frame.need) {
                frame.need += 1;
                let package = frame.package;
                self.pass_need(package, atom, collected);
                continue;
            }
            let own = self.universe.row(frame.package).name;
            let provides = self.universe.provides(frame.package);
            let name = match frame.name.checked_sub(1) {
                None => Some(own),
                Some(place) => provides.get(place).map(|provided| provided.name),
            };
            let Some(name) = name else {
                collected.frames.pop();
                continue;
            };
            match self.universe.triggered(name).get(frame.triggered) {
                Some(other) => {
                    frame.triggered += 1;
                    self.pass_triggered(*other, collected)?;
                }
                None => (frame.name, frame.triggered) = (frame.name + 1, 0),
            }
        }
        Ok(())
    }

    fn pass_need(&mut self, package: Package, atom: &Atom<'a>, collected: &mut Collected) {
        if !self.holds(atom, Some(package)) {
            self.fail(package);
        }
        self.pass(atom.name, collected);
    }

    fn pass_triggered(&mut self, name: Name, collected: &mut Collected) -> Result<(), LimitReached> {
        let state = self.name(name);
        let Some(answer) = state.answer.filter(|_| state.known && !collected.passed.at(name)) else {
            return Ok(());
        };
        let conditions = self.universe.conditions(answer.package);
        self.steps.take(conditions.len())?;
        let holds = |atom: &Atom<'a>| {
            (atom.conflict || *collected.passed.at(atom.name)) && self.holds(atom, Some(answer.package))
        };
        if conditions.iter().all(holds) {
            self.pass(name, collected);
        }
        Ok(())
    }

    /// Takes what answers to a name, unless the walk has passed the name, be it by another package.
    fn pass(&mut self, name: Name, collected: &mut Collected) {
        if std::mem::replace(collected.passed.at_mut(name), true) {
            return;
        }
        let Some(answer) = self.name(name).answer else { return };
        let package = answer.package;
        if std::mem::replace(collected.taken.at_mut(package), true) {
            return;
        }
        *collected.passed.at_mut(self.universe.row(package).name) = true;
        for provided in self.universe.provides(package) {
            *collected.passed.at_mut(provided.name) = true;
        }
        collected.packages.push(package);
        collected.frames.push(Frame { package, need: 0, name: 0, triggered: 0 });
    }
}
