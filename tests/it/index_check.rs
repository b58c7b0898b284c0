use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use apkvet_fixtures::{FakeKey, IndexBuilder, Label, PackageBuilder};
use serde_json::Value;

use crate::harness::{Ran, apkvet, shared};

/// A directory with the key of most fixtures under `keys`.
fn with_keys() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys");
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(keys.join(FakeKey::a().name()), FakeKey::a().public_pem()).unwrap();
    directory
}

/// Writes an index, the folders before it included.
fn index(directory: &Path, name: &str, text: &str) {
    let file = directory.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, IndexBuilder::default().text(text).build()).unwrap();
}

/// An entry of a number, a name, and further lines.
fn entry(number: u32, name: &str, more: &str) -> String {
    format!(
        "C:{}\nP:{name}\nV:1.0-r0\nA:x86_64\nS:1000\n{more}\n",
        apkvet_fixtures::index::identity(&number.to_be_bytes())
    )
}

fn check(directory: &Path, arguments: &[&str]) -> Ran {
    apkvet(directory, &[&["index", "check", "--keys-dir", "keys"], arguments].concat())
}

fn findings(ran: &Ran) -> Vec<Value> {
    ran.json().into_iter().filter(|line| line["type"] == "finding").collect()
}

fn ids(ran: &Ran) -> Vec<String> {
    findings(ran).iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

/// What the generated cases are refused for, where it is the text: the rest is refused by its form or signature.
const REFUSED_TEXTS: &[(&str, &str)] = &[
    ("idx-dup-same", "entry-duplicate-identity"),
    ("idx-dup-C", "entry-duplicate-identity"),
    ("idx-dup-name-ver", "entry-duplicate-version"),
    ("idx-no-C", "entry-missing-field"),
    ("idx-no-P", "entry-missing-field"),
    ("idx-no-V", "entry-missing-field"),
    ("idx-no-S", "entry-missing-field"),
    ("idx-C-short", "entry-identity"),
    ("idx-C-bad-b64", "entry-identity"),
    ("idx-C-nopad", "entry-identity"),
    ("idx-C-nonzero-tail-bits", "entry-identity"),
    ("idx-C-trailing", "entry-identity"),
    ("idx-C-Q2", "entry-identity-kind"),
    ("idx-C-Q3", "entry-identity"),
    ("idx-crlf", "text-crlf"),
    ("idx-nul", "text-control-character"),
    ("idx-ctrl", "text-control-character"),
    ("idx-no-colon", "text-no-colon"),
    ("idx-one-char-line", "text-short-line"),
    ("idx-unknown-upper", "entry-unknown-field"),
    ("idx-fdb-fields", "entry-installed-field"),
    ("idx-dup-field", "entry-repeated-field"),
    ("idx-S-junk", "entry-number"),
    ("idx-S-negative", "entry-number"),
    ("idx-S-overflow", "entry-number-range"),
    ("idx-V-bad", "entry-version"),
    ("idx-A-traversal", "entry-architecture"),
    ("idx-D-bad", "atom-broken"),
    ("idx-D-tag", "atom-tag"),
];

#[test]
fn every_generated_index_is_accepted_or_refused_as_the_manifest_says() {
    let Some(root) = shared("corpus/v2") else { return };
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(root.join("manifest.json")).unwrap()).unwrap();
    let mut expected = BTreeMap::new();
    for case in manifest["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if name.starts_with("idx-") {
            expected.insert(case["file"].as_str().unwrap().to_owned(), (name, case["expect"] == "accept"));
        }
    }
    assert!(expected.len() > 50, "{}", expected.len());
    let mut texts = 0;
    for (file, (name, accepted)) in &expected {
        let ran = check(&root, &["--json", file]);
        assert_eq!((ran.code, *name), (i32::from(!accepted), *name), "{ran:?}");
        let lines = ran.json();
        assert_eq!(lines[0]["verdict"] == "verified", *accepted, "{name}");
        if let Some((_, id)) = REFUSED_TEXTS.iter().find(|(known, _)| known == name) {
            let found = findings(&ran);
            let found = found
                .iter()
                .find(|finding| finding["id"] == *id)
                .unwrap_or_else(|| panic!("{name}: {found:?}"));
            assert!(found["line"].as_u64() > Some(0) && found["severity"] == "error", "{found}");
            texts += 1;
        } else if *accepted {
            assert!(findings(&ran).iter().all(|finding| finding["severity"] != "error"), "{name}");
        }
    }
    assert_eq!(texts, REFUSED_TEXTS.len());
}

/// Folder, key, entries, and how often each finding occurs.
type Real = (&'static str, &'static str, u64, &'static [(&'static str, usize)]);

/// `docs/findings.md` explains each.
#[test]
fn the_real_indexes_are_verified_and_have_the_findings_that_are_documented() {
    let Some(alpine) = shared("real/alpine") else { return };
    let cases: [Real; 2] = [
        (
            "v3.16/main/x86_64",
            "6165ee59",
            4929,
            &[
                ("atom-unusable", 3),
                ("atom-version-grammar", 5),
                ("dependency-missing", 1),
                ("entry-version-grammar", 6),
            ],
        ),
        (
            "v3.17/main/aarch64",
            "616ae350",
            5004,
            &[("atom-version-grammar", 2), ("dependency-missing", 1), ("entry-version-grammar", 1)],
        ),
    ];
    for (folder, key, entries, expected) in cases {
        let ran = check(&alpine, &["--json", folder]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let lines = ran.json();
        assert!(lines[0]["evidence"]["keys"][0]["name"].as_str().unwrap().contains(key), "{}", lines[0]);
        assert_eq!(lines[0]["index"]["entries"], entries);
        assert_eq!(lines.last().unwrap()["entries"], entries);
        let mut counts = BTreeMap::new();
        ids(&ran).into_iter().for_each(|id| *counts.entry(id).or_insert(0) += 1);
        let counts: Vec<(&str, usize)> = counts.iter().map(|(id, count)| (id.as_str(), *count)).collect();
        assert_eq!(counts, expected);
        assert_eq!(check(&alpine, &["-q", folder]).out, "");
        assert_eq!(check(&alpine, &["--fail-on", "warn", folder]).code, 1);
    }
}

#[test]
fn a_finding_points_at_line_and_entry_and_says_what_was_expected() {
    let directory = with_keys();
    index(directory.path(), "index", &(entry(1, "good", "") + &entry(2, "bad", "t:yesterday\n")));
    let ran = check(directory.path(), &["index"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("error  line 12: bad-1.0-r0: expected "), "{}", ran.out);
    assert!(ran.out.contains("found `yesterday` [entry-number]"), "{}", ran.out);
    assert!(ran.out.contains("fix: write the number in decimal digits"), "{}", ran.out);
    let finding = findings(&check(directory.path(), &["--json", "index"])).remove(0);
    assert_eq!((&finding["line"], &finding["entry"]), (&12.into(), &"bad-1.0-r0".into()));
    assert_eq!((&finding["file"], &finding["severity"]), (&"index".into(), &"error".into()));
}

#[test]
fn what_one_index_provides_satisfies_another_of_its_architecture() {
    let directory = with_keys();
    index(directory.path(), "main", &entry(1, "app", "D:lib so:x\n"));
    index(directory.path(), "community", &entry(2, "lib", "p:so:x=1\n"));
    let other = entry(3, "lib", "p:so:x=1\n").replace("A:x86_64", "A:aarch64");
    index(directory.path(), "elsewhere", &other);
    let missing = |arguments: &[&str]| ids(&check(directory.path(), &[arguments, &["--json"]].concat()));
    assert_eq!(missing(&["main"]), ["dependency-missing", "dependency-missing"]);
    assert_eq!(missing(&["main", "elsewhere"]), ["dependency-missing", "dependency-missing"]);
    assert_eq!(missing(&["main", "community"]), [""; 0]);
    assert_eq!(missing(&["main", "--with", "community"]), [""; 0]);
}

#[test]
fn a_signature_that_is_missing_fails_unless_it_is_to_be_ignored() {
    let directory = with_keys();
    let unsigned =
        apkvet_fixtures::gzip::member(&IndexBuilder::default().text(&entry(1, "a", "")).archive().bytes());
    std::fs::write(directory.path().join("index"), unsigned).unwrap();
    let ran = check(directory.path(), &["index"]);
    assert!(ran.code == 1 && ran.out.contains("[unsigned]"), "{ran:?}");
    assert_eq!(check(directory.path(), &["--ignore-signature", "index"]).code, 0);
    let broken = IndexBuilder::default().text("C:Q1\n\n").archive().bytes();
    std::fs::write(directory.path().join("index"), apkvet_fixtures::gzip::member(&broken)).unwrap();
    assert_eq!(check(directory.path(), &["--ignore-signature", "index"]).code, 1);
}

#[test]
fn an_index_in_the_folder_of_another_architecture_is_an_error() {
    let directory = with_keys();
    for (folder, expected) in [("aarch64", &["architecture-folder"][..]), ("x86_64", &[]), ("stable", &[])] {
        index(directory.path(), &format!("{folder}/APKINDEX.tar.gz"), &entry(1, "a", ""));
        assert_eq!(ids(&check(directory.path(), &["--json", folder])), expected, "{folder}");
    }
}

#[test]
fn an_index_that_would_cost_too_much_is_named_and_the_others_are_checked() {
    let directory = with_keys();
    index(directory.path(), "large", &entry(1, "a", "p:x y z\n"));
    index(directory.path(), "small", &entry(2, "b", "").replace("x86_64", "aarch64"));
    let ran = check(directory.path(), &["--limit", "index-atoms=2", "--json", "large", "small"]);
    assert!(
        ran.code == 1 && ran.err.contains("large is not checked: limit `index-atoms` reached"),
        "{ran:?}"
    );
    let summary = ran.json().pop().unwrap();
    assert_eq!((&summary["indexes"], &summary["exit"]), (&2.into(), &1.into()));
}

#[test]
fn files_that_are_no_indexes_and_empty_directories_have_their_exit_codes() {
    let directory = with_keys();
    std::fs::write(directory.path().join("package"), PackageBuilder::new("a", "1").build().bytes()).unwrap();
    assert_eq!(check(directory.path(), &["package"]).code, 1);
    assert_eq!(check(directory.path(), &["keys"]).code, 2);
    assert_eq!(check(directory.path(), &["nothing"]).code, 3);
}

/// A repository of three packages in one directory, its index beside them.
fn repository() -> (tempfile::TempDir, PathBuf) {
    let directory = with_keys();
    let packages = directory.path().join("x86_64");
    std::fs::create_dir(&packages).unwrap();
    let mut builder = IndexBuilder::default();
    for name in ["a", "b", "c"] {
        let package = PackageBuilder::new(name, "1.0-r0").build();
        builder = builder.package(name, "1.0-r0", &package, "");
        std::fs::write(packages.join(format!("{name}-1.0-r0.apk")), package.bytes()).unwrap();
    }
    std::fs::write(packages.join("APKINDEX.tar.gz"), builder.build()).unwrap();
    (directory, packages)
}

#[test]
fn packages_are_found_beside_the_index_and_in_folders_of_architectures() {
    let (directory, _packages) = repository();
    for packages in ["x86_64", "."] {
        let ran = check(directory.path(), &["--json", "x86_64", "--packages", packages]);
        assert_eq!((ran.code, ids(&ran)), (0, vec![]), "{ran:?}");
        assert_eq!(ran.json().last().unwrap()["packages"], 3);
    }
}

#[test]
fn packages_that_are_not_what_their_entries_say_are_told_one_by_one() {
    let (directory, packages) = repository();
    let rebuilt = PackageBuilder::new("a", "1.0-r0").field("builddate", "1700000001").build();
    std::fs::write(packages.join("a-1.0-r0.apk"), rebuilt.bytes()).unwrap();
    let signed_by_another = PackageBuilder::new("b", "1.0-r0").build_signed(&[(FakeKey::b(), Label::Rsa256)]);
    std::fs::write(packages.join("b-1.0-r0.apk"), signed_by_another.bytes()).unwrap();
    std::fs::rename(packages.join("c-1.0-r0.apk"), packages.join("d-1.0-r0.apk")).unwrap();
    let ran = check(directory.path(), &["--json", "x86_64", "--packages", "x86_64"]);
    assert_eq!(ran.code, 1);
    let found: Vec<(String, String)> = findings(&ran)
        .iter()
        .map(|finding| (finding["id"].to_string(), finding["entry"].as_str().unwrap_or("-").to_owned()))
        .filter(|(id, _)| id != "\"package-size\"")
        .collect();
    let expected = [
        ("\"package-identity\"", "a-1.0-r0"),
        ("\"package-not-verified\"", "b-1.0-r0"),
        ("\"package-missing\"", "c-1.0-r0"),
        ("\"package-unlisted\"", "-"),
    ];
    let expected = expected.map(|(id, entry)| (id.to_owned(), entry.to_owned()));
    assert_eq!(found, expected);
}
