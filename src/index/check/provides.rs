//! What `p:` means to clients, where it is not what its author meant.

use std::collections::HashMap;

use crate::index::finding::Findings;
use crate::index::{Record, rule};
use crate::types::escape;

/// Looks at the provides of one entry.
pub(super) fn check(record: &Record<'_>, findings: &mut Findings) {
    // For each name: how often it is provided, and whether ever with a version.
    let mut names: HashMap<&str, (u32, bool)> = HashMap::new();
    for atom in record.provides() {
        let quoted = escape(atom.as_str());
        if atom.is_conflict() {
            let message = format!("`p:` has `{quoted}`; apk ignores the `!` and provides the name");
            findings.about(rule::PROVIDES_MARK, record, b'p', message);
        }
        if atom.operator().is_some_and(|operator| operator.as_str() != "=") {
            let message = format!("`p:` has `{quoted}`; apk reads the operator as `=`");
            findings.about(rule::PROVIDES_OPERATOR, record, b'p', message);
        }
        let (count, versioned) = names.entry(atom.name()).or_default();
        *count = count.saturating_add(1);
        *versioned |= atom.version().is_some();
    }
    if names.contains_key(record.name()) {
        let message = "the package provides its own name and conflicts with itself".to_owned();
        findings.about(rule::PROVIDES_ITSELF, record, b'p', message);
    }
    let mut twice: Vec<&str> = names
        .iter()
        .filter(|(_, (count, versioned))| *count > 1 && *versioned)
        .map(|(name, _)| *name)
        .collect();
    twice.sort_unstable();
    for name in twice {
        let message = format!("the package provides `{}` twice and conflicts with itself", escape(name));
        findings.about(rule::PROVIDES_TWICE, record, b'p', message);
    }
}
