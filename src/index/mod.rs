//! Frames become claims: what an index says, unproven.

mod body;
mod check;
mod compose;
mod diff;
mod draft;
mod finding;
mod package;
mod parsed;
mod providers;
mod query;
mod record;
mod resolver;
pub mod rule;
mod span;
#[cfg(test)]
pub(crate) mod testing;
mod text;

pub use body::IndexError;
pub(crate) use body::{IndexBody, IndexMember};
pub use check::{check_entries, check_text};
pub use compose::{EntryFacts, compose, entry_order};
pub use diff::{Change, diff};
pub use draft::{DraftError, IndexBytes, IndexDraft};
pub use finding::{Finding, Findings};
pub use package::{PackageFacts, differences};
pub use parsed::{Index, IndexTextError};
pub use providers::{Provider, Providers};
pub use query::{Query, matches, select};
pub use record::Record;
pub use text::{FaultClass, Keep, TextFault, TextNote, TextReader, TextReport};
