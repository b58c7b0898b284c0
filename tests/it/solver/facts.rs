use std::collections::BTreeSet;

use apkvet::limits::Limits;
use apkvet::plan::{PlanError, Universe, providers};
use serde_json::Value;

use crate::harness::{labels, real_index, real_universe, requests, shared, solved};

/// What was observed of `apk add`: identifiers, words, and the packages or the class of the error.
struct Fact {
    id: String,
    words: String,
    expected: Result<Vec<String>, String>,
}

fn facts() -> Option<Vec<Fact>> {
    let file = shared("corpus/solve-facts.json")?;
    let facts: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let fact = |case: &Value| {
        let add = &case["add"];
        let expected = match add["result"].as_str() {
            Some("ok") => Ok(texts(&add["packages"])),
            _ => Err(add["error_class"].as_str().unwrap().to_owned()),
        };
        let id = case["id"].as_str().unwrap().to_owned();
        Fact { id, words: texts(&case["request"]).join(" "), expected }
    };
    Some(facts["cases"].as_array().unwrap().iter().map(fact).collect())
}

fn add(universe: &Universe<'_>, words: &str) -> Result<Vec<String>, String> {
    solved(universe, words).map_err(|error| match error {
        PlanError::Unsolved(errors) => {
            eprintln!("{words}: {errors}");
            let codes: BTreeSet<&str> = errors.problems().iter().map(|problem| problem.code()).collect();
            codes.into_iter().collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    })
}

#[test]
fn chooses_what_apk_chooses_on_the_real_index() {
    let (Some(facts), Some(index)) = (facts(), real_index()) else { return };
    let universe = real_universe(&index);
    assert_eq!(facts.len(), 8);
    for fact in facts {
        assert_eq!(add(&universe, &fact.words), fact.expected, "{} {}", fact.id, fact.words);
        let reversed: Vec<&str> = fact.words.rsplit(' ').collect();
        assert_eq!(add(&universe, &reversed.join(" ")), fact.expected, "{} reversed", fact.id);
    }
}

#[test]
fn closure_of_all_providers_contains_what_apk_chooses() {
    let (Some(facts), Some(index)) = (facts(), real_index()) else { return };
    let universe = real_universe(&index);
    let mut sets = 0;
    for fact in facts {
        let Ok(expected) = fact.expected else { continue };
        let closure = providers(&universe, &requests(&fact.words), &Limits::default()).unwrap();
        let held = labels(closure.chosen.iter().map(|chosen| &chosen.candidate));
        let missing: Vec<&String> = expected.iter().filter(|label| !held.contains(label)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", fact.id);
        sets += 1;
    }
    assert_eq!(sets, 5);
}
