//! A program that signs: for keys in hardware, and for SHA-1.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::digest::SignDigest;
use super::error::SignError;
use crate::types::{escape, escape_all};

/// What a word of the command becomes the name of the digest in.
const DIGEST: &str = "{digest}";

/// A program and its arguments. No shell is involved.
///
/// Shape: it reads the raw digest (20 or 32 bytes) on standard input and writes the raw signature, PKCS#1 v1.5, to
/// standard output; `{digest}` in an argument becomes `sha256` or `sha1`. What it writes is verified before use.
///
/// # Examples
/// ```
/// use apkvet::sign::SignCommand;
/// let text = "openssl pkeyutl -sign -inkey mirror.rsa -pkeyopt digest:{digest}";
/// assert!(SignCommand::parse(text).is_ok());
/// assert!(SignCommand::parse("  ").is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignCommand {
    program: OsString,
    arguments: Vec<OsString>,
}

impl SignCommand {
    /// Splits a text at white space.
    ///
    /// # Errors
    /// - [`SignError::NoProgram`] for a text without a word.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        let mut words = text.split_whitespace().map(OsString::from);
        let program = words.next().ok_or(SignError::NoProgram)?;
        Ok(Self { program, arguments: words.collect() })
    }

    /// `openssl` with a key file, as `abuild-sign` uses it.
    pub(super) fn openssl(key: &Path) -> Self {
        let words = ["pkeyutl", "-sign", "-inkey"].map(OsString::from);
        let options =
            ["-pkeyopt", "rsa_padding_mode:pkcs1", "-pkeyopt", "digest:{digest}"].map(OsString::from);
        let key = std::iter::once(key.as_os_str().to_owned());
        Self { program: "openssl".into(), arguments: words.into_iter().chain(key).chain(options).collect() }
    }

    /// Runs the command on a digest.
    pub(super) fn sign(&self, digest: SignDigest, bytes: &[u8]) -> Result<Vec<u8>, SignError> {
        let program = || escape_all(self.program.as_encoded_bytes()).to_string();
        let failed = |source| SignError::Command { program: program(), digest: digest.name(), source };
        let mut child = Command::new(&self.program)
            .args(self.arguments.iter().map(|word| replaced(word, digest)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut input) = child.stdin.take() {
            // A digest fits into any pipe: this cannot wait for a program that does not read. One that has ended
            // already says more by its exit than by the broken pipe.
            let _ = input.write_all(bytes);
        }
        let ended = child.wait_with_output().map_err(failed)?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let (status, said) = (ended.status.to_string(), escape(ended.stderr.trim_ascii()).to_string());
        Err(SignError::CommandFailed { program: program(), digest: digest.name(), status, said })
    }
}

fn replaced(word: &OsStr, digest: SignDigest) -> OsString {
    word.to_str().map_or_else(|| word.to_owned(), |text| text.replace(DIGEST, digest.name()).into())
}
