//! What the tests of several files here need.

use std::path::PathBuf;

/// The folder of real files, if this checkout has it.
pub(crate) fn real() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/real"));
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: ../shared is missing: real files were not read");
    None
}
