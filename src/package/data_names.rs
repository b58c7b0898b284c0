//! Names of installed files: which are safe, and how they stand to one another.

use std::collections::HashMap;

use sha2::Digest as _;

use crate::container::EntryKind;
use crate::types::{Digest, Sha1, escape};

use super::data_error::DataError;

/// The longest path that `apk` accepts. Units: bytes.
const PATH_MAX: usize = 4085;
/// The longest component that file systems accept. Units: bytes.
const COMPONENT_MAX: usize = 255;

/// Refuses paths that would be installed elsewhere, or nowhere, or under another name.
///
/// The trailing slash of a directory must be gone already.
pub(super) fn check_path(path: &[u8]) -> Result<(), DataError> {
    let bad = |reason| Err(DataError::Name { path: escape(path).to_string(), reason });
    if checked!("data-path-length") && path.len() > PATH_MAX {
        return bad("it is longer than 4085 bytes");
    }
    if checked!("data-path-control") && path.iter().any(|byte| *byte < 0x20 || *byte == 0x7f) {
        return bad("it holds a control character");
    }
    if checked!("data-path-absolute") && path.starts_with(b"/") {
        return bad("it is absolute");
    }
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" if checked!("data-path-empty") => return bad("it has an empty component"),
            b"." | b".." if checked!("data-path-dots") => return bad("it has the component `.` or `..`"),
            long if checked!("data-path-component") && long.len() > COMPONENT_MAX => {
                return bad("a component is longer than 255 bytes");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the target of a hard link leaves the package.
pub(super) fn leaves_package(target: &[u8]) -> bool {
    target.starts_with(b"/") || target.split(|byte| *byte == b'/').any(|component| component == b"..")
}

/// The first 16 bytes of SHA-256: enough to tell paths apart, and no longer than that.
type PathKey = [u8; 16];

fn key(path: &[u8]) -> PathKey {
    key_of(sha2::Sha256::new_with_prefix(path))
}

fn key_of(hasher: sha2::Sha256) -> PathKey {
    let mut key = PathKey::default();
    for (to, from) in key.iter_mut().zip(hasher.finalize()) {
        *to = from;
    }
    key
}

/// The directories that a path leads through, from the outermost, each with its key.
///
/// The path is hashed once and not once per component: two thousand components fit into one.
fn parents(path: &[u8]) -> impl Iterator<Item = (&[u8], PathKey)> {
    let mut hasher = sha2::Sha256::new();
    let mut hashed = 0;
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(move |(end, _)| {
        hasher.update(path.get(hashed..end).unwrap_or_default());
        hashed = end;
        (path.get(..end).unwrap_or_default(), key_of(hasher.clone()))
    })
}

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
struct Seen {
    kind: EntryKind,
    /// SHA-1 of the content of a regular file.
    sha1: Option<Digest<Sha1>>,
}

/// All paths of a package so far. Memory: about 40 bytes a path, whatever its length.
#[derive(Debug, Default)]
pub(super) struct SeenPaths(HashMap<PathKey, Seen>);

impl SeenPaths {
    /// Units: paths.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// Adds a path. Only a directory may stand twice, and only as a directory.
    pub(super) fn insert(&mut self, path: &[u8], kind: EntryKind) -> Result<(), DataError> {
        match self.0.insert(key(path), Seen { kind, sha1: None }) {
            Some(Seen { kind: EntryKind::Directory, .. }) if kind == EntryKind::Directory => Ok(()),
            Some(_) if checked!("data-repeated") => {
                Err(DataError::Repeated { path: escape(path).to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Keeps the checksum of a file, for hard links that name it.
    pub(super) fn set_sha1(&mut self, path: &[u8], sha1: Digest<Sha1>) {
        if let Some(seen) = self.0.get_mut(&key(path)) {
            seen.sha1 = Some(sha1);
        }
    }

    /// SHA-1 of the content of an earlier regular file, or of the file that an earlier hard link names.
    pub(super) fn file(&self, path: &[u8]) -> Option<Digest<Sha1>> {
        self.0.get(&key(path)).and_then(|seen| seen.sha1)
    }

    /// Checks what the path leads through: earlier directories only.
    ///
    /// Directories themselves need no entry of their parent; files and links do.
    pub(super) fn check_parents(&self, path: &[u8], kind: EntryKind) -> Result<(), DataError> {
        let mut parent_seen = true;
        for (parent, key) in parents(path) {
            match self.0.get(&key) {
                Some(Seen { kind: EntryKind::Directory, .. }) => parent_seen = true,
                Some(seen) if checked!("data-through-link") => {
                    return Err(DataError::Through {
                        path: escape(path).to_string(),
                        through: escape(parent).to_string(),
                        kind: seen.kind.name(),
                    });
                }
                _ => parent_seen = false,
            }
        }
        if checked!("data-no-directory") && !parent_seen && kind != EntryKind::Directory {
            return Err(DataError::NoDirectory { path: escape(path).to_string() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(path: &[u8]) -> Option<&'static str> {
        match check_path(path) {
            Ok(()) => None,
            Err(DataError::Name { reason, .. }) => Some(reason),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_rule_of_a_path_is_told_by_its_own_reason() {
        let component = |length: usize| "x".repeat(length);
        let path = |length: usize| {
            let mut path = format!("{}/", component(200)).repeat(length / 201 + 1);
            path.truncate(length);
            path.replace_range(length - 1.., "x");
            path
        };
        for (name, expected) in [
            ("usr/bin/x".to_owned(), None),
            (component(COMPONENT_MAX), None),
            (path(PATH_MAX), None),
            ("/usr/x".to_owned(), Some("it is absolute")),
            ("usr//x".to_owned(), Some("it has an empty component")),
            ("usr/".to_owned(), Some("it has an empty component")),
            (String::new(), Some("it has an empty component")),
            ("usr/./x".to_owned(), Some("it has the component `.` or `..`")),
            ("usr/..".to_owned(), Some("it has the component `.` or `..`")),
            ("usr/a\nb".to_owned(), Some("it holds a control character")),
            ("usr/\u{7f}".to_owned(), Some("it holds a control character")),
            (component(COMPONENT_MAX + 1), Some("a component is longer than 255 bytes")),
            (path(PATH_MAX + 1), Some("it is longer than 4085 bytes")),
        ] {
            assert_eq!(reason(name.as_bytes()), expected, "{name}");
        }
    }
}
