use std::path::Path;

use serde_json::Value;

use crate::harness::{Ran, apkvet};

/// What must come out on the real keys.
mod expected;
/// Odd directories, flags, exit codes, JSON.
mod odd;

/// The day on which the expected results were written.
const DAY: &str = "2026-11-24";

/// Audits as JSON; rights in a checkout are nobody's business.
fn audit(directory: &Path, arguments: &[&str]) -> (Value, Ran) {
    let ran =
        apkvet(directory, &[&["keys", "audit", "--json", "--no-perms", "--as-of", DAY], arguments].concat());
    let document = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (document, ran)
}

/// `severity id` of each finding, with how often.
fn counts(document: &Value) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for finding in document["findings"].as_array().unwrap() {
        let words = format!("{} {}", finding["severity"].as_str().unwrap(), finding["id"].as_str().unwrap());
        *counts.entry(words).or_insert(0) += 1;
    }
    counts.into_iter().map(|(words, count)| format!("{words} {count}")).collect()
}

/// The short ids of the Alpine keys that a finding is about.
fn about(document: &Value, id: &str) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap().iter().filter(|finding| finding["id"] == id);
    let short = |finding: &Value| {
        let file = finding["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        file.trim_start_matches("alpine-devel@lists.alpinelinux.org-").trim_end_matches(".rsa.pub").to_owned()
    };
    findings.map(short).collect()
}
