//! Whether a subset gives clients what the whole gives them.

use std::collections::BTreeMap;

use super::plan_error::PlanError;
use super::solve::decided;
use super::steps::Steps;
use super::table::Package;
use super::universe::Universe;
use super::world::World;
use crate::limits::Limits;
use crate::types::Identity;

/// Worlds that a subset does not serve as the whole does.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// It could not be found out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// At least one world differs; all are listed.
    #[error("{}", listed(.0))]
    Worlds(Vec<Unsolved>),
}

/// A world that a subset does not serve as the whole does.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{world}: {difference}")]
pub struct Unsolved {
    /// The words of the world.
    pub world: String,
    /// What is wrong.
    pub difference: Difference,
}

/// How a subset differs from the whole for a world.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// It cannot be installed from the whole either.
    #[error("cannot be installed from upstream: {0}")]
    Full(PlanError),
    /// It cannot be installed from the subset.
    #[error("cannot be installed from the subset: {0}")]
    Subset(PlanError),
    /// Other packages are installed.
    #[error("the subset gives {} where upstream gives {}", labels(found), labels(expected))]
    Other {
        /// What only the whole gives, as name and version.
        expected: Vec<String>,
        /// What only the subset gives, as name and version.
        found: Vec<String>,
    },
}

fn listed(worlds: &[Unsolved]) -> String {
    let texts: Vec<String> = worlds.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Proves that each world is installable from a subset, and gives there what it gives on the whole.
///
/// A world of one pattern stands for a world of its own for each package of the whole that matches. Where
/// such a world cannot be installed from the whole, it proves nothing and is passed over.
///
/// # Errors
/// - [`Unproven::Worlds`] with every world for which that is not so.
/// - [`Unproven::Plan`] if it is too much work, or no package matches a pattern.
pub fn prove(
    full: &Universe<'_>,
    subset: &Universe<'_>,
    worlds: &[World],
    limits: &Limits,
) -> Result<(), Unproven> {
    let mut steps = Steps::new(limits);
    let mut unsolved = Vec::new();
    for world in worlds {
        let promised = world.pattern().is_none();
        for one in world.each(full)? {
            if let Some(difference) = compare(full, subset, &one, promised, limits, &mut steps)? {
                unsolved.push(Unsolved { world: one.to_string(), difference });
            }
        }
    }
    if unsolved.is_empty() { Ok(()) } else { Err(Unproven::Worlds(unsolved)) }
}

fn compare(
    full: &Universe<'_>,
    subset: &Universe<'_>,
    world: &World,
    promised: bool,
    limits: &Limits,
    steps: &mut Steps,
) -> Result<Option<Difference>, PlanError> {
    let expected = match decided(full, world.requests(), limits, steps) {
        Ok(packages) => packages,
        Err(PlanError::Limit(limit)) => return Err(limit.into()),
        Err(_) if !promised => return Ok(None),
        Err(error) => return Ok(Some(Difference::Full(error))),
    };
    let found = match decided(subset, world.requests(), limits, steps) {
        Ok(packages) => packages,
        Err(PlanError::Limit(limit)) => return Err(limit.into()),
        Err(error) => return Ok(Some(Difference::Subset(error))),
    };
    let (expected, found) = (identities(full, &expected), identities(subset, &found));
    let only = |these: &Labels, others: &Labels| -> Vec<String> {
        let mut only: Vec<String> = these
            .iter()
            .filter(|(key, _)| !others.contains_key(*key))
            .map(|(_, label)| label.clone())
            .collect();
        only.sort_unstable();
        only
    };
    let difference = Difference::Other { expected: only(&expected, &found), found: only(&found, &expected) };
    Ok((expected.keys().ne(found.keys())).then_some(difference))
}

/// Packages by their identities, with names and versions for messages.
type Labels = BTreeMap<Identity, String>;

fn identities(universe: &Universe<'_>, packages: &[Package]) -> Labels {
    let candidates = packages.iter().filter_map(|package| universe.candidate(*package));
    candidates.map(|candidate| (candidate.record.identity(), candidate.record.label())).collect()
}

fn labels(labels: &[String]) -> String {
    if labels.is_empty() { "nothing more".to_owned() } else { labels.join(", ") }
}
