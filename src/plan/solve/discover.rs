//! Which names a world can lead to, and in which order they are worked on.

use super::super::atom::Provider;
use super::super::table::Name;
use super::super::universe::Universe;
use super::state::Solver;
use crate::limits::LimitReached;

/// Where the walk stands in a name. A walk that calls itself could be sent as deep as an index is long.
struct Frame {
    name: Name,
    stage: Stage,
    /// Place of the provider that is looked at.
    provider: usize,
    /// Place within its list.
    item: usize,
}

/// What is followed from a name, one after the other.
#[derive(Clone, Copy)]
enum Stage {
    /// `D:` of the providers that are met for the first time.
    Needs,
    /// What the name triggers.
    Triggered,
    /// What the own names of the providers trigger.
    TriggeredByProviders,
    /// The other names of the providers.
    Provides,
    /// `i:` of the providers, after the name has its place.
    Conditions,
}

/// One step of a walk.
enum Step {
    Follow(Name),
    Go,
    Done,
}

impl<'a> Solver<'_, 'a> {
    pub(super) fn discover_world(&mut self) -> Result<(), LimitReached> {
        let names: Vec<Name> = self.world.words.iter().map(|word| word.atom.name).collect();
        names.into_iter().try_for_each(|name| self.discover(name))
    }

    fn discover(&mut self, name: Name) -> Result<(), LimitReached> {
        let mut frames = Vec::new();
        self.enter(name, &mut frames);
        while let Some(frame) = frames.last_mut() {
            self.steps.take(0)?;
            let step = match frame.stage {
                Stage::Needs => self.follow_needs(frame),
                Stage::Conditions => self.follow_conditions(frame),
                _ => self.follow_names(frame),
            };
            match step {
                Step::Follow(name) => self.enter(name, &mut frames),
                Step::Go => {}
                Step::Done => drop(frames.pop()),
            }
        }
        Ok(())
    }

    fn enter(&mut self, name: Name, frames: &mut Vec<Frame>) {
        let state = self.names.at_mut(name);
        if !state.known {
            (state.known, state.untriggerable) = (true, true);
            frames.push(Frame { name, stage: Stage::Needs, provider: 0, item: 0 });
        }
    }

    fn follow_needs(&mut self, frame: &mut Frame) -> Step {
        let Some(provider) = self.universe.providers(frame.name).get(frame.provider) else {
            return frame.goes_on(Stage::Triggered);
        };
        let package = provider.package;
        if frame.item == 0 {
            if self.package(package).known {
                return frame.next_provider();
            }
            self.begin(package);
        }
        match self.universe.needs(package).get(frame.item) {
            Some(atom) => frame.follow(atom.name),
            None => frame.next_provider(),
        }
    }

    fn follow_names(&mut self, frame: &mut Frame) -> Step {
        if matches!(frame.stage, Stage::Triggered) {
            return match self.universe.triggered(frame.name).get(frame.item) {
                Some(name) => frame.follow(*name),
                None => frame.goes_on(Stage::TriggeredByProviders),
            };
        }
        let Some(provider) = self.universe.providers(frame.name).get(frame.provider) else {
            self.order(frame.name);
            return frame.goes_on(Stage::Conditions);
        };
        if let Stage::TriggeredByProviders = frame.stage {
            let own = self.universe.row(provider.package).name;
            return match self.universe.triggered(own).get(frame.item) {
                Some(name) => frame.follow(*name),
                None => frame.same_provider(Stage::Provides),
            };
        }
        match self.universe.provides(provider.package).get(frame.item) {
            Some(provided) => frame.follow(provided.name),
            None => {
                frame.stage = Stage::TriggeredByProviders;
                frame.next_provider()
            }
        }
    }

    fn follow_conditions(&mut self, frame: &mut Frame) -> Step {
        let Some(provider) = self.universe.providers(frame.name).get(frame.provider) else {
            return Step::Done;
        };
        match self.universe.conditions(provider.package).get(frame.item) {
            Some(atom) => frame.follow(atom.name),
            None => frame.next_provider(),
        }
    }

    /// Gives a name its place: words that were asked for, then names of packages, then virtual ones;
    /// among these what was met last, since it is nearest to the world.
    fn order(&mut self, name: Name) {
        /// More than there can be names.
        const RANK: i64 = 1 << 32;
        self.ordered += 1;
        let real = is_real(self.universe, name);
        let untriggerable = |provider: &Provider<'a>| self.package(provider.package).untriggerable;
        let untriggerable = self.universe.providers(name).iter().all(untriggerable);
        let state = self.names.at_mut(name);
        state.untriggerable = untriggerable;
        let rank = if state.asked { 2 } else { 0 } + if real { 1 } else { 0 };
        state.order = rank * RANK + self.ordered;
    }
}

/// Whether a package has this very name.
fn is_real(universe: &Universe<'_>, name: Name) -> bool {
    universe.providers(name).iter().any(|provider| universe.row(provider.package).name == name)
}

impl Frame {
    const fn follow(&mut self, name: Name) -> Step {
        self.item += 1;
        Step::Follow(name)
    }

    const fn next_provider(&mut self) -> Step {
        (self.provider, self.item) = (self.provider + 1, 0);
        Step::Go
    }

    const fn same_provider(&mut self, stage: Stage) -> Step {
        (self.stage, self.item) = (stage, 0);
        Step::Go
    }

    const fn goes_on(&mut self, stage: Stage) -> Step {
        (self.stage, self.provider, self.item) = (stage, 0, 0);
        Step::Go
    }
}
