//! What was observed of `apk`, row by row.

use apkvet::plan::PlanError;

use crate::harness::{index, solved, tagged, universe};

/// Asserts what is chosen for words: packages, or the codes of the problems after `!`.
fn gives(entries: &[&str], words: &str, expected: &str) {
    let index = index(entries);
    assert_eq!(outcome(solved(&universe([&index]), words)), expected, "{entries:?} {words}");
}

fn outcome(solved: Result<Vec<String>, PlanError>) -> String {
    match solved {
        Ok(labels) => labels.join(" "),
        Err(PlanError::Unsolved(errors)) => {
            let codes: Vec<&str> = errors.problems().iter().map(|problem| problem.code()).collect();
            format!("!{}", codes.join(" "))
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn operators_accept_what_they_accept_of_apk() {
    let accepted = |atom: &str, versions: &str| {
        for version in versions.split(' ') {
            gives(&[&format!("a {version}")], atom, &format!("a-{version}"));
        }
    };
    let refused = |atom: &str, versions: &str| {
        for version in versions.split(' ') {
            gives(&[&format!("a {version}")], atom, "!version-unsatisfied");
        }
    };
    accepted("a~1.6", "1.6 1.6.0 1.6.5-r2 1.6_pre1 1.6_p1 1.6a 1.6~abc 1.6-r3 01.6");
    refused("a~1.6", "1.60 1.16 1.06");
    refused("a~1.6-r3", "1.6-r31");
    refused("a~1.6_rc1", "1.6_rc12");
    refused("a~1.6~abc", "1.6~abcdef");
    refused("a~1.0", "1");
    refused("a~1.00", "1.0");
    accepted("a>~1.6", "1.6_rc1 1.7");
    refused("a>=1.6", "1.6_rc1");
    accepted("a<~1.6", "1.6.1 1.5");
    refused("a=1.22.1", "1.22.1-r0");
    refused("a<=1.22.1", "1.22.1-r0");
    accepted("a>1.22.1", "1.22.1-r0");
    accepted("a~1.22.1", "1.22.1-r0");
    accepted("a<>=9", "1 99");
    for spelling in ["a=<2", "a==2", "a=>2", "a~=2", "a=~2", "a~~2"] {
        accepted(spelling, "2");
    }
}

#[test]
fn identity_is_compared_with_that_of_the_package() {
    let index = index(&["a 1", "a 2"]);
    let identity = index.records().next().unwrap().identity();
    assert_eq!(outcome(solved(&universe([&index]), &format!("a><{identity}"))), "a-1");
}

#[test]
fn conflicts_forbid_what_they_name_and_nothing_else() {
    gives(&["a 2", "a 3"], "a !a=3", "a-2");
    gives(&["a 2", "a 3", "b 1|D:!a=3 a"], "b", "a-2 b-1");
    gives(&["a 1"], "!a", "");
    gives(&["b 1|p:a", "c 1|D:b"], "c !a", "!conflict");
}

#[test]
fn versioned_provide_is_ownership() {
    gives(&["p 1|p:x=1"], "x", "p-1");
    gives(&["p 1|p:x=1", "q 1|p:x=2"], "p q", "!conflict");
    gives(&["p 1|p:x=1", "q 1|p:x"], "p q", "!conflict");
    gives(&["x 1", "q 1|p:x=2"], "x=1 q", "!version-unsatisfied");
}

#[test]
fn virtual_provides_stand_side_by_side_and_must_be_selected() {
    gives(&["p 1|p:x", "q 1|p:x"], "p q", "p-1 q-1");
    gives(&["p 1|p:x"], "x", "!virtual-unselected");
    gives(&["p 1|p:x|k:1"], "x", "p-1");
    gives(&["p 1|p:x"], "x p", "p-1");
    gives(&["p 1|p:x", "d 1|D:x", "e 1|D:p"], "d e", "d-1 e-1 p-1");
    gives(&["x 1", "b 1|p:x"], "x b", "b-1");
    gives(&["x 1", "b 1|p:x"], "x=1 b", "!version-unsatisfied");
}

#[test]
fn providing_oneself_or_a_name_twice_with_a_version_cannot_be_installed() {
    gives(&["a 1|p:a=1"], "a", "!conflict");
    gives(&["a 1|p:x=1 x"], "a", "!conflict");
    gives(&["a 1|p:x x"], "a", "a-1");
}

#[test]
fn missing_version_lies_below_every_version() {
    let provider = ["p 1|p:foo|k:1"];
    for atom in ["foo>=1", "foo=1", "foo~1", "foo>0"] {
        gives(&provider, atom, "!version-unsatisfied");
    }
    for atom in ["foo<2", "foo<=2", "foo<~2"] {
        gives(&provider, atom, "p-1");
    }
    for atom in ["!foo>1", "!foo=1"] {
        gives(&provider, &format!("p {atom}"), "p-1");
    }
    for atom in ["!foo", "!foo<2"] {
        gives(&provider, &format!("p {atom}"), "!conflict");
    }
}

#[test]
fn provided_version_comes_before_priority() {
    gives(&["p 1|p:x=2", "q 1|p:x=1|k:900"], "x", "p-1");
    gives(&["p 1|p:x=2", "q 1|p:x|k:900"], "x", "p-1");
    gives(&["p 1|p:x|k:1", "q 1|p:x|k:2"], "x", "q-1");
    gives(&["p 1|p:x|k:2", "q 1|p:x|k:2"], "x", "p-1");
}

#[test]
fn a_package_does_not_conflict_with_itself() {
    gives(&["a 1|D:!foo|p:foo"], "a", "a-1");
    gives(&["a 1|D:!foo|p:foo", "b 1|D:!foo|p:foo"], "a b", "!conflict");
}

#[test]
fn install_if_triggers_when_all_of_it_holds() {
    gives(&["a 1", "b 1", "c 1|i:a b"], "a", "a-1");
    gives(&["a 1", "b 1", "c 1|i:a b"], "a b", "a-1 b-1 c-1");
    gives(&["a 1", "c 1|i:a"], "a", "a-1 c-1");
    gives(&["a 1|p:x=3", "c 1|i:x=3"], "a", "a-1 c-1");
    gives(&["a 1", "b 1", "c 1|i:a !b"], "a", "a-1 c-1");
    gives(&["a 1", "b 1", "c 1|i:a !b"], "a b", "a-1 b-1");
    gives(&["a 1", "c 1|i:a !nothing"], "a", "a-1 c-1");
}

#[test]
fn install_if_chains_and_pulls_its_own_dependencies() {
    gives(&["a 1", "b 1|i:a", "c 1|i:b|D:d", "d 1"], "a", "a-1 b-1 c-1 d-1");
}

#[test]
fn install_if_of_an_older_version_counts() {
    gives(&["a 1", "c 1|i:a=1", "c 2|i:a=2"], "a", "a-1 c-1");
}

#[test]
fn conflicts_with_what_is_triggered_are_quiet_only_between_the_two() {
    gives(&["a 1", "c 1|i:a"], "a !c", "a-1");
    gives(&["a 1|D:!c", "c 1|i:a"], "a", "a-1");
}

#[test]
fn broken_atoms_make_a_package_uninstallable_only_in_depends() {
    gives(&["a 1|D:b=1_", "b 1"], "a", "!uninstallable");
    gives(&["a 1|p:x=1_"], "x", "a-1");
    gives(&["a 1", "c 1|i:a b=1_", "b 1"], "a b", "a-1 b-1");
    gives(&["a 2|D:b=1_", "a 1", "b 1"], "a", "a-1");
}

#[test]
fn other_architectures_are_passed_over() {
    gives(&["a 2|A:aarch64", "a 1"], "a", "a-1");
    gives(&["a 2|A:aarch64"], "a", "!uninstallable");
    gives(&["a 2|A:noarch"], "a", "a-2");
}

#[test]
fn nothing_is_taken_back() {
    gives(&["a 2|D:nope", "a 1"], "a", "!missing-dependency");
    gives(&["a 2|D:c>5", "a 1", "c 1"], "a", "!version-unsatisfied");
    gives(&["p 1|D:nope|p:x=2", "q 1|p:x=1"], "x", "!missing-dependency");
    gives(&["p 1|p:x|k:9|D:nope", "q 1|p:x|k:1"], "x", "!missing-dependency");
    gives(&["a 2|D:!b", "a 1", "b 1"], "a b", "!conflict");
}

#[test]
fn what_changes_is_looked_at_again() {
    let pairs = ["a 2|D:b=1", "a 1|D:b=2", "b 1", "b 2"];
    gives(&pairs, "a", "a-2 b-1");
    gives(&pairs, "a b=2", "a-1 b-2");
    gives(&["a 2|D:c=1", "a 1|D:c=2", "b 1|D:c=2", "c 1", "c 2"], "a b", "a-1 b-1 c-2");
    gives(&["p 1|D:!b|p:x=2", "q 1|p:x=1", "d 1|D:x", "b 1"], "d b", "b-1 d-1 q-1");
}

#[test]
fn highest_version_wins_over_the_order_of_repositories() {
    let (first, second) = (index(&["a 1", "b 1|o:first"]), index(&["a 2", "b 1|o:second"]));
    let universe = universe([&first, &second]);
    assert_eq!(outcome(solved(&universe, "a b")), "a-2 b-1");
    let solution =
        apkvet::plan::solve(&universe, &crate::harness::requests("b"), &apkvet::limits::Limits::default());
    assert_eq!(solution.unwrap().chosen[0].candidate.source, 0);
}

#[test]
fn tagged_repositories_serve_only_what_names_the_tag() {
    let (untagged, edge) = (index(&["a 1"]), index(&["a 2"]));
    let universe = tagged([(&untagged, None), (&edge, Some("t"))]);
    for (words, expected) in
        [("a", "a-1"), ("a@t", "a-2"), ("a>1", "!masked"), ("a@t=1", "a-1"), ("a@x", "!unknown-tag")]
    {
        assert_eq!(outcome(solved(&universe, words)), expected, "{words}");
    }
}

#[test]
fn dependencies_of_a_pinned_package_prefer_what_is_untagged() {
    for (needs, expected) in [("lib", "a-2 lib-1"), ("lib>1", "a-2 lib-2")] {
        let (untagged, edge) = (index(&["lib 1"]), index(&[&format!("a 2|D:{needs}"), "lib 2"]));
        let universe = tagged([(&untagged, None), (&edge, Some("t"))]);
        assert_eq!(outcome(solved(&universe, "a@t")), expected);
    }
    let (untagged, edge) = (index(&["b 1|D:lib>1", "lib 1"]), index(&["lib 2"]));
    assert_eq!(outcome(solved(&tagged([(&untagged, None), (&edge, Some("t"))]), "b")), "!masked");
}

#[test]
fn packages_without_content_come_from_any_repository() {
    let (untagged, edge) = (index(&["a 1"]), index(&["a 2|I:0"]));
    let universe = tagged([(&untagged, None), (&edge, Some("t"))]);
    assert_eq!(outcome(solved(&universe, "a")), "a-1");
    let (untagged, edge) = (index(&["b 1|D:a"]), index(&["a 2|I:0"]));
    assert_eq!(outcome(solved(&tagged([(&untagged, None), (&edge, Some("t"))]), "b")), "a-2 b-1");
}

#[test]
fn names_without_provider_are_told_apart() {
    gives(&["a 1"], "nope", "!no-such-package");
    gives(&["a 1|D:nope"], "a", "!missing-dependency");
    gives(&["p 1|p:v", "q 2|p:v", "a 1|D:v"], "a", "!virtual-unselected");
}

#[test]
fn listed_without_its_dependency_a_triggered_package_breaks_the_request() {
    let complete = ["db 1|D:common", "common 1", "rc 1", "db-rc 1|i:db rc|D:common-rc", "common-rc 1"];
    gives(&complete, "db rc", "common-1 common-rc-1 db-1 db-rc-1 rc-1");
    gives(&complete[..3], "db rc", "common-1 db-1 rc-1");
}

#[test]
fn leaving_out_another_provider_changes_who_is_taken() {
    let shells = ["sh 1|p:/bin/sh|k:60", "ash 1|p:/bin/sh|k:100", "a 1|D:/bin/sh"];
    gives(&shells, "a", "a-1 ash-1");
    gives(&[shells[0], shells[2]], "a", "a-1 sh-1");
}

#[test]
fn what_a_conflict_names_need_not_be_there() {
    gives(&["a 1|D:!b", "b 1"], "a", "a-1");
    gives(&["a 1|D:!b"], "a", "a-1");
}
