//! The fifth step: packages come in, each is held against its entry and its own signature, and only then kept.

use std::io;

use super::config::{Repository, Waiver};
use super::finding::{Class, Finding, chain};
use super::offer::Offer;
use super::progress::{Event, Progress};
use super::state::Provenance;
use super::trust::Trust;
use super::upstream::Upstream;
use crate::container::Scratch;
use crate::fault::{Fault, Rank, Verdict};
use crate::index::Record;
use crate::keys::Scope;
use crate::limits::Limits;
use crate::publish::{AdmitError, Pooled, PublishError, Spooled, Tree};
use crate::transport::{Demand, FetchError, Problem, Sink, Worker};
use crate::types::{Architecture, Digest, Sha256};
use crate::unverified::{ReadOptions, Subject};
use crate::verify::{Blob, Verified, Via, verify_index, verify_package, verify_unknown};

/// One package that is to come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errand<'a> {
    pub(super) repository: &'a Repository,
    pub(super) offer: &'a Offer,
    pub(super) record: Record<'a>,
    pub(super) trust: &'a Trust,
    pub(super) upstreams: &'a [Upstream],
}

/// A package that was proven, and how.
#[derive(Debug)]
pub(super) struct Brought {
    pub(super) pooled: Pooled,
    pub(super) provenance: Provenance,
    pub(super) notes: Vec<Finding>,
}

/// What every errand of a run has in common.
#[derive(Clone, Copy)]
pub(super) struct Porter<'a> {
    pub(super) tree: &'a Tree,
    pub(super) limits: &'a Limits,
    pub(super) progress: &'a dyn Progress,
    /// Units: seconds since 1970.
    pub(super) now: u64,
}

/// A worker and what it reads with.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) worker: Worker,
    pub(super) scratch: Scratch,
}

/// What one try came to.
enum Tried {
    Brought(Box<Brought>),
    /// This upstream has no such file here.
    NotThere(Finding),
    /// What came does not hold.
    Bad(Finding),
    /// Nothing came.
    Failed(Finding),
    /// This machine cannot go on.
    Stuck(Finding),
}

impl Porter<'_> {
    /// Brings one package in, from the first upstream whose file holds.
    ///
    /// # Errors
    /// - What became of it at each upstream.
    pub(super) fn run(&self, hand: &mut Hand, errand: &Errand<'_>) -> Result<Brought, Vec<Finding>> {
        let label = errand.record.label();
        self.progress.event(Event::Begun { label: &label, size: errand.record.size() });
        let mut failed = Vec::new();
        let brought = self.upstreams(hand, errand, &mut failed);
        self.progress.event(Event::Done { label: &label });
        brought.ok_or_else(|| {
            failed.into_iter().map(|finding| finding.at(&errand.offer.place).about(&label)).collect()
        })
    }

    fn upstreams(&self, hand: &mut Hand, errand: &Errand<'_>, failed: &mut Vec<Finding>) -> Option<Brought> {
        // The upstream of the index first: the others may be of another day.
        let from = errand.offer.from;
        let order = (0..errand.upstreams.len()).map(|at| (at + from) % errand.upstreams.len().max(1));
        for upstream in order.filter_map(|at| errand.upstreams.get(at)) {
            match self.upstream(hand, errand, upstream) {
                Tried::Brought(brought) => return Some(*brought),
                Tried::Stuck(finding) => {
                    failed.push(finding);
                    return None;
                }
                Tried::NotThere(finding) | Tried::Bad(finding) | Tried::Failed(finding) => {
                    failed.push(finding);
                }
            }
        }
        None
    }

    /// One upstream, in each folder that the file may lie in; what does not hold is asked for once more,
    /// past all caches.
    fn upstream(&self, hand: &mut Hand, errand: &Errand<'_>, upstream: &Upstream) -> Tried {
        let mut last = None;
        for folder in folders(errand) {
            let demand = Demand::new(&[folder, &errand.record.file_name()], errand.record.size())
                .sized(errand.record.size());
            let tried = match self.attempt(hand, errand, upstream, &demand) {
                Tried::Bad(_) if !upstream.is_local() => {
                    self.attempt(hand, errand, upstream, &demand.revalidated())
                }
                tried => tried,
            };
            match tried {
                Tried::NotThere(finding) => last = Some(finding),
                tried => return tried,
            }
        }
        let nowhere = || Finding::error(Class::Upstream, "not-found", "not found");
        Tried::NotThere(last.unwrap_or_else(nowhere))
    }

    fn attempt(&self, hand: &mut Hand, errand: &Errand<'_>, upstream: &Upstream, demand: &Demand) -> Tried {
        let mut spooled = match self.tree.spool() {
            Ok(spooled) => spooled,
            Err(error) => return Tried::Stuck(local(&error)),
        };
        let label = errand.record.label();
        let mut sink = Counted { spooled: &mut spooled, progress: self.progress, label: &label };
        if let Err(error) = hand.worker.fetch(upstream.locations(), demand, &mut sink) {
            self.progress.event(Event::Discarded { label: &label, bytes: spooled.position() });
            let finding = Finding::of_fetch(&error);
            return match error {
                FetchError::Sink(_) | FetchError::Cancelled => Tried::Stuck(finding),
                error if is_absent(&error) => Tried::NotThere(finding),
                _ => Tried::Failed(finding),
            };
        }
        let size = spooled.position();
        let tried = self.admit(hand, errand, upstream, demand, spooled);
        if matches!(tried, Tried::Bad(_)) {
            self.progress.event(Event::Discarded { label: &label, bytes: size });
        }
        tried
    }

    fn admit(
        &self,
        hand: &mut Hand,
        errand: &Errand<'_>,
        upstream: &Upstream,
        demand: &Demand,
        spooled: Spooled,
    ) -> Tried {
        let segments: Vec<&str> = demand.path.iter().map(String::as_str).collect();
        let scope = upstream.scope(&segments);
        let mut judge = Judge { errand, scope, made: None, notes: Vec::new() };
        let (limits, level) = (self.limits.clone(), errand.repository.level);
        let options = ReadOptions { limits, level, ..ReadOptions::default() };
        let admitted = self.tree.admit(spooled, options, &mut hand.scratch, |subject| judge.judge(subject));
        let (made, notes) = (judge.made.take(), std::mem::take(&mut judge.notes));
        match (admitted, made) {
            (Ok(pooled), Some(made)) => {
                let provenance = made.provenance(errand, upstream, &pooled, self.now);
                Tried::Brought(Box::new(Brought { pooled, provenance, notes }))
            }
            (Ok(_), None) => Tried::Bad(Finding::of_fault(&unproven())),
            (Err(AdmitError::Refused(fault)), _) => {
                // Whoever wrote a waiver wants to know why it did not help.
                let detail = notes.into_iter().map(|note| note.message).collect();
                Tried::Bad(Finding { detail, ..from_upstream(Finding::of_fault(&fault), upstream) })
            }
            (Err(AdmitError::Publish(error)), _) => Tried::Stuck(local(&error)),
        }
    }
}

/// The folders below an upstream where a package may lie: that of its entry, and for `noarch` that of its index.
pub(super) fn folders<'a>(errand: &Errand<'a>) -> Vec<&'a str> {
    let index = errand.offer.architecture.as_str();
    match errand.record.architecture() {
        Some(Architecture::NOARCH) => vec![Architecture::NOARCH, index],
        Some(other) => vec![other],
        None => vec![index],
    }
}

fn is_absent(error: &FetchError) -> bool {
    let FetchError::Failed(failures) = error else { return false };
    failures
        .iter()
        .all(|failure| matches!(failure.problem, Problem::NotFound | Problem::Status { status: 403 | 410 }))
}

fn from_upstream(finding: Finding, upstream: &Upstream) -> Finding {
    let message = format!("{} (from {upstream})", finding.message);
    Finding { message, ..finding }
}

/// What publishing said.
pub(super) fn local(error: &PublishError) -> Finding {
    let class = match error {
        PublishError::Locked { .. } => Class::Locked,
        PublishError::Replaced { .. } => Class::State,
        _ => Class::Local,
    };
    Finding::error(class, error.code(), chain(error))
}

/// Writes into the spool, and tells of it.
struct Counted<'a> {
    spooled: &'a mut Spooled,
    progress: &'a dyn Progress,
    label: &'a str,
}

impl Sink for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spooled.write(bytes)?;
        let bytes = crate::limits::length(bytes);
        self.progress.event(Event::Received { label: self.label, bytes });
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.progress.event(Event::Discarded { label: self.label, bytes: self.spooled.position() });
        self.spooled.restart()
    }

    fn position(&self) -> u64 {
        self.spooled.position()
    }
}

/// Judges one package as its repository demands.
pub(super) struct Judge<'a, 'b> {
    pub(super) errand: &'b Errand<'a>,
    pub(super) scope: Option<Scope>,
    pub(super) made: Option<Made>,
    pub(super) notes: Vec<Finding>,
}

/// What is kept of a judgement.
pub(super) struct Made {
    datahash: String,
    keys: Vec<String>,
    via: Via,
    waived: Option<String>,
}

impl Judge<'_, '_> {
    /// Judges what was read of a file.
    pub(super) fn judge(&mut self, subject: Subject) -> Result<Verified<Blob>, Fault> {
        let repository = self.errand.repository;
        let proof = self.errand.trust.proof();
        match subject.at(self.scope.take()) {
            Subject::Package(package) => {
                let demand = repository.package_signatures.into();
                let mut judged =
                    verify_package(package, &proof).within_index(&self.errand.offer.entries, demand);
                let waiver = judged.facts().sha256().and_then(|sha256| self.waiver(sha256)).cloned();
                let refused = judged.reason().map(crate::fault::Fault::code);
                if let Some(waiver) = waiver.filter(|waiver| Some(waiver.code.as_str()) == refused) {
                    judged = judged.waiving(&waiver.code);
                    self.waived(&waiver, judged.verified().is_some());
                }
                self.made = judged.verified().map(|verified| Made {
                    datahash: verified.value().control().info().datahash().to_string(),
                    keys: verified
                        .evidence()
                        .keys()
                        .iter()
                        .map(|key| key.fingerprint().to_string())
                        .collect(),
                    via: verified.evidence().via(),
                    waived: refused.map(str::to_owned),
                });
                if let Some(refusal) = self.other_entry(&judged) {
                    return Err(refusal);
                }
                judged.into_blob()
            }
            Subject::Index(index) => {
                let reason = verify_index(index, &proof).into_verified().err();
                Err(reason.unwrap_or_else(|| not_a_package("an index")))
            }
            Subject::Unknown(file) => {
                let reason = verify_unknown(file, &proof).into_verified().err();
                Err(reason.unwrap_or_else(|| not_a_package("something else")))
            }
        }
    }

    /// A package that holds, but is the one of another entry: two good files with their names exchanged.
    fn other_entry(
        &self,
        judged: &crate::verify::Judgement<crate::unverified::PackageClaims>,
    ) -> Option<Fault> {
        let info = judged.verified()?.value().control().info();
        let record = self.errand.record;
        let same = judged.facts().identity() == Some(*record.identity().digest())
            && (info.name(), info.version()) == (record.name(), record.version());
        (checked!("fetch-other-entry") && !same).then(|| {
            let message = format!("expected {}, found {}-{}", record.label(), info.name(), info.version());
            Fault::new(Rank::Integrity, Verdict::Integrity, "index-identity", message)
        })
    }

    fn waiver(&self, sha256: Digest<Sha256>) -> Option<&Waiver> {
        let (label, sha256) = (self.errand.record.label(), sha256.to_string());
        let waivers = &self.errand.repository.waivers;
        waivers
            .iter()
            .find(|waiver| waiver.package == label && (waiver.sha256 == sha256 || !checked!("waive-file")))
    }

    fn waived(&mut self, waiver: &Waiver, taken: bool) {
        let message = if taken {
            format!("taken in spite of `{}`, as `waive` says of this very file", waiver.code)
        } else {
            format!("`waive` names `{}`, which is not all that is wrong, or cannot be waived", waiver.code)
        };
        let finding = Finding::warning("waived", message).about(&waiver.package);
        self.notes.push(finding.at(&self.errand.offer.place));
    }
}

impl Made {
    fn provenance(self, errand: &Errand<'_>, upstream: &Upstream, pooled: &Pooled, now: u64) -> Provenance {
        Provenance {
            name: errand.record.name().to_owned(),
            version: errand.record.version().to_owned(),
            identity: errand.record.identity().to_string(),
            datahash: self.datahash,
            size: pooled.size(),
            sha256: pooled.sha256().to_string(),
            keys: self.keys,
            via: self.via.name().to_owned(),
            level: errand.repository.level.name().to_owned(),
            waived: self.waived,
            index: errand.offer.sha256.clone(),
            upstream: upstream.to_string(),
            time: now,
        }
    }
}

fn not_a_package(what: &str) -> Fault {
    Fault::new(
        Rank::Framing,
        Verdict::Malformed,
        "not-a-package",
        format!("expected a package, found {what}"),
    )
}

fn unproven() -> Fault {
    Fault::new(Rank::Framing, Verdict::Malformed, "unproven", "nothing in the file could be proven")
}
