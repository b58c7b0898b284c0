//! What an audit is held against.

use jiff::civil::Date;

use super::blocklist::Blocklist;
use super::branch::Branch;
use super::ignore::Ignore;
use crate::keys::{KnownKeys, Pins};
use crate::types::Architecture;

/// How strict the judgement is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Strictness {
    /// What is usual today is not complained of.
    #[default]
    Default,
    /// What will have to change is.
    Strict,
}

/// How much the mathematics may cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Depth {
    /// Some milliseconds a key.
    #[default]
    Usual,
    /// Seconds a key: more rounds, and Pollard's p-1.
    Deep,
}

/// Who may own and change keys and their directories.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owners {
    /// Nobody asks: a checkout, a build context.
    Anybody,
    /// Root alone: a system.
    Root,
    /// Root, or this user: directories of one's own.
    RootOr(u32),
}

/// How the directories belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Search {
    /// apk looks through them in order, and the first of a name wins.
    FirstWins,
    /// Each on its own; what they hold is compared.
    Separate,
}

/// What an audit is held against. The day is given: the audit has no clock.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The day.
    pub as_of: Date,
    /// How strict.
    pub strictness: Strictness,
    /// The architecture of the machine, if it is known.
    pub architecture: Option<&'a Architecture>,
    /// Keys whose names state a greater age are warned of. Units: days.
    pub max_age: Option<i32>,
    /// Who may own keys.
    pub owners: Owners,
    /// How the directories belong together.
    pub search: Search,
    /// The pins, if there are any.
    pub pins: Option<&'a Pins>,
    /// What is known of keys.
    pub known: &'a KnownKeys,
    /// Lists of keys that nobody must use.
    pub blocklists: &'a [Blocklist],
    /// Findings that are not to count.
    pub ignore: &'a [Ignore],
    /// How many repositories the system is configured for, if that is known.
    pub repositories: Option<usize>,
    /// The branches of those repositories.
    pub branches: &'a [Branch],
}
