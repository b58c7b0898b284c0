//! The bytes of a file, read once, front to back, and counted.

use std::io::{self, Read};
use std::ops::Range;

use crate::limits::length;

/// A reader with one buffer that is used again and again.
///
/// Shape: nothing is ever read twice, and nothing is skipped.
#[derive(Debug)]
pub(crate) struct Source<'b, R> {
    reader: R,
    buffer: &'b mut [u8],
    start: usize,
    end: usize,
    /// Bytes consumed so far: the offset of `start` in the file.
    offset: u64,
    bytes_read: u64,
}

/// What a source that stopped has not given out.
#[derive(Debug)]
pub(crate) struct Rest<R> {
    /// What was not read at all.
    pub(crate) reader: R,
    /// What was read and not consumed, as places in the buffer.
    pub(crate) held: Range<usize>,
    /// Offset of all that in the file.
    pub(crate) offset: u64,
}

impl<'b, R: Read> Source<'b, R> {
    pub(crate) fn new(reader: R, buffer: &'b mut [u8]) -> Self {
        Self { reader, buffer, start: 0, end: 0, offset: 0, bytes_read: 0 }
    }

    /// Offset of the next byte that nobody has consumed.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes taken from the reader, consumed or not.
    pub(crate) const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// What is buffered; reads first if that is nothing. Empty only at the end of the file.
    pub(crate) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.read_more()?;
        }
        Ok(self.buffered())
    }

    /// What is buffered, after reading until that is `wanted` bytes or the file ends.
    ///
    /// `wanted` counts for no more than the size of the buffer.
    pub(crate) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.end - self.start < wanted && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < wanted && self.end < self.buffer.len() {
            if self.read_more()? == 0 {
                break;
            }
        }
        Ok(self.buffered())
    }

    /// Marks buffered bytes as used.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += u64::try_from(count).unwrap_or(u64::MAX);
    }

    /// Stops: what is left belongs to whoever has the buffer.
    pub(crate) fn into_rest(self) -> Rest<R> {
        Rest { reader: self.reader, held: self.start..self.end, offset: self.offset }
    }

    /// Gives the reader back.
    pub(crate) fn into_reader(self) -> R {
        self.reader
    }

    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.reader.read(free) {
                Ok(count) => {
                    let count = count.min(free.len());
                    self.end += count;
                    self.bytes_read += length(free.get(..count).unwrap_or_default());
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peeking_consumes_nothing_and_counts_what_was_read() {
        let mut buffer = [0; 4];
        let mut source = Source::new(&b"abcdef"[..], &mut buffer);
        assert_eq!(source.peek(3).unwrap(), b"abcd");
        source.consume(4);
        assert_eq!((source.offset(), source.bytes_read()), (4, 4));
        assert_eq!(source.fill().unwrap(), b"ef");
        source.consume(2);
        assert_eq!(source.fill().unwrap(), b"");
    }

    #[test]
    fn peeking_in_the_middle_moves_what_is_left_to_the_front() {
        let mut buffer = [0; 4];
        let mut source = Source::new(&b"abcdef"[..], &mut buffer);
        source.peek(4).unwrap();
        source.consume(3);
        assert_eq!(source.peek(3).unwrap(), b"def");
        assert_eq!(source.offset(), 3);
    }
}
