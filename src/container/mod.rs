//! Bytes become frames: gzip members with exact spans, and tar entries; no crypto, no package meaning.
//! And back: an archive in one member, for indexes of our own.

mod gzip;
mod inflate;
mod pax;
mod sniff;
mod source;
mod tar;
mod tar_header;
mod write;

pub(crate) use gzip::{Cap, Caps, MemberSink, RatioCap, read_member};
pub use gzip::{GzipError, Member, MemberError};
pub use inflate::Scratch;
pub(crate) use inflate::{Inflater, output_buffer};
pub use pax::PaxError;
pub use sniff::{Content, sniff};
pub(crate) use source::{Rest, Source};
pub use tar::TarError;
pub(crate) use tar::{Entry, TarReader, TarSink, ZeroBlocks};
pub use tar_header::{EntryKind, HeaderError};
#[cfg(feature = "aws-lc")]
pub(crate) use write::NAME_MAX;
pub use write::WriteError;
#[cfg(feature = "network")]
pub(crate) use write::header as tar_header;
pub(crate) use write::{ArchiveEnd, ArchiveWriter};
