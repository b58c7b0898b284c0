//! What can be wrong with the data member of a package.

use crate::container::TarError;
use crate::fault::{Fault, Rank, Verdict};
use crate::limits::LimitReached;
use crate::types::{Digest, Sha1};

/// What is wrong with the data member.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The archive is refused.
    #[error("data member: {0}")]
    Tar(TarError),
    /// The member inflates to nothing, not even an end of archive.
    #[error("data member: it inflates to nothing, not even to the end of an archive")]
    Nothing,
    /// A single zero block ends the archive.
    #[error("data member: one zero block ends the archive, where two do")]
    OneZeroBlock,
    /// A pax key that readers of tar disagree about.
    #[error("data member: the pax key `{key}` of `{path}` is not allowed here")]
    PaxKey {
        /// The key, escaped.
        key: String,
        /// The entry, escaped and shortened.
        path: String,
    },
    /// A GNU long name.
    #[error("data member: `{path}` is named by a GNU long name, which makes apk lose its checksum")]
    LongName {
        /// The entry, escaped and shortened.
        path: String,
    },
    /// An entry that is not a file has a body.
    #[error("data member: the {kind} `{path}` has a body, which apk ignores")]
    Body {
        /// What it is.
        kind: &'static str,
        /// The entry, escaped and shortened.
        path: String,
    },
    /// A name that belongs into the control member.
    #[error("data member: the name `{path}` belongs into the control member")]
    ControlName {
        /// The entry, escaped and shortened.
        path: String,
    },
    /// The same path twice.
    #[error("data member: `{path}` is there twice")]
    Repeated {
        /// The entry, escaped and shortened.
        path: String,
    },
    /// No entry for the directory of a file stands before it.
    #[error("data member: no directory entry stands before `{path}`, so apk drops it")]
    NoDirectory {
        /// The entry, escaped and shortened.
        path: String,
    },
    /// A file carries no checksum.
    #[error("data member: the file `{path}` carries no checksum, so apk drops it")]
    NoChecksum {
        /// The entry, escaped and shortened.
        path: String,
    },
    /// A checksum is not 40 lower-case hexadecimal digits.
    #[error("data member: the checksum of `{path}` is not one: `{found}`")]
    ChecksumForm {
        /// The entry, escaped and shortened.
        path: String,
        /// What stands there, escaped and shortened.
        found: String,
    },
    /// A checksum differs from the content.
    #[error("data member: the checksum of `{path}` is {expected}, its content has {found}")]
    Checksum {
        /// The entry, escaped and shortened.
        path: String,
        /// What the pax header says.
        expected: Digest<Sha1>,
        /// What the content has.
        found: Digest<Sha1>,
    },
    /// A hard link to something that is no earlier file of the package.
    #[error("data member: the hard link `{path}` names `{target}`, which is no earlier file of the package")]
    LinkForward {
        /// The entry, escaped and shortened.
        path: String,
        /// Its target, escaped and shortened.
        target: String,
    },
    /// A hard link that leaves the package.
    #[error("data member: the hard link `{path}` leaves the package: `{target}`")]
    LinkOutside {
        /// The entry, escaped and shortened.
        path: String,
        /// Its target, escaped and shortened.
        target: String,
    },
    /// A path that must not be installed.
    #[error("data member: the name `{path}` is unsafe: {reason}")]
    Name {
        /// The entry, escaped and shortened.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A path that leads through something that is no directory.
    #[error("data member: `{path}` lies below `{through}`, which is a {kind} of the package")]
    Through {
        /// The entry, escaped and shortened.
        path: String,
        /// What it leads through, escaped and shortened.
        through: String,
        /// What that is.
        kind: &'static str,
    },
    /// A device node or named pipe.
    #[error("data member: `{path}` is a {kind}, which apk would create")]
    Device {
        /// The entry, escaped and shortened.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// Too many entries.
    #[error("data member: {0}")]
    Limit(LimitReached),
}

impl DataError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Tar(error) => error.code(),
            Self::Nothing => "data-nothing",
            Self::OneZeroBlock => "data-one-zero-block",
            Self::PaxKey { .. } => "data-pax-key",
            Self::LongName { .. } => "data-long-name",
            Self::Body { .. } => "data-body",
            Self::ControlName { .. } => "data-control-name",
            Self::Repeated { .. } => "data-repeated",
            Self::NoDirectory { .. } => "file-without-directory",
            Self::NoChecksum { .. } => "file-without-checksum",
            Self::ChecksumForm { .. } => "checksum-form",
            Self::Checksum { .. } => "checksum-mismatch",
            Self::LinkForward { .. } => "link-forward",
            Self::LinkOutside { .. } => "link-outside",
            Self::Name { .. } => "name-unsafe",
            Self::Through { .. } => "name-through-link",
            Self::Device { .. } => "device-node",
            Self::Limit(_) => "limit-data-entries",
        }
    }

    /// Where the error stands among others, and which verdict it leads to.
    const fn class(&self) -> (Rank, Verdict) {
        match self {
            Self::Checksum { .. } => (Rank::Integrity, Verdict::Integrity),
            Self::LinkOutside { .. } | Self::Name { .. } | Self::Through { .. } => {
                (Rank::Unsafe, Verdict::Unsafe)
            }
            Self::OneZeroBlock | Self::Device { .. } | Self::Limit(_) => (Rank::Policy, Verdict::Policy),
            _ => (Rank::DataFormat, Verdict::Malformed),
        }
    }

    const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Tar(error) if matches!(error.code().as_bytes(), b"tar-number-base256") => {
                Some("nfpm before 2026-08 wrote such modes: have the package rebuilt with a newer nfpm")
            }
            Self::NoChecksum { .. } => Some("have the package rebuilt with a builder that writes checksums"),
            _ => None,
        }
    }
}

impl From<DataError> for Fault {
    fn from(error: DataError) -> Self {
        let (rank, verdict) = error.class();
        let fault = Self::new(rank, verdict, error.code(), &error);
        match error.remedy() {
            Some(remedy) => fault.with_remedy(remedy),
            None => fault,
        }
    }
}
