//! The words of a world with their names resolved, in the order in which `apk` takes them.

use super::super::atom::Atom;
use super::super::plan_error::PlanError;
use super::super::request::Request;
use super::super::roots::{matching, unknown_tag};
use super::super::table::{Name, next};
use super::super::universe::Universe;
use crate::limits::Limits;
use crate::types::Dependency;

/// One word of a world.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Asked<'a> {
    pub(in crate::plan) atom: Atom<'a>,
    /// The tag that it allows, as a set of bits.
    pub(in crate::plan) tag: u32,
    /// As it was written.
    pub(in crate::plan) text: &'a str,
}

/// The words of a world.
#[derive(Clone, Debug, Default)]
pub(in crate::plan) struct AskedWorld<'a> {
    pub(in crate::plan) words: Vec<Asked<'a>>,
    /// Names that no index mentions; they are numbered after those of the universe.
    pub(in crate::plan) unknown: Vec<&'a str>,
}

impl<'a> AskedWorld<'a> {
    /// Resolves the words; a pattern becomes the names of all packages that it matches.
    ///
    /// # Errors
    /// - [`PlanError::NoMatch`] for a pattern that matches nothing.
    /// - [`PlanError::Unsolved`] for a tag that no repository has.
    pub(in crate::plan) fn resolve(
        universe: &Universe<'a>,
        requests: &'a [Request],
        limits: &Limits,
    ) -> Result<Self, PlanError> {
        let mut atoms = Vec::new();
        for request in requests {
            if request.is_pattern() {
                let names = matching(universe, request)?;
                atoms.extend(names.into_iter().filter_map(|name| Dependency::parse_requested(name).ok()));
            } else {
                atoms.extend(request.atom());
            }
        }
        // The order of the words must not matter: `apk` sorts them by name, and so are equal names here.
        let key = |atom: &Dependency<'a>| (atom.name().to_ascii_lowercase(), atom.name(), atom.as_str());
        atoms.sort_by(|a, b| key(a).cmp(&key(b)));
        atoms.dedup();
        let mut world = Self::default();
        for atom in atoms {
            let tag = universe.tag(atom.tag()).ok_or_else(|| unknown_tag(atom.as_str()))?;
            let name = world.name(universe, atom.name(), limits)?;
            world.words.push(Asked { atom: Atom::new(name, &atom), tag, text: atom.as_str() });
        }
        Ok(world)
    }

    fn name(&mut self, universe: &Universe<'a>, text: &'a str, limits: &Limits) -> Result<Name, PlanError> {
        if let Some(known) = universe.name(text) {
            return Ok(known);
        }
        let place = self.unknown.iter().position(|known| *known == text).unwrap_or(self.unknown.len());
        if place == self.unknown.len() {
            self.unknown.push(text);
        }
        Ok(next(universe.names() + place, Limits::reached("index-atoms", limits.index_atoms))?)
    }
}
