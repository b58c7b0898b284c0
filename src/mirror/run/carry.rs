//! What comes in, and whether the indexes stayed what they were meanwhile.

use std::collections::BTreeMap;

use super::{Begun, Decided, Mirror};
use crate::container::Scratch;
use crate::index::Record;
use crate::mirror::crew::crew;
use crate::mirror::fetch::{Brought, Errand, Hand, Porter};
use crate::mirror::finding::{Class, Finding};
use crate::mirror::offer::{Offer, is_unchanged};
use crate::mirror::progress::Event;
use crate::mirror::state::Place;
use crate::plan::Action;
use crate::publish::Tree;

impl Mirror<'_> {
    /// Fetches what the plan says, with as many hands as there may be connections.
    pub(super) fn fetch(
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
    pub(super) fn still(&self, begun: &Begun) -> Result<bool, Vec<Finding>> {
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
}
