//! One digest for everything that clients can install from a tree.

use sha2::Digest as _;

use crate::types::{Digest, Sha256};

use super::manifest::{Entry, EntryKind};

/// The digest of what a generation or snapshot lists.
///
/// Shape: SHA-256 over one line for each listed file, sorted by path: `index PATH` or `package PATH SHA256`.
/// The bytes of an index are left out, since they follow from its packages and from whoever signs it, and so are
/// the keys of the mirror and what is kept for older indexes: two mirrors that serve the same packages under the
/// same paths have the same digest.
pub fn tree_hash<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Digest<Sha256> {
    let mut lines: Vec<String> = entries
        .into_iter()
        .filter(|entry| entry.dropped_at().is_none())
        .filter_map(|entry| match entry.kind() {
            EntryKind::Package => Some(format!("package {} {}\n", entry.path().as_str(), entry.sha256())),
            EntryKind::Index => Some(format!("index {}\n", entry.path().as_str())),
            EntryKind::Key => None,
        })
        .collect();
    lines.sort_unstable();
    Digest::new(sha2::Sha256::digest(lines.concat()).into())
}
