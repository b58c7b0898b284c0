//! Signatures of what was given, held against the keys of the store.

use std::collections::BTreeMap;

use super::{Audit, count};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::report::list;
use crate::audit::signed::{SignedObject, Signer};
use crate::audit::uses::{Made, Outcome};

/// How many objects a finding names.
const NAMED: usize = 5;

/// What is wrong with the signatures of an object; equal ones of one source are told together.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Trouble {
    Missing(Vec<Signer>),
    Rename(Signer, usize),
    Bad(Signer),
    Partial(Vec<Signer>),
    Sha1,
}

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<(Trouble, &str), Vec<&SignedObject>> = BTreeMap::new();
    for (object, outcomes) in audit.objects.iter().zip(&audit.uses.outcomes) {
        for trouble in troubles(outcomes) {
            groups.entry((trouble, object.source.as_str())).or_default().push(object);
        }
    }
    for ((trouble, source), objects) in groups {
        let finding = finding(&trouble, &objects, audit);
        let place = match objects.as_slice() {
            [one] => one.object.clone(),
            _ => source.to_owned(),
        };
        let names = objects.iter().take(NAMED).map(|object| object.object.clone());
        findings.push(finding.at(place).with("objects", list(names)).with("count", objects.len()));
    }
}

fn troubles(outcomes: &[Outcome]) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let signers = |wanted: fn(Made) -> bool| -> Vec<Signer> {
        outcomes.iter().filter(|outcome| wanted(outcome.made)).map(|outcome| outcome.signer.clone()).collect()
    };
    let holds = outcomes.iter().any(|outcome| matches!(outcome.made, Made::AsAsked(_)));
    let checked = outcomes.iter().any(|outcome| !matches!(outcome.made, Made::NotChecked(_)));
    troubles.extend(signers(|made| made == Made::ByNone).into_iter().map(Trouble::Bad));
    let elsewhere = outcomes.iter().filter_map(|outcome| match outcome.made {
        Made::ByAnother(entry) => Some(Trouble::Rename(outcome.signer.clone(), entry)),
        _ => None,
    });
    if holds {
        let foreign = signers(|made| matches!(made, Made::Missing | Made::ByAnother(_)));
        troubles.extend(Some(foreign).filter(|foreign| !foreign.is_empty()).map(Trouble::Partial));
    } else {
        troubles.extend(elsewhere);
        if troubles.is_empty() && (checked || outcomes.is_empty()) {
            troubles.push(Trouble::Missing(signers(|made| made == Made::Missing)));
        }
    }
    if !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome.alg == "RSA") {
        troubles.push(Trouble::Sha1);
    }
    troubles
}

fn finding(trouble: &Trouble, objects: &[&SignedObject], audit: &Audit<'_>) -> Finding {
    let what = what(objects);
    let error = |id, message: String, remedy: String| Finding::new(id, Severity::Error, message, remedy);
    match trouble {
        Trouble::Missing(signers) if signers.is_empty() => error(
            Id::UseSignerMissing,
            format!("{what}: no signature at all"),
            "have it signed, or take it from a repository that signs".to_owned(),
        )
        .with("wanted", list([])),
        Trouble::Missing(signers) => {
            let message = format!("{what}: signed by {}, and no such key is here", names(signers));
            let remedy =
                "get the key from its owner, compare the fingerprint, and put it here under that name";
            error(Id::UseSignerMissing, message, remedy.to_owned()).with("wanted", wanted(signers))
        }
        Trouble::Rename(signer, entry) => rename(&what, signer, *entry, audit),
        Trouble::Bad(signer) => {
            let message = format!(
                "{what}: the key {signer} is here and did not make the signature, nor did any other key here"
            );
            let remedy = "get the right key of that name, or fetch the files again: their signed part may have been changed";
            error(Id::UseBadSignature, message, remedy.to_owned())
                .with("wanted", wanted(std::slice::from_ref(signer)))
        }
        Trouble::Partial(signers) => {
            let message = format!("{what}: also signed by {}, whose keys are not here", names(signers));
            let remedy = "nothing: one good signature is enough for apk";
            Finding::new(Id::UsePartial, Severity::Info, message, remedy).with("wanted", wanted(signers))
        }
        Trouble::Sha1 => {
            let message = format!("{what}: signed over SHA-1 only");
            let remedy = "nothing today: Alpine's own are; ask whoever signs for RSA256";
            Finding::new(Id::UseSha1, audit.changing(Severity::Info), message, remedy)
        }
    }
}

fn rename(what: &str, signer: &Signer, entry: usize, audit: &Audit<'_>) -> Finding {
    let Some(entry) = audit.entries.get(entry) else {
        // invariant: outcomes name entries of this audit.
        return Finding::new(Id::UseRename, Severity::Error, what, "");
    };
    let message = format!(
        "{what}: the signature asks for {signer}, and the key in {} made it; apk 2 finds keys by name and calls it untrusted",
        entry.shown()
    );
    let remedy = match signer {
        Signer::Name(name) => format!("mv {} {name}, in the directory where it lies", entry.shown_name()),
        Signer::KeyId(_) => String::new(),
    };
    let mut finding = Finding::new(Id::UseRename, Severity::Error, message, remedy)
        .with("wanted", wanted(std::slice::from_ref(signer)))
        .with("found", entry.shown());
    finding.fingerprint = entry.fingerprint();
    finding
}

/// `1 index and 2 packages`.
fn what(objects: &[&SignedObject]) -> String {
    let indexes = objects.iter().filter(|object| object.index).count();
    match (indexes, objects.len() - indexes) {
        (indexes, 0) => count(indexes, "index"),
        (0, packages) => count(packages, "package"),
        (indexes, packages) => format!("{} and {}", count(indexes, "index"), count(packages, "package")),
    }
}

fn names(signers: &[Signer]) -> String {
    signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn wanted(signers: &[Signer]) -> serde_json::Value {
    list(signers.iter().map(|signer| match signer {
        Signer::Name(name) | Signer::KeyId(name) => name.clone(),
    }))
}
