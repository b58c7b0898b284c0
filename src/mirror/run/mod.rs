//! A run of a mirror: its steps in their order, each a value that the next one takes.

mod begin;
mod carry;
mod decide;
mod explain;
mod former;
mod hold;
mod publish;
mod retain;

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, Repository};
use super::finding::{Class, Finding};
use super::guard::Overrides;
use super::lock_file::LockFile;
use super::memory::Init;
use super::offer::Offer;
use super::pins::Pins;
use super::progress::{Event, Progress};
use super::select::Selected;
use super::state::{Place, State};
use super::trust::Trust;
use super::upstream::Upstream;
use crate::index::Index;
use crate::plan::Plan;
use crate::publish::{Entry, Look, Manifest, StorePath, Tree};
use crate::sign::SigningKey;
use crate::transport::{Fetcher, Location};
use crate::types::{Digest, Sha256};

/// How often a run begins again because an index changed meanwhile.
const RESTARTS: u32 = 3;

/// Everything that a run is told.
#[derive(Debug)]
pub struct Mirror<'a> {
    /// What is to be held.
    pub config: &'a Config,
    /// Whom each repository trusts, in the order of the configuration.
    pub trusts: &'a [Trust],
    /// What fetches.
    pub fetcher: &'a Fetcher,
    /// Credentials of the environment.
    pub credentials: &'a [Location],
    /// What is allowed for this run.
    pub allowed: &'a Allowed,
    /// The clock. Units: seconds since 1970.
    pub now: u64,
    /// Who listens.
    pub progress: &'a dyn Progress,
}

/// What the operator allows for one run.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// States that are refused otherwise.
    pub states: Overrides,
    /// Names whose versions may have other bytes than before.
    pub replaced: BTreeSet<String>,
    /// Whether what was remembered may be lost.
    pub init: Init,
    /// What the selection has to resolve to, if anything is demanded.
    pub locked: Option<LockFile>,
}

/// What a run would do, or has done.
#[derive(Debug)]
pub struct Outcome {
    /// Every package.
    pub plan: Plan,
    /// What is worth knowing.
    pub findings: Vec<Finding>,
    /// The published generation, after the run.
    pub generation: Option<u64>,
    /// Whether this run made it.
    pub published: bool,
}

/// What is known before anything is fetched.
struct Begun {
    state: State,
    published: Option<Manifest>,
    upstreams: Vec<Vec<Upstream>>,
    offers: Vec<Offer>,
    counting: Vec<Option<Index>>,
    /// The published entries of each subset.
    listed: BTreeMap<Place, Index>,
    /// The entries of dropped versions that are remembered.
    remembered: BTreeMap<Place, Index>,
    /// What the files of `pinned-by` name.
    pins: Pins,
    broken: BTreeSet<StorePath>,
    findings: Vec<Finding>,
}

/// What is wanted, and what that means for the tree.
struct Decided<'a> {
    selected: Vec<Selected<'a>>,
    plan: Plan,
    /// What is to be remembered of dropped versions.
    remembered: retain::Remembered,
    findings: Vec<Finding>,
}

/// How one attempt ended.
enum Attempt {
    Done(Outcome),
    /// An index is not what it was when the run began.
    Changed,
}

impl Mirror<'_> {
    /// What a run would do; nothing is written. Without a tree, everything has to be fetched.
    ///
    /// # Errors
    /// - Everything that a run would be refused for, as far as that shows before packages are fetched.
    pub fn plan(&self, look: Option<&Look>) -> Result<Outcome, Vec<Finding>> {
        let begun = self.begin(look)?;
        let decided = self.decide(&begun)?;
        self.hold_selection(&decided)?;
        let mut findings = begun.findings.clone();
        findings.extend(decided.findings);
        let generation = begun.published.as_ref().map(Manifest::number);
        Ok(Outcome { plan: decided.plan, findings, generation, published: false })
    }

    /// Brings a tree to what the configuration wants of what upstream has today.
    ///
    /// Paths that are `broken` are fetched or made again, whatever lies there.
    ///
    /// # Errors
    /// - What is refused or failed. What was published before is published still.
    pub fn sync(
        &self,
        tree: &Tree,
        signers: &[Option<&SigningKey>],
        broken: &BTreeSet<StorePath>,
    ) -> Result<Outcome, Vec<Finding>> {
        for times in 1..=RESTARTS {
            match self.attempt(tree, signers, broken)? {
                Attempt::Done(outcome) => return Ok(outcome),
                Attempt::Changed => self.progress.event(Event::Restarted { times }),
            }
        }
        match self.attempt(tree, signers, broken)? {
            Attempt::Done(outcome) => Ok(outcome),
            Attempt::Changed => {
                let message = format!("an index changed during each of {} tries", RESTARTS + 1);
                Err(vec![Finding::error(Class::Upstream, "upstream-changes", message)])
            }
        }
    }

    fn attempt(
        &self,
        tree: &Tree,
        signers: &[Option<&SigningKey>],
        broken: &BTreeSet<StorePath>,
    ) -> Result<Attempt, Vec<Finding>> {
        let mut begun = self.begin(Some(tree.as_look()))?;
        begun.broken = with_twins(broken, begun.published.as_ref());
        let mut decided = self.decide(&begun).map_err(|findings| self.explained(tree, &begun, findings))?;
        decided.findings = self.explained(tree, &begun, decided.findings);
        self.hold_selection(&decided)?;
        let brought = match self.fetch(tree, &begun, &decided) {
            Ok(brought) => brought,
            // What does not fit together may be of two different moments.
            Err(findings) if !self.still(&begun).unwrap_or(true) => {
                drop(findings);
                return Ok(Attempt::Changed);
            }
            Err(findings) => return Err(findings),
        };
        let alone = begun.offers.len() < 2 && brought.is_empty();
        if !alone && !self.still(&begun)? {
            return Ok(Attempt::Changed);
        }
        let notes = self.hold_content(&begun, &decided, &brought)?;
        decided.findings.extend(notes);
        self.publish(tree, signers, &begun, &decided, &brought).map(Attempt::Done)
    }
}

/// Paths, and all others of the same content: they are one file.
fn with_twins(broken: &BTreeSet<StorePath>, published: Option<&Manifest>) -> BTreeSet<StorePath> {
    let Some(published) = published else { return broken.clone() };
    let contents: BTreeSet<Digest<Sha256>> =
        broken.iter().filter_map(|path| Some(published.entry(path)?.sha256())).collect();
    let twins = published.entries().filter(|entry| contents.contains(&entry.sha256()));
    broken.iter().chain(twins.map(Entry::path)).cloned().collect()
}

/// The place of a repository for one architecture.
pub(super) fn place(repository: &Repository, arch: &str) -> Place {
    Place { repository: repository.name.clone(), arch: arch.to_owned() }
}

/// A path of a generation that a package has.
pub(super) fn package_path(place: &Place, file: &str) -> Option<StorePath> {
    StorePath::parse(&format!("{}/{}/{file}", place.repository, place.arch)).ok()
}
