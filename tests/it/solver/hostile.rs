//! Indexes that are made to cost time, memory or the stack.

use std::fmt::Write;

use apkvet::index::Index;
use apkvet::limits::Limits;
use apkvet::plan::{PlanError, Source, Universe, providers, solve};

use crate::harness::{index, requests, universe};

fn entries(count: usize, rest: impl Fn(usize) -> String) -> Index {
    let mut list = Vec::new();
    for number in 0..count {
        list.push(format!("p{number} 1{}", rest(number)));
    }
    index(&list)
}

fn reached(error: PlanError) -> &'static str {
    match error {
        PlanError::Limit(limit) => limit.name,
        other => panic!("{other}"),
    }
}

#[test]
fn chains_as_long_as_an_index_need_no_stack_and_stay_short_in_messages() {
    let count = 100_000;
    let index = entries(count, |number| format!("|D:p{}", (number + 1) % count));
    let universe = universe([&index]);
    let solution = solve(&universe, &requests("p0"), &Limits::default()).unwrap();
    assert_eq!(solution.chosen.len(), count);
    let longest = solution.chosen.iter().map(|chosen| chosen.why.len()).max().unwrap();
    assert_eq!(longest, 32);
    let last = &solution.chosen[count - 1].why;
    assert_eq!((last[0].as_str(), last[1].as_str(), last[31].as_str()), ("p0", "…", "p99999"));
    let closure = providers(&universe, &requests("p0"), &Limits::default()).unwrap();
    assert_eq!(closure.chosen.len(), count);
}

#[test]
fn chains_that_end_in_nothing_are_named_shortly() {
    let index = entries(50_000, |number| format!("|D:p{}", number + 1));
    let universe = universe([&index]);
    for error in [
        solve(&universe, &requests("p0"), &Limits::default()).unwrap_err(),
        providers(&universe, &requests("p0"), &Limits::default()).unwrap_err(),
    ] {
        let PlanError::Unsolved(errors) = error else { panic!("{error}") };
        assert!(errors.problems().len() <= 64);
        assert!(errors.problems().iter().all(|problem| problem.chain().len() <= 34), "{errors}");
    }
}

#[test]
fn a_million_dependencies_on_one_name_are_taken_in_steps() {
    let mut needs = String::from("|D:");
    (0..1000).for_each(|_| needs += "v ");
    let index = entries(1000, |_| format!("{}|p:v", needs.trim_end()));
    let universe = universe([&index]);
    let limits = Limits { solver_steps: 1_000_000, ..Limits::default() };
    assert_eq!(reached(solve(&universe, &requests("p0"), &limits).unwrap_err()), "solver-steps");
    assert_eq!(reached(providers(&universe, &requests("p0"), &limits).unwrap_err()), "solver-steps");
}

#[test]
fn names_times_dependencies_count_as_atoms() {
    let (mut needs, mut names) = (String::new(), String::new());
    for number in 0..2000 {
        let _ = write!(needs, "n{number} ");
        let _ = write!(names, "v{number} ");
    }
    let index = index(&[format!("a 1|D:{}|p:{}", needs.trim_end(), names.trim_end())]);
    let limits = Limits { index_atoms: 1_000_000, ..Limits::default() };
    let source = Source { repository: 0, index: &index, tag: None };
    let architecture = apkvet::types::Architecture::parse(b"x86_64").unwrap();
    assert_eq!(reached(Universe::new(&architecture, [source], &limits).unwrap_err()), "index-atoms");
    assert!(Universe::new(&architecture, [source], &Limits::default()).is_ok());
}

#[test]
fn entries_and_tags_are_counted() {
    let index = entries(3, |_| String::new());
    let architecture = apkvet::types::Architecture::parse(b"x86_64").unwrap();
    let source = Source { repository: 0, index: &index, tag: None };
    let limits = Limits { index_entries: 2, ..Limits::default() };
    assert_eq!(reached(Universe::new(&architecture, [source], &limits).unwrap_err()), "index-entries");
    let tags: Vec<String> = (0..16).map(|number| format!("t{number}")).collect();
    let tagged = |count: usize| {
        let sources = tags.iter().take(count).map(|tag| Source { tag: Some(tag), ..source });
        Universe::new(&architecture, sources, &Limits::default()).map(drop)
    };
    assert_eq!(tagged(15), Ok(()));
    assert_eq!(tagged(16), Err(PlanError::Tags { found: 16 }));
}
