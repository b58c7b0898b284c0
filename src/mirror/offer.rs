//! The first step: every index of a run, read, verified, and held against what is remembered.

use std::io;

use sha2::Digest as _;

use super::config::Repository;
use super::finding::{Class, Finding, chain};
use super::guard::{Noticed, Offered, Overrides, Remembered, Rules, assess};
use super::state::Place;
use super::trust::Trust;
use super::upstream::Upstream;
use crate::container::Scratch;
use crate::fault::Fault;
use crate::index::Index;
use crate::limits::Limits;
use crate::transport::{Caches, Demand, Worker};
use crate::types::{Architecture, Digest, Sha256};
use crate::unverified::{FileDigest, Keep, ReadOptions, Subject, read};
use crate::verify::{IndexEntries, verify_index, verify_unknown};

/// The name of every index.
pub(super) const INDEX: &str = "APKINDEX.tar.gz";

/// The largest index that is fetched, as stored. Real ones: under 4 MiB. Units: bytes.
pub(super) const INDEX_CAP: u64 = 64 << 20;

/// An index that upstream offers, verified and not refused.
#[derive(Debug)]
pub struct Offer {
    /// Number of the repository in the configuration.
    pub repository: usize,
    /// The architecture.
    pub architecture: Architecture,
    /// Where it belongs.
    pub place: Place,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// When it was made, if it says so. Units: seconds since 1970.
    pub time: Option<u64>,
    /// Its description, escaped.
    pub description: Option<String>,
    /// The same as upstream wrote it, byte for byte.
    pub raw_description: Option<Vec<u8>>,
    /// Its entries, as proof for packages.
    pub entries: IndexEntries,
    /// Which of the upstreams it came from.
    pub from: usize,
    /// Where that is, without credentials.
    pub upstream: String,
    /// Whether it came past the caches, since what they had does not hold.
    pub(super) caches: Caches,
    /// Lifted refusals, warnings, and upstreams that failed before this one.
    pub findings: Vec<Finding>,
}

impl Offer {
    /// What the guard holds against what is remembered.
    pub fn offered(&self) -> Offered<'_> {
        Offered {
            sha256: &self.sha256,
            time: self.time,
            description: self.description.as_deref(),
            index: self.entries.index(),
        }
    }

    /// The entries.
    pub const fn index(&self) -> &Index {
        self.entries.index()
    }
}

/// Which index is wanted, and what it is held against.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) number: usize,
    pub(super) repository: &'a Repository,
    pub(super) architecture: &'a Architecture,
    pub(super) place: Place,
    pub(super) upstreams: &'a [Upstream],
    pub(super) trust: &'a Trust,
    pub(super) remembered: Option<&'a Remembered>,
    pub(super) rules: Rules<'a>,
    pub(super) overrides: &'a Overrides,
    pub(super) limits: &'a Limits,
}

impl Wish<'_> {
    /// The index of the first upstream whose index holds and is not refused.
    ///
    /// # Errors
    /// - What is wrong with each of them.
    pub(super) fn grant(&self, worker: &mut Worker) -> Result<Offer, Vec<Finding>> {
        let mut failed = Vec::new();
        for (from, upstream) in self.upstreams.iter().enumerate() {
            match self.from(worker, from, upstream) {
                Ok(mut offer) => {
                    // Another upstream stood in: worth knowing, and no error.
                    let mild = |finding| Finding { severity: super::Severity::Warning, ..finding };
                    offer.findings.splice(0..0, failed.into_iter().map(mild));
                    return Ok(offer);
                }
                Err(finding) => failed.push(finding.at(&self.place).about(upstream.to_string())),
            }
        }
        Err(failed)
    }

    /// The index of one upstream; what does not hold is asked for once more, past all caches.
    fn from(&self, worker: &mut Worker, from: usize, upstream: &Upstream) -> Result<Offer, Finding> {
        let bytes = fetch(worker, upstream, self.architecture, Caches::Allowed)?;
        let refused = match self.offer(bytes, from, upstream, Caches::Allowed) {
            Err(refused) if !upstream.is_local() => refused,
            done => return done,
        };
        match fetch(worker, upstream, self.architecture, Caches::Revalidate) {
            Ok(bytes) => self.offer(bytes, from, upstream, Caches::Revalidate),
            // What came first is the graver matter.
            Err(_) => Err(refused),
        }
    }

    fn offer(
        &self,
        bytes: Vec<u8>,
        from: usize,
        upstream: &Upstream,
        caches: Caches,
    ) -> Result<Offer, Finding> {
        let judged = self.judge(&bytes, upstream).map_err(|fault| Finding::of_fault(&fault))?;
        let Judged { entries, time, description, raw_description } = judged;
        let offer = Offer {
            repository: self.number,
            architecture: self.architecture.clone(),
            place: self.place.clone(),
            sha256: digest(&bytes),
            bytes,
            time,
            description,
            raw_description,
            entries,
            from,
            upstream: upstream.to_string(),
            caches,
            findings: Vec::new(),
        };
        self.wrong_architecture(offer.index())?;
        let noticed =
            assess(&offer.offered(), self.remembered, &self.rules, self.overrides).map_err(|refused| {
                let finding = Finding::of_refusal(&refused);
                // The one thing that `--allow-rollback` wants to know.
                let message = format!("{} (index sha256:{})", finding.message, offer.sha256);
                Finding { message, ..finding }
            })?;
        let findings = self.told(noticed);
        Ok(Offer { findings, ..offer })
    }

    fn judge(&self, bytes: &[u8], upstream: &Upstream) -> Result<Judged, Fault> {
        let options = ReadOptions {
            limits: self.limits.clone(),
            index_text: Keep::Text,
            file_digest: FileDigest::Skip,
            ..ReadOptions::default()
        };
        let place = upstream.scope(&[self.architecture.as_str(), INDEX]);
        // invariant: reading from memory does not fail.
        let subject = read(bytes, &options, &mut Scratch::default()).map_err(|error| unread(&error))?;
        let proof = self.trust.proof();
        match subject.at(place) {
            Subject::Index(index) => {
                let verified = verify_index(index, &proof).into_verified()?;
                let time = verified.value().time();
                let description = verified.value().description().map(str::to_owned);
                let raw_description = verified.value().raw_description().map(<[u8]>::to_vec);
                let entries = IndexEntries::new(verified).ok_or_else(|| not_an_index("without a text"))?;
                Ok(Judged { entries, time, description, raw_description })
            }
            Subject::Package(_) => Err(not_an_index("a package")),
            Subject::Unknown(file) => match verify_unknown(file, &proof).into_verified() {
                Err(fault) => Err(fault),
                Ok(_) => Err(not_an_index("something else")),
            },
        }
    }

    /// An index in which nothing fits is that of another architecture; there is no override for it.
    fn wrong_architecture(&self, index: &Index) -> Result<(), Finding> {
        let fitting = index.records().filter(|record| record.fits(self.architecture)).count();
        let whole = self.repository.index_kind == super::IndexKind::Upstream;
        let enough = if whole { fitting == index.len() } else { fitting > 0 || index.is_empty() };
        if enough || !checked!("offer-architecture") {
            return Ok(());
        }
        let other = index.records().find(|record| !record.fits(self.architecture));
        let found = other.and_then(|record| record.architecture()).unwrap_or_default();
        let message = format!(
            "expected packages for {}, found {} of {} for others, such as {}",
            self.architecture.as_str(),
            index.len() - fitting,
            index.len(),
            crate::types::escape(found)
        );
        let remedy =
            "look whether the upstream serves this architecture in this folder; a subset takes what fits";
        Err(Finding::error(Class::State, "architecture", message).remedied(Some(remedy)))
    }

    fn told(&self, noticed: Noticed) -> Vec<Finding> {
        let lifted = noticed.lifted.iter().map(Finding::of_lifted);
        let warnings = noticed.warnings.into_iter().map(|(code, text)| Finding::warning(code, text));
        lifted.chain(warnings).map(|finding| finding.at(&self.place)).collect()
    }
}

/// What a verified index says.
struct Judged {
    entries: IndexEntries,
    time: Option<u64>,
    description: Option<String>,
    raw_description: Option<Vec<u8>>,
}

/// Fetches an index from one upstream.
fn fetch(
    worker: &mut Worker,
    upstream: &Upstream,
    architecture: &Architecture,
    caches: Caches,
) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    let demand = Demand { caches, ..Demand::new(&[architecture.as_str(), INDEX], INDEX_CAP) };
    worker.fetch(upstream.locations(), &demand, &mut bytes).map_err(|error| Finding::of_fetch(&error))?;
    Ok(bytes)
}

/// Whether upstream still has the index that a run was begun with.
///
/// # Errors
/// - That it could not be read again.
pub(super) fn is_unchanged(worker: &mut Worker, upstream: &Upstream, offer: &Offer) -> Result<bool, Finding> {
    // A cache that was wrong once would be wrong again.
    let again = fetch(worker, upstream, &offer.architecture, offer.caches)
        .map_err(|finding| finding.at(&offer.place))?;
    Ok(digest(&again) == offer.sha256 || !checked!("offer-still"))
}

pub(super) fn digest(bytes: &[u8]) -> String {
    Digest::<Sha256>::new(sha2::Sha256::digest(bytes).into()).to_string()
}

fn unread(error: &io::Error) -> Fault {
    Fault::new(crate::fault::Rank::Framing, crate::fault::Verdict::Malformed, "io", chain(error))
}

fn not_an_index(what: &str) -> Fault {
    let message = format!("expected an index, found {what}");
    Fault::new(crate::fault::Rank::Framing, crate::fault::Verdict::Malformed, "not-an-index", message)
}
