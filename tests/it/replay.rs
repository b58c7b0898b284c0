use std::path::Path;

use proptest::test_runner::{Config, TestRunner};

#[path = "../../fuzz/checks/mod.rs"]
mod checks;

/// The seeds of a target and what fuzzing found worth keeping.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/replay").join(target);
    let mut inputs = checks::seeds(target);
    if let Ok(entries) = std::fs::read_dir(folder) {
        inputs.extend(entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()));
    }
    inputs
}

#[test]
fn what_the_fuzzers_kept_still_holds() {
    for (name, check) in checks::TARGETS {
        inputs(name).iter().for_each(|input| check(input));
    }
}

/// `.ci/fuzz` lets the fuzzers begin with these.
#[test]
fn seeds_are_written_where_that_is_asked_for() {
    let Some(corpus) = std::env::var_os("APKVET_SEEDS") else { return };
    for (name, _) in checks::TARGETS {
        let folder = Path::new(&corpus).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, input) in inputs(name).iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), input).unwrap();
        }
    }
}

#[test]
fn each_target_has_a_fuzzer() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in checks::TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let source = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("checks::{name}(input)")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), checks::TARGETS.len());
    let kept = std::fs::read_dir(fuzz.join("replay")).into_iter().flatten();
    for folder in kept.map(|folder| folder.unwrap().file_name()) {
        assert!(
            checks::TARGETS.iter().any(|(name, _)| *name == folder),
            "nothing replays {}",
            folder.display()
        );
    }
}

/// A change or two to an input: a fuzzer without coverage, which every test run can afford.
fn changed(input: &[u8], changes: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for (at, value, kind) in changes {
        let at = at % (bytes.len() + 1);
        match kind % 4 {
            0 if at < bytes.len() => bytes[at] ^= value,
            1 => bytes.insert(at, *value),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

#[test]
fn inputs_with_some_bytes_changed_hold_as_well() {
    use proptest::collection::vec;
    use proptest::prelude::any;
    for (name, check) in checks::TARGETS {
        let inputs = inputs(name);
        let mut runner =
            TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
        let changes = vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4);
        let result = runner.run(&(0..inputs.len(), changes), |(at, changes)| {
            check(&changed(&inputs[at], &changes));
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
