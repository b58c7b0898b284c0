//! Why nothing is signed.

use std::io;
use std::path::PathBuf;

use crate::container::WriteError;
use crate::keys::{KeyFileError, Unreadable};
use crate::types::KeyNameError;
use crate::verify::KeyRefused;

/// Why a private key is not used, or a signature not made. No text of a key file is ever in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key file cannot be read.
    #[error("cannot read the private key {file}: expected a regular file, found {error}")]
    Read {
        /// The file, escaped.
        file: String,
        /// Why.
        error: Unreadable,
    },
    /// The key file holds something else.
    #[error(
        "{file}: expected an RSA private key in PEM (`PRIVATE KEY` or `RSA PRIVATE KEY`), found {found}{advice}"
    )]
    NotAPrivateKey {
        /// The file, escaped.
        file: String,
        /// What it holds.
        found: String,
        /// What to do; begins with a separator.
        advice: &'static str,
    },
    /// The key is damaged, or its numbers do not belong together.
    #[error("{file}: the private key is refused: {reason}")]
    Rejected {
        /// The file, escaped.
        file: String,
        /// What the arithmetic says of it.
        reason: &'static str,
    },
    /// The public half of a key that a command holds is no public key.
    #[error("{file}: {error}; with a command that signs, the key file is the public half")]
    PublicHalf {
        /// The file, escaped.
        file: String,
        /// What is wrong with it.
        error: KeyFileError,
    },
    /// No client of ours would accept a signature by this key.
    #[error("{file}: no signature by this key would be accepted: {error}")]
    Refused {
        /// The file, escaped.
        file: String,
        /// Why.
        error: KeyRefused,
    },
    /// The name of the key file is no key name.
    #[error("{file}: the name of the key file goes into each signature, and cannot: {error}")]
    Name {
        /// The file, escaped.
        file: String,
        /// Why.
        error: KeyNameError,
    },
    /// The arithmetic failed.
    #[error("the private key {name} made no signature")]
    Failed {
        /// Name of the key.
        name: String,
    },
    /// SHA-1 is wanted, and there is no command that makes such a signature.
    #[error(
        "a SHA-1 signature takes a key file that the `openssl` program can read, or a command that signs"
    )]
    NoSha1,
    /// The command could not be run.
    #[error("cannot run `{program}`, which is to sign over {digest}")]
    Command {
        /// The program, escaped.
        program: String,
        /// Name of the digest.
        digest: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The command said no.
    #[error("`{program}` was to sign over {digest} and failed ({status}): {said}")]
    CommandFailed {
        /// The program, escaped.
        program: String,
        /// Name of the digest.
        digest: &'static str,
        /// How it ended.
        status: String,
        /// What it said, escaped and shortened.
        said: String,
    },
    /// What was made is no signature by the key.
    #[error(
        "what was made over {digest} is no signature by the key {name}: is the public half that of the private key, and was the digest signed as it is (PKCS#1 v1.5)?"
    )]
    DoesNotHold {
        /// Name of the key.
        name: String,
        /// Name of the digest.
        digest: &'static str,
    },
    /// The signature does not fit into an archive.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// There is no command.
    #[error("expected a program and its arguments, found nothing")]
    NoProgram,
    /// The path has no last component to name the key after.
    #[error("{} has no file name to name the key after", .0.display())]
    NoName(PathBuf),
}
