//! A version that was published and that no selection picks any more: what is remembered of it.
//!
//! Its entry is upstream's, byte for byte: nobody could make it again once upstream has dropped it.

use serde::{Deserialize, Serialize};

use super::state::StateError;
use crate::index::{Index, Record};
use crate::limits::Limits;

/// A version that was published once, kept for as long as its file is.
///
/// Trust: its entry stood in an index that was verified on the day of its [`super::Provenance`], which stands
/// beside it; it counts only as long as a key of that proof is trusted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// The entry, as upstream had it.
    pub entry: String,
    /// When it was seen first that upstream, or the selection, has it no more. Units: seconds since 1970.
    pub dropped_at: u64,
    /// Whether upstream listed it all the same when the last run looked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upstream: bool,
    /// Whether the selection had given up its name before upstream did: it stays only where it is needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spare: bool,
    /// Why it is kept without being listed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<String>,
}

impl Former {
    /// The name and version that it is remembered under.
    ///
    /// # Errors
    /// - [`StateError::Value`] for a text that is not just one entry, within the grammar.
    pub(super) fn label(&self, limits: &Limits) -> Result<String, StateError> {
        let index = Index::parse(self.entry.clone().into_bytes(), limits).ok();
        let one = index.as_ref().filter(|index| index.len() == 1).and_then(|index| index.records().next());
        let found = || self.entry.chars().take(100).collect();
        let label = one.map(|record| record.label());
        label.ok_or_else(|| StateError::Value { expected: "the entry of one package", found: found() })
    }

    /// What is remembered of an entry that is dropped now.
    pub(super) fn new(record: &Record<'_>, dropped_at: u64) -> Self {
        Self { entry: record.as_str().to_owned(), dropped_at, upstream: false, spare: false, unlisted: None }
    }
}
