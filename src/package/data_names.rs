//! Names of installed files: which are safe, and how they stand to one another.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher as _, RandomState};

use memchr::memchr_iter;

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

/// Two keyed hashes of a path: enough to tell paths apart, and no longer than that.
type PathKey = [u64; 2];

/// Hashes with keys that nobody knows: drawn at random by the process, others for each package. So nobody can
/// choose two paths that collide.
#[derive(Debug, Default)]
struct PathKeys([RandomState; 2]);

impl PathKeys {
    /// The directories that a path leads through, from the outermost, and the path itself, each with its key.
    ///
    /// The path is hashed once and not once per component: two thousand components fit into one. The hashers
    /// are given the components one by one, since only the same pieces are sure to have the same hash.
    fn prefixes<'p>(&self, path: &'p [u8]) -> impl Iterator<Item = (&'p [u8], PathKey)> + use<'p> {
        let mut hashers = self.0.each_ref().map(BuildHasher::build_hasher);
        let mut hashed = 0;
        memchr_iter(b'/', path).chain([path.len()]).map(move |end| {
            let piece = path.get(hashed..end).unwrap_or_default();
            hashed = end;
            let key = hashers.each_mut().map(|hasher| {
                hasher.write(piece);
                hasher.finish()
            });
            (path.get(..end).unwrap_or_default(), key)
        })
    }

    fn key(&self, path: &[u8]) -> PathKey {
        self.prefixes(path).last().map(|(_, key)| key).unwrap_or_default()
    }
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
pub(super) struct SeenPaths {
    keys: PathKeys,
    seen: HashMap<PathKey, Seen>,
}

impl SeenPaths {
    /// Units: paths.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    /// Adds a path. Only a directory may stand twice, and only as a directory.
    pub(super) fn insert(&mut self, path: &[u8], kind: EntryKind) -> Result<(), DataError> {
        match self.seen.insert(self.keys.key(path), Seen { kind, sha1: None }) {
            Some(Seen { kind: EntryKind::Directory, .. }) if kind == EntryKind::Directory => Ok(()),
            Some(_) if checked!("data-repeated") => {
                Err(DataError::Repeated { path: escape(path).to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Keeps the checksum of a file, for hard links that name it.
    pub(super) fn set_sha1(&mut self, path: &[u8], sha1: Digest<Sha1>) {
        if let Some(seen) = self.seen.get_mut(&self.keys.key(path)) {
            seen.sha1 = Some(sha1);
        }
    }

    /// SHA-1 of the content of an earlier regular file, or of the file that an earlier hard link names.
    pub(super) fn file(&self, path: &[u8]) -> Option<Digest<Sha1>> {
        self.seen.get(&self.keys.key(path)).and_then(|seen| seen.sha1)
    }

    /// Checks what the path leads through: earlier directories only.
    ///
    /// Directories themselves need no entry of their parent; files and links do.
    pub(super) fn check_parents(&self, path: &[u8], kind: EntryKind) -> Result<(), DataError> {
        let mut parent_seen = true;
        let parents = self.keys.prefixes(path).filter(|(parent, _)| parent.len() < path.len());
        for (parent, key) in parents {
            match self.seen.get(&key) {
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
