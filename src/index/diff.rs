//! What changed between two indexes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{Index, Record};
use crate::types::compare_versions;

/// One difference between two indexes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change<'a> {
    /// A version that the old index does not have, beside all that it has.
    Added(Record<'a>),
    /// A version that the new index does not have, and nothing in its place.
    Removed(Record<'a>),
    /// A higher version in the place of a lower one.
    Upgraded(Record<'a>, Record<'a>),
    /// A lower version in the place of a higher one: rarely meant, and what a replayed old index shows.
    Downgraded(Record<'a>, Record<'a>),
    /// Another package under the same version: clients that have the old one do not notice.
    Rebuilt(Record<'a>, Record<'a>),
    /// The same package, described otherwise.
    Edited(Record<'a>, Record<'a>),
}

impl<'a> Change<'a> {
    /// The stable word for it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Removed(_) => "removed",
            Self::Upgraded(..) => "upgraded",
            Self::Downgraded(..) => "downgraded",
            Self::Rebuilt(..) => "rebuilt",
            Self::Edited(..) => "edited",
        }
    }

    /// The old entry, unless it was added.
    pub const fn before(&self) -> Option<Record<'a>> {
        match self {
            Self::Added(_) => None,
            Self::Removed(old)
            | Self::Upgraded(old, _)
            | Self::Downgraded(old, _)
            | Self::Rebuilt(old, _)
            | Self::Edited(old, _) => Some(*old),
        }
    }

    /// The new entry, unless it was removed.
    pub const fn after(&self) -> Option<Record<'a>> {
        match self {
            Self::Removed(_) => None,
            Self::Added(new)
            | Self::Upgraded(_, new)
            | Self::Downgraded(_, new)
            | Self::Rebuilt(_, new)
            | Self::Edited(_, new) => Some(*new),
        }
    }
}

/// Compares two indexes name by name.
///
/// Shape: sorted by name. Entries of the same version and architecture are compared with each other;
/// what is left of a name is paired from the highest version down.
pub fn diff<'a>(old: &'a Index, new: &'a Index) -> Vec<Change<'a>> {
    let names: BTreeSet<&str> = old.records().chain(new.records()).map(|record| record.name()).collect();
    names
        .into_iter()
        .flat_map(|name| changes_of(old.named(name).collect(), new.named(name).collect()))
        .collect()
}

fn changes_of<'a>(mut old: Vec<Record<'a>>, new: Vec<Record<'a>>) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    let coordinates = |record: &Record<'a>| (record.version(), record.architecture());
    let mut new: BTreeMap<_, Record<'a>> = new.iter().map(|record| (coordinates(record), *record)).collect();
    old.retain(|old| {
        let Some(new) = new.remove(&coordinates(old)) else { return true };
        if new.identity() != old.identity() {
            changes.push(Change::Rebuilt(*old, new));
        } else if new != *old {
            changes.push(Change::Edited(*old, new));
        }
        false
    });
    let mut rest: Vec<Record<'a>> = new.into_values().collect();
    let descending = |a: &Record<'_>, b: &Record<'_>| compare_versions(b.version(), a.version());
    old.sort_by(descending);
    rest.sort_by(descending);
    let (mut old, mut new) = (old.into_iter(), rest.into_iter());
    loop {
        changes.push(match (old.next(), new.next()) {
            (Some(old), Some(new)) => match compare_versions(new.version(), old.version()) {
                Ordering::Greater => Change::Upgraded(old, new),
                Ordering::Less => Change::Downgraded(old, new),
                Ordering::Equal => Change::Rebuilt(old, new),
            },
            (Some(old), None) => Change::Removed(old),
            (None, Some(new)) => Change::Added(new),
            (None, None) => return changes,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::testing::index;
    use crate::limits::Limits;

    fn words(old: &Index, new: &Index) -> Vec<String> {
        let label = |record: Option<Record<'_>>| record.map_or("-".to_owned(), |record| record.label());
        let line = |change: &Change<'_>| {
            format!("{} {} {}", change.kind(), label(change.before()), label(change.after()))
        };
        diff(old, new).iter().map(line).collect()
    }

    #[test]
    fn tells_every_kind_of_change() {
        let old = index(&["same 1", "down 2", "up 1.9", "gone 1", "rebuilt 1", "edited 1"]);
        let new = index(&["same 1", "down 1_rc1", "up 1.10", "new 1", "x 1", "edited 1|D:x"]);
        let swapped = new.as_str().replace("P:x\n", "P:rebuilt\n");
        let new = Index::parse(swapped.into(), &Limits::default()).unwrap();
        // The fifth entries have one identity; the other build of `rebuilt` needs another.
        let identity = old.named("rebuilt").next().unwrap().identity().to_string();
        let other = "Q1AAAAAAAAAAAAAAAAAAAAAAAAAAE=".replace("AAE=", "AAI=");
        let new = Index::parse(new.as_str().replace(&identity, &other).into(), &Limits::default()).unwrap();
        assert_eq!(
            words(&old, &new),
            [
                "downgraded down-2 down-1_rc1",
                "edited edited-1 edited-1",
                "removed gone-1 -",
                "added - new-1",
                "rebuilt rebuilt-1 rebuilt-1",
                "upgraded up-1.9 up-1.10",
            ]
        );
    }

    #[test]
    fn nothing_changes_between_an_index_and_itself() {
        let index = index(&["a 1", "a 2", "b 1"]);
        assert_eq!(diff(&index, &index), []);
    }

    #[test]
    fn several_versions_are_paired_from_the_highest_down() {
        let old = index(&["a 1", "a 2", "a 3"]);
        let new = index(&["z 0", "a 2", "a 4"]);
        let kept = old.as_str().split_inclusive("\n\n").nth(1).unwrap();
        let text = new.as_str().split_inclusive("\n\n").nth(2).unwrap();
        let new =
            Index::parse(format!("{kept}{}", text.replace("AAAAAg", "AAAAAw")).into(), &Limits::default());
        assert_eq!(words(&old, &new.unwrap()), ["upgraded a-3 a-4", "removed a-1 -"]);
    }

    #[test]
    fn versions_that_sort_equally_are_rebuilt() {
        assert_eq!(words(&index(&["a 1"]), &index(&["a 01"])), ["rebuilt a-1 a-01"]);
    }
}
