//! The repository under `fixtures/`: it is what its builder makes, and all of it holds.

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::apkvet;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a directory, by its path in it.
fn tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files
                .extend(tree(&path).into_iter().map(|(below, content)| (format!("{name}/{below}"), content)));
        } else {
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn the_repository_is_what_its_builder_makes() {
    let (found, made) = (tree(&root().join("fixtures/repository")), apkvet_fixtures::repository::files());
    assert_eq!(found.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (name, content) in &made {
        assert!(found[name] == *content, "{name} differs: run make-fixtures and look at what changed");
    }
    assert_eq!(made.len(), 2 + 2 * 13);
}

#[test]
fn the_whole_repository_is_verified() {
    let arguments = ["verify", "--json", "--keys-dir", "fixtures/repository/keys", "fixtures/repository"];
    for level in ["full", "identity"] {
        let ran = apkvet(root(), &[&arguments[..], &["--level", level]].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let lines = ran.json();
        let verified = lines.iter().filter(|line| line["verdict"] == "verified").count();
        assert_eq!((verified, lines.len()), (26, 27), "{ran:?}");
    }
}

#[test]
fn every_package_of_the_repository_matches_its_index() {
    for architecture in apkvet_fixtures::repository::ARCHITECTURES {
        let folder = format!("fixtures/repository/{architecture}");
        let index = format!("{folder}/APKINDEX.tar.gz");
        let arguments =
            ["verify", "--json", "--keys-dir", "fixtures/repository/keys", "--index", &index, &folder];
        let ran = apkvet(root(), &arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        let both = ran.json().iter().filter(|line| line["evidence"]["via"] == "signature+index").count();
        assert_eq!(both, 12, "{ran:?}");
    }
}

#[test]
fn the_repository_is_not_verified_without_its_keys() {
    let ran = apkvet(root(), &["verify", "--keys-dir", "fixtures/make", "fixtures/repository/x86_64"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!ran.out.contains("verified "), "{ran:?}");
}
