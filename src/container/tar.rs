//! A strict tar reader that is fed chunks and keeps nothing but the current header.
//!
//! Each gzip member gets a reader of its own: no state crosses a member border. What readers of tar
//! disagree about is an error here, so that what was judged is what any of them would see.
//! Source: `docs/formats/apk-v2.md`, section 3.

use crate::limits::{LimitReached, Limits, length};

use super::pax::{PaxError, PaxRecords};
use super::tar_header::{BLOCK, EntryKind, Flag, Header, HeaderError};

/// Why an archive is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// A header is refused.
    #[error("tar header at byte {at} of the archive: {error}")]
    Header {
        /// Offset in the inflated member.
        at: u64,
        /// What is wrong with it.
        error: HeaderError,
    },
    /// A pax header is refused.
    #[error("pax header at byte {at} of the archive: {error}")]
    Pax {
        /// Offset in the inflated member.
        at: u64,
        /// What is wrong with it.
        error: PaxError,
    },
    /// A pax header or long name follows another one.
    #[error("two extension headers apply to one entry, at byte {at} of the archive")]
    TwoExtensions {
        /// Offset in the inflated member.
        at: u64,
    },
    /// A pax path beside a prefix field.
    #[error("the name at byte {at} of the archive is given twice, by a pax header and by a prefix")]
    TwoNames {
        /// Offset in the inflated member.
        at: u64,
    },
    /// A long name that is empty or holds a NUL before its end.
    #[error("the GNU long name at byte {at} of the archive is not one name")]
    LongName {
        /// Offset in the inflated member.
        at: u64,
    },
    /// The member ends after a pax header or long name that applies to nothing.
    #[error("the archive ends with an extension header that applies to nothing")]
    Dangling,
    /// The member ends inside an entry.
    #[error("the archive ends inside an entry: {missing} bytes are missing")]
    CrossesEnd {
        /// Units: bytes.
        missing: u64,
    },
    /// The member's length is no multiple of 512.
    #[error("the archive ends with a partial block of {length} bytes")]
    PartialBlock {
        /// Units: bytes.
        length: usize,
    },
    /// Padding after a body is not zero.
    #[error("the padding at byte {at} of the archive is not zero")]
    Padding {
        /// Offset in the inflated member.
        at: u64,
    },
    /// A zero block where the archive must not end.
    #[error("a zero block at byte {at} of the archive, where no end may be")]
    ZeroBlock {
        /// Offset in the inflated member.
        at: u64,
    },
    /// Something other than zeros follows the end blocks.
    #[error("bytes other than zero follow the end of the archive, at byte {at}")]
    AfterEnd {
        /// Offset in the inflated member.
        at: u64,
    },
    /// An extension header is larger than allowed.
    #[error("{0}")]
    Limit(LimitReached),
}

impl TarError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Header { error, .. } => error.code(),
            Self::Pax { .. } => "tar-pax-record",
            Self::TwoExtensions { .. } => "tar-two-extensions",
            Self::TwoNames { .. } => "tar-two-names",
            Self::LongName { .. } => "tar-long-name",
            Self::Dangling => "tar-dangling-header",
            Self::CrossesEnd { .. } => "tar-entry-crosses-end",
            Self::PartialBlock { .. } => "tar-partial-block",
            Self::Padding { .. } => "tar-padding",
            Self::ZeroBlock { .. } => "tar-zero-block",
            Self::AfterEnd { .. } => "tar-after-end",
            Self::Limit(_) => "limit-pax-header",
        }
    }
}

/// Whether an archive may end with zero blocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ZeroBlocks {
    /// Signature and control members are cut: the next member goes on.
    Forbidden,
    /// Data and index.
    Allowed,
}

/// One entry, its name and link resolved.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The name as the pax header, the long name, or prefix and name say.
    pub(crate) path: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    pub(crate) mode: u64,
    pub(crate) mtime: u64,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) pax: PaxRecords,
    /// The name came from a GNU long name.
    pub(crate) long_name: bool,
    /// The header had a prefix.
    pub(crate) prefixed: bool,
    /// Bytes follow the NUL of the link name.
    pub(crate) link_residue: bool,
}

/// Takes the entries of an archive while they pass by.
pub(crate) trait TarSink {
    /// An entry begins. Its body follows in chunks, then [`TarSink::end`].
    fn entry(&mut self, entry: &Entry);
    /// Part of the body of the last entry.
    fn body(&mut self, chunk: &[u8]);
    /// The body is complete.
    fn end(&mut self);
}

/// The state of one archive.
#[derive(Debug)]
pub(crate) struct TarReader {
    state: State,
    zero_blocks_allowed: ZeroBlocks,
    extension_limit: u64,
    /// Bytes of the archive so far.
    offset: u64,
    /// A header that has not come in whole.
    block: [u8; BLOCK],
    filled: usize,
    pending: Option<Extension>,
    zero_blocks: u64,
}

#[derive(Debug)]
enum State {
    Header,
    /// The body of an entry; then so many bytes of padding.
    Body {
        left: u64,
        padding: u64,
    },
    /// The body of an extension header.
    Extension {
        flag: Flag,
        at: u64,
        left: u64,
        padding: u64,
        body: Vec<u8>,
    },
    Padding {
        left: u64,
    },
    /// Zero blocks have begun.
    End,
}

#[derive(Debug)]
enum Extension {
    Pax(PaxRecords),
    LongName(Vec<u8>),
}

impl TarReader {
    pub(crate) fn new(zero_blocks: ZeroBlocks, extension_limit: u64) -> Self {
        Self {
            state: State::Header,
            zero_blocks_allowed: zero_blocks,
            extension_limit,
            offset: 0,
            block: [0; BLOCK],
            filled: 0,
            pending: None,
            zero_blocks: 0,
        }
    }

    /// Bytes fed so far.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether what was fed ends in the middle of an extension header.
    pub(crate) const fn is_inside_extension(&self) -> bool {
        matches!(self.state, State::Extension { .. })
    }

    /// Reads the next bytes of the archive. After an error the reader must not be fed again.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut impl TarSink) -> Result<(), TarError> {
        while !bytes.is_empty() {
            let used = self.step(bytes, sink)?;
            self.offset += length(bytes.get(..used).unwrap_or_default());
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// Says that the member has ended, and returns how many zero blocks ended the archive.
    pub(crate) fn finish(&self) -> Result<u64, TarError> {
        match &self.state {
            State::Body { left, padding } | State::Extension { left, padding, .. }
                if checked!("tar-crosses-end") =>
            {
                Err(TarError::CrossesEnd { missing: left.saturating_add(*padding) })
            }
            State::Padding { left } if checked!("tar-crosses-end") => {
                Err(TarError::CrossesEnd { missing: *left })
            }
            State::Header | State::End if checked!("tar-partial-block") && self.filled > 0 => {
                Err(TarError::PartialBlock { length: self.filled })
            }
            State::Header | State::End if checked!("tar-dangling") && self.pending.is_some() => {
                Err(TarError::Dangling)
            }
            _ => Ok(self.zero_blocks),
        }
    }

    /// Uses some of the bytes, at least one, and returns how many.
    fn step(&mut self, bytes: &[u8], sink: &mut impl TarSink) -> Result<usize, TarError> {
        match &mut self.state {
            State::Header => self.header(bytes, sink),
            State::End => self.end(bytes),
            State::Body { left, padding } => {
                let chunk = front(bytes, *left);
                *left -= length(chunk);
                let done = (*left == 0).then_some(*padding);
                sink.body(chunk);
                if let Some(padding) = done {
                    sink.end();
                    self.state = after_body(padding);
                }
                Ok(chunk.len())
            }
            State::Extension { left, body, .. } => {
                let chunk = front(bytes, *left);
                *left -= length(chunk);
                body.extend_from_slice(chunk);
                if *left == 0 {
                    self.extension_complete()?;
                }
                Ok(chunk.len())
            }
            State::Padding { left } => {
                let chunk = front(bytes, *left);
                if let Some(bad) =
                    chunk.iter().position(|byte| *byte != 0).filter(|_| checked!("tar-padding"))
                {
                    let bad = u64::try_from(bad).unwrap_or(u64::MAX);
                    return Err(TarError::Padding { at: self.offset.saturating_add(bad) });
                }
                *left -= length(chunk);
                if *left == 0 {
                    self.state = State::Header;
                }
                Ok(chunk.len())
            }
        }
    }

    /// Fills the block; once it is whole, reads it as a header.
    fn header(&mut self, bytes: &[u8], sink: &mut impl TarSink) -> Result<usize, TarError> {
        let used = self.fill(bytes);
        if self.filled < BLOCK {
            return Ok(used);
        }
        self.filled = 0;
        // Where this block began: what was fed before these bytes completes it.
        let at =
            (self.offset + length(bytes.get(..used).unwrap_or_default())).saturating_sub(length(&self.block));
        if self.block.iter().all(|byte| *byte == 0) {
            self.zero_block(at)?;
            return Ok(used);
        }
        let block = self.block;
        let header = Header::parse(&block).map_err(|error| TarError::Header { at, error })?;
        match header.flag {
            Flag::Entry(kind) => self.entry(kind, &header, at, sink)?,
            flag => self.extension(flag, &header, at)?,
        }
        Ok(used)
    }

    fn zero_block(&mut self, at: u64) -> Result<(), TarError> {
        if checked!("tar-dangling") && self.pending.is_some() {
            return Err(TarError::Dangling);
        }
        if checked!("tar-zero-block") && self.zero_blocks_allowed == ZeroBlocks::Forbidden {
            return Err(TarError::ZeroBlock { at });
        }
        self.zero_blocks += 1;
        self.state = State::End;
        Ok(())
    }

    fn end(&mut self, bytes: &[u8]) -> Result<usize, TarError> {
        let used = self.fill(bytes);
        let rest = self.block.get(..self.filled).unwrap_or_default();
        if checked!("tar-after-end") && rest.iter().any(|byte| *byte != 0) {
            return Err(TarError::AfterEnd { at: self.offset });
        }
        if self.filled == BLOCK {
            self.filled = 0;
            self.zero_blocks += 1;
        }
        Ok(used)
    }

    fn entry(
        &mut self,
        kind: EntryKind,
        header: &Header<'_>,
        at: u64,
        sink: &mut impl TarSink,
    ) -> Result<(), TarError> {
        let entry = resolve(kind, header, self.pending.take(), at)?;
        sink.entry(&entry);
        let padding = padding(header.size);
        self.state = if header.size == 0 {
            sink.end();
            State::Header
        } else {
            State::Body { left: header.size, padding }
        };
        Ok(())
    }

    fn extension(&mut self, flag: Flag, header: &Header<'_>, at: u64) -> Result<(), TarError> {
        if checked!("tar-two-extensions") && self.pending.is_some() {
            return Err(TarError::TwoExtensions { at });
        }
        if checked!("tar-extension-size") && header.size > self.extension_limit {
            return Err(TarError::Limit(Limits::reached("pax-header", self.extension_limit)));
        }
        let (left, padding) = (header.size, padding(header.size));
        self.state = State::Extension { flag, at, left, padding, body: Vec::new() };
        if left == 0 { self.extension_complete() } else { Ok(()) }
    }

    fn extension_complete(&mut self) -> Result<(), TarError> {
        let State::Extension { flag, at, padding, body, .. } =
            std::mem::replace(&mut self.state, State::Header)
        else {
            return Ok(());
        };
        self.pending = Some(if flag == Flag::GnuLongName {
            Extension::LongName(long_name(body).ok_or(TarError::LongName { at })?)
        } else {
            Extension::Pax(PaxRecords::parse(&body).map_err(|error| TarError::Pax { at, error })?)
        });
        self.state = after_body(padding);
        Ok(())
    }

    /// Copies into the block what fits, and returns how much that was.
    fn fill(&mut self, bytes: &[u8]) -> usize {
        let free = self.block.get_mut(self.filled..).unwrap_or_default();
        let count = free.len().min(bytes.len());
        for (to, from) in free.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.filled += count;
        count
    }
}

fn front(bytes: &[u8], most: u64) -> &[u8] {
    usize::try_from(most).ok().and_then(|most| bytes.get(..most)).unwrap_or(bytes)
}

fn padding(size: u64) -> u64 {
    (512 - size % 512) % 512
}

fn after_body(padding: u64) -> State {
    if padding == 0 { State::Header } else { State::Padding { left: padding } }
}

/// A GNU long name is the name and one NUL.
fn long_name(mut body: Vec<u8>) -> Option<Vec<u8>> {
    let whole = body.pop()? == 0 && !body.is_empty() && !body.contains(&0);
    (whole || !checked!("tar-long-name")).then_some(body)
}

fn resolve(
    kind: EntryKind,
    header: &Header<'_>,
    pending: Option<Extension>,
    at: u64,
) -> Result<Entry, TarError> {
    let mut entry = Entry {
        path: header.name.to_vec(),
        link: header.link.to_vec(),
        kind,
        size: header.size,
        mode: header.mode,
        mtime: header.mtime,
        uid: header.uid,
        gid: header.gid,
        pax: PaxRecords::default(),
        long_name: false,
        prefixed: !header.prefix.is_empty(),
        link_residue: header.link_residue,
    };
    if entry.prefixed {
        entry.path = [header.prefix, b"/", header.name].concat();
    }
    match pending {
        Some(Extension::LongName(_)) if checked!("tar-two-names") && entry.prefixed => {
            return Err(TarError::TwoNames { at });
        }
        Some(Extension::LongName(name)) => {
            entry.path = name;
            entry.long_name = true;
        }
        Some(Extension::Pax(pax)) => {
            if let Some(path) = pax.value(b"path") {
                if checked!("tar-two-names") && entry.prefixed {
                    return Err(TarError::TwoNames { at });
                }
                entry.path = path.to_vec();
            }
            if let Some(link) = pax.value(b"linkpath") {
                entry.link = link.to_vec();
            }
            entry.pax = pax;
        }
        None => {}
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
