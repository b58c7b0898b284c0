//! Dependencies that nothing provides.

use crate::index::finding::Findings;
use crate::index::resolver::Resolver;
use crate::index::{Record, rule};
use crate::limits::LimitReached;
use crate::types::escape;

/// Looks at what one entry needs.
pub(super) fn check<'a>(
    record: &Record<'a>,
    resolver: &mut Resolver<'_, 'a>,
    findings: &mut Findings,
) -> Result<(), LimitReached> {
    for atom in record.dependencies().filter(|atom| !atom.is_conflict()) {
        if resolver.is_satisfied(atom)? {
            continue;
        }
        let quoted = escape(atom.as_str());
        if resolver.is_provided(atom.name()) {
            let versions = resolver.versions(atom.name());
            let message = format!("`D:` needs `{quoted}`, provided is {versions}");
            findings.about(rule::DEPENDENCY_VERSION, record, b'D', message);
        } else {
            let message = format!("`D:` needs `{quoted}`, which nothing in the given indexes provides");
            findings.about(rule::DEPENDENCY_MISSING, record, b'D', message);
        }
    }
    Ok(())
}
