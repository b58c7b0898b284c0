//! Holds a generation against its list: every file is there, and nothing else is.

use std::collections::BTreeSet;

use crate::types::{Digest, Sha256};

use super::admit::hash;
use super::error::{Doing, Measured, PublishError};
use super::layout;
use super::manifest::{Entry, EntryKind, Manifest};
use super::path::StorePath;
use super::spooled::SpooledReader;
use super::store::{Kind, Listed, Stat, Store};

/// How closely to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Names, kinds, sizes and modes.
    Sizes,
    /// Each file is read and hashed as well.
    Digests,
}

/// Something in a generation that is not as it should be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// A file of the list is not there.
    #[error("`{path}` is missing")]
    Missing {
        /// Which one.
        path: StorePath,
    },
    /// Something else than a regular file that everybody may read and nobody may write.
    #[error("`{path}` is no regular file of mode 0444")]
    NotAFile {
        /// Which one.
        path: StorePath,
    },
    /// Another size.
    #[error("`{path}` has {found} bytes, expected {expected}")]
    Size {
        /// Which one.
        path: StorePath,
        /// Units: bytes.
        expected: u64,
        /// Units: bytes.
        found: u64,
    },
    /// Other bytes.
    #[error("`{path}` has the SHA-256 {found}, expected {expected}")]
    Digest {
        /// Which one.
        path: StorePath,
        /// What the list says.
        expected: Digest<Sha256>,
        /// What the bytes have.
        found: Digest<Sha256>,
    },
    /// An index with an earlier time than it was published with, which clients would take for old.
    #[error("`{path}` has the time {found}, expected {expected} or later")]
    Time {
        /// Which one.
        path: StorePath,
        /// Units: seconds since 1970.
        expected: u64,
        /// Units: seconds since 1970.
        found: u64,
    },
    /// The pool has no such file, so that it could not be carried on.
    #[error("`{path}` is not in the pool")]
    NotInPool {
        /// Which one.
        path: StorePath,
    },
    /// Something that can be fetched by clients, and that nobody has published.
    #[error("`{path}` lies there, and is in no list of ours")]
    Foreign {
        /// Where; escaped.
        path: String,
    },
}

/// What is wrong with a generation, in the order of its paths, foreign things last.
pub(super) fn generation(
    store: &dyn Store,
    manifest: &Manifest,
    depth: Depth,
) -> Result<Vec<Defect>, PublishError> {
    below(store, &layout::generation(manifest.number), manifest, depth)
}

/// The same of what lies somewhere else by such a list.
pub(super) fn below(
    store: &dyn Store,
    root: &StorePath,
    manifest: &Manifest,
    depth: Depth,
) -> Result<Vec<Defect>, PublishError> {
    let mut defects = Vec::new();
    for entry in manifest.entries() {
        defects.extend(file(store, root, entry, depth)?);
    }
    let mut dirs: BTreeSet<StorePath> = manifest.directories().into_iter().collect();
    dirs.insert(StorePath::root());
    for dir in &dirs {
        foreign(store, root, manifest, dir, &dirs, &mut defects)?;
    }
    Ok(defects)
}

fn file(
    store: &dyn Store,
    root: &StorePath,
    entry: &Entry,
    depth: Depth,
) -> Result<Option<Defect>, PublishError> {
    let path = entry.path.clone();
    let Ok(place) = root.below(&path) else {
        return Ok(Some(Defect::Missing { path }));
    };
    let Ok(stat) = store.stat(&place) else { return Ok(Some(Defect::Missing { path })) };
    if let Some(defect) = differs(entry, &stat) {
        return Ok(Some(defect));
    }
    let pooled = store.stat(&layout::pooled(entry.sha256));
    if !pooled.is_ok_and(|pooled| pooled.kind == Kind::File && pooled.size == entry.size) {
        return Ok(Some(Defect::NotInPool { path }));
    }
    if depth == Depth::Sizes {
        return Ok(None);
    }
    let opened = store.open(&place).doing("read", &place)?;
    let Measured { sha256: found, .. } = hash(&mut SpooledReader::new(&*opened)).doing("read", &place)?;
    let expected = entry.sha256;
    Ok((checked!("check-digest") && found != expected).then_some(Defect::Digest { path, expected, found }))
}

fn differs(entry: &Entry, stat: &Stat) -> Option<Defect> {
    let path = entry.path.clone();
    if checked!("check-kind") && (stat.kind != Kind::File || stat.mode != 0o444) {
        return Some(Defect::NotAFile { path });
    }
    if checked!("check-size") && stat.size != entry.size {
        return Some(Defect::Size { path, expected: entry.size, found: stat.size });
    }
    let expected = entry.mtime.filter(|_| entry.kind == EntryKind::Index)?;
    (checked!("check-time") && stat.mtime < expected).then_some(Defect::Time {
        path,
        expected,
        found: stat.mtime,
    })
}

/// Finds what is not in the list; what lies in a directory that is not is not counted one by one.
fn foreign(
    store: &dyn Store,
    root: &StorePath,
    manifest: &Manifest,
    dir: &StorePath,
    dirs: &BTreeSet<StorePath>,
    defects: &mut Vec<Defect>,
) -> Result<(), PublishError> {
    let Ok(place) = root.below(dir) else { return Ok(()) };
    let listed = match store.list(&place) {
        Ok(listed) => listed,
        // Its files are missing, and said to be.
        Err(_) if !dir.is_root() => return Ok(()),
        Err(error) => return Err(error).doing("list", &place),
    };
    for listed in listed {
        let name = listed.path.as_ref().and_then(StorePath::name);
        let path = name.and_then(|name| dir.join(name).ok());
        let ours = path.as_ref().is_some_and(|path| match listed.kind {
            Kind::Dir => dirs.contains(path),
            Kind::Link => is_snapshots(store, path, &place),
            _ => manifest.entry(path).is_some(),
        });
        if checked!("check-foreign") && !ours {
            let Listed { name, .. } = listed;
            let path = if dir.is_root() { name } else { format!("{dir}/{name}") };
            defects.push(Defect::Foreign { path });
        }
    }
    Ok(())
}

/// Whether it is the one link that each generation has.
fn is_snapshots(store: &dyn Store, path: &StorePath, root: &StorePath) -> bool {
    let there = root.below(path).map(|place| store.read_link(&place).ok());
    *path == layout::snapshots()
        && there.is_ok_and(|target| target.as_deref() == Some(layout::SNAPSHOTS_LINK))
}
