//! One gzip member at a time, with the exact bytes that it occupies.
//!
//! A general multi-member decoder hides where members begin and end; here the border is the point.
//! Source: RFC 1952; `docs/formats/apk-v2.md`, section 2.

use std::io::{self, Read};
use std::ops::Range;

use crate::limits::{LimitReached, Limits, length};

use super::Source;
use super::inflate::Inflater;

/// Why bytes are not one whole gzip member.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GzipError {
    /// The member does not begin with `1f 8b`.
    #[error("expected a gzip member at byte {at}, found bytes {found:02x?}")]
    Magic {
        /// Offset of the member.
        at: u64,
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// A compression method other than deflate.
    #[error("expected compression method 8 (deflate) in the gzip member at byte {at}, found {found}")]
    Method {
        /// Offset of the member.
        at: u64,
        /// The method byte.
        found: u8,
    },
    /// Reserved bits are set.
    #[error("reserved flag bits are set in the gzip member at byte {at}: 0x{flags:02x}")]
    ReservedFlags {
        /// Offset of the member.
        at: u64,
        /// The flag byte.
        flags: u8,
    },
    /// The checksum of the header is wrong.
    #[error("the header checksum of the gzip member at byte {at} is wrong")]
    HeaderChecksum {
        /// Offset of the member.
        at: u64,
    },
    /// The file name or comment in the header does not end.
    #[error("the file name or comment of the gzip member at byte {at} is longer than 4096 bytes")]
    HeaderText {
        /// Offset of the member.
        at: u64,
    },
    /// The compressed stream is damaged.
    #[error("the deflate stream of the gzip member at byte {member} is damaged near byte {at}")]
    Deflate {
        /// Offset of the member.
        member: u64,
        /// Where decoding stopped.
        at: u64,
    },
    /// The CRC-32 in the trailer is wrong.
    #[error("the CRC-32 of the gzip member at byte {at} is wrong")]
    Checksum {
        /// Offset of the member.
        at: u64,
    },
    /// The length in the trailer is wrong.
    #[error(
        "the length field of the gzip member at byte {at} says {found}, but {expected} bytes came out (modulo 2^32)"
    )]
    Length {
        /// Offset of the member.
        at: u64,
        /// What came out.
        expected: u32,
        /// What the trailer says.
        found: u32,
    },
    /// The file ends inside the member.
    #[error("the file is cut at byte {at}, inside the gzip member that begins at byte {member}")]
    Truncated {
        /// Offset of the member.
        member: u64,
        /// Length of the file.
        at: u64,
    },
}

impl GzipError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Magic { .. } => "gzip-magic",
            Self::Method { .. } => "gzip-method",
            Self::ReservedFlags { .. } => "gzip-reserved-flags",
            Self::HeaderChecksum { .. } => "gzip-header-checksum",
            Self::HeaderText { .. } => "gzip-header-text",
            Self::Deflate { .. } => "gzip-deflate",
            Self::Checksum { .. } => "gzip-checksum",
            Self::Length { .. } => "gzip-length",
            Self::Truncated { .. } => "truncated",
        }
    }
}

/// What ended the reading of a member.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// The source failed.
    #[error("reading failed")]
    Io(#[from] io::Error),
    /// The bytes are not a gzip member.
    #[error(transparent)]
    Gzip(#[from] GzipError),
    /// The member is larger than allowed.
    #[error(transparent)]
    Limit(#[from] LimitReached),
}

/// Where a member lies and what came out of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Units: byte offsets into the file, header and trailer included.
    pub span: Range<u64>,
    /// Units: bytes.
    pub inflated: u64,
}

/// Takes the bytes of a member while they pass by.
pub(crate) trait MemberSink {
    /// The stored bytes, each exactly once, in order.
    fn raw(&mut self, bytes: &[u8]);
    /// The inflated bytes, each exactly once, in order.
    fn inflated(&mut self, bytes: &[u8]);
    /// The same, in their buffer, which the sink may keep if it puts another of the same size in its place.
    fn inflated_in(&mut self, buffer: &mut Box<[u8]>, length: usize) {
        self.inflated(buffer.get(..length).unwrap_or_default());
    }
}

/// A number that may not be exceeded, and the name of its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    pub(crate) name: &'static str,
    /// What the message says.
    pub(crate) limit: u64,
    /// What is left of it for this member.
    pub(crate) left: u64,
}

impl Cap {
    pub(crate) const fn new(name: &'static str, limit: u64) -> Self {
        Self { name, limit, left: limit }
    }

    /// The same limit after part of it was used by earlier members.
    pub(crate) const fn less(self, used: u64) -> Self {
        Self { left: self.left.saturating_sub(used), ..self }
    }

    fn check(&self, value: u64) -> Result<(), LimitReached> {
        if checked!("member-size") && value > self.left {
            Err(Limits::reached(self.name, self.limit))
        } else {
            Ok(())
        }
    }
}

/// A bound on inflated bytes per stored byte, beyond a free amount.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RatioCap {
    pub(crate) name: &'static str,
    pub(crate) ratio: u64,
    pub(crate) free: u64,
}

/// How large a member may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) stored: Cap,
    pub(crate) inflated: Cap,
    pub(crate) ratio: Option<RatioCap>,
}

/// Reads one member and hands its bytes to the sink.
///
/// Trust: on success the CRC-32, the length and, where present, the header checksum hold, and exactly
/// the bytes of `span` went to [`MemberSink::raw`]. On an error the bytes up to there went.
pub(crate) fn read_member<R: Read>(
    source: &mut Source<'_, R>,
    inflater: &mut Inflater,
    caps: &Caps,
    sink: &mut impl MemberSink,
) -> Result<Member, MemberError> {
    let start = source.offset();
    let mut reader = MemberReader { source, sink, caps, start, header_crc: None };
    reader.header()?;
    inflater.reset();
    let (crc, inflated) = reader.body(inflater)?;
    reader.trailer(crc, inflated)?;
    Ok(Member { span: start..reader.source.offset(), inflated })
}

struct MemberReader<'s, 'b, R, S> {
    source: &'s mut Source<'b, R>,
    sink: &'s mut S,
    caps: &'s Caps,
    start: u64,
    /// CRC over the header while it is read.
    header_crc: Option<crc32fast::Hasher>,
}

const FLAG_HEADER_CRC: u8 = 0x02;
const FLAG_EXTRA: u8 = 0x04;
const FLAG_NAME: u8 = 0x08;
const FLAG_COMMENT: u8 = 0x10;
const FLAGS_RESERVED: u8 = 0xe0;
/// The longest file name or comment in a header; a path is no longer. Units: bytes.
const HEADER_TEXT: usize = 4096;

impl<R: Read, S: MemberSink> MemberReader<'_, '_, R, S> {
    fn header(&mut self) -> Result<(), MemberError> {
        let at = self.start;
        self.header_crc = Some(crc32fast::Hasher::new());
        let first = self.source.fill()?;
        if !first.starts_with(&[0x1f]) && !first.is_empty() {
            let found = first.iter().take(4).copied().collect();
            return Err(GzipError::Magic { at, found }.into());
        }
        let [id1, id2, method, flags, ..] = self.take::<10>()?;
        if checked!("gzip-magic") && [id1, id2] != [0x1f, 0x8b] {
            return Err(GzipError::Magic { at, found: vec![id1, id2] }.into());
        }
        if checked!("gzip-method") && method != 8 {
            return Err(GzipError::Method { at, found: method }.into());
        }
        if checked!("gzip-reserved-flags") && flags & FLAGS_RESERVED != 0 {
            return Err(GzipError::ReservedFlags { at, flags }.into());
        }
        self.header_extensions(flags)
    }

    fn header_extensions(&mut self, flags: u8) -> Result<(), MemberError> {
        if flags & FLAG_EXTRA != 0 {
            for _ in 0..u16::from_le_bytes(self.take::<2>()?) {
                self.take::<1>()?;
            }
        }
        for flag in [FLAG_NAME, FLAG_COMMENT] {
            if flags & flag != 0 {
                self.header_text()?;
            }
        }
        let crc = self.header_crc.take().unwrap_or_default().finalize();
        if flags & FLAG_HEADER_CRC != 0 {
            let [low, high, ..] = crc.to_le_bytes();
            if self.take::<2>()? != [low, high] && checked!("gzip-header-checksum") {
                return Err(GzipError::HeaderChecksum { at: self.start }.into());
            }
        }
        Ok(())
    }

    fn header_text(&mut self) -> Result<(), MemberError> {
        for _ in 0..HEADER_TEXT {
            if self.take::<1>()? == [0] {
                return Ok(());
            }
        }
        Err(GzipError::HeaderText { at: self.start }.into())
    }

    fn body(&mut self, inflater: &mut Inflater) -> Result<(u32, u64), MemberError> {
        let mut crc = crc32fast::Hasher::new();
        let mut inflated: u64 = 0;
        loop {
            let (start, offset) = (self.start, self.source.offset());
            let input = self.source.fill()?;
            let at_end = input.is_empty();
            // With nothing left, one byte is asked for: that it comes out is how too much is noticed.
            let room = self.caps.inflated.left.saturating_sub(inflated).max(1);
            let step = inflater.step(input, room).map_err(|_| {
                if at_end {
                    GzipError::Truncated { member: start, at: offset }
                } else {
                    GzipError::Deflate { member: start, at: offset }
                }
            })?;
            let output = inflater.output();
            let bytes = output.get(..step.made).unwrap_or_default();
            let made = length(bytes);
            self.caps.inflated.check(inflated + made)?;
            self.sink.raw(input.get(..step.used).unwrap_or_default());
            crc.update(bytes);
            self.sink.inflated_in(output, step.made);
            inflated += made;
            inflater.count(made);
            self.source.consume(step.used);
            self.check_growth(inflated)?;
            if step.ended {
                return Ok((crc.finalize(), inflated));
            }
            if at_end && made == 0 {
                return Err(GzipError::Truncated { member: self.start, at: self.source.offset() }.into());
            }
        }
    }

    fn trailer(&mut self, crc: u32, inflated: u64) -> Result<(), MemberError> {
        let at = self.start;
        let found = u32::from_le_bytes(self.take::<4>()?);
        let length = u32::from_le_bytes(self.take::<4>()?);
        if checked!("gzip-checksum") && found != crc {
            return Err(GzipError::Checksum { at }.into());
        }
        let [b0, b1, b2, b3, ..] = inflated.to_le_bytes();
        let expected = u32::from_le_bytes([b0, b1, b2, b3]);
        if checked!("gzip-length") && length != expected {
            return Err(GzipError::Length { at, expected, found: length }.into());
        }
        Ok(())
    }

    fn check_growth(&self, inflated: u64) -> Result<(), LimitReached> {
        let stored = self.source.offset() - self.start;
        self.caps.stored.check(stored)?;
        match self.caps.ratio {
            Some(cap)
                if checked!("member-ratio")
                    && inflated > cap.free.saturating_add(stored.saturating_mul(cap.ratio)) =>
            {
                Err(Limits::reached(cap.name, cap.ratio))
            }
            _ => Ok(()),
        }
    }

    /// Takes exactly `N` bytes, which go to the sink as stored bytes.
    fn take<const N: usize>(&mut self) -> Result<[u8; N], MemberError> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            let Some(next) = self.source.fill()?.first().copied() else {
                return Err(GzipError::Truncated { member: self.start, at: self.source.offset() }.into());
            };
            *byte = next;
            self.source.consume(1);
            self.caps.stored.check(self.source.offset() - self.start)?;
        }
        self.sink.raw(&bytes);
        if let Some(crc) = &mut self.header_crc {
            crc.update(&bytes);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
