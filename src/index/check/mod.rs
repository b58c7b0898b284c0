//! Holds the entries of an index to what its clients will make of them.

mod dependencies;
mod install_if;
mod places;
mod provides;
#[cfg(test)]
mod tests;

use super::finding::Findings;
use super::providers::Providers;
use super::resolver::Resolver;
use super::{Index, Keep, Record, TextReader};
use crate::limits::{LimitReached, Limits};
use crate::types::Architecture;

/// Lists everything that is wrong or odd in the text of an index, line by line.
///
/// # Errors
/// - [`LimitReached`] for a line that is too long, or too many entries.
pub fn check_text(text: &[u8], limits: &Limits) -> Result<Findings, LimitReached> {
    let mut reader = TextReader::new(limits, Keep::Nothing).listing(Findings::LISTED);
    reader.feed(text)?;
    Ok(Findings::of_text(&reader.finish()?))
}

/// Looks for what clients will stumble over: what the entries of an index mean together.
///
/// Shape: `with` are further indexes that clients use beside it, whose provides count; `folder` is the
/// architecture that the index lies under, if that is known.
/// Trust: none, neither needed nor given.
///
/// # Errors
/// - [`LimitReached`] `index-atoms` for more dependencies than can be resolved.
pub fn check_entries(
    index: &Index,
    with: &[&Index],
    folder: Option<&Architecture>,
    limits: &Limits,
) -> Result<Findings, LimitReached> {
    let mut findings = Findings::default();
    places::check_index(index, folder, &mut findings);
    let providers = Providers::of(std::iter::once(index).chain(with.iter().copied()), limits)?;
    let mut resolver = Resolver::new(&providers, limits);
    for record in index.records() {
        check_record(&record, &mut resolver, &mut findings)?;
    }
    findings.sort();
    Ok(findings)
}

fn check_record<'a>(
    record: &Record<'a>,
    resolver: &mut Resolver<'_, 'a>,
    findings: &mut Findings,
) -> Result<(), LimitReached> {
    places::check_record(record, findings);
    provides::check(record, findings);
    dependencies::check(record, resolver, findings)?;
    install_if::check(record, resolver, findings)
}
