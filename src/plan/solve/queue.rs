//! Which name is looked at, and which is decided, next.

use super::super::table::{Name, Package};
use super::state::{NameState, Queue, Solver};
use crate::limits::LimitReached;

impl Solver<'_, '_> {
    pub(super) fn next_dirty(&mut self) -> Option<Name> {
        while let Some(name) = self.dirty.pop_front() {
            let state = self.names.at_mut(name);
            // What has been decided meanwhile is left in the queue, and passed over.
            if std::mem::take(&mut state.dirty) && !state.decided {
                return Some(name);
            }
        }
        None
    }

    /// Names with one possible answer first, then those that may be answered, then the rest.
    pub(super) fn next_undecided(&mut self) -> Option<Name> {
        let name = self.next_urgent().or_else(|| {
            let selectable = self.selectable.pop_last();
            selectable.or_else(|| self.rest.pop_last()).map(|(_, name)| name)
        })?;
        self.names.at_mut(name).queue = Queue::None;
        Some(name)
    }

    fn next_urgent(&mut self) -> Option<Name> {
        while let Some(name) = self.urgent.pop_front() {
            if !self.name(name).decided {
                return Some(name);
            }
        }
        None
    }

    /// Has the candidates of a name looked at again, if anything can come of it.
    fn mark(&mut self, name: Name) {
        let state = self.names.at_mut(name);
        let idle = state.demands == 0 && !state.recheck_conditions;
        if !state.dirty && !state.decided && !idle {
            state.dirty = true;
            self.dirty.push_back(name);
        }
    }

    /// Puts a name where it has to wait, or moves it there if it may move.
    pub(super) fn wait(&mut self, name: Name, may_move: bool) {
        let state = self.names.at_mut(name);
        let urgent = is_urgent(state);
        let stays = match state.queue {
            _ if state.decided => true,
            Queue::Urgent => true,
            Queue::Selectable | Queue::Rest => !urgent && !may_move,
            Queue::None => state.demands == 0 && !state.triggered && !state.awaited,
        };
        if stays {
            return;
        }
        let to = match (urgent, state.selectable) {
            (true, _) => Queue::Urgent,
            (false, true) => Queue::Selectable,
            (false, false) => Queue::Rest,
        };
        self.leave(name);
        let state = self.names.at_mut(name);
        state.queue = to;
        match to {
            Queue::Urgent => self.urgent.push_back(name),
            Queue::Selectable => drop(self.selectable.insert(state.order, name)),
            Queue::Rest | Queue::None => drop(self.rest.insert(state.order, name)),
        }
    }

    /// Takes a name out of its queue; an urgent one is passed over when its turn comes.
    pub(super) fn leave(&mut self, name: Name) {
        let state = self.names.at_mut(name);
        match std::mem::take(&mut state.queue) {
            Queue::Selectable => drop(self.selectable.remove(&state.order)),
            Queue::Rest => drop(self.rest.remove(&state.order)),
            Queue::Urgent | Queue::None => {}
        }
    }

    /// Has everything looked at again whose `D:` mentions a name.
    pub(super) fn recheck_dependants(&mut self, name: Name) -> Result<(), LimitReached> {
        let dependants = self.universe.dependants(name);
        self.steps.take(dependants.len())?;
        for dependant in dependants {
            let state = self.names.at_mut(*dependant);
            if state.known {
                state.recheck_needs = true;
                self.mark(*dependant);
            }
        }
        Ok(())
    }

    /// Has everything looked at again whose `i:` mentions a name.
    pub(super) fn recheck_triggered(&mut self, name: Name) -> Result<(), LimitReached> {
        let triggered = self.universe.triggered(name);
        self.steps.take(triggered.len())?;
        for other in triggered {
            let state = self.names.at_mut(*other);
            if state.known && !state.untriggerable {
                state.recheck_conditions = true;
                self.mark(*other);
            }
        }
        Ok(())
    }

    /// The same for all names of a package.
    pub(super) fn recheck_triggered_by(&mut self, package: Package) -> Result<(), LimitReached> {
        self.recheck_triggered(self.universe.row(package).name)?;
        self.universe.provides(package).iter().try_for_each(|provided| self.recheck_triggered(provided.name))
    }

    /// A name is demanded for the first time.
    pub(super) fn demanded(&mut self, name: Name) -> Result<(), LimitReached> {
        self.wait(name, false);
        self.recheck_triggered(name)?;
        self.mark(name);
        Ok(())
    }
}

/// Whether a name has one possible answer, and nothing will change that.
const fn is_urgent(state: &NameState<'_>) -> bool {
    state.dependants_decided && state.demands > 0 && state.selectable && !state.open
}
