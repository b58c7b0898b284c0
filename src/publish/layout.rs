//! Where the parts of a tree lie.

use crate::types::{Digest, Sha256};

use super::error::PublishError;
use super::path::StorePath;
use super::snapshot_name::SnapshotName;

/// What `snapshots` of each generation points to.
pub(super) const SNAPSHOTS_LINK: &str = "../../snapshots";

/// Names in a generation that no repository may have.
pub(super) const KEYS: &str = "keys";
pub(super) const SNAPSHOTS: &str = "snapshots";

// invariant: all that is formatted here are segments that `StorePath::parse` accepts.
fn fixed(text: &str) -> StorePath {
    StorePath::parse(text).unwrap_or_else(|_| StorePath::root())
}

pub(super) fn current() -> StorePath {
    fixed("current")
}

pub(super) fn pool() -> StorePath {
    fixed("pool")
}

pub(super) fn gens() -> StorePath {
    fixed("gens")
}

pub(super) fn snapshots() -> StorePath {
    fixed(SNAPSHOTS)
}

pub(super) fn state() -> StorePath {
    fixed("state")
}

pub(super) fn spool() -> StorePath {
    fixed("spool")
}

/// Where a run lays out what comes in together.
pub(super) fn unpacked() -> StorePath {
    fixed("spool/unpacked")
}

pub(super) fn lock() -> StorePath {
    fixed("state/lock")
}

pub(super) fn manifests() -> StorePath {
    fixed("state/gens")
}

pub(super) fn manifest(number: u64) -> StorePath {
    fixed(&format!("state/gens/{number}.json"))
}

/// The manifest of a generation that is being taken away.
pub(super) fn doomed_manifest(number: u64) -> StorePath {
    fixed(&format!("state/gens/{number}.gone.json"))
}

/// How the list of a snapshot ends that is there, that is being made, and that is being taken away.
pub(super) const SNAPSHOT_LIST: &str = ".list";
pub(super) const MAKING_LIST: &str = ".making";
pub(super) const GOING_LIST: &str = ".going";

pub(super) fn snapshot_lists() -> StorePath {
    fixed("state/snapshots")
}

pub(super) fn snapshot_list(name: &SnapshotName, ending: &str) -> StorePath {
    fixed(&format!("state/snapshots/{name}{ending}"))
}

pub(super) fn snapshot(name: &SnapshotName) -> StorePath {
    fixed(&format!("{SNAPSHOTS}/{name}"))
}

/// Where a snapshot lies that nobody may see yet, or any more.
pub(super) fn hidden_snapshot(name: &SnapshotName) -> StorePath {
    fixed(&format!("spool/{name}.snapshot"))
}

pub(super) fn generation(number: u64) -> StorePath {
    fixed(&format!("gens/{number}"))
}

/// What `current` says if this generation is the published one.
pub(super) fn current_target(number: u64) -> String {
    format!("gens/{number}")
}

pub(super) fn pool_dir(sha256: Digest<Sha256>) -> StorePath {
    let text = sha256.to_string();
    fixed(&format!("pool/{}", text.get(..2).unwrap_or_default()))
}

pub(super) fn pooled(sha256: Digest<Sha256>) -> StorePath {
    let text = sha256.to_string();
    fixed(&format!("pool/{}/{text}", text.get(..2).unwrap_or_default()))
}

/// The number in a name, written as we write it and in no other way.
pub(super) fn number(name: &str) -> Option<u64> {
    name.parse().ok().filter(|number: &u64| number.to_string() == name)
}

/// Where a document lies.
pub(super) fn document(name: &str) -> Result<StorePath, PublishError> {
    let wrong = || PublishError::DocumentName { found: name.to_owned() };
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !first || name.contains('/') || matches!(name, "lock" | "gens" | "snapshots") {
        return Err(wrong());
    }
    state().join(name).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_place() {
        let sha256 = Digest::<Sha256>::new([0xab; 32]);
        assert_eq!(pooled(sha256).as_str(), format!("pool/ab/{}", "ab".repeat(32)));
        assert_eq!(pool_dir(sha256).as_str(), "pool/ab");
        assert_eq!(manifest(7).as_str(), "state/gens/7.json");
        assert_eq!(doomed_manifest(7).as_str(), "state/gens/7.gone.json");
        assert_eq!(generation(u64::MAX).as_str(), format!("gens/{}", u64::MAX));
    }

    #[test]
    fn a_number_is_written_in_one_way() {
        assert_eq!([number("7"), number("0"), number("10")], [Some(7), Some(0), Some(10)]);
        assert_eq!([number("07"), number("+7"), number(""), number("7 "), number("7.gone")], [None; 5]);
    }

    #[test]
    fn a_document_cannot_take_the_place_of_the_lock() {
        assert_eq!(document("trust.json").unwrap().as_str(), "state/trust.json");
        for name in ["lock", "gens", "snapshots", ".x", "", "a/b", "..", "a b"] {
            let found = document(name).unwrap_err();
            assert!(matches!(found, PublishError::DocumentName { .. }), "{name}: {found:?}");
        }
    }
}
