//! One name for several keys, and one key under several names.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Entry};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::report::list;
use crate::audit::settings::Search;
use crate::audit::signed::Signer;
use crate::audit::uses::Made;
use crate::keys::Fingerprint;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    match audit.settings.search {
        Search::FirstWins => shadows(audit, findings),
        Search::Separate => collisions(audit, findings),
    }
    claims(audit, findings);
    duplicates(audit, findings);
}

fn by_name<'a>(audit: &'a Audit<'_>) -> BTreeMap<String, Vec<&'a Entry<'a>>> {
    let mut names: BTreeMap<String, Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in &audit.entries {
        names.entry(entry.name().into_owned()).or_default().push(entry);
    }
    names
}

fn shadows(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    for entries in by_name(audit).into_values() {
        let Some((first, rest)) = entries.split_first() else { continue };
        for later in rest {
            let same = first.fingerprint() == later.fingerprint() && first.fingerprint().is_some();
            let (severity, message) = if same {
                (Severity::Info, format!("the same key lies in {}, which comes first", first.shown()))
            } else {
                (Severity::Warn, format!("apk takes {}, which comes first, and not this key", first.shown()))
            };
            let finding = Finding::new(Id::NameShadow, severity, message, "keep one of the two files");
            findings.push(finding.with("first", first.shown()).about(later));
        }
    }
}

fn collisions(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    for entries in by_name(audit).into_values() {
        let keys: BTreeSet<Fingerprint> = entries.iter().filter_map(|entry| entry.fingerprint()).collect();
        let files: Vec<String> = entries.iter().map(|entry| entry.shown()).collect();
        if let (Some(first), 2..) = (entries.first(), keys.len()) {
            findings.push(collision(keys.len(), &files).about(first));
        }
    }
}

fn collision(keys: usize, places: &[String]) -> Finding {
    let message = format!("{keys} different keys want this name: {}", places.join(", "));
    let remedy =
        "they cannot be installed together: find out which one the packages need, and leave the others out";
    Finding::new(Id::IdCollision, Severity::Warn, message, remedy).with("places", list(places.to_vec()))
}

/// Names for which the pin file, or signatures that hold, mean several keys.
fn claims(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let mut claims: BTreeMap<String, BTreeMap<Fingerprint, String>> = BTreeMap::new();
    for pin in audit.settings.pins.into_iter().flat_map(|pins| pins.pins()) {
        let place = format!("line {} of the pin file", pin.line());
        claims.entry(pin.name().to_string()).or_default().insert(pin.fingerprint(), place);
    }
    for (object, outcomes) in audit.objects.iter().zip(&audit.uses.outcomes) {
        for outcome in outcomes {
            let (Made::AsAsked(at) | Made::ByAnother(at), Signer::Name(name)) =
                (outcome.made, &outcome.signer)
            else {
                continue;
            };
            if let Some(key) = audit.entries.get(at).and_then(Entry::fingerprint) {
                claims.entry(name.clone()).or_default().entry(key).or_insert_with(|| object.object.clone());
            }
        }
    }
    for (name, keys) in claims.into_iter().filter(|(_, keys)| keys.len() > 1) {
        let places: Vec<String> = keys.values().cloned().collect();
        findings.push(collision(keys.len(), &places).at(name));
    }
}

fn duplicates(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let mut keys: BTreeMap<Fingerprint, Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in &audit.entries {
        if let Some(fingerprint) = entry.fingerprint() {
            keys.entry(fingerprint).or_default().push(entry);
        }
    }
    for (fingerprint, entries) in keys {
        let names: BTreeSet<_> = entries.iter().map(|entry| entry.name()).collect();
        // Under one name in both default directories: said as a shadow.
        let shadow = audit.settings.search == Search::FirstWins && names.len() == 1;
        let [first, _, ..] = entries.as_slice() else { continue };
        if shadow {
            continue;
        }
        let severity = if pinned_apart(audit, fingerprint) { Severity::Warn } else { Severity::Info };
        let files: Vec<String> = entries.iter().map(|entry| entry.shown()).collect();
        let message = format!("the same key lies in {} files: {}", files.len(), files.join(", "));
        let remedy = "to end the trust in it, remove all of them";
        findings.push(
            Finding::new(Id::IdDuplicate, severity, message, remedy).with("files", list(files)).about(first),
        );
    }
}

/// Whether the pin file gives the key several names: each line narrows it differently.
fn pinned_apart(audit: &Audit<'_>, fingerprint: Fingerprint) -> bool {
    let pins = audit.settings.pins.into_iter().flat_map(|pins| pins.pins());
    let names: BTreeSet<_> =
        pins.filter(|pin| pin.fingerprint() == fingerprint).map(|pin| pin.name().as_str()).collect();
    names.len() > 1
}
