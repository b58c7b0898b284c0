//! What a run tells while it goes on; who listens is not its business.

use super::finding::Finding;
use super::state::Place;

/// One step of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// So many indexes are read.
    Indexes {
        /// How many.
        count: usize,
    },
    /// An index was read and holds.
    Index {
        /// Of which place.
        place: &'a Place,
        /// Where it came from, without credentials.
        upstream: &'a str,
        /// Entries in it.
        entries: usize,
    },
    /// So many packages are fetched.
    Fetching {
        /// How many.
        count: usize,
        /// Units: bytes.
        bytes: u64,
    },
    /// A package is being fetched.
    Begun {
        /// Name and version.
        label: &'a str,
        /// Units: bytes.
        size: u64,
    },
    /// More of the packages has come.
    Received {
        /// Name and version.
        label: &'a str,
        /// Units: bytes.
        bytes: u64,
    },
    /// What came of a package was given up.
    Discarded {
        /// Name and version.
        label: &'a str,
        /// Units: bytes.
        bytes: u64,
    },
    /// A package is proven and kept, or given up.
    Done {
        /// Name and version.
        label: &'a str,
    },
    /// An index changed meanwhile: all begins again.
    Restarted {
        /// How often that happened.
        times: u32,
    },
    /// The new generation is read as a client would.
    Rehearsing,
    /// A generation became visible.
    Published {
        /// Its number.
        generation: u64,
    },
    /// Something to tell at once.
    Told(&'a Finding),
}

/// Who listens.
pub trait Progress: std::fmt::Debug + Sync {
    /// Hears of a step.
    fn event(&self, event: Event<'_>);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event<'_>) {}
}
