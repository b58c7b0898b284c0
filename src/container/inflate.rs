//! The memory that reading one file after another needs, allocated once.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

/// How much is read at a time. Small enough that a bomb in the first member is refused within 128 KiB.
const INPUT: usize = 64 << 10;
/// How much is inflated at a time.
const OUTPUT: usize = 128 << 10;

/// A buffer for what is inflated in one step.
pub(crate) fn output_buffer() -> Box<[u8]> {
    vec![0; OUTPUT].into_boxed_slice()
}

/// Buffers and inflater for reading files one after another; nothing in it outlives a file.
pub struct Scratch {
    pub(crate) input: Box<[u8]>,
    pub(crate) inflater: Inflater,
    /// Buffers that were given back.
    spare: Vec<Box<[u8]>>,
}

impl Scratch {
    /// Takes the buffer away with what is in it, and puts another in its place.
    pub(crate) fn take_input(&mut self) -> Box<[u8]> {
        let next = self.spare.pop().unwrap_or_else(input_buffer);
        std::mem::replace(&mut self.input, next)
    }

    /// Keeps a buffer for the next that is needed.
    pub(crate) fn give_back(&mut self, buffer: Box<[u8]>) {
        self.spare.push(buffer);
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { input: input_buffer(), inflater: Inflater::new(), spare: Vec::new() }
    }
}

fn input_buffer() -> Box<[u8]> {
    vec![0; INPUT].into_boxed_slice()
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// A raw deflate decoder with its output buffer.
pub(crate) struct Inflater {
    decoder: Decompress,
    output: Box<[u8]>,
    /// Bytes handed on since the file began.
    handed_on: u64,
}

/// What one step of inflating did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Bytes of input that were used.
    pub(crate) used: usize,
    /// How many bytes came out: the first of [`Inflater::output`].
    pub(crate) made: usize,
    /// Whether the last block has ended.
    pub(crate) ended: bool,
}

/// The deflate stream is damaged.
#[derive(Debug)]
pub(crate) struct Damaged;

impl Inflater {
    fn new() -> Self {
        Self { decoder: Decompress::new(false), output: output_buffer(), handed_on: 0 }
    }

    /// Begins to count anew: a file begins.
    pub(crate) const fn begin_file(&mut self) {
        self.handed_on = 0;
    }

    /// Counts bytes that went to a sink.
    pub(crate) const fn count(&mut self, bytes: u64) {
        self.handed_on = self.handed_on.saturating_add(bytes);
    }

    /// Bytes that went to sinks since the file began, those of members that were refused included.
    pub(crate) const fn handed_on(&self) -> u64 {
        self.handed_on
    }

    /// Forgets everything: each member starts fresh.
    pub(crate) fn reset(&mut self) {
        self.decoder.reset(false);
    }

    /// Where the last step put what came out.
    pub(crate) const fn output(&mut self) -> &mut Box<[u8]> {
        &mut self.output
    }

    /// Inflates from `input` into the output buffer, at most `room` bytes.
    pub(crate) fn step(&mut self, input: &[u8], room: u64) -> Result<Step, Damaged> {
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(self.output.len());
        let output = self.output.get_mut(..room).unwrap_or_default();
        let (used, made) = (self.decoder.total_in(), self.decoder.total_out());
        let status = self.decoder.decompress(input, output, FlushDecompress::None).map_err(|_| Damaged)?;
        let used = usize::try_from(self.decoder.total_in() - used).map_err(|_| Damaged)?;
        let made = usize::try_from(self.decoder.total_out() - made).map_err(|_| Damaged)?;
        Ok(Step { used, made, ended: matches!(status, Status::StreamEnd) })
    }
}
