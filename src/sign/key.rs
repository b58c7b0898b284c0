//! Keys that sign.

use std::fmt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use sha1::Digest as _;

use super::command::SignCommand;
use super::digest::SignDigest;
use super::error::SignError;
use super::private_pem;
use crate::container::NAME_MAX;
use crate::envelope::Signature;
use crate::keys::{PublicKey, RsaPublicKey, read_key, read_key_file};
use crate::types::{KeyName, KeyNameError, escape_all};
use crate::verify::{may_sign, signature_holds};

/// The longest name of a key that signs: `.SIGN.RSA256.` and the name are one tar name. Units: bytes.
const KEY_NAME_MAX: usize = NAME_MAX - ".SIGN.RSA256.".len();

/// A private key with the name that signatures carry: that of its public half.
///
/// Shape: RSA of 2048 to 8192 bits, exponent 65537 or above; PEM of PKCS#8 or PKCS#1, not encrypted. `mirror.rsa` signs
/// as `mirror.rsa.pub`, and under that name its public half must lie in `/etc/apk/keys`.
/// Trust: what is signed is verified against the public half before it is handed out. Nothing private is ever printed.
///
/// SHA-256 is signed by `aws-lc-rs`. It signs no SHA-1; such a signature is made by the program `openssl` from the key
/// file, as `abuild-sign` makes it.
pub struct SigningKey {
    name: KeyName,
    public: PublicKey,
    secret: Secret,
}

/// Where the private half is.
enum Secret {
    /// Here, and in a file that other programs can read.
    Held { pair: Box<KeyPair>, file: Option<PathBuf> },
    /// Wherever the command finds it.
    Command(SignCommand),
}

impl SigningKey {
    /// Reads a private key file; the key is named after it.
    ///
    /// # Errors
    /// - [`SignError::Read`] if it cannot be read, or is no regular file.
    /// - [`SignError::NotAPrivateKey`], [`SignError::Rejected`], [`SignError::Refused`] for what it holds.
    /// - [`SignError::Name`] if its name cannot go into a signature.
    pub fn read(path: &Path) -> Result<Self, SignError> {
        let text = zeroize::Zeroizing::new(read(path)?);
        let mut key = Self::parse(&file_name(path)?, &text)?;
        if let Secret::Held { file, .. } = &mut key.secret {
            *file = Some(path.to_owned());
        }
        Ok(key)
    }

    /// Reads a private key from the text of the file `mirror.rsa` or the like.
    ///
    /// # Errors
    /// As [`SigningKey::read`].
    pub fn parse(file_name: &str, text: &[u8]) -> Result<Self, SignError> {
        let file = escape_all(file_name).to_string();
        let pair = private_pem::read(&file, text)?;
        let public = RsaPublicKey::from_pkcs1_der(pair.public_key().as_ref())
            .map_err(|_| SignError::Rejected { file: file.clone(), reason: "its public half is no key" })?;
        let name = name(&file, &format!("{file_name}.pub"))?;
        Self::new(&file, name, PublicKey::Rsa(public), Secret::Held { pair: Box::new(pair), file: None })
    }

    /// A key that a command holds, by the file of its public half, which it is named after.
    ///
    /// # Errors
    /// - [`SignError::Read`], [`SignError::PublicHalf`] if that file is no public key.
    /// - [`SignError::Refused`], [`SignError::Name`] as for [`SigningKey::read`].
    pub fn behind(command: SignCommand, public: &Path) -> Result<Self, SignError> {
        let (text, file) = (read(public)?, shown(public));
        let key = read_key(&text).map_err(|error| SignError::PublicHalf { file: file.clone(), error })?;
        let name = name(&file, &file_name(public)?)?;
        Self::new(&file, name, key, Secret::Command(command))
    }

    fn new(file: &str, name: KeyName, public: PublicKey, secret: Secret) -> Result<Self, SignError> {
        may_sign(&public).map_err(|error| SignError::Refused { file: file.to_owned(), error })?;
        Ok(Self { name, public, secret })
    }

    /// The name in the signatures: the file name of the public half.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The public half.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The public half as clients need it in `/etc/apk/keys`, under [`SigningKey::name`].
    pub fn public_pem(&self) -> String {
        self.public.to_pem()
    }

    /// Signs some bytes.
    ///
    /// # Errors
    /// - [`SignError::NoSha1`] for SHA-1 by a key that was not read from a file.
    /// - [`SignError::Command`], [`SignError::CommandFailed`] if a command was asked and gave no answer.
    /// - [`SignError::DoesNotHold`] if what came out is no signature by this key.
    pub(super) fn sign(&self, digest: SignDigest, bytes: &[u8]) -> Result<Signature, SignError> {
        let made = match (&self.secret, digest) {
            (Secret::Held { pair, .. }, SignDigest::Sha256) => self.sign_here(pair, bytes)?,
            (Secret::Held { file, .. }, SignDigest::Sha1) => {
                let file = file.as_ref().ok_or(SignError::NoSha1)?;
                SignCommand::openssl(file).sign(digest, &hash(digest, bytes))?
            }
            (Secret::Command(command), _) => command.sign(digest, &hash(digest, bytes))?,
        };
        let signature =
            Signature { label: digest.label(), key_name: self.name.clone(), bytes: made, member: 0 };
        if !signature_holds(&self.public, &signature, bytes) {
            return Err(SignError::DoesNotHold { name: self.name.to_string(), digest: digest.name() });
        }
        Ok(signature)
    }

    fn sign_here(&self, pair: &KeyPair, bytes: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature)
            .map_err(|_| SignError::Failed { name: self.name.to_string() })?;
        Ok(signature)
    }
}

/// The name and the public half; never more.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("name", &self.name)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

fn hash(digest: SignDigest, bytes: &[u8]) -> Vec<u8> {
    match digest {
        SignDigest::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
        SignDigest::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, SignError> {
    match read_key_file(path) {
        Ok((bytes, _)) => Ok(bytes),
        Err(error) => Err(SignError::Read { file: shown(path), error }),
    }
}

fn shown(path: &Path) -> String {
    escape_all(path.as_os_str().as_encoded_bytes()).to_string()
}

fn file_name(path: &Path) -> Result<String, SignError> {
    let name = path.file_name().ok_or_else(|| SignError::NoName(path.to_owned()))?;
    Ok(name.to_string_lossy().into_owned())
}

fn name(file: &str, name: &str) -> Result<KeyName, SignError> {
    let refused = |error| SignError::Name { file: file.to_owned(), error };
    let parsed = KeyName::parse(name.as_bytes()).map_err(refused)?;
    if name.len() > KEY_NAME_MAX {
        Err(refused(KeyNameError::Length { found: name.len() }))
    } else {
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests;
