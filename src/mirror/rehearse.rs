//! The seventh step: the new generation is read as a client would read it, before any client can.
//!
//! Nothing of the run is used for it but what clients have themselves: the public keys under `keys/`, or
//! upstream's, and the addresses that follow from the entries of an index.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use super::config::{Config, IndexKind};
use super::crew::crew;
use super::fetch::local;
use super::finding::{Class, Finding};
use super::next::{folders, path};
use super::offer::{INDEX, INDEX_CAP, Offer};
use super::select::Selected;
use super::trust::Trust;
use crate::container::Scratch;
use crate::index::Record;
use crate::keys::read_key;
use crate::limits::Limits;
use crate::publish::{Generation, StorePath};
use crate::types::{Digest, Identity, Sha256};
use crate::unverified::{FileDigest, Keep, Level, ReadOptions, Subject, read};
use crate::verify::{IndexEntries, Keyring, Known, Policy, Proof, TrustedKey, verify_index};

/// As far as a package is read first: the members of its signatures and of its control are shorter, but for
/// those of very long scripts. Units: bytes.
const HEAD: u32 = 8 << 10;

/// What a rehearsal goes by.
pub(super) struct Rehearsal<'a> {
    pub(super) config: &'a Config,
    pub(super) trusts: &'a [Trust],
    pub(super) generation: &'a Generation<'a>,
    /// The names of the keys that sign, by repository.
    pub(super) key_names: &'a [Option<String>],
    /// Files that came in during this run: it is looked which packages they are; the others were read when they came.
    pub(super) fresh: &'a BTreeSet<Digest<Sha256>>,
    pub(super) limits: &'a Limits,
}

impl Rehearsal<'_> {
    /// Reads every index and looks up every package.
    ///
    /// # Errors
    /// - Everything that a client would stumble over.
    pub(super) fn run(&self, selected: &[Selected<'_>]) -> Result<(), Vec<Finding>> {
        let mut findings = Vec::new();
        for place in selected {
            match self.index(place.offer) {
                Ok(entries) => self.entries(place, &entries, &mut findings),
                Err(finding) => findings.push(finding.at(&place.offer.place)),
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }

    fn entries(&self, place: &Selected<'_>, entries: &IndexEntries, findings: &mut Vec<Finding>) {
        let expected = place.listed().map(|chosen| chosen.candidate.record.as_str().trim_end());
        let found = entries.index().records().map(|record| record.as_str().trim_end());
        if !expected.eq(found) {
            let message = "the index that clients would read has other entries than those that were chosen";
            findings.push(Finding::error(Class::Local, "rehearsal", message).at(&place.offer.place));
        }
        let records: Vec<Record<'_>> = entries.index().records().collect();
        let hands = std::thread::available_parallelism().map_or(1, usize::from);
        let mut failed: BTreeMap<usize, Finding> = BTreeMap::new();
        let done: Result<(), std::convert::Infallible> = crew(
            &records,
            hands,
            Scratch::default,
            |scratch, record| {
                let told = |finding: Finding| finding.at(&place.offer.place).about(record.label());
                self.package(place.offer, record, scratch).map_err(told)
            },
            |at, result| {
                failed.extend(result.err().map(|finding| (at, finding)));
                Ok(())
            },
        );
        let Ok(()) = done;
        findings.extend(failed.into_values());
    }

    /// The index as a client reads it: from its address, with the key that it has.
    fn index(&self, offer: &Offer) -> Result<IndexEntries, Finding> {
        let bytes = self.whole(&path(&offer.place.repository, &offer.place.arch, INDEX)?)?;
        let subset = self
            .config
            .repositories()
            .get(offer.repository)
            .is_some_and(|repository| repository.index_kind == IndexKind::Subset);
        let own = if subset { Some(self.published_key(offer.repository)?) } else { None };
        let (policy, known) = (Policy::default(), Known::builtin());
        let keyring = match (&own, self.trusts.get(offer.repository)) {
            (Some(keyring), _) => keyring,
            (None, Some(trust)) => trust.keyring(),
            (None, None) => return Err(broken("no key for this index")),
        };
        let proof = Proof { keyring, policy: &policy, known: &known };
        let options =
            ReadOptions { limits: self.limits.clone(), index_text: Keep::Text, ..ReadOptions::default() };
        let subject = read(bytes.as_slice(), &options, &mut Scratch::default());
        let Ok(Subject::Index(index)) = subject else { return Err(broken("the index is none")) };
        let verified = verify_index(index, &proof)
            .into_verified()
            .map_err(|fault| Finding { class: Class::Local, ..Finding::of_fault(&fault) })?;
        IndexEntries::new(verified).ok_or_else(|| broken("the index has no text"))
    }

    /// The public key under `keys/`, under the name that the signature asks for.
    fn published_key(&self, repository: usize) -> Result<Keyring, Finding> {
        let missing = || broken("no public key is published for a subset");
        let name = self.key_names.get(repository).and_then(Option::as_ref).ok_or_else(missing)?;
        let bytes = self.whole(&path("keys", "", name)?)?;
        let key = read_key(&bytes).map_err(|error| broken(&error.to_string()))?;
        let mut keyring = Keyring::default();
        keyring
            .add(TrustedKey::new(name.as_str(), name.as_str(), key))
            .map_err(|error| broken(&error.to_string()))?;
        Ok(keyring)
    }

    /// A package at the address that its entry leads to.
    fn package(&self, offer: &Offer, record: &Record<'_>, scratch: &mut Scratch) -> Result<(), Finding> {
        for folder in folders(record, &offer.architecture) {
            let path = path(&offer.place.repository, folder, &record.file_name())?;
            let opened = self.generation.open(&path).map_err(|error| local(&error))?;
            if opened.size() != record.size() {
                let message = format!("expected {} bytes at {path}, found {}", record.size(), opened.size());
                return Err(broken(&message));
            }
            let entry = self.generation.manifest().entry(&path);
            if entry.is_some_and(|entry| self.fresh.contains(&entry.sha256())) {
                let read = is_named(record, opened, self.limits, scratch);
                if !read.map_err(|error| Finding::error(Class::Local, "io", error))? {
                    return Err(broken("the file is not the package that its entry names"));
                }
            }
        }
        Ok(())
    }

    fn whole(&self, path: &StorePath) -> Result<Vec<u8>, Finding> {
        let opened = self.generation.open(path).map_err(|error| local(&error))?;
        let mut bytes = Vec::new();
        opened
            .take(INDEX_CAP)
            .read_to_end(&mut bytes)
            .map_err(|error| Finding::error(Class::Local, "io", error).about(path.as_str()))?;
        Ok(bytes)
    }
}

/// Whether a package is the one of an entry; that stands in its control member.
///
/// Its data was hashed when it came into the pool, and is not hashed again.
fn is_named(
    record: &Record<'_>,
    mut opened: impl Read,
    limits: &Limits,
    scratch: &mut Scratch,
) -> io::Result<bool> {
    let mut head = Vec::with_capacity(usize::try_from(HEAD).unwrap_or_default());
    opened.by_ref().take(HEAD.into()).read_to_end(&mut head)?;
    Ok(begins_with(record, head.as_slice(), limits, scratch)?
        || begins_with(record, head.as_slice().chain(opened), limits, scratch)?)
}

/// Whether control is that of the entry, as far as it can be read.
fn begins_with(
    record: &Record<'_>,
    from: impl Read,
    limits: &Limits,
    scratch: &mut Scratch,
) -> io::Result<bool> {
    let options = ReadOptions {
        limits: limits.clone(),
        level: Level::Identity,
        file_digest: FileDigest::Skip,
        ..ReadOptions::default()
    };
    let Subject::Package(package) = read(from, &options, scratch)? else { return Ok(false) };
    let (facts, claims) = package.into_claims_without_proof();
    let identity = facts.identity().map(Identity::new);
    let info =
        claims.as_ref().map(|claims| (claims.control().info().name(), claims.control().info().version()));
    Ok(identity == Some(record.identity()) && info == Some((record.name(), record.version())))
}

/// What was just made does not hold: that is ours, and nothing is published.
fn broken(message: &str) -> Finding {
    Finding::error(Class::Local, "rehearsal", message)
}

#[cfg(test)]
mod tests;
