//! The two stages of reading a member: inflating it, and the checks of what comes out.
//!
//! Here they take turns. The library has no threads; who has some puts the checks on one of them ([`Beside`]).

use std::fmt;
use std::sync::Arc;

use crate::container::{MemberSink, output_buffer};
use crate::limits::Limits;
use crate::package::{DataMember, Listing};
use crate::types::Sha256Hasher;

/// What is done with a member beside inflating it: the checks of what comes out, and of data the digest of its stored bytes.
///
/// Shape: takes each chunk of its own member once, in order; if it is given anything else, or not all, reading is an error.
/// Trust: none; what is found is judged elsewhere.
pub struct Checks<'s> {
    sink: &'s mut (dyn MemberSink + Send),
    reading: Reading,
    /// How many chunks were taken; none after one that was not the next.
    taken: Option<u64>,
}

/// Tells the chunks of one reading of one member from all others.
pub(super) type Reading = Arc<()>;

/// Part of a member: bytes that came out and, of data, stored bytes.
///
/// What came out need not have come out of these very stored bytes: either of them is in order, and no more.
#[derive(Debug)]
pub struct Chunk {
    /// Whose chunk this is, and which; none of one that nothing was put into.
    place: Option<(Reading, u64)>,
    stored: Vec<u8>,
    inflated: Box<[u8]>,
    length: usize,
}

/// Takes a full chunk on, and leaves an empty one in its place: a new one, or one that [`Checks::take`] has emptied.
pub type HandOn<'a> = dyn FnMut(&mut Chunk) + 'a;

/// Inflates a member, and hands the chunks on in their order.
pub type Inflate<'a> = dyn FnMut(&mut HandOn<'_>) + 'a;

/// Where the checks of a member take place while it is inflated.
pub trait Beside {
    /// Calls `inflate` once, and returns when the checks have taken all chunks in their order.
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>);
}

impl<'s> Checks<'s> {
    pub(super) fn new(sink: &'s mut (dyn MemberSink + Send)) -> Self {
        Self { sink, reading: Reading::default(), taken: Some(0) }
    }

    /// Checks a chunk, and empties it.
    pub fn take(&mut self, chunk: &mut Chunk) {
        if self.taken.is_some_and(|next| chunk.is(&self.reading, next)) {
            self.sink.raw(&chunk.stored);
            self.sink.inflated(chunk.inflated.get(..chunk.length).unwrap_or_default());
            self.taken = self.taken.map(|taken| taken + 1);
        } else {
            self.taken = None;
        }
        chunk.place = None;
        chunk.stored.clear();
        chunk.length = 0;
    }

    /// What the chunks are known by.
    pub(super) fn reading(&self) -> Reading {
        Arc::clone(&self.reading)
    }

    /// Whether so many chunks were taken, and all of them in their order.
    pub(super) fn have_taken(&self, chunks: u64) -> bool {
        self.taken == Some(chunks)
    }
}

impl Chunk {
    fn is(&self, reading: &Reading, number: u64) -> bool {
        self.place.as_ref().is_some_and(|(of, place)| Arc::ptr_eq(of, reading) && *place == number)
    }
}

impl fmt::Debug for Checks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// The checks of a data member: SHA-256 of its stored bytes, archive and checksums of what came out.
#[derive(Debug)]
pub(super) struct DataChecks {
    pub(super) sha256: Sha256Hasher,
    pub(super) data: DataMember,
}

impl DataChecks {
    pub(super) fn new(limits: &Limits, listing: Listing) -> Self {
        Self { sha256: Sha256Hasher::new(), data: DataMember::new(limits, listing) }
    }
}

impl MemberSink for DataChecks {
    fn raw(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
    }

    fn inflated(&mut self, bytes: &[u8]) {
        self.data.feed(bytes);
    }
}

impl Default for Chunk {
    fn default() -> Self {
        Self { place: None, stored: Vec::new(), inflated: output_buffer(), length: 0 }
    }
}

/// Gathers chunks, numbers them and hands them on.
pub(super) struct Gatherer<'h> {
    chunk: Chunk,
    hand_on: &'h mut HandOn<'h>,
    reading: Reading,
    handed_on: u64,
}

impl<'h> Gatherer<'h> {
    pub(super) fn new(reading: &Reading, hand_on: &'h mut HandOn<'h>) -> Self {
        Self { chunk: Chunk::default(), hand_on, reading: Arc::clone(reading), handed_on: 0 }
    }

    /// Hands on what is left, stored bytes out of which nothing came any more, and tells how many chunks there were.
    pub(super) fn finish(mut self) -> u64 {
        self.hand_on();
        self.handed_on
    }

    fn hand_on(&mut self) {
        self.chunk.place = Some((Arc::clone(&self.reading), self.handed_on));
        self.handed_on += 1;
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
            self.hand_on();
        }
    }

    fn inflated_in(&mut self, buffer: &mut Box<[u8]>, length: usize) {
        std::mem::swap(buffer, &mut self.chunk.inflated);
        self.chunk.length = length;
        self.hand_on();
    }
}
