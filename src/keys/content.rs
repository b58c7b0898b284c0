//! What lies in a key directory where a key should be.

use std::fmt;

use super::public_key::PublicKey;

/// What a file without a public key in PEM holds, told by its first bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Nothing but blanks.
    Blank,
    /// A private key, in any wrapping.
    PrivateKey,
    /// An X.509 certificate.
    Certificate,
    /// A public key of OpenSSH.
    OpenSsh,
    /// A public key of OpenPGP.
    OpenPgp,
    /// A public key of minisign or signify.
    Minisign,
    /// A public key without the PEM wrapping.
    Der,
    /// A web page.
    Html,
    /// JSON.
    Json,
    /// The pointer that Git LFS leaves in place of a file.
    GitLfsPointer,
    /// A zip archive.
    Zip,
    /// A gzip archive, such as a package.
    Gzip,
    /// PEM of something else.
    OtherPem,
    /// Other text.
    Text,
    /// Other bytes.
    Binary,
}

impl Content {
    /// Tells the content of a whole file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if text.is_empty() {
            return Self::Blank;
        }
        Self::of_key_material(bytes, text).unwrap_or_else(|| Self::of_other(bytes, text))
    }

    fn of_key_material(bytes: &[u8], text: &[u8]) -> Option<Self> {
        let begins = |starts: &[&[u8]]| starts.iter().any(|start| text.starts_with(start));
        if holds_private_key(bytes) {
            Some(Self::PrivateKey)
        } else if contains(bytes, b"-----BEGIN CERTIFICATE") {
            Some(Self::Certificate)
        } else if contains(bytes, b"-----BEGIN PGP") {
            Some(Self::OpenPgp)
        } else if begins(&[b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-", b"---- BEGIN SSH2"]) {
            Some(Self::OpenSsh)
        } else if begins(&[b"untrusted comment:"]) {
            Some(Self::Minisign)
        } else if contains(bytes, b"-----BEGIN ") {
            Some(Self::OtherPem)
        } else {
            let der = PublicKey::decode_spki(bytes).is_ok() || PublicKey::decode_pkcs1(bytes).is_ok();
            der.then_some(Self::Der)
        }
    }

    fn of_other(bytes: &[u8], text: &[u8]) -> Self {
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            Self::Zip
        } else if bytes.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if text.starts_with(b"<") {
            Self::Html
        } else if text.starts_with(b"version https://git-lfs") {
            Self::GitLfsPointer
        } else if text.starts_with(b"{") || text.starts_with(b"[") {
            Self::Json
        } else if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) {
            Self::Text
        } else {
            Self::Binary
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::PrivateKey => {
                "a private key must never lie here: treat it as leaked, make a new key pair, and remove the \
                 old public key everywhere"
            }
            Self::Der => "convert it: openssl pkey -pubin -inform DER -in FILE -out NEW",
            Self::Certificate => "take the public key out of it: openssl x509 -pubkey -noout -in FILE",
            Self::Html | Self::Json | Self::Text | Self::Blank => {
                "the download failed and this was saved instead: fetch the key again and compare its fingerprint"
            }
            Self::GitLfsPointer => "run `git lfs pull`, or download the file itself",
            _ => {
                "fetch the key again (a file that begins with -----BEGIN PUBLIC KEY-----) and compare its fingerprint"
            }
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank => "an empty file",
            Self::PrivateKey => "a private key",
            Self::Certificate => "a certificate",
            Self::OpenSsh => "a public key of OpenSSH",
            Self::OpenPgp => "a key of OpenPGP",
            Self::Minisign => "a key of minisign or signify",
            Self::Der => "a public key in DER, without the PEM wrapping",
            Self::Html => "a web page (HTML or XML)",
            Self::Json => "JSON",
            Self::GitLfsPointer => "a Git LFS pointer",
            Self::Zip => "a zip archive",
            Self::Gzip => "a gzip file, perhaps a package",
            Self::OtherPem => "PEM of something that is no key",
            Self::Text => "text",
            Self::Binary => "unknown bytes",
        })
    }
}

/// Whether any part of the file is, or was meant to be, a private key.
///
/// Looks for the label anywhere, not only on lines of their own: a leak is a leak even if nothing loads it.
pub(super) fn holds_private_key(bytes: &[u8]) -> bool {
    contains(bytes, b"PRIVATE KEY-----")
        || bytes.starts_with(b"PuTTY-User-Key-File-")
        || bytes.starts_with(b"untrusted comment: minisign encrypted secret key")
        || begins_as_private_der(bytes)
}

/// PKCS#8 and PKCS#1 private keys begin with a sequence whose first element is the number 0 or 1.
fn begins_as_private_der(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, 0x82, _, _, 2, 1, 0 | 1, rest @ ..] | [0x30, 0x81, _, 2, 1, 0 | 1, rest @ ..] => {
            // Then come an algorithm, a modulus, or the number of an EC key.
            matches!(rest.first(), Some(0x30 | 2 | 4))
        }
        [0x30, length, 2, 1, 0 | 1, 0x30 | 4, ..] => *length < 0x80,
        _ => false,
    }
}

pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_usual_wrong_files_apart() {
        let cases: &[(&[u8], Content)] = &[
            (b"", Content::Blank),
            (b"\xef\xbb\xbf \n", Content::Blank),
            (b"-----BEGIN RSA PRIVATE KEY-----\n", Content::PrivateKey),
            (b"x-----BEGIN ENCRYPTED PRIVATE KEY-----", Content::PrivateKey),
            (b"\x30\x82\x04\xbd\x02\x01\x00\x30", Content::PrivateKey),
            (b"-----BEGIN CERTIFICATE-----\n", Content::Certificate),
            (b"ssh-rsa AAAA", Content::OpenSsh),
            (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", Content::OpenPgp),
            (b"untrusted comment: minisign public key", Content::Minisign),
            (b"\n<!DOCTYPE html>", Content::Html),
            (b"{\"message\": \"Not Found\"}", Content::Json),
            (b"version https://git-lfs.github.com/spec/v1\n", Content::GitLfsPointer),
            (b"PK\x03\x04", Content::Zip),
            (b"\x1f\x8b\x08", Content::Gzip),
            (b"-----BEGIN DH PARAMETERS-----\n", Content::OtherPem),
            (b"404: Not Found", Content::Text),
            (b"\x7fELF\0\xff", Content::Binary),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Content::of(bytes), *expected, "{}", crate::types::escape(bytes));
        }
    }

    #[test]
    fn a_bare_public_key_is_der_and_not_private() {
        let key = crate::keys::RsaPublicKey::new(&[0xc5; 128], &[1, 0, 1]);
        assert_eq!(Content::of(&key.spki_der()), Content::Der);
        assert_eq!(Content::of(&key.pkcs1_der()), Content::Der);
    }
}
