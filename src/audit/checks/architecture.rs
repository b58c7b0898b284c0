//! Official keys that this machine does not need.

use super::{Audit, Entry};
use crate::audit::branch::Branch;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::report::list;
use crate::keys::KnownStatus;
use crate::types::escape_all;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, |entry| legacy(entry, audit));
    audit.each(findings, |entry| other(entry, audit));
}

/// Whether the key is one of another architecture than the machine's.
fn is_foreign(entry: &Entry<'_>, audit: &Audit<'_>) -> bool {
    let architectures = entry.known.map(|known| known.architectures()).unwrap_or_default();
    let wanted = audit.settings.architecture.map(|architecture| architecture.as_str());
    !architectures.is_empty()
        && wanted.is_some_and(|wanted| architectures.iter().all(|found| found != wanted))
}

fn legacy(entry: &Entry<'_>, audit: &Audit<'_>) -> Option<Finding> {
    let known = entry.known.filter(|known| known.status() == KnownStatus::Legacy)?;
    let last = Branch::parse(known.last_release()?)?;
    let branches = || {
        audit.objects.iter().filter_map(|object| object.branch).chain(audit.settings.branches.iter().copied())
    };
    let oldest = branches().min()?;
    if oldest <= last || is_foreign(entry, audit) {
        return None;
    }
    let message = format!("needed up to {last}; the oldest repository here is {oldest}");
    let remedy = "remove it, if nothing older will be installed";
    let finding = Finding::new(Id::IdLegacy, Severity::Info, message, remedy);
    Some(finding.with("last_release", last.to_string()).with("oldest", oldest.to_string()))
}

fn other(entry: &Entry<'_>, audit: &Audit<'_>) -> Option<Finding> {
    let (known, wanted) = (entry.known?, audit.settings.architecture?);
    is_foreign(entry, audit).then_some(())?;
    let architectures: Vec<String> =
        known.architectures().iter().map(|architecture| escape_all(architecture).to_string()).collect();
    let message = format!(
        "a key of {} for {}, on {}",
        escape_all(known.origin()),
        architectures.join(", "),
        wanted.as_str()
    );
    let remedy = "remove it; up to alpine-keys 2.5 related architectures share their keys, from 2.6 none do";
    Some(
        Finding::new(Id::IdOtherarch, Severity::Info, message, remedy)
            .with("architectures", list(architectures)),
    )
}
