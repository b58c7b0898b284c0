//! All checks over one store, and what is left of their findings.

use serde_json::Value;

use super::checks::{self, Audit};
use super::entry::Entry;
use super::examine::Examined;
use super::finding::{Finding, Severity};
use super::settings::Settings;
use super::signed::SignedObject;
use super::uses::{Use, Uses};
use crate::keys::KeyDirectory;

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// From worst to mildest, then by file.
    pub findings: Vec<Finding>,
    /// What was found and does not count.
    pub ignored: Vec<Ignored>,
    /// For each file of each directory, in order: the signatures that have to do with its key.
    pub uses: Vec<Vec<Use>>,
}

/// A finding that does not count.
#[derive(Clone, Debug)]
pub struct Ignored {
    /// The finding.
    pub finding: Finding,
    /// Why, in the words of the pin file; `None` if only a flag says so.
    pub reason: Option<String>,
}

/// Holds a store against everything that is asked of it.
pub fn audit(
    directories: &[KeyDirectory],
    objects: &[SignedObject],
    examined: &Examined,
    settings: &Settings<'_>,
) -> Report {
    let entries = Entry::all(directories, settings.known);
    let uses = Uses::find(&entries, objects, settings.search);
    let audit = Audit { directories, entries, objects, examined, settings, uses };
    let mut findings = Vec::new();
    for check in checks::ALL {
        check(&audit, &mut findings);
    }
    // A stable sort: checks come in the order of the documentation.
    findings
        .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.file.cmp(&b.file)).then(a.id.cmp(&b.id)));
    let (ignored, findings) = findings.into_iter().partition(|finding| is_ignored(finding, settings));
    let wrap = |finding: Finding| Ignored { reason: reason(&finding, settings), finding };
    Report { findings, ignored: Vec::into_iter(ignored).map(wrap).collect(), uses: audit.uses.of }
}

fn is_ignored(finding: &Finding, settings: &Settings<'_>) -> bool {
    settings.ignore.iter().any(|ignore| ignore.covers(finding)) || reason(finding, settings).is_some()
}

/// The reason that the pin file gives for silence.
fn reason(finding: &Finding, settings: &Settings<'_>) -> Option<String> {
    let pins = settings.pins?.pins().iter();
    let mut fitting = pins.filter(|pin| {
        Some(pin.fingerprint()) == finding.fingerprint
            && pin.ignored().iter().any(|id| id == finding.id.as_str())
    });
    fitting.next()?.reason().map(|reason| crate::types::escape_all(reason).to_string())
}

impl Report {
    /// Number of findings of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// The worst of what was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// Texts as a JSON list.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> Value {
    items.into_iter().map(Value::String).collect()
}
