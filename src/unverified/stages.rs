//! The two stages of reading a data member: inflating it, and the checks of what comes out.
//!
//! Here they take turns. The library has no threads; who has some puts the checks on one of them ([`Beside`]).

use crate::container::{MemberSink, output_buffer};
use crate::limits::{Limits, length};
use crate::package::{DataMember, Listing};
use crate::types::Sha256Hasher;

/// What is done with a data member beside inflating it: SHA-256 of its stored bytes, archive and checksums of
/// what came out.
///
/// Shape: takes every chunk exactly once, in order. Trust: none; what is found is judged elsewhere.
#[derive(Debug)]
pub struct DataChecks {
    pub(super) sha256: Sha256Hasher,
    pub(super) data: DataMember,
    /// Bytes that came out and were taken.
    pub(super) taken: u64,
}

/// Part of a data member: stored bytes, and bytes that came out.
///
/// What came out need not have come out of these very stored bytes: either of them is in order, and no more.
#[derive(Debug)]
pub struct Chunk {
    stored: Vec<u8>,
    inflated: Box<[u8]>,
    length: usize,
}

/// Takes a full chunk on, and leaves an empty one in its place: a new one, or one that [`DataChecks::take`] has emptied.
pub type HandOn<'a> = dyn FnMut(&mut Chunk) + 'a;

/// Inflates a data member, and hands the chunks on in their order.
pub type Inflate<'a> = dyn FnMut(&mut HandOn<'_>) + 'a;

/// Where the checks of a data member take place while it is inflated.
pub trait Beside {
    /// Calls `inflate` once, has the checks take all chunks in their order, and returns them when that is done.
    fn run(&mut self, checks: DataChecks, inflate: &mut Inflate<'_>) -> DataChecks;
}

impl DataChecks {
    pub(super) fn new(limits: &Limits, listing: Listing) -> Self {
        Self { sha256: Sha256Hasher::new(), data: DataMember::new(limits, listing), taken: 0 }
    }

    /// Checks a chunk, and empties it.
    pub fn take(&mut self, chunk: &mut Chunk) {
        self.raw(&chunk.stored);
        self.inflated(chunk.inflated.get(..chunk.length).unwrap_or_default());
        chunk.stored.clear();
        chunk.length = 0;
    }
}

impl MemberSink for DataChecks {
    fn raw(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
    }

    fn inflated(&mut self, bytes: &[u8]) {
        self.taken += length(bytes);
        self.data.feed(bytes);
    }
}

impl Default for Chunk {
    fn default() -> Self {
        Self { stored: Vec::new(), inflated: output_buffer(), length: 0 }
    }
}

/// Gathers chunks and hands them on.
pub(super) struct Gatherer<'h> {
    chunk: Chunk,
    hand_on: &'h mut HandOn<'h>,
}

impl<'h> Gatherer<'h> {
    pub(super) fn new(hand_on: &'h mut HandOn<'h>) -> Self {
        Self { chunk: Chunk::default(), hand_on }
    }

    /// Hands on what is left: stored bytes out of which nothing came any more.
    pub(super) fn finish(mut self) {
        (self.hand_on)(&mut self.chunk);
    }
}

impl MemberSink for Gatherer<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.chunk.stored.extend_from_slice(bytes);
    }

    fn inflated(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(self.chunk.inflated.len().max(1)) {
            self.chunk.inflated.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            self.chunk.length = part.len();
            (self.hand_on)(&mut self.chunk);
        }
    }

    fn inflated_in(&mut self, buffer: &mut Box<[u8]>, length: usize) {
        std::mem::swap(buffer, &mut self.chunk.inflated);
        self.chunk.length = length;
        (self.hand_on)(&mut self.chunk);
    }
}
