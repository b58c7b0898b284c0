//! Packages that nobody asks for by name, and that break or never join the requests of others.

use crate::index::finding::Findings;
use crate::index::resolver::Resolver;
use crate::index::{Record, rule};
use crate::limits::LimitReached;
use crate::types::{Dependency, escape};

/// Looks at what pulls one entry in.
pub(super) fn check<'a>(
    record: &Record<'a>,
    resolver: &mut Resolver<'_, 'a>,
    findings: &mut Findings,
) -> Result<(), LimitReached> {
    let atoms: Vec<Dependency<'a>> = record.install_if().collect();
    // One atom with `=` is how a package that was split pulls its new part in.
    let exact = |atom: &Dependency<'_>| atom.operator().is_some_and(|operator| operator.as_str() == "=");
    if let [first] = atoms.as_slice()
        && !exact(first)
    {
        let message =
            format!("`i:` has the one atom `{}`, which alone pulls the package in", escape(first.as_str()));
        findings.about(rule::INSTALL_IF_SINGLE, record, b'i', message);
    }
    for atom in atoms.iter().filter(|atom| !atom.is_conflict() && atom.version().is_some()) {
        if resolver.is_provided(atom.name()) && !resolver.is_satisfied(*atom)? {
            let message = format!("`i:` waits for `{}`, a version that nothing has", escape(atom.as_str()));
            findings.about(rule::INSTALL_IF_STALE, record, b'i', message);
        }
    }
    if atoms.is_empty() {
        return Ok(());
    }
    for atom in record.dependencies().filter(|atom| !atom.is_conflict()) {
        if !resolver.is_satisfied(atom)? {
            let message = format!(
                "the package is pulled in by `i:` but needs `{}`, which nothing provides",
                escape(atom.as_str())
            );
            findings.about(rule::INSTALL_IF_TRAP, record, b'i', message);
            break;
        }
    }
    Ok(())
}
