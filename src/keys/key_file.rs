//! Key files, read as apk with OpenSSL reads them.

use std::fmt;

use super::content::{self, Content};
use super::pem::{self, Block, PemError};
use super::public_key::{Decoded, PublicKey, PublicKeyError};

/// The largest key file that is read. Units: bytes. A key of 16,384 bits takes 3 KiB.
pub const MAX_KEY_FILE: usize = 1 << 20;

/// Why a file holds no key that apk would load.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// Not a byte.
    #[error("expected a public key in PEM, found an empty file")]
    Empty,
    /// Larger than [`MAX_KEY_FILE`].
    #[error("expected a key file of at most {limit} bytes, found a larger one")]
    TooLarge {
        /// Units: bytes.
        limit: usize,
    },
    /// Something else.
    #[error("expected a public key in PEM, found {content}")]
    NotAKey {
        /// What it is.
        content: Content,
    },
    /// Meant to be a key, but apk skips it.
    #[error("line {line}: {damage}")]
    Damaged {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong there.
        damage: Damage,
    },
    /// Not even read.
    #[error("expected a regular file, found {0}")]
    Unreadable(Unreadable),
}

/// What is wrong with a key that was meant to be one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Damage {
    /// `-e ` before BEGIN: what `echo -e` leaves in a shell whose `echo` has no `-e`.
    EchoArtefact,
    /// Something else before BEGIN on the same line.
    BeforeBegin,
    /// BEGIN and END on one line.
    OneLine,
    /// The BEGIN line is not `-----BEGIN PUBLIC KEY-----`.
    BeginLine,
    /// The END line is missing.
    EndMissing,
    /// The END line has another label.
    EndDiffers,
    /// An empty line or header lines between BEGIN and END.
    Header,
    /// The text between BEGIN and END is no base64.
    Base64,
    /// Nothing between BEGIN and END.
    NoBody,
    /// The base64 holds no public key.
    Key(PublicKeyError),
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unreadable {
    /// A named pipe: opening it may wait forever.
    Fifo,
    /// A socket.
    Socket,
    /// A device.
    Device,
    /// A directory.
    Directory,
    /// A symbolic link to nothing.
    DanglingLink,
    /// A symbolic link that leaves the root under audit, or a chain without end.
    Link,
    /// Exchanged while it was opened or read.
    Changed,
    /// The system said no.
    Io(std::io::ErrorKind),
}

/// Reads the key that apk with OpenSSL would load from these bytes: the first public key in PEM.
///
/// Shape: a block `PUBLIC KEY` or `RSA PUBLIC KEY`; text, other blocks and damaged blocks before it are
/// passed over, as OpenSSL does. Trust: none; the key may be of any size and kind.
///
/// # Errors
/// - [`KeyFileError::Empty`], [`KeyFileError::TooLarge`] by the size.
/// - [`KeyFileError::Damaged`] if a public key was meant, with the line and what is wrong there.
/// - [`KeyFileError::NotAKey`] otherwise, with what the file is. No text of the file is quoted.
///
/// # Examples
/// ```
/// use apkvet::keys::{Damage, KeyFileError, read_key};
/// let error = read_key(b"-e -----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n").unwrap_err();
/// assert_eq!(error, KeyFileError::Damaged { line: 1, damage: Damage::EchoArtefact });
/// ```
pub fn read_key(bytes: &[u8]) -> Result<PublicKey, KeyFileError> {
    if bytes.is_empty() {
        return Err(KeyFileError::Empty);
    }
    if checked!("key-file-size") && bytes.len() > MAX_KEY_FILE {
        return Err(KeyFileError::TooLarge { limit: MAX_KEY_FILE });
    }
    let mut first = None;
    for block in pem::blocks(bytes) {
        match decode(&block) {
            Some(Ok(decoded)) => return Ok(decoded.key),
            Some(Err(damage)) => {
                first.get_or_insert(KeyFileError::Damaged { line: block.line, damage });
            }
            None => {}
        }
    }
    Err(first.or_else(|| misplaced(bytes)).unwrap_or_else(|| not_a_key(bytes)))
}

/// The key of one block; `None` if its label is not that of a public key.
pub(super) fn decode(block: &Block) -> Option<Result<Decoded, Damage>> {
    let pkcs1 = match &block.label[..] {
        b"PUBLIC KEY" => false,
        b"RSA PUBLIC KEY" => true,
        _ => return None,
    };
    Some(block.body.as_deref().map_err(|error| Damage::from(*error)).and_then(|der| {
        let spki = || PublicKey::decode_spki(der).map_err(Damage::Key);
        if !pkcs1 {
            return spki();
        }
        // OpenSSL looks for both structures behind this label.
        let rsa = |decoded: &Decoded| decoded.key.as_rsa().is_some();
        PublicKey::decode_pkcs1(der).or_else(|error| spki().ok().filter(rsa).ok_or(Damage::Key(error)))
    }))
}

/// A BEGIN line that OpenSSL does not see as one.
fn misplaced(bytes: &[u8]) -> Option<KeyFileError> {
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let marker = b"-----BEGIN ";
        let begin = line.windows(marker.len()).position(|window| window == marker);
        if !(begin.is_some() || content::contains(line, b"BEGIN "))
            || !content::contains(line, b"PUBLIC KEY-")
        {
            continue;
        }
        if content::contains(line, b"PGP PUBLIC KEY") || content::contains(line, b"SSH2 PUBLIC KEY") {
            continue;
        }
        let damage = if line.windows(9).any(|window| window == b"-----END ") {
            Damage::OneLine
        } else if line.starts_with(b"-e -----BEGIN ") {
            Damage::EchoArtefact
        } else if begin.is_some_and(|at| at > 0) {
            Damage::BeforeBegin
        } else {
            Damage::BeginLine
        };
        return Some(KeyFileError::Damaged { line: number + 1, damage });
    }
    None
}

fn not_a_key(bytes: &[u8]) -> KeyFileError {
    KeyFileError::NotAKey { content: Content::of(bytes) }
}

impl KeyFileError {
    /// A stable word for the kind of error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty | Self::NotAKey { .. } => "key-not-a-key",
            Self::TooLarge { .. } => "key-too-large",
            Self::Damaged { .. } => "key-damaged",
            Self::Unreadable(_) => "key-unreadable",
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Empty => Content::Blank.remedy(),
            Self::NotAKey { content } => content.remedy(),
            Self::TooLarge { .. } => "remove it: no key is that large",
            Self::Damaged { damage: Damage::EchoArtefact | Damage::BeforeBegin, .. } => {
                "let the line begin with -----BEGIN, or write it anew with `apkvet keys show --pem FILE`, and \
                 compare the fingerprint"
            }
            Self::Damaged { .. } => "fetch the key again and compare its fingerprint",
            Self::Unreadable(_) => "remove it, or make it a regular file that can be read",
        }
    }
}

impl From<PemError> for Damage {
    fn from(error: PemError) -> Self {
        match error {
            PemError::EndMissing => Self::EndMissing,
            PemError::EndDiffers => Self::EndDiffers,
            PemError::Header => Self::Header,
            PemError::Base64 => Self::Base64,
            PemError::Empty => Self::NoBody,
        }
    }
}

impl Damage {
    /// A stable word for the damage.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EchoArtefact => "echo-artefact",
            Self::BeforeBegin => "text-before-begin",
            Self::OneLine => "one-line",
            Self::BeginLine => "begin-line",
            Self::EndMissing => "end-missing",
            Self::EndDiffers => "end-differs",
            Self::Header => "header",
            Self::Base64 => "base64",
            Self::NoBody => "no-body",
            Self::Key(_) => "der",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EchoArtefact => {
                "`-e ` stands before BEGIN, left by an `echo -e`; apk with OpenSSL skips the file"
            }
            Self::BeforeBegin => "text stands before BEGIN on the same line; apk with OpenSSL skips the file",
            Self::OneLine => "BEGIN and END stand on one line",
            Self::BeginLine => "expected `-----BEGIN PUBLIC KEY-----` and nothing else on the line",
            Self::EndMissing => "no END line follows this BEGIN line",
            Self::EndDiffers => "the END line that follows has another label",
            Self::Header => "an empty line or a header stands between BEGIN and END",
            Self::Base64 => "what stands between BEGIN and END is no base64",
            Self::NoBody => "nothing stands between BEGIN and END",
            Self::Key(error) => return write!(f, "the base64 holds no public key: {error}"),
        })
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fifo => "a named pipe (FIFO)",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Directory => "a directory",
            Self::DanglingLink => "a symbolic link to nothing",
            Self::Link => "a symbolic link that leads nowhere inside the root",
            Self::Changed => "a file that is exchanged while it is read",
            Self::Io(kind) => return write!(f, "one that cannot be read: {kind}"),
        })
    }
}

#[cfg(test)]
mod tests;
