//! One key file as the checks see it.

use std::path::Path;

use crate::keys::{Fingerprint, KeyDirectory, KeyFile, KnownKey, KnownKeys, PublicKey, RsaPublicKey};
use crate::types::escape_all;

/// A key file with its place and what is known of its key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) file: &'a KeyFile,
    /// The key that one of apk's two readers sees.
    pub(super) key: Option<&'a PublicKey>,
    fingerprint: Option<Fingerprint>,
    pub(super) known: Option<&'a KnownKey>,
}

impl<'a> Entry<'a> {
    /// All files of all directories, in order.
    pub(super) fn all(directories: &'a [KeyDirectory], known: &'a KnownKeys) -> Vec<Self> {
        let files = directories.iter().flat_map(KeyDirectory::files);
        files.map(|file| Self::new(file, known)).collect()
    }

    fn new(file: &'a KeyFile, known: &'a KnownKeys) -> Self {
        let key = file.content().ok().or_else(|| file.form().mbedtls_key());
        let fingerprint = key.map(PublicKey::fingerprint);
        let known = fingerprint.and_then(|fingerprint| known.by_fingerprint(&fingerprint));
        Self { file, key, fingerprint, known }
    }

    pub(super) const fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }

    /// The file name; bytes that are no text are replaced, since no signature can bear them.
    pub(super) fn name(&self) -> std::borrow::Cow<'a, str> {
        self.file.name().to_string_lossy()
    }

    /// The file name, for messages.
    pub(super) fn shown_name(&self) -> String {
        escape_all(self.file.name().as_encoded_bytes()).to_string()
    }

    /// The path, for output.
    pub(super) fn shown(&self) -> String {
        shown(self.file.path())
    }

    /// The key that apk with OpenSSL trusts because of this file.
    pub(super) fn trusted(&self) -> Option<&'a PublicKey> {
        self.file.content().ok().filter(|_| !self.file.is_hidden())
    }

    pub(super) fn rsa(&self) -> Option<&'a RsaPublicKey> {
        self.key.and_then(PublicKey::as_rsa)
    }
}

/// A path, escaped.
pub(super) fn shown(path: &Path) -> String {
    escape_all(path.as_os_str().as_encoded_bytes()).to_string()
}
