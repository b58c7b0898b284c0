use apkvet::limits::Limits;
use apkvet::plan::{
    Closure, Difference, PlanError, Problem, Request, Unproven, World, prove, providers, solve, solved,
};

use crate::harness::{index, labels, requests, tagged, universe};

fn closure(entries: &[&str], words: &str) -> Result<Vec<String>, PlanError> {
    let index = index(entries);
    providers(&universe([&index]), &requests(words), &Limits::default()).map(|closure| held(&closure))
}

fn held(closure: &Closure<'_>) -> Vec<String> {
    labels(closure.chosen.iter().map(|chosen| &chosen.candidate))
}

fn problem(error: PlanError) -> Problem {
    let PlanError::Unsolved(errors) = error else { panic!("{error}") };
    assert_eq!(errors.problems().len(), 1, "{errors}");
    errors.problems()[0].clone()
}

fn chain(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

fn world(words: &str) -> World {
    World::from(requests(words))
}

#[test]
fn holds_every_provider_of_every_dependency() {
    let entries = ["a 1|D:x", "p 1|p:x=1|D:lib", "q 1|p:x", "lib 1", "lib 2", "other 1"];
    assert_eq!(closure(&entries, "a").unwrap(), ["a-1", "lib-1", "lib-2", "p-1", "q-1"]);
    assert_eq!(closure(&entries, "lib>1 !q").unwrap(), ["lib-2"]);
}

#[test]
fn triggers_are_added_until_none_is_left() {
    let entries =
        ["a 1", "docs 1", "a-doc 1|i:a docs|D:man", "man 1", "man-doc 1|i:man docs", "b-doc 1|i:b docs"];
    assert_eq!(closure(&entries, "a").unwrap(), ["a-1"]);
    assert_eq!(closure(&entries, "a docs").unwrap(), ["a-1", "a-doc-1", "docs-1", "man-1", "man-doc-1"]);
    assert_eq!(closure(&["a 1", "c 1|i:a !b", "b 1"], "a").unwrap(), ["a-1", "c-1"]);
}

#[test]
fn chain_of_names_leads_from_the_request_to_each_package() {
    let index =
        index(&["nginx 1.22|D:so:pcre docs", "pcre 8|p:so:pcre=1", "docs 1", "pcre-doc 1|i:pcre docs"]);
    let universe = universe([&index]);
    let closure = providers(&universe, &requests("nginx~1.22 so:pcre ngin*"), &Limits::default()).unwrap();
    let why: Vec<String> = closure.chosen.iter().map(|chosen| chosen.why.join(" ")).collect();
    assert_eq!(why, ["nginx~1.22 nginx", "so:pcre pcre", "nginx~1.22 nginx docs", "so:pcre pcre pcre-doc"]);
    let solution = solve(&universe, &requests("nginx"), &Limits::default()).unwrap();
    let why: Vec<String> = solution.chosen.iter().map(|chosen| chosen.why.join(" ")).collect();
    assert_eq!(why, ["nginx", "nginx pcre", "nginx docs", "nginx pcre pcre-doc"]);
}

#[test]
fn traps_are_left_out_and_named() {
    let index = index(&["a 1|D:x", "p 1|p:x=2|D:q", "q 1|D:nope", "r 1|p:x=1", "t 1|i:a|D:gone>1", "gone 1"]);
    let closure = providers(&universe([&index]), &requests("a"), &Limits::default()).unwrap();
    assert_eq!(held(&closure), ["a-1", "r-1"]);
    let left_out: Vec<String> = closure.left_out.iter().map(|left_out| left_out.why.join(" ")).collect();
    assert_eq!(left_out, ["p q nope", "t gone>1"]);
}

#[test]
fn cycles_hold_each_other_and_fall_together() {
    assert_eq!(closure(&["a 1|D:b", "b 1|D:a"], "a").unwrap(), ["a-1", "b-1"]);
    let error = closure(&["a 1|D:b", "b 1|D:a nope"], "a").unwrap_err();
    assert_eq!(problem(error), Problem::MissingDependency { chain: chain("a b nope") });
}

#[test]
fn what_cannot_be_resolved_is_named_with_its_chain() {
    let entries = ["a 1|D:b", "b 1|D:c>1", "c 1", "w 1|A:aarch64", "u 1|D:w", "n 1|D:nothing"];
    for (words, expected) in [
        ("zzz", Problem::NoSuchPackage { chain: chain("zzz") }),
        ("a", Problem::VersionUnsatisfied { chain: chain("a b c>1"), found: chain("c-1") }),
        ("c=3", Problem::VersionUnsatisfied { chain: chain("c=3"), found: chain("c-1") }),
        ("n", Problem::MissingDependency { chain: chain("n nothing") }),
        ("u", Problem::Uninstallable { chain: chain("u w w-1") }),
    ] {
        assert_eq!(problem(closure(&entries, words).unwrap_err()), expected);
    }
    let pattern = PlanError::NoMatch { pattern: "zz*".into() };
    assert_eq!(closure(&entries, "zz*"), Err(pattern));
    let error = closure(&entries, "a").unwrap_err();
    assert_eq!(error.to_string(), "a -> b -> c>1: satisfied by none of c-1");
}

#[test]
fn pattern_takes_what_is_whole_and_fails_if_nothing_is() {
    let entries = ["py3-a 1", "py3-b 1|D:nope", "perl 1"];
    assert_eq!(closure(&entries, "py3-*").unwrap(), ["py3-a-1"]);
    assert_eq!(closure(&entries, "*").unwrap(), ["perl-1", "py3-a-1"]);
    let error = closure(&entries, "py3-b*").unwrap_err();
    assert_eq!(problem(error), Problem::MissingDependency { chain: chain("py3-b* py3-b nope") });
}

#[test]
fn tagged_repositories_are_held_only_where_a_request_names_the_tag() {
    let (untagged, edge) = (index(&["a 1|D:lib", "lib 1"]), index(&["a 2|D:lib", "lib 2"]));
    let universe = tagged([(&untagged, None), (&edge, Some("t"))]);
    let closure = |words: &str| providers(&universe, &requests(words), &Limits::default());
    assert_eq!(held(&closure("a").unwrap()), ["a-1", "lib-1"]);
    assert_eq!(held(&closure("a@t").unwrap()), ["a-1", "a-2", "lib-1", "lib-2"]);
    let masked = Problem::Masked { chain: chain("a>1"), tags: chain("@t") };
    assert_eq!(problem(closure("a>1").unwrap_err()), masked);
    assert_eq!(problem(closure("a@x").unwrap_err()), Problem::UnknownTag { chain: chain("a@x") });
}

#[test]
fn worlds_are_solved_alone_and_together() {
    let entries = ["nginx 1", "openrc 1", "nginx-openrc 1|i:nginx openrc", "x 1|D:!nginx"];
    let index = index(&entries);
    let universe = universe([&index]);
    let solved = |worlds: &[World]| solved(&universe, worlds, &Limits::default());
    let both = solved(&[world("nginx"), world("openrc")]).unwrap();
    assert_eq!(held(&both), ["nginx-1", "nginx-openrc-1", "openrc-1"]);
    assert_eq!(held(&solved(&[world("nginx"), world("x")]).unwrap()), ["nginx-1", "x-1"]);
    assert_eq!(held(&solved(&[world("*")]).unwrap()), ["nginx-1", "nginx-openrc-1", "openrc-1", "x-1"]);
    let error = solved(&[world("nginx x")]).unwrap_err();
    assert!(matches!(problem(error), Problem::Conflict { .. }));
}

#[test]
fn a_subset_is_proven_or_the_difference_is_named() {
    let all = ["a 1|D:sh", "ash 1|p:sh=1", "bash 1|p:sh=2", "docs 1", "a-doc 1|i:a docs", "bad 1|D:nope"];
    let index = index(&all);
    let full = universe([&index]);
    let prove = |keep: &[usize], words: &str| {
        let keep: Vec<_> = keep.iter().map(|place| full.candidates()[*place]).collect();
        let subset = full.subset(&keep, &Limits::default()).unwrap();
        prove(&full, &subset, &[world(words)], &Limits::default())
    };
    assert_eq!(prove(&[0, 2], "a"), Ok(()));
    assert_eq!(prove(&[0, 1, 2, 3, 4], "a docs"), Ok(()));
    assert_eq!(prove(&[0, 1, 2, 3, 4], "*"), Ok(()));
    let difference = |keep: &[usize], words: &str| match prove(keep, words) {
        Err(Unproven::Worlds(worlds)) => worlds[0].difference.clone(),
        other => panic!("{other:?}"),
    };
    let other = Difference::Other { expected: chain("bash-1"), found: chain("ash-1") };
    assert_eq!(difference(&[0, 1], "a"), other);
    let other = Difference::Other { expected: chain("a-doc-1"), found: Vec::new() };
    assert_eq!(difference(&[0, 2, 3], "a docs"), other);
    assert!(matches!(difference(&[0], "a"), Difference::Subset(_)));
    assert!(matches!(difference(&[5], "bad"), Difference::Full(_)));
}

#[test]
fn patterns_are_proven_for_each_package_that_upstream_can_install() {
    let index = index(&["py-a 1", "py-b 1|D:nope", "py-c 1"]);
    let full = universe([&index]);
    let subset = |keep: &[usize]| {
        let keep: Vec<_> = keep.iter().map(|place| full.candidates()[*place]).collect();
        full.subset(&keep, &Limits::default()).unwrap()
    };
    let worlds = [world("py-*")];
    assert_eq!(prove(&full, &subset(&[0, 2]), &worlds, &Limits::default()), Ok(()));
    let Err(Unproven::Worlds(unsolved)) = prove(&full, &subset(&[0]), &worlds, &Limits::default()) else {
        panic!("one is missing");
    };
    assert_eq!(unsolved.len(), 1);
    assert_eq!(unsolved[0].to_string(), "py-c: cannot be installed from the subset: py-c: no such package");
}

#[test]
fn the_same_package_in_two_repositories_is_one() {
    let (first, second) = (index(&["a 1", "b 1"]), index(&["a 1", "c 1"]));
    let universe = universe([&first, &second]);
    let places: Vec<(usize, &str)> =
        universe.candidates().iter().map(|candidate| (candidate.source, candidate.record.name())).collect();
    assert_eq!(places, [(0, "a"), (0, "b"), (1, "c")]);
    assert!(solve(&universe, &[Request::parse("a").unwrap()], &Limits::default()).is_ok());
}
