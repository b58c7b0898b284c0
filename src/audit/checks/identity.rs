//! Keys that are known, under names that are or are not theirs.

use super::{Audit, Entry};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::report::list;
use crate::audit::settings::Settings;
use crate::audit::signed::Signer;
use crate::audit::uses::Made;
use crate::keys::{KnownKey, KnownStatus};
use crate::types::escape_all;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, |entry| impostor(entry, audit.settings));
    audit.each(findings, |entry| other_file(entry, audit.settings));
    for (at, entry) in audit.entries.iter().enumerate() {
        let names = wanted(audit, at);
        let found = if names.is_empty() { misnamed(entry) } else { Some(renamed(names)) };
        findings.extend(found.map(|finding| finding.about(entry)));
    }
    audit.each(findings, retired);
}

/// Names of test keys are anybody's: `key.rsa.pub` is no name to defend.
fn defended(known: &KnownKey) -> bool {
    !matches!(known.status(), KnownStatus::PrivateKeyPublic | KnownStatus::SeenInTestData)
}

fn impostor(entry: &Entry<'_>, settings: &Settings<'_>) -> Option<Finding> {
    let (fingerprint, name) = (entry.fingerprint()?, entry.name());
    let owners: Vec<&KnownKey> = settings.known.by_name(&name).filter(|known| defended(known)).collect();
    let first = owners.first()?;
    if owners.iter().any(|known| known.fingerprint() == fingerprint) {
        return None;
    }
    let expected: Vec<String> = owners.iter().map(|known| known.fingerprint().to_string()).collect();
    let origin = escape_all(first.origin()).to_string();
    let message = format!("not the {origin} key of that name, which is {}", expected.join(" or "));
    let remedy = match first.origin() {
        "alpine" => "restore it from the alpine-keys package, and find out who put this one here".to_owned(),
        _ => format!("get the key from {origin} again, and find out who put this one here"),
    };
    Some(Finding::new(Id::IdImpostor, Severity::Error, message, remedy).with("expected", list(expected)))
}

/// A name whose key is not known, but whose file is.
fn other_file(entry: &Entry<'_>, settings: &Settings<'_>) -> Option<Finding> {
    let (name, sha256) = (entry.name(), entry.file.sha256()?);
    let known = settings.known.name_only().iter().find(|known| known.name().as_str() == name)?;
    if known.file_sha256() == sha256 {
        return None;
    }
    let message =
        format!("not the file that is known under that name, whose SHA-256 is {}", known.file_sha256());
    let remedy = "compare it with the file that its owner publishes: the key may be the same in another form";
    let expected = list([known.file_sha256().to_string()]);
    Some(Finding::new(Id::IdImpostor, Severity::Warn, message, remedy).with("expected_file", expected))
}

/// The names under which signatures by this key ask for it, if its file has none of them.
fn wanted(audit: &Audit<'_>, at: usize) -> Vec<String> {
    let outcomes = audit.uses.outcomes.iter().flatten();
    let mut names = Vec::new();
    for outcome in outcomes.filter(|outcome| outcome.made == Made::ByAnother(at)) {
        if let Signer::Name(name) = &outcome.signer
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

fn renamed(names: Vec<String>) -> Finding {
    let shown = names.join("`, `");
    let message = format!("signatures by this key ask for `{shown}`");
    let remedy = format!("rename the file to {}", names.first().map_or("", String::as_str));
    Finding::new(Id::IdOthername, Severity::Warn, message, remedy).with("names", list(names))
}

fn misnamed(entry: &Entry<'_>) -> Option<Finding> {
    let known = entry.known.filter(|known| defended(known))?;
    let name = entry.name();
    if known.names().iter().any(|known| known.as_str() == name) {
        return None;
    }
    let names: Vec<String> = known.names().iter().map(ToString::to_string).collect();
    let message = format!(
        "a key of {}, whose signatures ask for `{}`",
        escape_all(known.origin()),
        names.join("` or `")
    );
    let remedy = format!("rename the file to {}", names.last().map_or("", String::as_str));
    Some(Finding::new(Id::IdOthername, Severity::Warn, message, remedy).with("names", list(names)))
}

fn retired(entry: &Entry<'_>) -> Option<Finding> {
    let known = entry.known?;
    let origin = escape_all(known.origin());
    let message = match known.status() {
        KnownStatus::Retired => match known.removed() {
            Some(when) => format!("{origin} has given this key up ({})", escape_all(when)),
            None => format!("{origin} has given this key up"),
        },
        KnownStatus::Foreign => format!("a key of {origin} that came into another repository by accident"),
        _ => return None,
    };
    let remedy = "remove it: nothing that is published today needs it";
    Some(Finding::new(Id::IdRetired, Severity::Warn, message, remedy).with("status", known.status().as_str()))
}
