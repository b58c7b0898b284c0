//! What must hold for any input, one function a target; the fuzzers and `cargo test` both call these.
#![allow(dead_code, reason = "each fuzzer uses one of them")]

mod files;
mod kept;
mod texts;

pub(crate) use files::*;
pub(crate) use kept::*;
pub(crate) use texts::*;

/// A target: its name, and what it calls.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("package", package),
    ("index", index),
    ("gzip_member", gzip_member),
    ("signature_tar", signature_tar),
    ("control_tar", control_tar),
    ("data_tar", data_tar),
    ("index_tar", index_tar),
    ("pkginfo", pkginfo),
    ("index_text", index_text),
    ("version", version),
    ("dependency", dependency),
    ("key_file", key_file),
    ("pins", pins),
    ("known_keys", known_keys),
    ("scope", scope),
    ("location", location),
    ("config", config),
    ("world", world),
    ("adb", adb),
    ("trust_state", trust_state),
    ("manifest", manifest),
    ("lock_file", lock_file),
];

/// Inputs to begin with, so that fuzzers need not invent gzip, RSA and JSON.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let seeds = file_seeds(target).or_else(|| text_seeds(target)).or_else(|| kept_seeds(target));
    seeds.unwrap_or_else(|| vec![Vec::new()])
}
