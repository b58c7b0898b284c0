//! Where an entry lies in the text of an index.

use std::ops::Range;

use crate::types::Identity;

/// Where one entry lies in the text, and what it is found by.
///
/// Units: bytes from the beginning of the text; the line is counted from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    /// All lines, each with its newline.
    pub(super) lines: Range<usize>,
    pub(super) line: u64,
    pub(super) identity: Identity,
    pub(super) name: Range<usize>,
    pub(super) version: Range<usize>,
}
