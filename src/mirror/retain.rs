//! Which versions stay although upstream dropped them, and which of them clients get to see.
//!
//! A build that names a version must find it for as long as its operator says. But an old package beside new ones
//! can be a trap: something that it needs may be gone, and `apk` does not fall back to what works. So what is
//! retained brings with it what it needs, and what cannot be installed any more stays in the pool, unlisted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use super::config::Retain;
use crate::index::Record;
use crate::types::{Dependency, compare_versions};

/// A version that upstream dropped, and that is still in the pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dropped<'a> {
    /// The number of the repository and architecture that it was listed in, among those that are decided together.
    pub place: usize,
    /// Its entry, as upstream had it.
    pub record: Record<'a>,
    /// When upstream dropped it. Units: seconds since 1970.
    pub at: u64,
    /// Why it could stay.
    pub claim: Claim,
}

/// Why a dropped version could stay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Claim {
    /// A file of `pinned-by` names it.
    Named,
    /// `retain` decides.
    Rule,
    /// Nobody asks for it any more: it stays only where what stays needs it.
    Spare,
}

/// Why a version is kept in the pool and not listed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyUnlisted {
    /// Something that it needs is not there any more.
    #[error("nothing here satisfies its dependency `{}`", crate::types::escape(.0))]
    Lacks(String),
    /// With it in the index, a selected request would give something else.
    #[error("with it in the index, `{}` would give something else than upstream gives", crate::types::escape(.0))]
    Changes(String),
    /// `apk` would not install it from what there is.
    #[error("it cannot be installed any more: {0}")]
    Fails(String),
}

/// What becomes of the dropped versions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Retained<'a> {
    /// Listed, in their order.
    pub listed: Vec<Dropped<'a>>,
    /// Kept in the pool alone, and why.
    pub unlisted: Vec<(Dropped<'a>, WhyUnlisted)>,
    /// Neither.
    pub released: Vec<Dropped<'a>>,
}

impl<'a> Retained<'a> {
    /// Decides by rule and by need; `listed` is all that the index holds beside.
    ///
    /// Units: `now` in seconds since 1970.
    pub fn decide(
        listed: &[Record<'a>],
        dropped: Vec<Dropped<'a>>,
        retain: impl Fn(usize) -> Retain,
        now: u64,
    ) -> Self {
        let (wanted, rest) = by_rule(dropped, retain, now);
        Need::new(listed, wanted, rest).decide()
    }

    /// Takes versions out of the index for a reason of their own, and all that needed them.
    ///
    /// False: there is a reason for none.
    pub fn unlist(
        &mut self,
        why: impl Fn(&Dropped<'a>) -> Option<WhyUnlisted>,
        listed: &[Record<'a>],
    ) -> bool {
        let (mut stay, before) = (Vec::new(), self.unlisted.len());
        for dropped in self.listed.drain(..) {
            match why(&dropped) {
                Some(why) => self.unlisted.push((dropped, why)),
                None => stay.push(dropped),
            }
        }
        let found = self.unlisted.len() > before;
        // Nothing is brought in for what stays: it was complete before.
        let again = Need::new(listed, stay, Vec::new()).decide();
        self.listed = again.listed;
        self.unlisted.extend(again.unlisted);
        found
    }
}

/// What the rules keep, and the rest.
fn by_rule(
    mut dropped: Vec<Dropped<'_>>,
    retain: impl Fn(usize) -> Retain,
    now: u64,
) -> (Vec<Dropped<'_>>, Vec<Dropped<'_>>) {
    // The highest of a name first, and what was there longest among equals.
    dropped.sort_by(|a, b| {
        let names = (a.place, a.record.name()).cmp(&(b.place, b.record.name()));
        names.then_with(|| compare_versions(b.record.version(), a.record.version())).then(a.at.cmp(&b.at))
    });
    let mut counts: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    dropped.into_iter().partition(|dropped| {
        if dropped.claim == Claim::Spare {
            return false;
        }
        let count = counts.entry((dropped.place, dropped.record.name())).or_default();
        *count = count.saturating_add(1);
        dropped.claim == Claim::Named
            || match retain(dropped.place) {
                Retain::All => true,
                Retain::Count(most) => *count <= most,
                Retain::Period(period) => now.saturating_sub(dropped.at) <= period.as_secs(),
            }
    })
}

/// Who answers to which name, and what becomes of each dropped version.
struct Need<'a> {
    answers: BTreeMap<&'a str, Vec<Answer<'a>>>,
    dropped: Vec<(Dropped<'a>, Fate)>,
}

/// One package that answers to a name.
struct Answer<'a> {
    version: &'a str,
    record: Record<'a>,
    /// Its place among the dropped ones; none for what is listed anyway.
    dropped: Option<usize>,
}

/// What becomes of a dropped version.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Fate {
    Kept,
    Spare,
    Lacks(String),
}

impl<'a> Need<'a> {
    fn new(listed: &[Record<'a>], kept: Vec<Dropped<'a>>, spare: Vec<Dropped<'a>>) -> Self {
        let kept = kept.into_iter().map(|dropped| (dropped, Fate::Kept));
        let dropped: Vec<_> = kept.chain(spare.into_iter().map(|dropped| (dropped, Fate::Spare))).collect();
        let mut answers: BTreeMap<&str, Vec<Answer<'_>>> = BTreeMap::new();
        let numbered = dropped.iter().enumerate().map(|(at, (dropped, _))| (dropped.record, Some(at)));
        for (record, dropped) in listed.iter().map(|record| (*record, None)).chain(numbered) {
            for (name, version) in names(&record) {
                answers.entry(name).or_default().push(Answer { version, record, dropped });
            }
        }
        Self { answers, dropped }
    }

    fn decide(mut self) -> Retained<'a> {
        self.bring_in();
        self.take_out();
        let mut retained = Retained::default();
        for (dropped, fate) in self.dropped {
            match fate {
                Fate::Kept => retained.listed.push(dropped),
                Fate::Spare => retained.released.push(dropped),
                Fate::Lacks(atom) => retained.unlisted.push((dropped, WhyUnlisted::Lacks(atom))),
            }
        }
        retained.listed.sort_by(|a, b| {
            let names = (a.place, a.record.name()).cmp(&(b.place, b.record.name()));
            names.then_with(|| compare_versions(a.record.version(), b.record.version()))
        });
        retained
    }

    /// Brings in from the rest what the kept ones need and nothing else satisfies.
    fn bring_in(&mut self) {
        let mut waiting: VecDeque<usize> = self.kept().collect();
        // Each version is kept once, so each is looked at once.
        while let Some(at) = waiting.pop_front() {
            let atoms: Vec<_> =
                self.dropped.get(at).map(|(dropped, _)| needs(&dropped.record).collect()).unwrap_or_default();
            for atom in atoms {
                if let Some(spare) = self.spare_for(&atom)
                    && let Some((_, fate)) = self.dropped.get_mut(spare)
                {
                    *fate = Fate::Kept;
                    waiting.push_back(spare);
                }
            }
        }
    }

    /// Takes out what lacks something, and what needed that, until all that is left is complete.
    fn take_out(&mut self) {
        loop {
            let lacking: Vec<(usize, String)> =
                self.kept().filter_map(|at| Some((at, self.lacks(at)?))).collect();
            if lacking.is_empty() {
                return;
            }
            for (at, atom) in lacking {
                if let Some((_, fate)) = self.dropped.get_mut(at) {
                    *fate = Fate::Lacks(atom);
                }
            }
        }
    }

    fn kept(&self) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let kept = |(at, (_, fate)): (usize, &(Dropped<'a>, Fate))| (*fate == Fate::Kept).then_some(at);
        self.dropped.iter().enumerate().filter_map(kept)
    }

    fn lacks(&self, at: usize) -> Option<String> {
        let (dropped, _) = self.dropped.get(at)?;
        needs(&dropped.record).find(|atom| !self.is_satisfied(atom)).map(|atom| atom.as_str().to_owned())
    }

    fn is_satisfied(&self, atom: &Dependency<'_>) -> bool {
        self.fitting(atom).any(|answer| match answer.dropped {
            None => true,
            Some(at) => self.fate(at) == Some(&Fate::Kept),
        })
    }

    /// The spare version that was dropped last among those that satisfy an atom which nothing else does.
    fn spare_for(&self, atom: &Dependency<'_>) -> Option<usize> {
        if self.is_satisfied(atom) {
            return None;
        }
        let spares = self.fitting(atom).filter_map(|answer| answer.dropped);
        let spares = spares.filter(|at| self.fate(*at) == Some(&Fate::Spare));
        spares.max_by_key(|at| (self.dropped.get(*at).map(|(dropped, _)| dropped.at), Reverse(*at)))
    }

    fn fate(&self, at: usize) -> Option<&Fate> {
        self.dropped.get(at).map(|(_, fate)| fate)
    }

    fn fitting(&self, atom: &Dependency<'_>) -> impl Iterator<Item = &Answer<'a>> {
        let answers = self.answers.get(atom.name()).map(Vec::as_slice).unwrap_or_default();
        answers.iter().filter(move |answer| {
            atom.accepts_version(answer.version) || atom.accepts_identity(&answer.record.identity())
        })
    }
}

fn needs<'a>(record: &Record<'a>) -> impl Iterator<Item = Dependency<'a>> + use<'a> {
    record.dependencies().filter(|atom| !atom.is_conflict())
}

/// The names that a package answers to, its own first, each with the version that it answers with.
fn names<'a>(record: &Record<'a>) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let own = (record.name(), record.version());
    let provided = record.provides().map(|atom| (atom.name(), atom.version().unwrap_or_default()));
    std::iter::once(own).chain(provided)
}

#[cfg(test)]
mod tests;
