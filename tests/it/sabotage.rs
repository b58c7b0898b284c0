use std::collections::BTreeSet;
use std::path::Path;

use crate::promises::sources;

/// Every switch in the source.
fn switches(text: &str) -> BTreeSet<&str> {
    let calls = text.split("checked!(\"").skip(1);
    // The one in the words about it is none.
    calls
        .filter_map(|rest| rest.split_once('"'))
        .map(|(name, _)| name)
        .filter(|name| *name != "name")
        .collect()
}

#[test]
fn each_check_that_can_be_left_out_has_a_test_that_fails_without_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut source, mut tests) = (String::new(), String::new());
    sources(&root.join("src"), &mut source);
    sources(&root.join("tests"), &mut tests);
    let table = std::fs::read_to_string(root.join("tests/sabotage.tsv")).unwrap();
    let mut rows = BTreeSet::new();
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let [name, what, test] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {row}")
        };
        assert!(rows.insert(name), "{name} stands there twice");
        assert!(!what.is_empty(), "{name} says nothing of what it leaves out");
        let (room, rest) = test.split_once("::").unwrap();
        let function = rest.rsplit("::").next().unwrap();
        let text = if room == "it" { &tests } else { &source };
        assert!(["it", "lib"].contains(&room), "{test}");
        assert!(text.contains(&format!("fn {function}(")), "{name}: no test is called {test}");
    }
    let switches = switches(&source);
    assert!(switches.len() > 150, "{switches:?}");
    assert_eq!(rows, switches, "the rows of tests/sabotage.tsv, and the switches in src");
}
