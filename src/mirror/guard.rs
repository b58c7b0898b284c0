//! What a validly signed index may still do to a mirror, and what is refused of it.
//!
//! A signature says who made an index, not that it is the newest, or the one that was asked for. What the
//! mirror saw before, the clock and the configuration say that.

use std::collections::BTreeMap;
use std::time::Duration;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use super::config::{MaxAge, UnknownAge};
use crate::index::Index;
use crate::types::{compare_versions, escape};

/// How far ahead of the clock an index may be. Clocks of builders differ, a day is no mistake of a clock.
const AHEAD: u64 = 24 * 60 * 60;
/// A repository of fewer packages may lose any share of them.
const SMALL: usize = 20;

/// What is remembered of the index that was published last.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// When it was made. Units: seconds since 1970; none if it does not say.
    pub time: Option<u64>,
    /// Its description.
    pub description: Option<String>,
    /// The highest version of each name.
    pub versions: BTreeMap<String, String>,
    /// SHA-256 of the indexes before it, newest last; an index without a time must not be one of these.
    pub before: Vec<String>,
}

impl Remembered {
    /// How many digests are kept of older indexes.
    const KEPT: usize = 256;

    /// What is to be remembered once this index is published.
    #[must_use]
    pub fn succeeded_by(&self, index: &Offered<'_>) -> Self {
        let mut before = self.before.clone();
        if !self.sha256.is_empty() && self.sha256 != index.sha256 {
            before.push(self.sha256.clone());
        }
        let surplus = before.len().saturating_sub(Self::KEPT);
        before.drain(..surplus);
        Self {
            sha256: index.sha256.to_owned(),
            time: index.time,
            description: index.description.map(str::to_owned),
            versions: highest(index.index),
            before,
        }
    }
}

/// An index that upstream offers, verified.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: &'a str,
    /// When it was made, if it says so. Units: seconds since 1970.
    pub time: Option<u64>,
    /// Its description, if it has one.
    pub description: Option<&'a str>,
    /// Its entries.
    pub index: &'a Index,
}

/// What the configuration demands of an index.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What the description must match.
    pub description: Option<&'a Regex>,
    /// How old it may be.
    pub max_age: Option<MaxAge>,
    /// How much of it may vanish. Units: percent of the packages.
    pub shrink_percent: u8,
    /// The clock. Units: seconds since 1970.
    pub now: u64,
}

/// What the operator allows for one run.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The SHA-256 of the one older index that may be taken.
    pub rollback: Option<String>,
    /// An index beyond its age may be taken.
    pub stale: bool,
    /// An index from the future may be taken.
    pub future: bool,
    /// A description that does not match may be taken.
    pub description: bool,
    /// Any share of the packages may vanish.
    pub shrink: bool,
}

/// A state that is refused, or would be without an override.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Older than what was published.
    #[error("the index is of {}, the one published last of {}: upstream went back", day(*.found), day(*.remembered))]
    Rollback {
        /// Seconds since 1970.
        found: u64,
        /// Seconds since 1970.
        remembered: u64,
    },
    /// An index without a time that was published before.
    #[error("this very index was published before the last one: upstream went back")]
    Seen,
    /// An index without a time in which versions go down, and none goes up.
    #[error(
        "{count} packages have lower versions than before, such as {example}, and none a higher one: upstream went back"
    )]
    Versions {
        /// How many.
        count: usize,
        /// One of them, with both versions.
        example: String,
    },
    /// Beyond its age.
    #[error("the index is of {}, {days} days ago; at most {allowed} are allowed", day(*.time))]
    Stale {
        /// Seconds since 1970.
        time: u64,
        /// Its age.
        days: u64,
        /// The bound.
        allowed: u64,
    },
    /// Says nothing of its age where that is bounded.
    #[error("the index says nothing of its age, and `max-age` bounds it")]
    Ageless,
    /// From the future.
    #[error("the index is of {}, more than a day ahead of the clock", day(*.time))]
    Future {
        /// Seconds since 1970.
        time: u64,
    },
    /// Of another branch.
    #[error("expected a description that matches `{expected}`, found {}", described(.found.as_deref()))]
    Description {
        /// The regular expression.
        expected: String,
        /// The description.
        found: Option<String>,
    },
    /// Too much has vanished.
    #[error("{vanished} of {before} packages have vanished, more than {allowed} percent")]
    Shrunk {
        /// How many names are gone.
        vanished: usize,
        /// How many there were.
        before: usize,
        /// The bound.
        allowed: u8,
    },
}

impl Refused {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rollback { .. } | Self::Seen | Self::Versions { .. } => "rollback",
            Self::Stale { .. } => "stale",
            Self::Ageless => "age-unknown",
            Self::Future { .. } => "future",
            Self::Description { .. } => "description",
            Self::Shrunk { .. } => "shrunk",
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Rollback { .. } | Self::Seen | Self::Versions { .. } => {
                "ask upstream, or another of its mirrors; if the step back is meant, allow this one index with --allow-rollback SHA256"
            }
            Self::Stale { .. } => {
                "look whether upstream is still served from its source; --allow-stale takes it once"
            }
            Self::Ageless => "set `max-age-unknown = \"warn\"` if this upstream never says it",
            Self::Future { .. } => "look at the clock of this machine; --allow-future takes it once",
            Self::Description { .. } => {
                "look whether the upstream address is that of the branch; --allow-description takes it once"
            }
            Self::Shrunk { .. } => "ask upstream; if so much is gone for good, --allow-shrink takes it once",
        }
    }
}

/// What was noticed: refusals that an override lifted, and milder things.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Noticed {
    /// Lifted for this run; worth a line in the log.
    pub lifted: Vec<Refused>,
    /// Code and sentence.
    pub warnings: Vec<(&'static str, String)>,
}

/// Holds an index against what is remembered, the clock and the configuration.
///
/// # Errors
/// - [`Refused`], the gravest: going back first, then the wrong branch, time, and shrinking.
pub fn assess(
    index: &Offered<'_>,
    remembered: Option<&Remembered>,
    rules: &Rules<'_>,
    overrides: &Overrides,
) -> Result<Noticed, Refused> {
    let mut noticed = Noticed::default();
    let rollback = overrides.rollback.as_deref() == Some(index.sha256);
    let findings = [
        (remembered.and_then(|remembered| went_back(index, remembered)), rollback),
        (wrong_branch(index, rules), overrides.description),
        (ahead(index, rules), overrides.future),
        (too_old(index, rules, &mut noticed), overrides.stale),
        (remembered.and_then(|remembered| shrunk(index, remembered, rules)), overrides.shrink),
    ];
    for (finding, allowed) in findings {
        match finding {
            Some(refused) if !allowed => return Err(refused),
            Some(refused) => noticed.lifted.push(refused),
            None => {}
        }
    }
    if let Some(remembered) = remembered {
        noticed.warnings.extend(lower(index, remembered).into_iter().take(1).map(|example| {
            ("version-decreased", format!("some packages have lower versions than before, such as {example}"))
        }));
    }
    Ok(noticed)
}

fn went_back(index: &Offered<'_>, remembered: &Remembered) -> Option<Refused> {
    if index.sha256 == remembered.sha256 {
        return None;
    }
    if let (Some(found), Some(remembered)) = (index.time, remembered.time) {
        return (checked!("guard-rollback") && found < remembered)
            .then_some(Refused::Rollback { found, remembered });
    }
    if checked!("guard-seen") && remembered.before.iter().any(|digest| digest == index.sha256) {
        return Some(Refused::Seen);
    }
    let lower = lower(index, remembered);
    let new = highest(index.index);
    let rises = remembered
        .versions
        .iter()
        .any(|(name, old)| new.get(name).is_some_and(|new| compare_versions(new, old).is_gt()));
    let example = lower.first().filter(|_| checked!("guard-versions") && !rises)?.clone();
    Some(Refused::Versions { count: lower.len(), example })
}

/// Names whose highest version is lower than it was.
fn lower(index: &Offered<'_>, remembered: &Remembered) -> Vec<String> {
    let new = highest(index.index);
    let falls = |(name, old): (&String, &String)| {
        let new = new.get(name)?;
        let text = format!("{} {} (was {})", escape(name), escape(new), escape(old));
        compare_versions(new, old).is_lt().then_some(text)
    };
    remembered.versions.iter().filter_map(falls).collect()
}

fn highest(index: &Index) -> BTreeMap<String, String> {
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    for record in index.records() {
        let known = versions.entry(record.name().to_owned()).or_default();
        if known.is_empty() || compare_versions(record.version(), known).is_gt() {
            record.version().clone_into(known);
        }
    }
    versions
}

fn wrong_branch(index: &Offered<'_>, rules: &Rules<'_>) -> Option<Refused> {
    let expected = rules.description?;
    let matches = index.description.is_some_and(|found| expected.is_match(found));
    (checked!("guard-description") && !matches).then(|| Refused::Description {
        expected: expected.as_str().to_owned(),
        found: index.description.map(|text| escape(text).to_string()),
    })
}

fn ahead(index: &Offered<'_>, rules: &Rules<'_>) -> Option<Refused> {
    let time = index.time?;
    (checked!("guard-future") && time > rules.now.saturating_add(AHEAD)).then_some(Refused::Future { time })
}

fn too_old(index: &Offered<'_>, rules: &Rules<'_>, noticed: &mut Noticed) -> Option<Refused> {
    const DAY: u64 = 24 * 60 * 60;
    let max_age = rules.max_age?;
    let Some(time) = index.time else {
        if checked!("guard-ageless") && max_age.unknown == UnknownAge::Refuse {
            return Some(Refused::Ageless);
        }
        noticed.warnings.push(("age-unknown", "the index says nothing of its age".to_owned()));
        return None;
    };
    let age = Duration::from_secs(rules.now.saturating_sub(time));
    if checked!("guard-stale") && age > max_age.age {
        let (days, allowed) = (age.as_secs() / DAY, max_age.age.as_secs() / DAY);
        return Some(Refused::Stale { time, days, allowed });
    }
    if age > max_age.age / 2 {
        let text = format!("the index is of {}, more than half of the allowed age ago", day(time));
        noticed.warnings.push(("ageing", text));
    }
    None
}

fn shrunk(index: &Offered<'_>, remembered: &Remembered, rules: &Rules<'_>) -> Option<Refused> {
    let before = remembered.versions.len();
    let now = highest(index.index);
    let vanished = remembered.versions.keys().filter(|name| !now.contains_key(*name)).count();
    let allowed = before.saturating_mul(rules.shrink_percent.into()) / 100;
    let allowed = if before <= SMALL { before.saturating_sub(1) } else { allowed };
    (checked!("guard-shrunk") && vanished > allowed).then_some(Refused::Shrunk {
        vanished,
        before,
        allowed: rules.shrink_percent,
    })
}

/// The day of a time, as `2026-11-24`.
fn day(seconds: u64) -> String {
    let timestamp =
        i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    timestamp.map_or_else(
        || format!("second {seconds}"),
        |timestamp| jiff::tz::Offset::UTC.to_datetime(timestamp).date().to_string(),
    )
}

fn described(found: Option<&str>) -> String {
    found.map_or_else(|| "none".to_owned(), |text| format!("`{text}`"))
}

#[cfg(test)]
mod tests;
