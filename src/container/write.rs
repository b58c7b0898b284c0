//! Frames of our own making: a tar archive in one gzip member, the same bytes for the same content.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::limits::length;

/// Flags and time are zero; best compression, Unix: what abuild's members begin with.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3];
/// Units: bytes.
const BLOCK: u64 = 512;
/// What eleven octal digits can say.
const OCTAL_MAX: u64 = (1 << 33) - 1;
/// The longest name that needs no second header, with its NUL. Units: bytes.
pub(crate) const NAME_MAX: usize = 99;

/// Why an archive cannot be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A number does not fit into its field.
    #[error("the {what} {value} does not fit into a tar header, which takes {OCTAL_MAX} at most")]
    Number {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// A name does not fit into its field.
    #[error("a name of {found} bytes does not fit into a tar header, which takes {NAME_MAX} here")]
    Name {
        /// Units: bytes.
        found: usize,
    },
    /// The compressor gave up.
    #[error("compression failed: {0}")]
    Compression(std::io::ErrorKind),
}

/// How an archive ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ArchiveEnd {
    /// With two blocks of zeros.
    ZeroBlocks,
    /// With its last entry: another member follows that belongs to the same archive.
    #[cfg(any(test, feature = "aws-lc"))]
    Open,
}

/// Writes one gzip member that holds a tar archive of regular files.
#[derive(Debug)]
pub(crate) struct ArchiveWriter {
    deflate: DeflateEncoder<Vec<u8>>,
    crc: crc32fast::Hasher,
    time: u64,
}

impl ArchiveWriter {
    /// Begins a member; every entry gets this time. Units: seconds since 1970.
    pub(crate) fn new(time: u64) -> Self {
        let deflate = DeflateEncoder::new(HEADER.to_vec(), Compression::best());
        Self { deflate, crc: crc32fast::Hasher::new(), time }
    }

    /// Appends a file, given in pieces.
    pub(crate) fn file<'p>(
        &mut self,
        name: &str,
        pieces: impl Iterator<Item = &'p [u8]> + Clone,
    ) -> Result<(), WriteError> {
        let size = pieces.clone().map(length).sum::<u64>();
        self.put(&header(name, size, self.time)?)?;
        for piece in pieces {
            self.put(piece)?;
        }
        let padding = size.next_multiple_of(BLOCK) - size;
        let zeros = [0; 512];
        self.put(zeros.get(..usize::try_from(padding).unwrap_or_default()).unwrap_or_default())
    }

    /// Ends the member.
    pub(crate) fn finish(mut self, end: ArchiveEnd) -> Result<Vec<u8>, WriteError> {
        if end == ArchiveEnd::ZeroBlocks {
            self.put(&[0; 1024])?;
        }
        let inflated = self.deflate.total_in();
        let mut member = self.deflate.finish().map_err(failed)?;
        member.extend(self.crc.finalize().to_le_bytes());
        // The trailer holds the lowest 32 bits of the length.
        member.extend(inflated.to_le_bytes().iter().take(4));
        Ok(member)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.crc.update(bytes);
        self.deflate.write_all(bytes).map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn failed(error: std::io::Error) -> WriteError {
    WriteError::Compression(error.kind())
}

/// A POSIX header: owner root, mode 0644.
pub(crate) fn header(name: &str, size: u64, time: u64) -> Result<Vec<u8>, WriteError> {
    if name.len() > NAME_MAX {
        return Err(WriteError::Name { found: name.len() });
    }
    let number = |what, value: u64| {
        if value > OCTAL_MAX {
            Err(WriteError::Number { what, value })
        } else {
            Ok(format!("{value:011o}\0"))
        }
    };
    let (size, time) = (number("size", size)?, number("time", time)?);
    let mut block = Vec::with_capacity(512);
    let mut field = |text: &str, width: usize| {
        block.extend_from_slice(text.as_bytes());
        block.resize(block.len() + width.saturating_sub(text.len()), 0);
    };
    field(name, 100);
    field("0000644\0", 8);
    field("0000000\0", 8);
    field("0000000\0", 8);
    field(&size, 12);
    field(&time, 12);
    field("        ", 8);
    field("0", 1);
    field("", 100);
    field("ustar\x0000", 8);
    field("root", 32);
    field("root", 32);
    field("0000000\0", 8);
    field("0000000\0", 8);
    field("", 167);
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    for (byte, digit) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *byte = digit;
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn archive(name: &str, body: &[u8], time: u64, end: ArchiveEnd) -> Result<Vec<u8>, WriteError> {
        let mut writer = ArchiveWriter::new(time);
        writer.file(name, body.chunks(7))?;
        writer.finish(end)
    }

    fn inflated(member: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(member).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn writes_header_body_padding_and_end() {
        let tar =
            inflated(&archive("APKINDEX", &[b'x'; 513], 1_700_000_000, ArchiveEnd::ZeroBlocks).unwrap());
        assert_eq!(tar.len(), 512 + 1024 + 1024);
        assert_eq!(&tar[..9], b"APKINDEX\0");
        assert_eq!(&tar[124..148], b"00000001001\x0014524770400\0");
        assert_eq!(&tar[257..265], b"ustar\x0000");
        assert!(tar[512..1025].iter().all(|byte| *byte == b'x') && tar[1025..].iter().all(|byte| *byte == 0));
        assert_eq!(inflated(&archive("a", b"", 0, ArchiveEnd::Open).unwrap()).len(), 512);
    }

    #[test]
    fn the_same_content_gives_the_same_bytes() {
        let make = || archive("APKINDEX", b"C:Q1\n\n", 5, ArchiveEnd::ZeroBlocks).unwrap();
        assert_eq!(make(), make());
        assert_eq!(&make()[..10], &HEADER);
    }

    #[test]
    fn what_does_not_fit_into_a_header_is_refused() {
        let time = OCTAL_MAX + 1;
        let refused = archive("a", b"", time, ArchiveEnd::Open);
        assert_eq!(refused, Err(WriteError::Number { what: "time", value: time }));
        assert!(archive("a", b"", OCTAL_MAX, ArchiveEnd::Open).is_ok());
        let refused = archive(&"a".repeat(100), b"", 0, ArchiveEnd::Open);
        assert_eq!(refused, Err(WriteError::Name { found: 100 }));
        assert!(archive(&"a".repeat(99), b"", 0, ArchiveEnd::Open).is_ok());
    }
}
