//! What a clean-up must not touch beside generations and snapshots: the packages that lock files name.

use super::lock::of_file;
use crate::cli::failure::Failure;
use crate::mirror::MirrorSettings;
use crate::publish::Roots;
use crate::types::{Digest, Sha256};

/// Reads the lock files of a configuration.
///
/// One that cannot be read is an error: nothing is deleted as long as it is not known what is in use.
pub(super) fn roots(settings: &MirrorSettings) -> Result<Roots, Failure> {
    let mut roots = Roots::default();
    for path in &settings.locks {
        let lock = of_file(path)?;
        let digests =
            lock.packages().iter().map(|package| Digest::<Sha256>::parse_hex(package.sha256.as_bytes()));
        // Parsing a lock file has looked at its digests.
        digests.flatten().for_each(|sha256| roots.keep_file(sha256));
    }
    Ok(roots)
}
