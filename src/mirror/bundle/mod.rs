//! Bundles: what a mirror published, in one file, for a mirror without a way out.
//!
//! `docs/bundle.md` describes the format. A bundle proves nothing: whoever imports one verifies every index and
//! every package again, by the keys of the importing side.

mod error;
mod export;
mod import;
mod list;
mod read;
mod unpack;

pub use error::BundleError;
pub use export::{Exported, export};
pub use import::{Imported, import};
pub use list::{Bundle, BundleFile, BundleKind};
pub use read::BundleReader;

/// The form of bundle that this program reads and writes.
const SCHEMA: &str = "apkvet-bundle/1";

/// Lists are smaller than this: a million files. Units: bytes.
const MAX_LIST: u64 = 512 << 20;

/// Units: bytes.
const BLOCK: u64 = 512;

/// How the archive names its list, which is known by its digest.
fn list_name(sha256: &str) -> String {
    format!("apkvet-bundle-1/{sha256}")
}

/// How the archive names a file.
fn file_name(sha256: &str) -> String {
    format!("files/{sha256}")
}

/// Zeros that fill the last block of a file. Units: bytes.
fn padding(size: u64) -> usize {
    usize::try_from(size.next_multiple_of(BLOCK).saturating_sub(size)).unwrap_or_default()
}
