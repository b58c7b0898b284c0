//! Which versions could stay: everything that was published, is proven, and is not picked any more.

use std::collections::{BTreeMap, BTreeSet};

use super::{Begun, Mirror, package_path};
use crate::index::{Index, Record};
use crate::mirror::config::{IndexKind, Retain};
use crate::mirror::finding::Finding;
use crate::mirror::former::Former;
use crate::mirror::next::folders;
use crate::mirror::offer::Offer;
use crate::mirror::retain::{Claim, Dropped};
use crate::mirror::select::{Choice, Group};
use crate::mirror::state::{Place, Provenance};
use crate::publish::{Entry, EntryKind};
use crate::types::Identity;

/// The identity of each package for all architectures that is picked, by repository and file name: clients of
/// all architectures look for it at one path.
#[derive(Debug, Default)]
pub(super) struct Shared(BTreeMap<(String, String), Identity>);

impl Shared {
    /// Notes what a group picked.
    pub(super) fn note(&mut self, choice: &Choice<'_>) {
        for place in &choice.places {
            for chosen in &place.chosen {
                let record = chosen.candidate.record;
                if folders(&record, &place.offer.architecture).len() > 1 {
                    let key = (place.offer.place.repository.clone(), record.file_name());
                    self.0.insert(key, record.identity());
                }
            }
        }
    }

    /// Whether another package has the path of this one.
    fn takes(&self, repository: &str, record: &Record<'_>) -> bool {
        let known = self.0.get(&(repository.to_owned(), record.file_name()));
        known.is_some_and(|identity| *identity != record.identity())
    }
}

/// The versions of a group that could stay, and what is wrong with others.
#[derive(Debug, Default)]
pub(super) struct Formers<'a> {
    pub(super) dropped: Vec<Dropped<'a>>,
    /// What is remembered of each, by the number of its member and its label.
    pub(super) remembered: BTreeMap<(usize, String), Former>,
    pub(super) findings: Vec<Finding>,
}

/// One place while its versions are gathered.
struct Gathering<'g, 'a> {
    begun: &'a Begun,
    shared: &'g Shared,
    offer: &'a Offer,
    /// Labels that are picked.
    picked: BTreeSet<String>,
    /// Whether anything is to be kept here.
    wants: bool,
}

/// Names of a group: those that are picked, and those that upstream has.
struct Names<'a> {
    picked: BTreeSet<&'a str>,
    offers: Vec<&'a Index>,
}

impl Names<'_> {
    /// Whether a name that upstream has is not picked any more.
    fn is_unwanted(&self, name: &str) -> Option<bool> {
        if self.picked.contains(name) {
            return Some(false);
        }
        self.offers.iter().any(|index| index.named(name).next().is_some()).then_some(true)
    }
}

impl Mirror<'_> {
    /// Gathers what a group could keep.
    pub(super) fn formers<'b>(
        &self,
        begun: &'b Begun,
        group: &Group<'b>,
        choice: &Choice<'b>,
        shared: &Shared,
    ) -> Formers<'b> {
        let chosen = choice.places.iter().flat_map(|place| &place.chosen);
        let names = Names {
            picked: chosen.map(|chosen| chosen.candidate.record.name()).collect(),
            offers: group.members.iter().map(|member| member.offer.index()).collect(),
        };
        let mut formers = Formers::default();
        for (at, (member, place)) in group.members.iter().zip(&choice.places).enumerate() {
            if member.repository.index_kind != IndexKind::Subset {
                continue;
            }
            let wants = member.repository.selection.retain != Retain::Count(0)
                || begun.pins.of_set(group.set).next().is_some();
            let picked = place.chosen.iter().map(|chosen| chosen.candidate.record.label()).collect();
            let gathering = Gathering { begun, shared, offer: member.offer, picked, wants };
            self.gather(&gathering, at, &names, &mut formers);
        }
        formers
    }

    fn gather<'b>(
        &self,
        gathering: &Gathering<'_, 'b>,
        at: usize,
        names: &Names<'_>,
        formers: &mut Formers<'b>,
    ) {
        let place = &gathering.offer.place;
        for record in gathering.records() {
            let label = record.label();
            if gathering.picked.contains(&label) || formers.remembered.contains_key(&(at, label.clone())) {
                continue;
            }
            let mut former = gathering.former(&record, &label, self.now);
            former.upstream = gathering.offer.index().identified(&record.identity()).is_some();
            former.spare = names.is_unwanted(record.name()).unwrap_or(former.spare);
            let claim = if former.spare { Claim::Spare } else { Claim::Rule };
            let dropped = Dropped { place: at, record, at: former.dropped_at, claim };
            match self.is_kept(gathering, &record, &label) {
                Ok(()) => formers.dropped.push(dropped),
                Err(finding) if gathering.wants => {
                    formers.findings.push(finding.at(place).about(&label));
                }
                Err(_) => {}
            }
            formers.remembered.insert((at, label), former);
        }
    }

    /// Whether the file of a version is there, is the one that was proven, and is proven enough today.
    fn is_kept(
        &self,
        gathering: &Gathering<'_, '_>,
        record: &Record<'_>,
        label: &str,
    ) -> Result<(), Finding> {
        let offer = gathering.offer;
        let state = &gathering.begun.state;
        let proof = state.proof(&offer.place, label);
        let Some(proof) = proof.filter(|proof| proof.identity == record.identity().to_string()) else {
            let message = "not kept: nothing is remembered of its proof";
            return Err(Finding::warning("retained-unproven", message));
        };
        if !self.is_trusted(&offer.place, proof) {
            let message = "not kept: no key of its proof is trusted any more, or more is demanded today";
            return Err(Finding::warning("retained-unproven", message));
        }
        if gathering.shared.takes(&offer.place.repository, record) {
            let message = "not kept: its path belongs to another package of this version now";
            return Err(Finding::warning("retained-lost", message));
        }
        if !gathering.has_file(record, proof) {
            let message = "not kept: its file is damaged or gone, and upstream has it no more";
            return Err(Finding::warning("retained-lost", message));
        }
        Ok(())
    }

    /// Whether a proof counts today for what no index of upstream speaks for any more.
    fn is_trusted(&self, place: &Place, proof: &Provenance) -> bool {
        let at = self.config.repositories().iter().position(|known| known.name == place.repository);
        let trust = at.and_then(|at| self.trusts.get(at));
        self.is_enough(place, proof)
            && trust.is_some_and(|trust| proof.keys.iter().any(|key| trust.holds(key)))
    }
}

impl<'a> Gathering<'_, 'a> {
    /// What is published, and what is remembered beside.
    fn records(&self) -> impl Iterator<Item = Record<'a>> {
        let (begun, place) = (self.begun, &self.offer.place);
        let of = |index: &'a BTreeMap<Place, Index>| index.get(place).into_iter().flat_map(Index::records);
        of(&begun.listed).chain(of(&begun.remembered))
    }

    /// What is remembered of a version, or what will be.
    fn former(&self, record: &Record<'_>, label: &str, now: u64) -> Former {
        let known = self.begun.state.former(&self.offer.place, label);
        let known = known.filter(|former| former.entry.trim_end() == record.as_str().trim_end());
        known.map_or_else(
            || Former::new(record, now),
            |known| Former { unlisted: None, upstream: false, ..known.clone() },
        )
    }

    /// Whether the file that was proven is there; twins of it are linked from it again.
    fn has_file(&self, record: &Record<'_>, proof: &Provenance) -> bool {
        let Some(published) = &self.begun.published else { return false };
        let Some(path) = package_path(&self.offer.place, &record.file_name()) else { return false };
        let entry = published.entry(&path).filter(|entry| entry.kind() == EntryKind::Package);
        let same =
            |entry: &Entry| entry.sha256().to_string() == proof.sha256 && entry.size() == record.size();
        entry.is_some_and(same) && !self.begun.broken.contains(&path)
    }
}
