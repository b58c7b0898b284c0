//! A package that was read as far as its data member.

use std::io::{self, Read};
use std::ops::Range;

use super::read::Tee;
use super::{Facts, MemberFact, Role, Subject, Unverified};
use crate::container::{Rest, Scratch};
use crate::fault::Rank;
use crate::limits::length;
use crate::package::{Control, ControlError};
use crate::types::{BLOCK, Digest, Sha256, padding};

/// What came of beginning to read a file.
#[derive(Debug)]
pub enum Begun<R> {
    /// All of it.
    Whole(Subject),
    /// A package but for the digest of its data member.
    Data(Stored<R>),
}

/// A package whose data member has still to be hashed, as stored.
///
/// Units: holds one buffer of 64 KiB, beside what was read before.
/// Trust: none.
#[derive(Debug)]
pub struct Stored<R> {
    facts: Facts,
    control: Result<Control, ControlError>,
    reader: Tee<R>,
    buffer: Box<[u8]>,
    /// What of the buffer has still to be hashed.
    held: Range<usize>,
    /// Where the member begins in the file.
    start: u64,
    /// Bytes of the member that were read.
    length: u64,
    /// Whether that was all of them, and the padding stands behind.
    padded: bool,
}

impl<R> Stored<R> {
    /// Takes the buffer that the rest lies in out of `scratch`.
    pub(super) fn new(
        facts: Facts,
        control: Result<Control, ControlError>,
        rest: Rest<Tee<R>>,
        scratch: &mut Scratch,
    ) -> Self {
        let Rest { reader, held, offset: start } = rest;
        let buffer = scratch.take_input();
        let length = length(buffer.get(held.clone()).unwrap_or_default());
        Self { facts, control, reader, buffer, held, start, length, padded: false }
    }

    /// What is held, as blocks.
    pub(super) fn blocks(&self) -> &[[u8; BLOCK]] {
        self.buffer.get(self.held.clone()).unwrap_or_default().as_chunks().0
    }

    /// Marks blocks as hashed.
    pub(super) fn consume(&mut self, blocks: usize) {
        self.held.start = self.held.end.min(self.held.start + blocks * BLOCK);
    }

    /// Whether all blocks were hashed.
    pub(super) fn is_hashed(&self) -> bool {
        self.padded && self.held.is_empty()
    }

    /// The package, with the digest of all its blocks.
    pub(super) fn finish(self, digest: Digest<Sha256>, scratch: &mut Scratch) -> Subject {
        let Self { mut facts, control, reader, buffer, start, length, .. } = self;
        scratch.give_back(buffer);
        let end = start.saturating_add(length);
        facts.members.push(MemberFact { role: Role::Data, span: start..end, inflated: None });
        facts.compare(control.as_ref().ok().map(|control| control.info.datahash()), digest);
        let claims = facts.claims(control, None, Rank::Control);
        facts.budget.bytes_read = end;
        facts.size = Some(end);
        facts.sha256 = reader.finish();
        Subject::Package(Unverified { facts, claims })
    }

    /// Leaves only the buffer.
    pub(super) fn abandon(self, scratch: &mut Scratch) {
        scratch.give_back(self.buffer);
    }
}

impl<R: Read> Stored<R> {
    /// Reads until there is a block, if one is left.
    pub(super) fn refill(&mut self) -> io::Result<()> {
        while self.blocks().is_empty() && !self.padded {
            self.buffer.copy_within(self.held.clone(), 0);
            self.held = 0..self.held.len();
            match self.read_more() {
                Ok(0) => self.pad(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Less than a block is held: there is room for more, and for the padding.
    fn read_more(&mut self) -> io::Result<usize> {
        let free = self.buffer.get_mut(self.held.end..).unwrap_or_default();
        let count = self.reader.read(free)?.min(free.len());
        self.length += length(free.get(..count).unwrap_or_default());
        self.held.end += count;
        Ok(count)
    }

    fn pad(&mut self) {
        let free = self.buffer.get_mut(self.held.end..).unwrap_or_default();
        let mut padded = 0;
        for (to, from) in free.iter_mut().zip(padding(self.length)) {
            *to = from;
            padded += 1;
        }
        self.held.end += padded;
        self.padded = true;
    }
}
