//! One 512-byte tar header, read strictly: what readers disagree about is refused.
//!
//! Source: POSIX.1-1988 ustar; `docs/formats/apk-v2.md`, section 3.

use crate::types::escape;

/// Units: bytes.
pub(crate) const BLOCK: usize = 512;

/// What kind of file an entry is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EntryKind {
    /// A regular file, typeflag `0`.
    Regular,
    /// A hard link to an earlier entry, typeflag `1`.
    HardLink,
    /// A symbolic link, typeflag `2`.
    Symlink,
    /// A character device, typeflag `3`.
    CharacterDevice,
    /// A block device, typeflag `4`.
    BlockDevice,
    /// A directory, typeflag `5`.
    Directory,
    /// A named pipe, typeflag `6`.
    Fifo,
}

impl EntryKind {
    /// The word in messages and listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regular => "file",
            Self::HardLink => "hard link",
            Self::Symlink => "symlink",
            Self::CharacterDevice => "character device",
            Self::BlockDevice => "block device",
            Self::Directory => "directory",
            Self::Fifo => "fifo",
        }
    }
}

/// What a typeflag asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flag {
    /// An entry of its own.
    Entry(EntryKind),
    /// A pax header for the next entry, `x`.
    Pax,
    /// A GNU long name for the next entry, `L`.
    GnuLongName,
}

/// Why 512 bytes are not a header.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The checksum field does not match the block.
    #[error("the header checksum is wrong")]
    Checksum,
    /// Neither POSIX nor GNU magic.
    #[error("expected `ustar` magic, found `{found}`")]
    Magic {
        /// The field, escaped.
        found: String,
    },
    /// The bytes of a gzip member where a header must be.
    #[error("expected a tar header, found a gzip member: the file was packed once more on its way")]
    Packed,
    /// A number that is not plain octal.
    #[error("expected an octal number in the {field} field, found `{found}`")]
    Number {
        /// Name of the field.
        field: &'static str,
        /// The field, escaped.
        found: String,
    },
    /// A number in GNU base-256 form.
    #[error("the {field} field is in base-256 form, which apk cannot read")]
    Base256 {
        /// Name of the field.
        field: &'static str,
    },
    /// Mode bits beyond permissions.
    #[error("the mode field has bits beyond 07777: {found:o}")]
    Mode {
        /// The number.
        found: u64,
    },
    /// Bytes after the NUL that ends a name.
    #[error("bytes follow the NUL in the {field} field")]
    AfterNul {
        /// Name of the field.
        field: &'static str,
    },
    /// A typeflag that apk skips, ignores or reads differently from others.
    #[error("typeflag `{found}` is not accepted: readers of tar disagree about it")]
    TypeFlag {
        /// The byte, escaped.
        found: String,
    },
    /// The entry has no name.
    #[error("the entry has no name")]
    EmptyName,
    /// A GNU header with bytes where POSIX has the prefix.
    #[error("a header with GNU magic has a prefix field: readers of tar disagree about it")]
    GnuPrefix,
}

impl HeaderError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checksum => "tar-checksum",
            Self::Magic { .. } => "tar-magic",
            Self::Packed => "packed-twice",
            Self::Number { .. } => "tar-number",
            Self::Base256 { .. } => "tar-number-base256",
            Self::Mode { .. } => "tar-mode",
            Self::AfterNul { .. } => "tar-name-after-nul",
            Self::TypeFlag { .. } => "tar-typeflag",
            Self::EmptyName => "tar-empty-name",
            Self::GnuPrefix => "tar-gnu-prefix",
        }
    }
}

/// The fields of one header that anything depends on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Header<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) prefix: &'a [u8],
    pub(crate) link: &'a [u8],
    /// Bytes follow the NUL of the link name: builders of 2016 to 2023 left some there.
    pub(crate) link_residue: bool,
    pub(crate) flag: Flag,
    pub(crate) size: u64,
    pub(crate) mode: u64,
    pub(crate) mtime: u64,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
}

impl<'a> Header<'a> {
    /// Parses a block that is not a zero block.
    pub(crate) fn parse(block: &'a [u8; BLOCK]) -> Result<Self, HeaderError> {
        let field = |offset: usize, length: usize| block.get(offset..offset + length).unwrap_or_default();
        check_magic(field(257, 8))
            .map_err(|error| if is_gzip(block) { HeaderError::Packed } else { error })?;
        check_checksum(block, field(148, 8))?;
        let header = Self {
            name: text("name", field(0, 100))?,
            prefix: text("prefix", field(345, 155))?,
            link: cut(field(157, 100)),
            link_residue: has_residue(field(157, 100)),
            flag: flag(field(156, 1))?,
            mode: octal("mode", field(100, 8))?,
            uid: octal("uid", field(108, 8))?,
            gid: octal("gid", field(116, 8))?,
            size: octal("size", field(124, 12))?,
            mtime: octal("mtime", field(136, 12))?,
        };
        octal("device major", field(329, 8))?;
        octal("device minor", field(337, 8))?;
        header.check(field(257, 8))
    }

    fn check(self, magic: &[u8]) -> Result<Self, HeaderError> {
        if checked!("tar-mode") && self.mode > 0o7777 {
            return Err(HeaderError::Mode { found: self.mode });
        }
        if checked!("tar-empty-name") && self.name.is_empty() {
            return Err(HeaderError::EmptyName);
        }
        if checked!("tar-gnu-prefix") && !self.prefix.is_empty() && magic != MAGIC_POSIX {
            return Err(HeaderError::GnuPrefix);
        }
        Ok(self)
    }
}

const MAGIC_POSIX: &[u8] = b"ustar\x0000";
const MAGIC_GNU: &[u8] = b"ustar  \0";

fn check_magic(found: &[u8]) -> Result<(), HeaderError> {
    if !checked!("tar-magic") || found == MAGIC_POSIX || found == MAGIC_GNU {
        return Ok(());
    }
    Err(HeaderError::Magic { found: escape(found).to_string() })
}

/// Servers that call stored gzip an encoding, or pack it, make such files.
fn is_gzip(block: &[u8; BLOCK]) -> bool {
    block.starts_with(b"\x1f\x8b\x08")
}

fn check_checksum(block: &[u8; BLOCK], found: &[u8]) -> Result<(), HeaderError> {
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = found.iter().map(|byte| u64::from(*byte)).sum();
    // The field itself counts as eight blanks.
    let expected = sum - own + 8 * u64::from(b' ');
    match octal("checksum", found) {
        Ok(value) if value == expected || !checked!("tar-checksum") => Ok(()),
        _ => Err(HeaderError::Checksum),
    }
}

/// A NUL-terminated or full-width field, up to the NUL.
fn cut(raw: &[u8]) -> &[u8] {
    memchr::memchr(0, raw).and_then(|end| raw.get(..end)).unwrap_or(raw)
}

/// A NUL-terminated or full-width field; what follows the NUL must be NUL.
fn text<'a>(field: &'static str, raw: &'a [u8]) -> Result<&'a [u8], HeaderError> {
    if checked!("tar-after-nul") && has_residue(raw) {
        Err(HeaderError::AfterNul { field })
    } else {
        Ok(cut(raw))
    }
}

fn has_residue(raw: &[u8]) -> bool {
    raw.iter().skip(cut(raw).len()).any(|byte| *byte != 0)
}

/// Octal digits, then only NUL or blank; an empty field is 0. This is what apk reads, no more.
fn octal(field: &'static str, raw: &[u8]) -> Result<u64, HeaderError> {
    if checked!("tar-base256") && raw.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err(HeaderError::Base256 { field });
    }
    let digits = raw.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let (digits, rest) = raw.split_at_checked(digits).unwrap_or((raw, &[]));
    if checked!("tar-number") && !rest.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Err(HeaderError::Number { field, found: escape(raw).to_string() });
    }
    // At most 12 digits: 36 bits.
    Ok(digits.iter().fold(0, |value, digit| value << 3 | u64::from(digit - b'0')))
}

fn flag(raw: &[u8]) -> Result<Flag, HeaderError> {
    Ok(match raw {
        b"0" => Flag::Entry(EntryKind::Regular),
        b"1" => Flag::Entry(EntryKind::HardLink),
        b"2" => Flag::Entry(EntryKind::Symlink),
        b"3" => Flag::Entry(EntryKind::CharacterDevice),
        b"4" => Flag::Entry(EntryKind::BlockDevice),
        b"5" => Flag::Entry(EntryKind::Directory),
        b"6" => Flag::Entry(EntryKind::Fifo),
        b"x" => Flag::Pax,
        b"L" => Flag::GnuLongName,
        _ if !checked!("tar-typeflag") => Flag::Entry(EntryKind::Regular),
        _ => return Err(HeaderError::TypeFlag { found: escape(raw).to_string() }),
    })
}
