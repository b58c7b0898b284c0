//! Taking a bundle in: as an ordinary run whose upstream is the bundle.

use std::collections::BTreeSet;
use std::io::Read;

use super::list::Bundle;
use super::unpack::unpack;
use crate::mirror::config::Repository;
use crate::mirror::fetch::local;
use crate::mirror::finding::{Class, Finding};
use crate::mirror::guard::Refused;
use crate::mirror::memory::recall;
use crate::mirror::run::{Allowed, Mirror, Outcome};
use crate::mirror::state::Place;
use crate::publish::Tree;
use crate::sign::SigningKey;

/// What an import has done.
#[derive(Debug)]
pub struct Imported {
    /// What the run with the bundle as its upstream has done.
    pub outcome: Outcome,
    /// What the bundle says that it holds.
    pub bundle: Bundle,
    /// SHA-256 of its list, in hexadecimal.
    pub sha256: String,
}

/// Reads a bundle, verifies everything in it by the keys of this mirror's configuration, and publishes it.
///
/// The clock decides nothing: neither the age of an index nor its lying ahead refuses it. What was seen before
/// does: an older bundle is refused as an upstream that went back is.
///
/// # Errors
/// - A bundle that is damaged, cut, older than what was seen, or not proven; nothing has changed then.
pub fn import(
    mirror: &Mirror<'_>,
    tree: &Tree,
    signers: &[Option<&SigningKey>],
    bundle: impl Read,
) -> Result<Imported, Vec<Finding>> {
    let unpacked = unpack(tree, bundle).map_err(|finding| vec![finding])?;
    let places: BTreeSet<Place> = unpacked.bundle.indexes().map(|(place, _)| place).collect();
    let folder = mirror.config.mirror().to.join(unpacked.folder.path().as_str());
    let label = format!("bundle sha256:{}", unpacked.sha256);
    let config = mirror.config.of_bundle(&folder, &label, |name, arch| {
        places.contains(&Place { repository: name.to_owned(), arch: arch.to_owned() })
    });
    // A folder of packages of one's own is no network either.
    let absent =
        |repository: &&Repository| repository.upstreams.unpacked().is_none() && !repository.build_index;
    let absent = config.repositories().iter().find(absent);
    if let Some(repository) = absent {
        let text = "the configuration has this repository, and the bundle has no index of it";
        let remedy = "export it on the outside as well, or leave it out of the configuration here";
        let finding = Finding::error(Class::State, "bundle-place", text).about(&repository.name);
        return Err(vec![finding.remedied(Some(remedy))]);
    }
    older(mirror, tree, &unpacked.bundle)?;
    let mut allowed: Allowed = mirror.allowed.clone();
    allowed.states.future = true;
    let run = Mirror { config: &config, allowed: &allowed, ..*mirror };
    match run.sync(tree, signers, &BTreeSet::new()) {
        Ok(outcome) => Ok(Imported { outcome, bundle: unpacked.bundle, sha256: unpacked.sha256 }),
        Err(findings) => Err(explained(findings, &unpacked.bundle, unpacked.missing)),
    }
}

/// An index that was published here before the last one: of two of one second, their times do not tell.
fn older(mirror: &Mirror<'_>, tree: &Tree, bundle: &Bundle) -> Result<(), Vec<Finding>> {
    let look = tree.as_look();
    let published = look.published().map_err(|error| vec![local(&error)])?;
    let recalled = recall(look, published.as_ref(), mirror.config.limits(), mirror.allowed.init);
    let (state, _) = recalled.map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    for (place, sha256) in bundle.indexes() {
        let Some(known) = state.remembered(&place) else { continue };
        let seen = known.sha256 != sha256 && known.before.iter().any(|before| before == sha256);
        if seen && mirror.allowed.states.rollback.as_deref() != Some(sha256) {
            let finding = Finding::of_refusal(&Refused::Seen);
            let message = format!("{} (index sha256:{sha256})", finding.message);
            findings.push(Finding { message, ..finding }.at(&place));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// A bundle of what is new needs what is not.
fn explained(mut findings: Vec<Finding>, bundle: &Bundle, missing: usize) -> Vec<Finding> {
    let absent = findings.iter().any(|finding| matches!(finding.code, "not-found" | "missing"));
    if let Some(base) = bundle.base.filter(|_| absent && missing > 0) {
        let text = format!(
            "{missing} packages of generation {} are neither in the bundle nor here: it holds what is new since generation {base}",
            bundle.generation
        );
        let remedy = "import the bundles before it first, or export since an earlier generation";
        findings.insert(0, Finding::error(Class::State, "bundle-base", text).remedied(Some(remedy)));
    }
    findings
}
