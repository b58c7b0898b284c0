//! The choice of `apk`: greedy, and without ever taking a decision back.
//!
//! Every name that the world can lead to is numbered; candidates are ruled out by what is demanded; what
//! all candidates for a name have in common is demanded already; then one name after the other is decided,
//! and what is chosen demands more. What looks arbitrary here decides what clients get, and is kept.

mod asked;
mod collect;
mod decide;
mod demand;
mod discover;
mod explain;
mod problem;
mod queue;
mod reconsider;
mod state;

pub use problem::{Problem, SolveErrors};

use self::asked::AskedWorld;
use self::state::Solver;
use super::chosen::Chosen;
use super::plan_error::PlanError;
use super::request::Request;
use super::roots::Root;
use super::steps::Steps;
use super::table::{Package, Table};
use super::universe::Universe;
use super::why::Chains;
use crate::limits::Limits;

/// What `apk` would install for one world on an empty machine.
#[derive(Clone, Debug, Default)]
pub struct Solution<'a> {
    /// The packages, in the order of the sources and then of the index.
    pub chosen: Vec<Chosen<'a>>,
}

/// What `apk add` would install for these words, taken together, on an empty machine.
///
/// The choice is greedy: where `apk` gives up although there is a solution, so does this. A pattern is
/// taken as the names of all packages that match it.
///
/// # Errors
/// - [`PlanError::Limit`] `solver-steps` if it is too much work.
/// - [`PlanError::Unsolved`] with everything that stands in the way, if `apk` would give up.
/// - [`PlanError::NoMatch`] if no package matches a pattern.
pub fn solve<'a>(
    universe: &Universe<'a>,
    requests: &[Request],
    limits: &Limits,
) -> Result<Solution<'a>, PlanError> {
    let mut steps = Steps::new(limits);
    let packages = decided(universe, requests, limits, &mut steps)?;
    Ok(Solution { chosen: explained(universe, requests, &packages, &mut steps)? })
}

/// The packages that `apk` would install, sorted.
pub(super) fn decided(
    universe: &Universe<'_>,
    requests: &[Request],
    limits: &Limits,
    steps: &mut Steps,
) -> Result<Vec<Package>, PlanError> {
    let world = AskedWorld::resolve(universe, requests, limits)?;
    let mut solver = Solver::new(universe, world, steps);
    solver.run()?;
    let mut packages = solver.collect()?;
    if !solver.unanswered.is_empty() || !solver.failed.is_empty() {
        return Err(SolveErrors(solver.explain(&packages)?).into());
    }
    packages.sort_unstable();
    Ok(packages)
}

/// Why each of these packages is there.
pub(super) fn explained<'a>(
    universe: &Universe<'a>,
    requests: &[Request],
    packages: &[Package],
    steps: &mut Steps,
) -> Result<Vec<Chosen<'a>>, PlanError> {
    let mut within = Table::new(universe.candidates().len());
    packages.iter().for_each(|package| *within.at_mut(*package) = true);
    let mut chains = Chains::new(universe);
    for root in Root::all(universe, requests)? {
        let answers = root.answers(universe).map(|provider| provider.package);
        chains.request(root.text, answers.filter(|package| *within.at(*package)));
    }
    chains.follow(&within, steps)?;
    let chosen = |package: &Package| {
        let candidate = *universe.candidate(*package)?;
        Some(Chosen { candidate, why: chains.to(*package) })
    };
    Ok(packages.iter().filter_map(chosen).collect())
}
