//! Why there is no plan.

use super::solve::SolveErrors;
use crate::limits::LimitReached;

/// Why there is no plan.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A limit was reached.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// Requests that nothing satisfies.
    #[error(transparent)]
    Unsolved(#[from] SolveErrors),
    /// More tags than `apk` can tell apart.
    #[error("expected at most {} repository tags, found {found}", super::universe::TAGS)]
    Tags {
        /// How many.
        found: usize,
    },
    /// A pattern that no package matches.
    #[error("no package is called `{pattern}`")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
}
