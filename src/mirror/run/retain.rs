//! Which versions stay that upstream has dropped, and that clients get no worse by it.

use std::collections::{BTreeMap, BTreeSet};

use super::former::{Formers, Shared};
use super::{Begun, Mirror};
use crate::index::{Index, Record};
use crate::limits::Limits;
use crate::mirror::config::{IndexKind, Retain};
use crate::mirror::finding::Finding;
use crate::mirror::former::Former;
use crate::mirror::retain::{Claim, Dropped, Retained, WhyUnlisted};
use crate::mirror::select::{Choice, Group, Member, uninstallable};
use crate::mirror::state::Place;
use crate::plan::{Candidate, Chosen, Difference, Unproven};

/// What is to be remembered of the dropped versions of each place.
pub(super) type Remembered = BTreeMap<Place, BTreeMap<String, Former>>;

/// One group whose retained versions are decided.
struct Deciding<'d, 'a> {
    group: &'d Group<'a>,
    choice: &'d Choice<'a>,
    /// What is listed anyway.
    listed: Vec<Record<'a>>,
    begun: &'d Begun,
    limits: &'d Limits,
}

impl Mirror<'_> {
    /// Decides for one group, and proves its selection with what is retained.
    ///
    /// # Errors
    /// - A selection that is not proven, whatever is retained.
    pub(super) fn retain<'b>(
        &self,
        begun: &'b Begun,
        group: &Group<'b>,
        choice: &mut Choice<'b>,
        shared: &Shared,
    ) -> Result<(Remembered, Vec<Finding>), Vec<Finding>> {
        let Formers { mut dropped, mut remembered, mut findings } =
            self.formers(begun, group, choice, shared);
        let chosen = choice.places.iter().flat_map(|place| &place.chosen);
        let listed: Vec<Record<'b>> = chosen.map(|chosen| chosen.candidate.record).collect();
        let records: Vec<Record<'b>> = dropped.iter().map(|dropped| dropped.record).collect();
        for at in begun.pins.named(group.set, &records, &listed) {
            if let Some(named) = dropped.get_mut(at) {
                named.claim = Claim::Named;
            }
        }
        let retain = |at: usize| {
            group.members.get(at).map_or(Retain::Count(0), |member| member.repository.selection.retain)
        };
        let retained = Retained::decide(&listed, dropped, retain, self.now);
        let limits = self.config.limits();
        let retained = Deciding { begun, group, choice, listed, limits }.settle(retained)?;
        for (dropped, why) in &retained.unlisted {
            if let Some(former) = remembered.get_mut(&(dropped.place, dropped.record.label())) {
                former.unlisted = Some(why.to_string());
            }
            findings.extend(told(group, dropped, why));
        }
        list(choice, retained);
        let mut places: Remembered =
            group.members.iter().map(|member| (member.offer.place.clone(), BTreeMap::new())).collect();
        for ((at, label), former) in remembered {
            let place = group.members.get(at).and_then(|member| places.get_mut(&member.offer.place));
            place.map(|formers| formers.insert(label, former));
        }
        Ok((places, findings))
    }
}

impl<'a> Deciding<'_, 'a> {
    /// Takes out what changes a world or cannot be installed, until all is proven.
    fn settle(&self, mut retained: Retained<'a>) -> Result<Retained<'a>, Vec<Finding>> {
        loop {
            match self.prove(&retained.listed) {
                Ok(()) if self.are_published(&retained.listed) => return Ok(retained),
                Ok(()) => {
                    let failing = self.failing(&retained.listed)?;
                    let fails = |dropped: &Dropped<'_>| {
                        let why = failing.get(&(dropped.place, dropped.record.label()))?;
                        Some(WhyUnlisted::Fails(why.clone()))
                    };
                    if !retained.unlist(fails, &self.listed) {
                        return Ok(retained);
                    }
                }
                Err(unproven) if retained.listed.is_empty() => return Err(self.group.unproven(unproven)),
                Err(Unproven::Worlds(unsolved)) => {
                    let changes = |dropped: &Dropped<'_>| {
                        let label = dropped.record.label();
                        let by_this = |difference: &Difference| matches!(difference, Difference::Other { found, .. } if found.contains(&label));
                        let world = unsolved.iter().find(|one| by_this(&one.difference))?;
                        Some(WhyUnlisted::Changes(world.world.clone()))
                    };
                    if !retained.unlist(changes, &self.listed) {
                        let worlds = unsolved.iter().map(|one| one.world.clone()).collect::<Vec<_>>();
                        self.single_out(&mut retained, &worlds.join(", "))?;
                    }
                }
                Err(unproven) => return Err(self.group.unproven(unproven)),
            }
        }
    }

    fn prove(&self, retained: &[Dropped<'a>]) -> Result<(), Unproven> {
        self.group.prove(self.choice, &numbered(retained), self.limits)
    }

    /// Whether the published indexes are just these: then each of them was installed when they were made.
    fn are_published(&self, retained: &[Dropped<'a>]) -> bool {
        let indexes = self.group.indexes(self.choice, &numbered(retained));
        let same = |(member, index): (&Member<'_>, &Index)| match member.repository.index_kind {
            IndexKind::Subset => {
                let published = self.begun.listed.get(&member.offer.place);
                published.is_some_and(|published| published.as_str() == index.as_str())
            }
            IndexKind::Upstream => {
                let published = self.begun.state.remembered(&member.offer.place);
                published.is_some_and(|published| published.sha256 == member.offer.sha256)
            }
        };
        retained.is_empty() || self.group.members.iter().zip(&indexes).all(same)
    }

    /// The retained versions that clients could not install, and why not.
    fn failing(&self, retained: &[Dropped<'a>]) -> Result<BTreeMap<(usize, String), String>, Vec<Finding>> {
        let indexes = self.group.indexes(self.choice, &numbered(retained));
        let failed = |error| vec![self.group.unplanned(&error)];
        let universe = self.group.published(&indexes, self.limits).map_err(failed)?;
        let mut failing = BTreeMap::new();
        for dropped in retained {
            let tag = self.group.members.get(dropped.place).and_then(|one| one.repository.tag.as_deref());
            if let Some(why) = uninstallable(&universe, &dropped.record, tag, self.limits) {
                failing.insert((dropped.place, dropped.record.label()), why);
            }
        }
        Ok(failing)
    }

    /// Finds those that do not go with the rest where nothing names them: all of them leave, and come back in
    /// halves as long as everything is proven.
    fn single_out(&self, retained: &mut Retained<'a>, worlds: &str) -> Result<(), Vec<Finding>> {
        self.prove(&[]).map_err(|unproven| self.group.unproven(unproven))?;
        let (mut good, mut bad) = (Vec::new(), BTreeSet::new());
        let mut parts = vec![retained.listed.clone()];
        while let Some(part) = parts.pop() {
            let together: Vec<Dropped<'a>> = good.iter().chain(&part).copied().collect();
            match (self.prove(&together), part.as_slice()) {
                (_, []) => {}
                (Ok(()), _) => good = together,
                (Err(Unproven::Plan(error)), _) => return Err(vec![self.group.unplanned(&error)]),
                (Err(_), [one]) => {
                    bad.insert((one.place, one.record.label()));
                }
                (Err(_), part) => {
                    let (first, second) = part.split_at_checked(part.len() / 2).unwrap_or((part, &[]));
                    parts.extend([second.to_vec(), first.to_vec()]);
                }
            }
        }
        let changes = |dropped: &Dropped<'_>| {
            let is_bad = bad.contains(&(dropped.place, dropped.record.label()));
            is_bad.then(|| WhyUnlisted::Changes(worlds.to_owned()))
        };
        retained.unlist(changes, &self.listed);
        Ok(())
    }
}

fn numbered<'a>(retained: &[Dropped<'a>]) -> Vec<(usize, Record<'a>)> {
    retained.iter().map(|dropped| (dropped.place, dropped.record)).collect()
}

/// Puts what is decided beside what is chosen.
fn list<'a>(choice: &mut Choice<'a>, retained: Retained<'a>) {
    for dropped in retained.listed {
        let word = if dropped.claim == Claim::Named { "pinned-by" } else { "retain" };
        let why = vec![word.to_owned(), dropped.record.name().to_owned()];
        if let Some(place) = choice.places.get_mut(dropped.place) {
            let repository = place.offer.repository;
            let candidate = Candidate { source: dropped.place, repository, record: dropped.record };
            place.retained.push(Chosen { candidate, why });
        }
    }
    for (dropped, _) in retained.unlisted {
        if let Some(place) = choice.places.get_mut(dropped.place) {
            place.unlisted.push(dropped.record);
        }
    }
}

/// A version that somebody may look for in vain.
fn told(group: &Group<'_>, dropped: &Dropped<'_>, why: &WhyUnlisted) -> Option<Finding> {
    let place = &group.members.get(dropped.place)?.offer.place;
    let message = format!("kept without being listed: {why}");
    let finding = match dropped.claim {
        Claim::Named => Finding::warning("retained-unlisted", message),
        Claim::Rule | Claim::Spare => Finding::info("retained-unlisted", message),
    };
    Some(finding.at(place).about(dropped.record.label()))
}
