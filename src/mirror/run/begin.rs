//! What is remembered, and what upstream offers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Begun, Mirror, place};
use crate::index::Index;
use crate::mirror::config::{IndexKind, Repository};
use crate::mirror::crew::crew;
use crate::mirror::fetch::local;
use crate::mirror::finding::Finding;
use crate::mirror::guard::Rules;
use crate::mirror::memory::recall;
use crate::mirror::next::path;
use crate::mirror::offer::{INDEX, Offer, Wish};
use crate::mirror::owners::counting;
use crate::mirror::pins::Pins;
use crate::mirror::progress::Event;
use crate::mirror::published;
use crate::mirror::state::{Place, State};
use crate::mirror::upstream::Upstream;
use crate::publish::{Look, Manifest};

impl Mirror<'_> {
    /// Reads what is remembered and what is offered.
    pub(super) fn begin(&self, look: Option<&Look>) -> Result<Begun, Vec<Finding>> {
        let one = |finding| vec![finding];
        let published = look.map(Look::published).transpose().map_err(|error| one(local(&error)))?.flatten();
        let limits = self.config.limits();
        let (pins, told) = Pins::read(self.config).map_err(one)?;
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
        findings.extend(told);
        findings.extend(offers.iter().flat_map(|offer| offer.findings.clone()));
        let listed = look.map(|look| self.published_indexes(look, published.as_ref())).unwrap_or_default();
        let counting = counting(self.config, self.allowed, &offers, &state, &listed);
        let (remembered, broken) = (remembered(&state), BTreeSet::new());
        let begun = Begun {
            state,
            published,
            upstreams,
            offers,
            counting,
            listed,
            remembered,
            pins,
            broken,
            findings,
        };
        Ok(begun)
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

    /// The entries of each subset as they are published; what cannot be read has none.
    fn published_indexes(&self, look: &Look, published: Option<&Manifest>) -> BTreeMap<Place, Index> {
        let mut indexes = BTreeMap::new();
        let is_subset = |repository: &&Repository| repository.index_kind == IndexKind::Subset;
        let Some(published) = published else { return indexes };
        for repository in self.config.repositories().iter().filter(is_subset) {
            for architecture in &repository.architectures {
                let Ok(path) = path(&repository.name, architecture.as_str(), INDEX) else { continue };
                if !published::is_as_listed(look, published, &path) {
                    continue;
                }
                let index = published::entries(look, published.number(), &path, self.config.limits());
                indexes.extend(index.map(|index| (place(repository, architecture.as_str()), index)));
            }
        }
        indexes
    }
}

/// The entries of dropped versions, by place.
fn remembered(state: &State) -> BTreeMap<Place, Index> {
    let mut texts: BTreeMap<Place, String> = BTreeMap::new();
    for (place, _, former) in state.formers() {
        let text = texts.entry(place.clone()).or_default();
        text.push_str(former.entry.trim_end_matches('\n'));
        text.push_str("\n\n");
    }
    // Each of them passed the grammar when the state was read.
    texts.into_iter().map(|(place, text)| (place, Index::read_leniently(text.into_bytes()))).collect()
}
