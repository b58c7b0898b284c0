//! What two builds of one version differ in, for whoever has to decide between them.

use std::io;

use super::{Begun, Mirror, package_path};
use crate::container::Scratch;
use crate::fault::Fault;
use crate::index::Record;
use crate::mirror::fetch::{Errand, Hand, folders};
use crate::mirror::finding::{Finding, chain};
use crate::package::compare;
use crate::publish::{AdmitError, Spooled, Tree};
use crate::transport::{Demand, Sink};
use crate::unverified::{Level, PackageClaims, ReadOptions, Subject, read};
use crate::verify::verify_package;

/// How many packages are fetched to be compared in one run.
const MOST: usize = 8;
/// How many differences of a package are shown.
const SHOWN: usize = 20;

impl Mirror<'_> {
    /// Compares what upstream has built again with what was published, where findings say that it has.
    pub(super) fn explained(&self, tree: &Tree, begun: &Begun, mut findings: Vec<Finding>) -> Vec<Finding> {
        let mut hand = Hand { worker: self.fetcher.worker(), scratch: Scratch::default() };
        let rebuilt = findings.iter_mut().filter(|finding| ["replaced", "rebuilt"].contains(&finding.code));
        for (number, finding) in rebuilt.enumerate() {
            if number == MOST {
                finding.detail = Box::new([format!("not compared: {MOST} packages of this run were")]);
                break;
            }
            let differences = self.differences(tree, begun, &mut hand, finding);
            let lines = differences.unwrap_or_else(|why| vec![format!("cannot be compared: {why}")]);
            finding.detail = lines.into_boxed_slice();
        }
        findings
    }

    fn differences(
        &self,
        tree: &Tree,
        begun: &Begun,
        hand: &mut Hand,
        finding: &Finding,
    ) -> Result<Vec<String>, String> {
        let gone = || "it is not there any more".to_owned();
        let (Some(place), Some(label)) = (&finding.place, &finding.subject) else { return Err(gone()) };
        let offer = begun.offers.iter().find(|offer| offer.place == **place).ok_or_else(gone)?;
        let record = offer.index().records().find(|record| record.label() == *label).ok_or_else(gone)?;
        let old = self.old(tree, begun, finding, &record)?;
        let at = offer.repository;
        let (repository, trust, upstreams) =
            (self.config.repositories().get(at), self.trusts.get(at), begun.upstreams.get(at));
        let (Some(repository), Some(trust), Some(upstreams)) = (repository, trust, upstreams) else {
            return Err(gone());
        };
        let new = self.new_one(tree, hand, &Errand { repository, offer, record, trust, upstreams })?;
        Ok(lines(&old, &new))
    }

    /// The package that is published.
    fn old(
        &self,
        tree: &Tree,
        begun: &Begun,
        finding: &Finding,
        record: &Record<'_>,
    ) -> Result<PackageClaims, String> {
        let path = finding.place.as_deref().and_then(|place| package_path(place, &record.file_name()));
        let published = begun.published.as_ref().zip(path);
        let (published, path) = published.ok_or("the old one is not there any more")?;
        let opened = tree.as_look().open(published.number(), &path).map_err(|error| chain(&error))?;
        let subject =
            read(opened, &self.options(), &mut Scratch::default()).map_err(|error| chain(&error))?;
        let Subject::Package(package) = subject else { return Err("the old one is no package".to_owned()) };
        package.into_claims_without_proof().1.ok_or_else(|| "the old one cannot be read".to_owned())
    }

    /// The package that upstream has now, held to all that a package is held to; it is not kept.
    fn new_one(&self, tree: &Tree, hand: &mut Hand, errand: &Errand<'_>) -> Result<PackageClaims, String> {
        let mut why = "upstream does not have the new one".to_owned();
        let size = errand.record.size();
        for upstream in errand.upstreams.iter().cycle().skip(errand.offer.from).take(errand.upstreams.len()) {
            for folder in folders(errand) {
                let demand = Demand::new(&[folder, &errand.record.file_name()], size).sized(size);
                let mut spooled = tree.spool().map_err(|error| chain(&error))?;
                if let Err(error) = hand.worker.fetch(upstream.locations(), &demand, &mut Spool(&mut spooled))
                {
                    why = format!("the new one did not come: {}", chain(&error));
                    continue;
                }
                match self.judged(tree, hand, errand, spooled) {
                    Ok(claims) => return Ok(claims),
                    Err(other) => why = other,
                }
            }
        }
        Err(why)
    }

    fn judged(
        &self,
        tree: &Tree,
        hand: &mut Hand,
        errand: &Errand<'_>,
        spooled: Spooled,
    ) -> Result<PackageClaims, String> {
        let mut claims = None;
        // Refused in any case: what is looked at here does not come into the pool.
        let looked = tree.admit(spooled, self.options(), &mut hand.scratch, |subject| {
            let Subject::Package(package) = subject else {
                return Err(seen("upstream has something else than a package"));
            };
            let demand = errand.repository.package_signatures.into();
            let judged =
                verify_package(package, &errand.trust.proof()).within_index(&errand.offer.entries, demand);
            claims = Some(judged.into_verified()?.into_value());
            Err(seen("compared"))
        });
        match (claims, looked) {
            (Some(claims), _) => Ok(claims),
            (None, Err(AdmitError::Refused(fault))) => {
                Err(format!("the new one does not hold: {}", fault.message()))
            }
            (None, Err(AdmitError::Publish(error))) => Err(chain(&error)),
            (None, Ok(_)) => Err("the new one was not looked at".to_owned()),
        }
    }

    fn options(&self) -> ReadOptions {
        let limits = self.config.limits().clone();
        ReadOptions { limits, level: Level::Full, list_files: true, ..ReadOptions::default() }
    }
}

fn seen(message: &str) -> Fault {
    use crate::fault::{Rank, Verdict};
    Fault::new(Rank::Framing, Verdict::Malformed, "not-kept", message)
}

/// The differences, the first of them in full.
fn lines(old: &PackageClaims, new: &PackageClaims) -> Vec<String> {
    let files = |claims: &PackageClaims| {
        claims.data().and_then(|data| data.files()).map(<[_]>::to_vec).unwrap_or_default()
    };
    let differences = compare(old.control(), new.control(), &files(old), &files(new));
    let mut lines: Vec<String> = differences.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = differences.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more differences"));
    }
    if lines.is_empty() {
        lines.push("fields, scripts and files are the same".to_owned());
    }
    lines
}

/// Writes into the spool.
struct Spool<'a>(&'a mut Spooled);

impl Sink for Spool<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(bytes)
    }

    fn restart(&mut self) -> io::Result<()> {
        self.0.restart()
    }

    fn position(&self) -> u64 {
        self.0.position()
    }
}
