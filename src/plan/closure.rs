//! What a mirror has to hold so that requests can be satisfied from it.

use super::chosen::Chosen;
use super::plan_error::PlanError;
use super::request::Request;
use super::roots::Root;
use super::solve::{SolveErrors, decided, explained};
use super::steps::Steps;
use super::table::{Package, Table};
use super::universe::{Candidate, Universe};
use super::why::Chains;
use super::world::World;
use crate::limits::{LimitReached, Limits};

mod blocked;
mod fall;

use self::blocked::Blocked;
use self::fall::{Fall, Fallen};

/// A set of packages in which every dependency of each can be satisfied.
#[derive(Clone, Debug, Default)]
pub struct Closure<'a> {
    /// The packages, in the order of the sources and then of the index.
    pub chosen: Vec<Chosen<'a>>,
    /// Packages that belong to it, but would be traps: something that they need is not there.
    pub left_out: Vec<LeftOut<'a>>,
}

/// A package that is left out of a closure, since clients could not install it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut<'a> {
    /// The package.
    pub candidate: Candidate<'a>,
    /// The package, and the names that lead from it to the dependency that nothing satisfies.
    pub why: Vec<String>,
}

/// Every provider of every dependency of what is asked for, and what `install_if` adds to them.
///
/// Whatever a client chooses among these packages, what it needs is there. Conflicts (`!name`) are left
/// aside, of requests too. The packages of a repository with a tag are taken only where a request names
/// the tag. Requests are taken together; give all of them at once, since two worlds can trigger what
/// none of them does.
///
/// # Errors
/// - [`PlanError::Limit`] `solver-steps` if it is too much work.
/// - [`PlanError::Unsolved`] if nothing satisfies a request; the chain says what is not there.
/// - [`PlanError::NoMatch`] if no package matches a pattern, or only such that lack something.
pub fn providers<'a>(
    universe: &Universe<'a>,
    requests: &[Request],
    limits: &Limits,
) -> Result<Closure<'a>, PlanError> {
    let mut steps = Steps::new(limits);
    let roots = Root::all(universe, requests)?;
    let usable = usable(universe, &roots);
    let reached = reach(universe, &roots, &usable, &mut steps)?.reached().to_vec();
    let fallen = Fall::of(universe, &usable, &reached, &mut steps)?;
    let mut whole = usable.clone();
    reached
        .iter()
        .filter(|package| fallen.has(**package))
        .for_each(|package| *whole.at_mut(*package) = false);
    let blocked = Blocked { universe, usable: &usable, fallen: &fallen };
    satisfiable(&roots, &whole, &blocked)?;
    let chains = reach(universe, &roots, &whole, &mut steps)?;
    let mut members = chains.reached().to_vec();
    members.sort_unstable();
    let chosen = members.iter().filter_map(|package| {
        Some(Chosen { candidate: *universe.candidate(*package)?, why: chains.to(*package) })
    });
    let mut left_out = fringe(&roots, &chains, &blocked, &mut steps)?;
    left_out.sort_unstable();
    left_out.dedup();
    let left_out = left_out.into_iter().filter_map(|package| {
        Some(LeftOut { candidate: *universe.candidate(package)?, why: blocked.chain(package) })
    });
    Ok(Closure { chosen: chosen.collect(), left_out: left_out.collect() })
}

/// The packages that `apk` can install, from the repositories that it may take them from.
fn usable(universe: &Universe<'_>, roots: &[Root<'_>]) -> Table<Package, bool> {
    let allowed = roots.iter().fold(super::universe::UNTAGGED, |tags, root| tags | root.tag);
    let mut usable = Table::new(universe.candidates().len());
    for package in universe.packages() {
        let row = universe.row(package);
        *usable.at_mut(package) = row.installable && (row.empty || row.tags & allowed != 0);
    }
    usable
}

fn reach<'u, 'a>(
    universe: &'u Universe<'a>,
    roots: &[Root<'u>],
    within: &Table<Package, bool>,
    steps: &mut Steps,
) -> Result<Chains<'u, 'a>, LimitReached> {
    let mut chains = Chains::new(universe);
    for root in roots {
        let answers = root.answers(universe).map(|provider| provider.package);
        chains.request(root.text, answers.filter(|package| *within.at(*package)));
    }
    chains.follow(within, steps)?;
    Ok(chains)
}

/// Finds every request that nothing whole satisfies.
fn satisfiable(
    roots: &[Root<'_>],
    whole: &Table<Package, bool>,
    blocked: &Blocked<'_, '_>,
) -> Result<(), PlanError> {
    let holds = |root: &Root<'_>| root.answers(blocked.universe).any(|provider| *whole.at(provider.package));
    let mut problems = Vec::new();
    let mut patterns = roots.iter().filter(|root| root.by_pattern).peekable();
    while let Some(root) = patterns.next() {
        let same = |other: &&&Root<'_>| other.text == root.text;
        let mut any = holds(root);
        while let Some(other) = patterns.next_if(|other| same(&other)) {
            any |= holds(other);
        }
        if !any {
            problems.push(blocked.problem(root));
        }
    }
    for root in roots.iter().filter(|root| !root.by_pattern && !holds(root)) {
        problems.push(blocked.problem(root));
    }
    if problems.is_empty() { Ok(()) } else { Err(SolveErrors(problems).into()) }
}

/// What would belong to a closure if it did not lack something.
fn fringe(
    roots: &[Root<'_>],
    chains: &Chains<'_, '_>,
    blocked: &Blocked<'_, '_>,
    steps: &mut Steps,
) -> Result<Vec<Package>, LimitReached> {
    let Blocked { universe, fallen, .. } = *blocked;
    let answers = roots.iter().flat_map(|root| root.answers(universe)).map(|provider| provider.package);
    let mut fringe: Vec<Package> = answers.filter(|package| fallen.has(*package)).collect();
    for package in chains.reached() {
        for atom in universe.needs(*package).iter().filter(|atom| !atom.conflict) {
            let providers = universe.providers(atom.name);
            steps.take(providers.len())?;
            let satisfying = providers.iter().filter(|provider| {
                fallen.has(provider.package) && universe.holds(atom, Some(*package), Some(**provider))
            });
            fringe.extend(satisfying.map(|provider| provider.package));
        }
    }
    for package in fallen.all() {
        if chains.is_triggered(*package, steps)? {
            fringe.push(*package);
        }
    }
    Ok(fringe)
}

/// What `apk` would install for each of these worlds, and for all of them together if that is possible.
///
/// A world of one pattern stands for a world of its own for each package that matches; such a world is
/// left out if `apk` could not install it, as long as one is left.
///
/// # Errors
/// - [`PlanError::Limit`] `solver-steps` if it is too much work.
/// - [`PlanError::Unsolved`] for the first world that `apk` could not install.
/// - [`PlanError::NoMatch`] if no package matches a pattern.
pub fn solved<'a>(
    universe: &Universe<'a>,
    worlds: &[World],
    limits: &Limits,
) -> Result<Closure<'a>, PlanError> {
    let mut steps = Steps::new(limits);
    let mut packages = Vec::new();
    for world in worlds {
        packages.extend(each(universe, world, limits, &mut steps)?);
    }
    let together: Vec<Request> = worlds
        .iter()
        .filter(|world| world.pattern().is_none())
        .flat_map(|world| world.requests().to_vec())
        .collect();
    match decided(universe, &together, limits, &mut steps) {
        Ok(more) => packages.extend(more),
        Err(PlanError::Unsolved(_)) => {}
        Err(other) => return Err(other),
    }
    packages.sort_unstable();
    packages.dedup();
    let requests: Vec<Request> = worlds.iter().flat_map(|world| world.requests().to_vec()).collect();
    Ok(Closure { chosen: explained(universe, &requests, &packages, &mut steps)?, left_out: Vec::new() })
}

/// What `apk` would install for a world, or for each of those that its pattern stands for.
fn each(
    universe: &Universe<'_>,
    world: &World,
    limits: &Limits,
    steps: &mut Steps,
) -> Result<Vec<Package>, PlanError> {
    let mut packages = Vec::new();
    let mut first_error = None;
    let mut any = false;
    for world in world.each(universe)? {
        match decided(universe, world.requests(), limits, steps) {
            Ok(more) => {
                any = true;
                packages.extend(more);
            }
            Err(PlanError::Unsolved(errors)) => drop(first_error.get_or_insert(errors)),
            Err(other) => return Err(other),
        }
    }
    match first_error {
        Some(errors) if !any => Err(errors.into()),
        _ => Ok(packages),
    }
}
