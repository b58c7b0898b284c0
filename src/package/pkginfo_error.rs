//! Why a `.PKGINFO` is refused.

use crate::limits::LimitReached;
use crate::types::DigestError;

/// Why a `.PKGINFO` is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PkginfoError {
    /// A byte below 0x20 other than a line feed.
    #[error("line {line} of .PKGINFO holds the control character 0x{byte:02x}")]
    ControlCharacter {
        /// Counted from 1.
        line: usize,
        /// The byte.
        byte: u8,
    },
    /// The text is not UTF-8.
    #[error("line {line} of .PKGINFO is not UTF-8")]
    Utf8 {
        /// Counted from 1.
        line: usize,
    },
    /// A line is longer than `apk` reads.
    #[error("line {line} of .PKGINFO: {limit}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// The limit.
        limit: LimitReached,
    },
    /// A line is neither empty, nor a comment, nor `key = value`.
    #[error("line {line} of .PKGINFO: expected `key = value`, found `{found}`")]
    Form {
        /// Counted from 1.
        line: usize,
        /// The line, escaped and shortened.
        found: String,
    },
    /// A continuation of the description that reads as a field.
    #[error("line {line} of .PKGINFO continues the description but reads as the field `{key}`")]
    Continuation {
        /// Counted from 1.
        line: usize,
        /// The field.
        key: String,
    },
    /// A field that may stand once stands again.
    #[error("line {line} of .PKGINFO: `{key}` is there twice")]
    Repeated {
        /// Counted from 1.
        line: usize,
        /// The field.
        key: String,
    },
    /// A compulsory field is missing.
    #[error(".PKGINFO has no `{key}`")]
    Missing {
        /// The field.
        key: &'static str,
    },
    /// The package name could leave a directory or confuse a shell.
    #[error("expected a package name of letters, digits and `._+-`, found `{found}`")]
    Name {
        /// The name, escaped and shortened.
        found: String,
    },
    /// The version is not even a safe token.
    #[error("expected a version of letters, digits and `._+~-`, found `{found}`")]
    Version {
        /// The version, escaped and shortened.
        found: String,
    },
    /// The architecture could leave a directory.
    #[error("expected an architecture, found `{found}`")]
    Architecture {
        /// The value, escaped and shortened.
        found: String,
    },
    /// A number that is not one.
    #[error("line {line} of .PKGINFO: expected a decimal number for `{key}`, found `{found}`")]
    Number {
        /// Counted from 1.
        line: usize,
        /// The field.
        key: String,
        /// The value, escaped and shortened.
        found: String,
    },
    /// The hash of the data member is not 64 lower-case hexadecimal digits.
    #[error("`datahash` in .PKGINFO: {0}")]
    Datahash(DigestError),
}

impl PkginfoError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ControlCharacter { .. } => "pkginfo-control-character",
            Self::Utf8 { .. } => "pkginfo-utf8",
            Self::Line { .. } => "limit-line",
            Self::Form { .. } => "pkginfo-form",
            Self::Continuation { .. } => "pkginfo-continuation",
            Self::Repeated { .. } => "pkginfo-repeated",
            Self::Missing { .. } => "pkginfo-missing",
            Self::Name { .. } => "name-not-safe",
            Self::Version { .. } => "version-not-safe",
            Self::Architecture { .. } => "architecture-not-safe",
            Self::Number { .. } => "pkginfo-number",
            Self::Datahash(_) => "datahash-form",
        }
    }
}
