//! A run of a mirror: its steps in their order, each a value that the next one takes.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, Repository};
use super::crew::crew;
use super::fetch::{Brought, Errand, Hand, Porter, local};
use super::finding::{Class, Finding};
use super::guard::{Overrides, Rules};
use super::label;
use super::memory::{Init, recall};
use super::next::{Next, path};
use super::offer::{INDEX, Offer, Wish, is_unchanged};
use super::owners::{confusions, counting};
use super::progress::{Event, Progress};
use super::rehearse::Rehearsal;
use super::replaced;
use super::select::{Group, Selected};
use super::state::{Place, State};
use super::trust::Trust;
use super::upstream::Upstream;
use crate::container::Scratch;
use crate::index::{Index, Record};
use crate::plan::{Action, Held, Plan, Wanted};
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
    broken: BTreeSet<StorePath>,
    findings: Vec<Finding>,
}

/// What is wanted, and what that means for the tree.
struct Decided<'a> {
    selected: Vec<Selected<'a>>,
    plan: Plan,
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
        let decided = self.decide(&begun)?;
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
        self.publish(tree, signers, &begun, &decided, &brought).map(Attempt::Done)
    }

    /// Reads what is remembered and what is offered.
    fn begin(&self, look: Option<&Look>) -> Result<Begun, Vec<Finding>> {
        let one = |finding| vec![finding];
        let published = look.map(Look::published).transpose().map_err(|error| one(local(&error)))?.flatten();
        let limits = self.config.limits();
        self.unbuilt().map_err(one)?;
        let (state, mut findings) = match look {
            Some(look) => recall(look, published.as_ref(), limits, self.allowed.init).map_err(one)?,
            None => (State::default(), Vec::new()),
        };
        let upstreams = self
            .config
            .repositories()
            .iter()
            .map(|repository| Upstream::all(repository, self.credentials))
            .collect::<Result<Vec<_>, _>>()
            .map_err(one)?;
        let offers = self.offers(&state, &upstreams)?;
        findings.extend(offers.iter().flat_map(|offer| offer.findings.clone()));
        let old = look.map(|look| self.published_indexes(look, published.as_ref())).unwrap_or_default();
        let counting = counting(self.config, self.allowed, &offers, &state, &old);
        Ok(Begun { state, published, upstreams, offers, counting, broken: BTreeSet::new(), findings })
    }

    /// What a configuration may say and no run does yet is refused: nobody shall rely on it.
    fn unbuilt(&self) -> Result<(), Finding> {
        use super::config::Retain;
        let retains = |repository: &&Repository| {
            repository.selection.retain != Retain::Count(0) || !repository.selection.pinned_by.is_empty()
        };
        let Some(repository) = self.config.repositories().iter().find(retains) else { return Ok(()) };
        let message =
            "this version keeps no versions that upstream has dropped: leave out `retain` and `pinned-by`";
        Err(Finding::error(Class::Usage, "retain", message).about(&repository.name))
    }

    /// Every index of the run, in the order of the configuration.
    fn offers(&self, state: &State, upstreams: &[Vec<Upstream>]) -> Result<Vec<Offer>, Vec<Finding>> {
        let wishes = self.wishes(state, upstreams);
        self.progress.event(Event::Indexes { count: wishes.len() });
        let mut granted: BTreeMap<usize, Offer> = BTreeMap::new();
        let mut failed = Vec::new();
        let hands = self.config.mirror().connections;
        let done: Result<(), std::convert::Infallible> = crew(
            &wishes,
            hands,
            || self.fetcher.worker(),
            |worker, wish| wish.grant(worker),
            |at, result| {
                match result {
                    Ok(offer) => {
                        let (place, entries) = (&offer.place, offer.index().len());
                        self.progress.event(Event::Index { place, upstream: &offer.upstream, entries });
                        granted.insert(at, offer);
                    }
                    Err(findings) => failed.extend(findings),
                }
                Ok(())
            },
        );
        let Ok(()) = done;
        if failed.is_empty() { Ok(granted.into_values().collect()) } else { Err(failed) }
    }

    fn wishes<'w>(&'w self, state: &'w State, upstreams: &'w [Vec<Upstream>]) -> Vec<Wish<'w>> {
        let mut wishes = Vec::new();
        let repositories = self.config.repositories().iter().zip(self.trusts).zip(upstreams);
        for (number, ((repository, trust), upstreams)) in repositories.enumerate() {
            for architecture in &repository.architectures {
                let place = place(repository, architecture.as_str());
                wishes.push(Wish {
                    number,
                    repository,
                    architecture,
                    upstreams,
                    trust,
                    remembered: state.remembered(&place),
                    place,
                    rules: self.rules(repository),
                    overrides: &self.allowed.states,
                    limits: self.config.limits(),
                });
            }
        }
        wishes
    }

    fn rules<'w>(&self, repository: &'w Repository) -> Rules<'w> {
        Rules {
            description: repository.description.as_ref(),
            max_age: repository.max_age,
            shrink_percent: self.config.mirror().shrink_percent,
            now: self.now,
        }
    }

    /// The entries of each place as they are published; what cannot be read has none.
    fn published_indexes(&self, look: &Look, published: Option<&Manifest>) -> BTreeMap<Place, Index> {
        use super::config::Rebuilt;
        let mut indexes = BTreeMap::new();
        let keeps = |repository: &&Repository| repository.rebuilt == Rebuilt::KeepOld;
        let Some(published) = published else { return indexes };
        for repository in self.config.repositories().iter().filter(keeps) {
            for architecture in &repository.architectures {
                let Ok(path) = path(&repository.name, architecture.as_str(), INDEX) else { continue };
                if let Some(index) =
                    super::published::entries(look, published.number(), &path, self.config.limits())
                {
                    indexes.insert(place(repository, architecture.as_str()), index);
                }
            }
        }
        indexes
    }

    /// Chooses, closes, proves, and compares with what is published.
    fn decide<'b>(&self, begun: &'b Begun) -> Result<Decided<'b>, Vec<Finding>>
    where
        Self: 'b,
    {
        let (mut selected, mut findings, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for group in Group::all(self.config, &begun.offers, &begun.counting) {
            match group.select(self.config.limits()) {
                Ok((places, notes)) => {
                    failed.extend(confusions(self.config, &group, &places));
                    selected.extend(places);
                    findings.extend(notes);
                }
                Err(errors) => failed.extend(errors),
            }
        }
        if !failed.is_empty() {
            return Err(failed);
        }
        // The order of the configuration, whatever the sets are.
        let order =
            |place: &Selected<'_>| begun.offers.iter().position(|offer| offer.place == place.offer.place);
        selected.sort_by_key(order);
        if selected.iter().all(|place| place.chosen.is_empty()) {
            let message = "nothing is selected: the mirror would be empty";
            return Err(vec![Finding::error(Class::Usage, "empty", message)]);
        }
        let plan = self.planned(begun, &selected);
        let replaced =
            replaced::find(self.config, self.allowed, begun.published.as_ref(), &begun.state, &selected);
        let (errors, told): (Vec<_>, Vec<_>) =
            replaced.into_iter().partition(|finding| finding.severity == super::Severity::Error);
        if !errors.is_empty() {
            return Err(errors);
        }
        findings.extend(told);
        Ok(Decided { selected, plan, findings })
    }

    fn planned(&self, begun: &Begun, selected: &[Selected<'_>]) -> Plan {
        let wanted = selected.iter().flat_map(|place| {
            let Place { repository, arch } = &place.offer.place;
            place.chosen.iter().map(move |chosen| Wanted { repository, arch, chosen })
        });
        let entries = begun.published.iter().flat_map(|manifest| manifest.entries());
        let entries = entries.filter(|entry| !begun.broken.contains(entry.path()));
        let held = entries.filter_map(label::held).filter(|held| self.is_proven(&begun.state, held));
        Plan::new(wanted, held)
    }

    /// Whether the proof of a package that is there is as good as what is demanded today.
    fn is_proven(&self, state: &State, held: &Held) -> bool {
        use super::config::PackageSignatures;
        let place = Place { repository: held.repository.clone(), arch: held.arch.clone() };
        let Some(at) = self.config.repositories().iter().position(|known| known.name == held.repository)
        else {
            // What is in no configuration any more is dropped, whatever its proof.
            return true;
        };
        let (Some(repository), Some(trust)) = (self.config.repositories().get(at), self.trusts.get(at))
        else {
            return false;
        };
        let Some(proof) = state.proof(&place, &format!("{}-{}", held.name, held.version)) else {
            return false;
        };
        let signed = proof.via == "signature+index" && proof.keys.iter().any(|key| trust.holds(key));
        let deep = proof.level == "full" || repository.level.name() == "identity";
        let waived = proof.waived.as_ref().is_none_or(|code| {
            let same =
                |waiver: &&super::config::Waiver| waiver.code == *code && waiver.sha256 == proof.sha256;
            repository.waivers.iter().any(|waiver| same(&waiver))
        });
        let enough = signed || repository.package_signatures != PackageSignatures::Required;
        proof.identity == held.identity && deep && waived && enough
    }

    /// Fetches what the plan says, with as many hands as there may be connections.
    fn fetch(
        &self,
        tree: &Tree,
        begun: &Begun,
        decided: &Decided<'_>,
    ) -> Result<BTreeMap<(Place, String), Brought>, Vec<Finding>> {
        let errands = self.errands(begun, decided);
        let bytes = decided.plan.size(Action::Fetch);
        if !errands.is_empty() {
            self.progress.event(Event::Fetching { count: errands.len(), bytes });
        }
        let porter = Porter { tree, limits: self.config.limits(), progress: self.progress, now: self.now };
        let hand = || Hand { worker: self.fetcher.worker(), scratch: Scratch::default() };
        let mut brought = BTreeMap::new();
        let mut failed: Vec<Finding> = Vec::new();
        let done: Result<(), ()> = crew(
            &errands,
            self.config.mirror().connections,
            hand,
            |hand, errand| porter.run(hand, errand),
            |at, result| match (result, errands.get(at)) {
                (Ok(one), Some(errand)) => {
                    one.notes.iter().for_each(|note| self.progress.event(Event::Told(note)));
                    brought.insert((errand.offer.place.clone(), errand.record.label()), one);
                    Ok(())
                }
                (Err(findings), _) => {
                    findings.iter().for_each(|finding| self.progress.event(Event::Told(finding)));
                    let stuck = findings.iter().any(|finding| finding.class == Class::Local);
                    failed.extend(findings);
                    // A full disk does not get better by more packages.
                    if stuck { Err(()) } else { Ok(()) }
                }
                (Ok(_), None) => Ok(()),
            },
        );
        let _ = done;
        if failed.is_empty() { Ok(brought) } else { Err(failed) }
    }

    /// What has to come in, from the entries themselves.
    fn errands<'e>(&'e self, begun: &'e Begun, decided: &'e Decided<'e>) -> Vec<Errand<'e>> {
        let mut records: BTreeMap<(&str, &str, String), (&Offer, Record<'_>)> = BTreeMap::new();
        for place in &decided.selected {
            let Place { repository, arch } = &place.offer.place;
            for chosen in &place.chosen {
                let record = chosen.candidate.record;
                records.insert((repository, arch, record.label()), (place.offer, record));
            }
        }
        let fetched = decided.plan.items().iter().filter(|item| item.action == Action::Fetch);
        fetched
            .filter_map(|item| {
                let label = format!("{}-{}", item.name, item.version);
                let (offer, record) = records.get(&(item.repository.as_str(), item.arch.as_str(), label))?;
                let at = offer.repository;
                Some(Errand {
                    repository: self.config.repositories().get(at)?,
                    offer,
                    record: *record,
                    trust: self.trusts.get(at)?,
                    upstreams: begun.upstreams.get(at)?,
                })
            })
            .collect()
    }

    /// Whether every index is what it was when the run began.
    fn still(&self, begun: &Begun) -> Result<bool, Vec<Finding>> {
        let (mut unchanged, mut failed) = (true, Vec::new());
        let done: Result<(), std::convert::Infallible> = crew(
            &begun.offers,
            self.config.mirror().connections,
            || self.fetcher.worker(),
            |worker, offer| {
                let upstream = begun.upstreams.get(offer.repository).and_then(|all| all.get(offer.from));
                upstream.map_or(Ok(true), |upstream| is_unchanged(worker, upstream, offer))
            },
            |_, result| {
                match result {
                    Ok(same) => unchanged &= same,
                    Err(finding) => failed.push(finding),
                }
                Ok(())
            },
        );
        let Ok(()) = done;
        // A change is a change, whatever else could not be read.
        if unchanged && !failed.is_empty() { Err(failed) } else { Ok(unchanged) }
    }

    /// Builds, rehearses, remembers, and makes visible.
    fn publish(
        &self,
        tree: &Tree,
        signers: &[Option<&SigningKey>],
        begun: &Begun,
        decided: &Decided<'_>,
        brought: &BTreeMap<(Place, String), Brought>,
    ) -> Result<Outcome, Vec<Finding>> {
        let one = |finding| vec![finding];
        let mut findings = begun.findings.clone();
        findings.extend(decided.findings.iter().cloned());
        findings.extend(brought.values().flat_map(|brought| brought.notes.clone()));
        let next = Next {
            config: self.config,
            trusts: self.trusts,
            signers,
            selected: &decided.selected,
            brought,
            published: begun.published.as_ref(),
            broken: &begun.broken,
            limits: self.config.limits(),
            now: self.now,
        };
        let parts = next.parts().map_err(one)?;
        let outcome = |generation, published| Outcome {
            plan: decided.plan.clone(),
            findings: findings.clone(),
            generation,
            published,
        };
        let mut state = self.remembering(begun, brought);
        if next.is_published(&parts) {
            tree.confirm().map_err(|error| one(local(&error)))?;
            self.write_state(tree, begun, &state).map_err(one)?;
            return Ok(outcome(begun.published.as_ref().map(Manifest::number), false));
        }
        let mut staging = tree.generation(self.now).map_err(|error| one(local(&error)))?;
        for path in
            replaced::allowed_paths(self.config, self.allowed, begun.published.as_ref(), &decided.selected)
        {
            staging.allow_replaced(path);
        }
        next.stage(tree, &mut staging, parts).map_err(one)?;
        let generation = staging.finish().map_err(|error| one(local(&error)))?;
        self.progress.event(Event::Rehearsing);
        let fresh: BTreeSet<Digest<Sha256>> =
            brought.values().map(|brought| brought.pooled.sha256()).collect();
        let key_names: Vec<Option<String>> =
            signers.iter().map(|signer| signer.map(|signer| signer.name().as_str().to_owned())).collect();
        let rehearsal = Rehearsal {
            config: self.config,
            trusts: self.trusts,
            generation: &generation,
            key_names: &key_names,
            fresh: &fresh,
            limits: self.config.limits(),
        };
        rehearsal.run(&decided.selected)?;
        let files = generation.manifest().entries().map(|entry| entry.sha256().to_string()).collect();
        state.keep_only(&files);
        self.write_state(tree, begun, &state).map_err(one)?;
        let number = generation.number();
        tree.switch(generation).map_err(|error| one(local(&error)))?;
        self.progress.event(Event::Published { generation: number });
        Ok(outcome(Some(number), true))
    }

    /// What is to be remembered once this run is published.
    fn remembering(&self, begun: &Begun, brought: &BTreeMap<(Place, String), Brought>) -> State {
        let mut state = begun.state.clone();
        for offer in &begun.offers {
            let before = state.remembered(&offer.place).cloned().unwrap_or_default();
            state.remember(offer.place.clone(), before.succeeded_by(&offer.offered()));
        }
        for ((place, _), brought) in brought {
            state.prove(place.clone(), brought.provenance.clone());
        }
        state
    }

    /// Writes the trust state if it says something new; on stable storage before anything becomes visible.
    fn write_state(&self, tree: &Tree, begun: &Begun, state: &State) -> Result<(), Finding> {
        if *state == begun.state {
            return Ok(());
        }
        let bytes = state.to_bytes().map_err(|error| Finding::error(Class::Local, "state", error))?;
        tree.write_document(State::DOCUMENT, &bytes).map_err(|error| local(&error))
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
