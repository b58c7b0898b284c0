//! Which pax keys may stand where.

use crate::container::Entry;

/// Times: written by abuild of 2025 before the signature entry too, and without effect anywhere.
const TIMES: &[&[u8]] = &[b"atime", b"ctime", b"mtime"];

/// The first pax key of the entry that is neither a time nor one of `allowed`.
pub(crate) fn refused_key(entry: &Entry, allowed: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
    entry.pax.iter().map(|(key, _)| key).find(|key| !TIMES.contains(key) && !allowed(key))
}
