//! Why something cannot be published.

use std::fmt;
use std::io;

use crate::types::{Digest, Sha256, escape};

use super::check::Defect;
use super::path::StorePath;
use super::snapshot_name::SnapshotName;

/// Why publishing stops; what is published stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The system said no.
    #[error("cannot {doing} `{}`", escape(.path))]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// Where.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// Another run works on the tree.
    #[error("another run{} works on this tree; wait for it, or use --wait", with_pid(*.pid))]
    Locked {
        /// Its process, if it could be read.
        pid: Option<u32>,
    },
    /// A part of the tree lies on another file system, so that no hard link can lead there.
    #[error("`{path}` lies on another file system than the tree: the whole tree has to be on one")]
    OtherFileSystem {
        /// Which part.
        path: StorePath,
    },
    /// Others may change what lies there.
    #[error("`{}` can be written by others: take that right away, or choose another directory", escape(.path))]
    WritableByOthers {
        /// The root, the directory that it lies in, or a private part of the tree.
        path: String,
    },
    /// A private directory that belongs to somebody else.
    #[error("`{path}` does not belong to the user who runs this: expected a directory of ours alone")]
    ForeignOwner {
        /// Which one.
        path: StorePath,
    },
    /// Something else lies where a part of the tree must be.
    #[error("expected {expected} at `{path}`, found something else: move it away")]
    Occupied {
        /// Where.
        path: StorePath,
        /// What has to be there.
        expected: &'static str,
    },
    /// A file of our own that cannot be right.
    #[error("`{path}` is damaged: {problem}")]
    Damaged {
        /// Which one.
        path: StorePath,
        /// What is wrong with it, escaped.
        problem: String,
    },
    /// A document that is larger than any that we write.
    #[error("`{path}` has more than {limit} bytes")]
    TooLarge {
        /// Which one.
        path: StorePath,
        /// Units: bytes.
        limit: u64,
    },
    /// A name that no document may have.
    #[error("expected one segment that begins with a letter or digit and is not `lock`, `gens` or `snapshots`, found `{}`", escape(.found))]
    DocumentName {
        /// The name.
        found: String,
    },
    /// A file that was proven is not the file that was written.
    #[error("expected {}, found a proof of {found}", told(.expected))]
    OtherFile {
        /// Digest and size of what was written; none if it was not read to its end, so that nothing proves it.
        expected: Option<Measured>,
        /// Digest and size of what was proven.
        found: Measured,
    },
    /// The file was changed by somebody else between its writing and its proof.
    #[error("`{path}` was changed while it was read")]
    Changed {
        /// Which one.
        path: StorePath,
    },
    /// The pool lacks a file, or has another in its place.
    #[error("the pool has no sound file {sha256}, which `{path}` needs: fetch it again")]
    NotInPool {
        /// The file.
        sha256: Digest<Sha256>,
        /// Who needs it.
        path: StorePath,
    },
    /// One path for two things in one generation.
    #[error("`{path}` was given twice, or lies in the way of another")]
    Twice {
        /// The path.
        path: StorePath,
    },
    /// A path that has been published with other content; only an index may change.
    #[error(
        "`{path}` is published with other content ({published}); a published file never changes unless that is allowed"
    )]
    Replaced {
        /// The path.
        path: StorePath,
        /// What is published.
        published: Digest<Sha256>,
    },
    /// A path that the tree needs for itself.
    #[error("`{path}` is a place of the tree itself: nothing else may be published there")]
    Reserved {
        /// The path.
        path: StorePath,
    },
    /// A new generation or snapshot is not what it should be; nothing of it is visible.
    #[error("what was built does not hold: {first} ({count} in all)")]
    SelfCheck {
        /// The first thing that is wrong.
        first: Defect,
        /// How many there are.
        count: usize,
    },
    /// A public key of the mirror that is none.
    #[error("`{path}` is no public key that clients can use: {problem}")]
    NoPublicKey {
        /// Where it was to be published.
        path: StorePath,
        /// What is wrong with it.
        problem: String,
    },
    /// Too much would be deleted at once.
    #[error(
        "{doomed} of {all} pool files would be deleted, more than {percent} percent: look at a dry run first"
    )]
    Floor {
        /// How many would be deleted.
        doomed: usize,
        /// How many there are.
        all: usize,
        /// The bound.
        percent: u8,
    },
    /// A snapshot of this name is there, or something else.
    #[error(
        "there is a snapshot `{name}` already: snapshots never change; remove it first, or take another name"
    )]
    SnapshotExists {
        /// The name.
        name: SnapshotName,
    },
    /// No snapshot of this name.
    #[error("there is no snapshot `{name}`")]
    NoSnapshot {
        /// The name.
        name: SnapshotName,
    },
    /// There is nothing yet that a snapshot could be made of.
    #[error("nothing is published here yet")]
    NothingPublished,
    /// No generation of this number.
    #[error("there is no generation {number}")]
    NoGeneration {
        /// The number.
        number: u64,
    },
}

/// Digest and size of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Measured {
    /// Over the whole file.
    pub sha256: Digest<Sha256>,
    /// Units: bytes.
    pub size: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha256:{}", self.size, self.sha256)
    }
}

impl PublishError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Locked { .. } => "locked",
            Self::OtherFileSystem { .. } => "other-file-system",
            Self::WritableByOthers { .. } => "writable-by-others",
            Self::ForeignOwner { .. } => "foreign-owner",
            Self::Occupied { .. } => "occupied",
            Self::Damaged { .. } => "damaged",
            Self::TooLarge { .. } => "too-large",
            Self::DocumentName { .. } => "document-name",
            Self::OtherFile { .. } => "other-file",
            Self::Changed { .. } => "changed",
            Self::NotInPool { .. } => "not-in-pool",
            Self::Twice { .. } => "twice",
            Self::Replaced { .. } => "replaced",
            Self::Reserved { .. } => "reserved",
            Self::SelfCheck { .. } => "self-check",
            Self::NoPublicKey { .. } => "no-public-key",
            Self::Floor { .. } => "floor",
            Self::SnapshotExists { .. } => "snapshot-exists",
            Self::NoSnapshot { .. } => "no-snapshot",
            Self::NothingPublished => "nothing-published",
            Self::NoGeneration { .. } => "no-generation",
        }
    }
}

fn with_pid(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// Why a file is not admitted to the pool.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError<E> {
    /// The file was not proven.
    #[error("the file was not proven")]
    Refused(#[source] E),
    /// The file could not be kept.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Says what was tried when the system said no.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str, path: &StorePath) -> Result<T, PublishError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &StorePath) -> Result<T, PublishError> {
        self.map_err(|source| PublishError::Io { doing, path: path.to_string(), source })
    }
}

fn told(expected: &Option<Measured>) -> String {
    expected.map_or_else(
        || "no proof, since the file was not read to its end".to_owned(),
        |measured| format!("{measured} of the file that was written"),
    )
}
