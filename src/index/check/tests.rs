use super::*;
use crate::index::testing::{self, index};

fn check(
    text: &[u8],
    with: &[Index],
    folder: Option<&Architecture>,
    limits: &Limits,
) -> Result<Findings, LimitReached> {
    let mut findings = check_text(text, limits)?;
    findings.append(check_entries(
        &Index::read_leniently(text.to_vec()),
        &with.iter().collect::<Vec<_>>(),
        folder,
        limits,
    )?);
    findings.sort();
    Ok(findings)
}

/// Ids, entries and messages of everything found in an index of these entries.
fn found(entries: &[&str]) -> Vec<(&'static str, String)> {
    found_with(entries, &[])
}

fn found_with(entries: &[&str], with: &[Index]) -> Vec<(&'static str, String)> {
    let findings = check(index(entries).as_str().as_bytes(), with, None, &Limits::default()).unwrap();
    findings.listed().iter().map(|finding| (finding.rule.id, finding.entry.clone())).collect()
}

fn one(id: &'static str, entry: &str) -> Vec<(&'static str, String)> {
    vec![(id, entry.to_owned())]
}

#[test]
fn finds_nothing_where_everything_is_provided() {
    let entries = ["a 1|D:b>=1 so:x !nothing", "b 1|p:so:x=2 cmd:b=1", "a-doc 1|i:docs a=1|D:a", "docs 1"];
    assert_eq!(found(&entries), []);
}

#[test]
fn finds_names_that_nothing_provides_unless_another_index_does() {
    assert_eq!(found(&["a 1|D:b"]), one("dependency-missing", "a-1"));
    assert_eq!(found_with(&["a 1|D:b"], &[index(&["z 1", "b 1"])]), []);
}

#[test]
fn finds_versions_that_nothing_has_and_names_those_there_are() {
    let text = index(&["a 1|D:b>2", "b 1", "b 2", "c 3|p:b"]);
    let findings = check(text.as_str().as_bytes(), &[], None, &Limits::default()).unwrap();
    let found: Vec<_> = findings.listed().iter().map(|f| (f.rule.id, f.line, f.message.as_str())).collect();
    let message = "`D:` needs `b>2`, provided is 1, 2, no version";
    assert_eq!(found, [("dependency-version", Some(7), message)]);
}

#[test]
fn own_provides_satisfy_own_dependencies() {
    assert_eq!(found(&["a 1|D:v|p:v"]), []);
}

#[test]
fn finds_provides_that_apk_reads_otherwise() {
    assert_eq!(found(&["a 1|p:!v"]), one("provides-mark", "a-1"));
    assert_eq!(found(&["a 1|p:v>5"]), one("provides-operator", "a-1"));
}

#[test]
fn finds_packages_that_conflict_with_themselves() {
    assert_eq!(found(&["a 1|p:a"]), one("provides-itself", "a-1"));
    assert_eq!(found(&["a 1|p:v=1 v"]), one("provides-twice", "a-1"));
    assert_eq!(found(&["a 1|p:v v"]), []);
}

#[test]
fn finds_packages_that_break_the_requests_that_pull_them_in() {
    let found = found(&["a-doc 1|D:gone|i:docs a", "a 1"]);
    assert_eq!(
        found,
        [("dependency-missing", "a-doc-1".to_owned()), ("install-if-trap", "a-doc-1".to_owned())]
    );
}

#[test]
fn finds_packages_that_nothing_pulls_in_any_more() {
    assert_eq!(found(&["a-doc 1|i:docs a=1", "a 2"]), one("install-if-stale", "a-doc-1"));
    assert_eq!(found(&["a-doc 1|i:docs a=1"]), []);
    assert_eq!(found(&["a-doc 1|i:docs !a=1", "a 2"]), []);
}

#[test]
fn finds_packages_that_one_atom_pulls_in() {
    assert_eq!(found(&["a-doc 1|i:docs"]), one("install-if-single", "a-doc-1"));
    assert_eq!(found(&["a-part 1|i:a=1", "a 1"]), []);
}

#[test]
fn finds_file_names_that_are_too_long() {
    let name = "a".repeat(250);
    let label = format!("{name}-1");
    assert_eq!(found(&[&format!("{name} 1")]), one("file-name-long", &label));
    assert_eq!(found(&[&format!("{} 1", "a".repeat(249))]), []);
}

#[test]
fn finds_architectures_that_do_not_fit() {
    let text = index(&["a 1", "b 1", "c 1", "d 1"]).as_str().to_owned();
    let text = text.replacen("x86_64", "noarch", 1).replacen("x86_64", "aarch64", 1);
    let found = |folder: Option<&str>| {
        let folder = folder.map(|name| Architecture::parse(name.as_bytes()).unwrap());
        let findings = check(text.as_bytes(), &[], folder.as_ref(), &Limits::default()).unwrap();
        findings.listed().iter().map(|f| (f.rule.id, f.line.unwrap(), f.message.clone())).collect::<Vec<_>>()
    };
    let noarch = "1 entries say `A:noarch`: clients look for their files in the folder `noarch`".to_owned();
    let mixed = "the index has entries of 2 architectures: aarch64, x86_64".to_owned();
    let noarch = ("architecture-noarch", 4, noarch);
    let mixed = ("architecture-mixed", 11, mixed);
    assert_eq!(found(None), [noarch.clone(), mixed.clone()]);
    let other = ("architecture-folder", 11, "1 entries are for aarch64, the folder is x86_64".to_owned());
    assert_eq!(found(Some("x86_64")), [noarch, other, mixed]);
}

#[test]
fn text_with_faults_is_looked_at_as_far_as_it_can_be_read() {
    let text = index(&["a 1|D:b", "c 1|D:b"]).as_str().replace("P:c", "P:../c");
    let findings = check(text.as_bytes(), &[], None, &Limits::default()).unwrap();
    let ids: Vec<&str> = findings.listed().iter().map(|finding| finding.rule.id).collect();
    assert_eq!(ids, ["dependency-missing", "entry-name"]);
    assert_eq!(findings.worst(), Some(crate::index::rule::Severity::Error));
}

#[test]
fn work_is_bounded_by_atoms_and_not_by_their_product() {
    let mut entries: Vec<String> = (0..20).map(|n| format!("p{n} 1|p:v=1")).collect();
    entries.extend((0..20).map(|n| format!("d{n} 1|D:v>{n}")));
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let index = index(&entries);
    let limits = Limits { index_atoms: 60, ..Limits::default() };
    assert!(check(index.as_str().as_bytes(), &[], None, &limits).is_ok());
    let limits = Limits { index_atoms: 45, ..Limits::default() };
    let reached = Limits::reached("index-atoms", 45);
    assert_eq!(check(index.as_str().as_bytes(), &[], None, &limits), Err(reached));
}

#[test]
fn real_indexes_have_the_findings_that_the_documentation_lists() {
    for (folder, expected) in REAL {
        let Some(text) = testing::real(folder) else { return };
        let findings = check(&text, &[], None, &Limits::default()).unwrap();
        let mut counts = std::collections::BTreeMap::new();
        findings.listed().iter().for_each(|finding| *counts.entry(finding.rule.id).or_insert(0) += 1);
        let counts: Vec<(&str, u64)> = counts.into_iter().collect();
        assert_eq!(counts, *expected, "{folder} {:#?}", findings.listed());
    }
}

/// How often each rule finds something in main alone, without community beside it.
const REAL: &[(&str, &[(&str, u64)])] = &[
    (
        "alpine/v3.16/main/x86_64",
        &[
            ("atom-unusable", 3),
            ("atom-version-grammar", 5),
            ("dependency-missing", 1),
            ("entry-version-grammar", 6),
        ],
    ),
    (
        "alpine/v3.17/main/aarch64",
        &[("atom-version-grammar", 2), ("dependency-missing", 1), ("entry-version-grammar", 1)],
    ),
    ("abuild-2025/x86_64", &[("dependency-missing", 180)]),
];
