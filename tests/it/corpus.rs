use apkvet::unverified::Level;
use apkvet::verify::Policy;

use crate::harness::{Judged, judge, keyring, shared};

/// Cases that get another class than the manifest says, each a row in `docs/formats/apk-v2.md`.
const DIFFERENT: &[(&str, &str)] = &[
    ("gz-ctl-body-flip", "malformed"),
    ("idx-appended-member", "malformed"),
    ("idx-appended-empty-member", "malformed"),
    ("sig-after-control", "malformed"),
    ("sig-type-nul", "malformed"),
];

struct Case {
    name: String,
    expected: &'static [&'static str],
    judged: Judged,
}

fn cases(level: Level) -> Option<Vec<Case>> {
    let root = shared("corpus/v2")?;
    let keyring = keyring(&root.join("keys"));
    let manifest = std::fs::read(root.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let case = |case: &serde_json::Value| {
        let name = case["name"].as_str().unwrap().to_owned();
        let bytes = std::fs::read(root.join(case["file"].as_str().unwrap())).unwrap();
        let different = DIFFERENT.iter().find(|(known, _)| *known == name);
        let expected = different.map_or(case["expect"].as_str().unwrap(), |(_, verdict)| verdict);
        Case { name, expected: classes(expected), judged: judge(&bytes, &keyring, &Policy::default(), level) }
    };
    Some(manifest["cases"].as_array().unwrap().iter().map(case).collect())
}

fn classes(expected: &str) -> &'static [&'static str] {
    match expected {
        "accept" => &["verified"],
        "untrusted" => &["untrusted", "unsigned"],
        "bad-signature" => &["bad-signature"],
        "integrity" => &["integrity"],
        "name" => &["unsafe"],
        "policy" => &["policy"],
        "format" | "malformed" => &["malformed"],
        other => panic!("the manifest has a new class: {other}"),
    }
}

#[test]
fn every_case_gets_its_class_in_full() {
    let Some(cases) = cases(Level::Full) else { return };
    assert_eq!(cases.len(), 270);
    let wrong: Vec<String> = cases
        .iter()
        .filter(|case| !case.expected.contains(&case.judged.verdict))
        .map(|case| format!("{}: expected {:?}, found {:?}", case.name, case.expected, case.judged))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Identity alone does not look into the data member; what it refuses, it refuses for the same reasons.
#[test]
fn identity_accepts_nothing_that_full_refuses_before_the_data() {
    let (Some(full), Some(identity)) = (cases(Level::Full), cases(Level::Identity)) else { return };
    for (full, identity) in full.iter().zip(&identity) {
        if full.judged.verdict == "verified" {
            assert_eq!(identity.judged.verdict, "verified", "{}", full.name);
        }
        let looks_into_data = full.name.starts_with("data-")
            || full.name.starts_with("gz-data-")
            || full.name.starts_with("trail-")
            || ["ctl-second-control", "ctl-twice-same", "ctl-straddle"].contains(&full.name.as_str());
        if !looks_into_data && full.judged.verdict != "verified" {
            assert_ne!(identity.judged.verdict, "verified", "{}", full.name);
        }
    }
}
