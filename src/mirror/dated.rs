//! Snapshots by rule: one for each day, week or month in which something was published, the newest of them kept.

use jiff::civil::Date;
use jiff::tz::Offset;

use super::fetch::local;
use super::finding::{Class, Finding};
use crate::publish::{Origin, PublishError, SnapshotHead, SnapshotName, Tree};

/// How often a snapshot is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Every {
    /// `2026-11-27`
    Day,
    /// `2026-W48`, as ISO 8601 counts weeks.
    Week,
    /// `2026-11`
    Month,
}

/// Which snapshots are made without being asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SnapshotRule {
    /// How often.
    pub every: Every,
    /// How many of them are kept; none: all.
    pub keep: Option<usize>,
}

impl Every {
    /// What the snapshot of a moment is called, in UTC. Units: seconds since 1970.
    pub fn name(self, now: u64) -> Option<SnapshotName> {
        let timestamp = jiff::Timestamp::from_second(i64::try_from(now).ok()?).ok()?;
        let date = Offset::UTC.to_datetime(timestamp).date();
        SnapshotName::parse(&self.text(date)).ok()
    }

    fn text(self, date: Date) -> String {
        match self {
            Self::Day => date.to_string(),
            Self::Week => {
                let week = date.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Month => format!("{:04}-{:02}", date.year(), date.month()),
        }
    }
}

/// What the rule has done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Dated {
    /// The snapshot that was made, if this moment had none.
    pub made: Option<SnapshotName>,
    /// Those that went for it.
    pub removed: Vec<SnapshotName>,
}

/// Makes the snapshot of this moment if there is none, and removes older ones that the same rule made.
///
/// Units: `now` in seconds since 1970.
///
/// # Errors
/// - What publishing says; nothing that is published has changed.
pub fn dated(tree: &Tree, rule: SnapshotRule, now: u64) -> Result<Dated, Finding> {
    let mut done = Dated::default();
    let Some(name) = rule.every.name(now) else {
        return Err(Finding::error(Class::Local, "snapshot", "the clock gives no day that has a name"));
    };
    match tree.make_snapshot(&name, now, Origin::Rule) {
        Ok(_) => done.made = Some(name),
        Err(PublishError::SnapshotExists { .. }) => {}
        Err(error) => return Err(local(&error)),
    }
    if let Some(keep) = rule.keep {
        for name in surplus(tree, keep).map_err(|error| local(&error))? {
            tree.remove_snapshot(&name).map_err(|error| local(&error))?;
            done.removed.push(name);
        }
    }
    Ok(done)
}

/// Snapshots of rules beyond the newest; one that somebody asked for is none of them.
fn surplus(tree: &Tree, keep: usize) -> Result<Vec<SnapshotName>, PublishError> {
    let mut by_rule: Vec<SnapshotHead> = Vec::new();
    for name in tree.as_look().snapshots()? {
        let snapshot = tree.as_look().snapshot_head(&name)?;
        if snapshot.origin() == Origin::Rule {
            by_rule.push(snapshot);
        }
    }
    // The newest first; a clock that went back does not matter, since generations only grow.
    by_rule.sort_by_key(|snapshot| std::cmp::Reverse((snapshot.generation(), snapshot.created())));
    Ok(by_rule.into_iter().skip(keep).map(|snapshot| snapshot.name().clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_their_days() {
        let name = |every: Every, now| every.name(now).unwrap().as_str().to_owned();
        // 2026-01-01, a Thursday, and so of the first week of its year.
        assert_eq!(name(Every::Day, 1_767_225_600), "2026-01-01");
        assert_eq!(name(Every::Week, 1_767_225_600), "2026-W01");
        assert_eq!(name(Every::Month, 1_767_225_600), "2026-01");
        // 2027-01-01 is a Friday: its week belongs to the year before.
        assert_eq!(name(Every::Week, 1_798_761_600), "2026-W53");
        assert_eq!(Every::Day.name(u64::MAX), None);
    }
}
