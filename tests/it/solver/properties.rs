use apkvet::limits::Limits;
use apkvet::plan::{Candidate, Request, Universe, World, prove, providers, solve};
use apkvet::types::Dependency;

use super::random::Case;
use crate::harness::{labels, tagged};

/// How many universes are tried, with four worlds each.
const CASES: u64 = 400;

fn each(check: impl Fn(u64, &Universe<'_>, &[Request])) {
    for seed in 0..CASES {
        let case = Case::new(seed);
        let indexes = case.indexes();
        let universe = tagged(indexes.iter().zip(case.repositories.iter().map(|(tag, _)| *tag)));
        for words in &case.worlds {
            let requests: Vec<Request> = words.iter().map(|word| Request::parse(word).unwrap()).collect();
            check(seed, &universe, &requests);
        }
    }
}

/// Whether something among the candidates satisfies an atom.
fn satisfied(candidates: &[Candidate<'_>], atom: &Dependency<'_>) -> bool {
    candidates.iter().any(|candidate| {
        let record = candidate.record;
        let own = (record.name(), record.version());
        let mut names = vec![own];
        let provided: Vec<_> = record.provides().collect();
        names.extend(provided.iter().map(|atom| (atom.name(), atom.version().unwrap_or_default())));
        names.iter().any(|(name, version)| *name == atom.name() && atom.accepts_version(version))
    })
}

fn assert_closed(candidates: &[Candidate<'_>], conflicts: bool, seed: u64) {
    for candidate in candidates {
        let others: Vec<Candidate<'_>> =
            candidates.iter().filter(|other| *other != candidate).copied().collect();
        for atom in candidate.record.dependencies() {
            if !atom.is_conflict() {
                assert!(satisfied(candidates, &atom), "seed {seed}: {} {atom}", candidate.record.label());
            } else if conflicts {
                assert!(!satisfied(&others, &atom), "seed {seed}: {} {atom}", candidate.record.label());
            }
        }
    }
}

#[test]
fn order_of_the_words_does_not_matter_and_the_same_input_gives_the_same_output() {
    each(|seed, universe, requests| {
        let limits = Limits::default();
        let solved = |requests: &[Request]| {
            solve(universe, requests, &limits)
                .map(|solution| labels(solution.chosen.iter().map(|chosen| &chosen.candidate)))
        };
        let reversed: Vec<Request> = requests.iter().rev().cloned().collect();
        assert_eq!(solved(requests), solved(&reversed), "seed {seed}");
        let (once, again) = (solve(universe, requests, &limits), solve(universe, requests, &limits));
        assert_eq!(once.ok().map(|s| s.chosen), again.ok().map(|s| s.chosen), "seed {seed}");
    });
}

#[test]
fn solutions_are_closed_and_free_of_conflicts_and_each_package_has_its_chain() {
    each(|seed, universe, requests| {
        let Ok(solution) = solve(universe, requests, &Limits::default()) else { return };
        let candidates: Vec<Candidate<'_>> = solution.chosen.iter().map(|chosen| chosen.candidate).collect();
        assert_closed(&candidates, true, seed);
        for atom in requests.iter().filter_map(Request::atom) {
            assert_ne!(satisfied(&candidates, &atom), atom.is_conflict(), "seed {seed} {atom}");
        }
        for chosen in &solution.chosen {
            let name = chosen.candidate.record.name();
            assert_eq!(chosen.why.last().map(String::as_str), Some(name), "seed {seed}");
            assert!(
                requests.iter().any(|request| request.as_str() == chosen.why[0]),
                "seed {seed} {chosen:?}"
            );
        }
    });
}

#[test]
fn errors_name_a_chain_that_begins_at_a_request() {
    each(|seed, universe, requests| {
        let Err(apkvet::plan::PlanError::Unsolved(errors)) = solve(universe, requests, &Limits::default())
        else {
            return;
        };
        assert!(!errors.problems().is_empty(), "seed {seed}");
        for problem in errors.problems() {
            assert!(!problem.chain().is_empty(), "seed {seed} {problem:?}");
        }
    });
}

#[test]
fn closures_are_closed_and_hold_every_solution() {
    each(|seed, universe, requests| {
        let limits = Limits::default();
        let solution = solve(universe, requests, &limits);
        let closure = match providers(universe, requests, &limits) {
            Ok(closure) => closure,
            Err(error) => {
                assert!(solution.is_err(), "seed {seed}: {error}");
                return;
            }
        };
        let candidates: Vec<Candidate<'_>> = closure.chosen.iter().map(|chosen| chosen.candidate).collect();
        assert_closed(&candidates, false, seed);
        for chosen in solution.map(|solution| solution.chosen).unwrap_or_default() {
            assert!(candidates.contains(&chosen.candidate), "seed {seed} {:?}", chosen.why);
        }
    });
}

#[test]
fn what_is_solved_solves_alike_from_itself_alone() {
    let mut proven = 0;
    let count = std::cell::RefCell::new(&mut proven);
    each(|seed, universe, requests| {
        let limits = Limits::default();
        let Ok(solution) = solve(universe, requests, &limits) else { return };
        let subset =
            universe.subset(solution.chosen.iter().map(|chosen| &chosen.candidate), &limits).unwrap();
        let world = World::from(requests.to_vec());
        if prove(universe, &subset, &[world], &limits).is_ok() {
            **count.borrow_mut() += 1;
        } else {
            eprintln!("seed {seed}: another choice from the subset");
        }
    });
    assert!(proven > 400, "{proven}");
}
