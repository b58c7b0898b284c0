//! Keys that nothing needs, and keys that only v3 files need.

use std::collections::{BTreeMap, BTreeSet};

use super::Audit;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::keys::Fingerprint;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    if audit.objects.is_empty() {
        return;
    }
    let algorithms = algorithms(audit);
    audit.each(findings, |entry| {
        entry.trusted()?;
        match algorithms.get(&entry.fingerprint()?) {
            None => Some(unused(audit)),
            Some(used) if used.iter().all(|algorithm| *algorithm == "ADB") => Some(v3_only()),
            Some(_) => None,
        }
    });
}

fn algorithms<'a>(audit: &'a Audit<'_>) -> BTreeMap<Fingerprint, BTreeSet<&'a str>> {
    let mut algorithms: BTreeMap<Fingerprint, BTreeSet<&str>> = BTreeMap::new();
    for (entry, uses) in audit.entries.iter().zip(&audit.uses.of) {
        let Some(fingerprint) = entry.fingerprint() else { continue };
        for used in uses.iter().filter(|used| used.ok != Some(false)) {
            algorithms.entry(fingerprint).or_default().insert(&used.alg);
        }
    }
    algorithms
}

fn unused(audit: &Audit<'_>) -> Finding {
    let message = "it signed none of the indexes and packages that were given";
    let remedy = "remove it, unless something that was not given here needs it";
    Finding::new(Id::UseUnused, audit.changing(Severity::Info), message, remedy)
}

fn v3_only() -> Finding {
    let message = "it signs v3 files (ADB) only, which find it by its identifier and not by its name";
    Finding::new(Id::UseV3Only, Severity::Info, message, "nothing: the file may have any name")
}
