//! What is wrong with a configuration: where, and what was expected.

use crate::limits::LimitError;
use crate::types::{ArchitectureError, escape};

/// Why a configuration cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not TOML, a key that does not exist, or a value of another kind.
    #[error("line {line}: {}", escape(.message))]
    Syntax {
        /// Number of the line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// No repository at all.
    #[error("expected at least one [[repository]]")]
    NoRepository,
    /// A value of `[mirror]` or `[limits]`.
    #[error("{key}: {problem}")]
    Mirror {
        /// Which key.
        key: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A value of a repository.
    #[error("repository {repository}, {key}: {problem}")]
    Repository {
        /// Its name, or its number if it has none.
        repository: String,
        /// Which key.
        key: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A list that must not be empty.
    #[error("expected at least one")]
    Empty,
    /// None of the words that are known.
    #[error("expected {expected}, found `{}`", escape(.found))]
    Word {
        /// The words.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Not a time such as `12h` or `7d`.
    #[error("expected a time such as `12h` or `7d`, found `{}`", escape(.found))]
    Time {
        /// What stands there.
        found: String,
    },
    /// A name that does not fit into a path of the tree.
    #[error(
        "expected segments of [A-Za-z0-9._+-] with `/` between, none of them `.` or `..`, found `{}`",
        escape(.found)
    )]
    Name {
        /// What stands there.
        found: String,
    },
    /// A name that the mirror needs for itself.
    #[error("`{}` is a folder of the mirror itself: give the repository another name", escape(.found))]
    Reserved {
        /// What stands there.
        found: String,
    },
    /// Two repositories of one name, or one inside of another.
    #[error("overlaps with the repository {other}")]
    Overlap {
        /// The other one.
        other: String,
    },
    /// An architecture that is none.
    #[error("{0}")]
    Architecture(#[from] ArchitectureError),
    /// `noarch` is no folder of a repository.
    #[error("`noarch` is no architecture of a repository: its packages lie in the folder of each")]
    Noarch,
    /// A regular expression that is none.
    #[error("expected a regular expression: {0}")]
    Expression(String),
    /// A key that excludes another.
    #[error("`index-kind = \"upstream\"` takes the whole index as it is, and excludes this")]
    UpstreamKind,
    /// A subset without a key to sign its index.
    #[error("a subset has an index of its own, and needs `sign-key`")]
    NoSignKey,
    /// Neither keys nor pins.
    #[error("expected `keys`, or `key-pins`: without them nothing can be verified")]
    NoKeys,
    /// A waiver that is none.
    #[error("expected `name-version sha256:HEX code`, found `{}`", escape(.found))]
    Waiver {
        /// What stands there.
        found: String,
    },
    /// A number out of its range.
    #[error("expected a number from {least} to {most}")]
    Range {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A key that says nothing without another.
    #[error("says nothing without `{other}`")]
    Without {
        /// The other key.
        other: &'static str,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {detail}", escape(.path))]
    Unreadable {
        /// Which one.
        path: String,
        /// What the system says.
        detail: String,
    },
    /// A line of an `/etc/apk/repositories` that names no repository for us.
    #[error("{}", .0)]
    Listed(String),
    /// Two keys that say the same.
    #[error("expected either `upstream` or `repositories`")]
    Either,
    /// A limit that is none.
    #[error("{0}")]
    Limit(#[from] LimitError),
}
