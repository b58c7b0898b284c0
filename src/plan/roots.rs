//! Where chains begin: the requests with their names resolved.

use std::collections::BTreeSet;

use super::atom::{Atom, Provider};
use super::plan_error::PlanError;
use super::request::Request;
use super::solve::{Problem, SolveErrors};
use super::universe::{Candidate, UNTAGGED, Universe};
use crate::index;

/// One thing that is asked for, by an atom or by a pattern.
#[derive(Clone, Debug)]
pub(super) struct Root<'a> {
    /// The request as it was written.
    pub(super) text: &'a str,
    /// Whether it is one of many that a pattern matches.
    pub(super) by_pattern: bool,
    /// None if no index mentions the name.
    pub(super) atom: Option<Atom<'a>>,
    /// The tag that it allows, as a set of bits.
    pub(super) tag: u32,
}

impl<'a> Root<'a> {
    /// What is asked for; conflicts ask for nothing.
    ///
    /// # Errors
    /// - [`PlanError::NoMatch`] for a pattern that matches nothing.
    /// - [`PlanError::Unsolved`] for a tag that no repository has.
    pub(super) fn all(universe: &Universe<'a>, requests: &'a [Request]) -> Result<Vec<Self>, PlanError> {
        let mut roots = Vec::new();
        for request in requests {
            match request.atom() {
                None => {
                    let names = matching(universe, request)?.into_iter();
                    roots.extend(names.map(|name| Self {
                        text: request.as_str(),
                        by_pattern: true,
                        atom: universe.name(name).map(Atom::of_name),
                        tag: UNTAGGED,
                    }));
                }
                Some(atom) if atom.is_conflict() => {}
                Some(atom) => roots.push(Self {
                    text: request.as_str(),
                    by_pattern: false,
                    tag: universe.tag(atom.tag()).ok_or_else(|| unknown_tag(atom.as_str()))?,
                    atom: universe.name(atom.name()).map(|name| Atom::new(name, &atom)),
                }),
            }
        }
        Ok(roots)
    }

    /// What answers to it.
    pub(super) fn answers<'u>(
        &self,
        universe: &'u Universe<'a>,
    ) -> impl Iterator<Item = &'u Provider<'a>> + use<'u, 'a> {
        let atom = self.atom;
        let providers = atom.map(|atom| universe.providers(atom.name)).unwrap_or_default();
        let holds = move |provider: &Provider<'a>| {
            atom.is_some_and(|atom| universe.holds(&atom, None, Some(*provider)))
        };
        providers.iter().filter(move |provider| holds(provider))
    }
}

pub(super) fn unknown_tag(text: &str) -> PlanError {
    SolveErrors(vec![Problem::UnknownTag { chain: vec![text.to_owned()] }]).into()
}

/// The names of all packages that match a pattern, sorted.
///
/// # Errors
/// - [`PlanError::NoMatch`] if there is none.
pub(super) fn matching<'a>(
    universe: &Universe<'a>,
    pattern: &Request,
) -> Result<BTreeSet<&'a str>, PlanError> {
    let within = pattern.repository();
    let of_it = |candidate: &&Candidate<'a>| within.is_none_or(|number| candidate.repository == number);
    let names = universe.candidates().iter().filter(of_it).map(|candidate| candidate.record.name());
    let matching: BTreeSet<&'a str> = names.filter(|name| index::matches(pattern.as_str(), name)).collect();
    if matching.is_empty() {
        Err(PlanError::NoMatch { pattern: pattern.as_str().to_owned() })
    } else {
        Ok(matching)
    }
}
