//! Numbers packages and names, and finds what depends on what.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::super::hash_order;
use super::super::plan_error::PlanError;
use super::super::table::{Lists, Name, Number, Package, Table, next};
use super::{Atom, Candidate, Provided, Provider, Row, Source, TAGS, UNTAGGED, Universe};
use crate::index::Record;
use crate::limits::{LimitReached, Limits};
use crate::types::{Architecture, Dependency, Identity};

/// Collects packages and names; everything that it keeps counts against the limits.
pub(super) struct Builder<'a> {
    universe: Universe<'a>,
    rows: Vec<Row<'a>>,
    by_identity: HashMap<Identity, Package>,
    provided_by: Vec<(Name, Provider<'a>)>,
    atoms_left: u64,
    limits: Limits,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        architecture: &Architecture,
        sources: Vec<Source<'a>>,
        limits: &Limits,
    ) -> Result<Self, PlanError> {
        let mut tags: Vec<&'a str> = Vec::new();
        for tag in sources.iter().filter_map(|source| source.tag) {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
            if tags.len() > TAGS {
                return Err(PlanError::Tags { found: tags.len() });
            }
        }
        let universe = Universe {
            architecture: architecture.clone(),
            sources,
            candidates: Vec::new(),
            rows: Table::new(0),
            atoms: Vec::new(),
            provided: Vec::new(),
            tags,
            names: Vec::new(),
            by_text: HashMap::new(),
            providers: Lists::new(Vec::new(), 0),
            dependants: Lists::new(Vec::new(), 0),
            triggered: Lists::new(Vec::new(), 0),
        };
        Ok(Self {
            universe,
            rows: Vec::new(),
            by_identity: HashMap::new(),
            provided_by: Vec::new(),
            atoms_left: limits.index_atoms,
            limits: limits.clone(),
        })
    }

    pub(super) fn build(mut self, keep: impl Fn(&Record<'a>) -> bool) -> Result<Universe<'a>, PlanError> {
        for (place, source) in self.universe.sources.clone().into_iter().enumerate() {
            let tag = self.universe.tag(source.tag).unwrap_or(UNTAGGED);
            for record in source.index.records().filter(&keep) {
                self.add(Candidate { source: place, repository: source.repository, record }, tag)?;
            }
        }
        let names = self.universe.names.len();
        self.universe.rows = Table::from(self.rows);
        self.universe.providers = Lists::new(self.provided_by, names);
        let (dependants, triggered) = Reverse::of(&self.universe, &self.limits)?;
        self.universe.dependants = Lists::new(dependants, names);
        self.universe.triggered = Lists::new(triggered, names);
        Ok(self.universe)
    }

    fn add(&mut self, candidate: Candidate<'a>, tag: u32) -> Result<(), LimitReached> {
        let record = candidate.record;
        if let Some(known) = self.by_identity.get(&record.identity()) {
            if let Some(row) = self.rows.get_mut(known.place()) {
                row.tags |= tag;
            }
            return Ok(());
        }
        let entries = self.limits.index_entries;
        let full = Limits::reached("index-entries", entries);
        let package: Package = next(self.rows.len(), full)?;
        if u64::try_from(self.rows.len()).is_ok_and(|rows| rows >= entries) {
            return Err(full);
        }
        let name = self.name(record.name())?;
        let (needs, readable) = self.atoms(record.dependencies())?;
        let provides = self.provides(&record)?;
        let before = self.universe.atoms.len();
        let (mut conditions, sound) = self.atoms(record.install_if())?;
        if !sound {
            self.universe.atoms.truncate(before);
            conditions = before..before;
        }
        self.provided_by.push((name, Provider { package, version: record.version() }));
        for provided in self.universe.provided.get(provides.clone()).unwrap_or_default() {
            let provider = Provider { package, version: provided.version };
            self.provided_by.push((provided.name, provider));
        }
        self.by_identity.insert(record.identity(), package);
        self.rows.push(Row {
            name,
            version: record.version(),
            installable: readable && record.fits(&self.universe.architecture),
            empty: record.installed_size().unwrap_or_default() == 0,
            // `apk` keeps 16 bits of the number.
            priority: u16::try_from(record.provider_priority() & 0xffff).unwrap_or_default(),
            source: candidate.source,
            tags: tag,
            needs,
            provides,
            conditions,
        });
        self.universe.candidates.push(candidate);
        Ok(())
    }

    /// Adds atoms; says whether `apk` can read all of them.
    fn atoms(
        &mut self,
        atoms: impl Iterator<Item = Dependency<'a>>,
    ) -> Result<(Range<usize>, bool), LimitReached> {
        let begin = self.universe.atoms.len();
        let mut readable = true;
        for atom in atoms {
            readable &= atom.is_grammatical();
            let name = self.name(atom.name())?;
            self.universe.atoms.push(Atom::new(name, &atom));
        }
        Ok((begin..self.universe.atoms.len(), readable))
    }

    fn provides(&mut self, record: &Record<'a>) -> Result<Range<usize>, LimitReached> {
        let begin = self.universe.provided.len();
        for atom in record.provides() {
            let name = self.name(atom.name())?;
            self.universe.provided.push(Provided { name, version: atom.version().unwrap_or_default() });
        }
        Ok(begin..self.universe.provided.len())
    }

    fn name(&mut self, text: &'a str) -> Result<Name, LimitReached> {
        let full = Limits::reached("index-atoms", self.limits.index_atoms);
        self.atoms_left = self.atoms_left.checked_sub(1).ok_or(full)?;
        match self.universe.by_text.entry(text) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(free) => {
                let name = next(self.universe.names.len(), full)?;
                self.universe.names.push(text);
                Ok(*free.insert(name))
            }
        }
    }
}

/// Which names are mentioned by which, in the order in which `apk` walks through them.
struct Reverse {
    left: u64,
    full: LimitReached,
    /// The last name that was noted for each, so that none is noted twice.
    last: Table<Name, Option<Name>>,
}

type Mentions = Vec<(Name, Name)>;

impl Reverse {
    fn of(universe: &Universe<'_>, limits: &Limits) -> Result<(Mentions, Mentions), LimitReached> {
        let mut walk: Vec<(u32, std::cmp::Reverse<usize>)> = Vec::with_capacity(universe.names());
        for (place, text) in universe.names.iter().enumerate() {
            walk.push((hash_order::bucket(text), std::cmp::Reverse(place)));
        }
        walk.sort_unstable();
        let new = || Self {
            left: limits.index_atoms,
            full: Limits::reached("index-atoms", limits.index_atoms),
            last: Table::new(universe.names()),
        };
        let (mut needs, mut conditions) = (new(), new());
        let (mut dependants, mut triggered) = (Vec::new(), Vec::new());
        for (_, std::cmp::Reverse(place)) in walk {
            let name: Name = next(place, needs.full)?;
            for provider in universe.providers(name) {
                needs.note(name, universe.needs(provider.package), &mut dependants)?;
                conditions.note(name, universe.conditions(provider.package), &mut triggered)?;
            }
        }
        Ok((dependants, triggered))
    }

    fn note(&mut self, name: Name, atoms: &[Atom<'_>], into: &mut Mentions) -> Result<(), LimitReached> {
        for atom in atoms {
            self.left = self.left.checked_sub(1).ok_or(self.full)?;
            let last = self.last.at_mut(atom.name);
            if *last != Some(name) {
                *last = Some(name);
                into.push((atom.name, name));
            }
        }
        Ok(())
    }
}
