//! The private key of a PEM file, on its way to the one place that keeps it.

use aws_lc_rs::rsa::KeyPair;
use zeroize::Zeroizing;

use super::error::SignError;
use crate::keys::{PemError, blocks};
use crate::types::escape;

/// Reads the first private key of a PEM file; public keys and text beside it are passed over.
///
/// `file` is the name of the file for messages, escaped.
pub(super) fn read(file: &str, text: &[u8]) -> Result<KeyPair, SignError> {
    let mut other = None;
    for block in blocks(text) {
        let body = block.body.map(Zeroizing::new);
        let parse: fn(&[u8]) -> _ = match &block.label[..] {
            b"PRIVATE KEY" => KeyPair::from_pkcs8,
            b"RSA PRIVATE KEY" => KeyPair::from_der,
            label => {
                other.get_or_insert_with(|| escape(label).to_string());
                continue;
            }
        };
        return match body {
            Ok(der) => parse(&der).map_err(|error| rejected(file, error)),
            // An encrypted key of the older form carries its cipher in header lines.
            Err(PemError::Header) => Err(not_a_key(file, "an encrypted private key".to_owned(), DECRYPT)),
            Err(_) => Err(not_a_key(file, "a damaged private key".to_owned(), "")),
        };
    }
    Err(match other {
        Some(label) => {
            let advice = if label.contains("ENCRYPTED") {
                DECRYPT
            } else if label.contains("PUBLIC KEY") {
                "; the private half signs"
            } else {
                ""
            };
            not_a_key(file, format!("`{label}`"), advice)
        }
        None => not_a_key(file, "no PEM at all".to_owned(), ""),
    })
}

const DECRYPT: &str =
    "; decrypt it for this use (`openssl pkey`), or let a command sign that asks for the passphrase";

fn not_a_key(file: &str, found: String, advice: &'static str) -> SignError {
    SignError::NotAPrivateKey { file: file.to_owned(), found, advice }
}

fn rejected(file: &str, error: aws_lc_rs::error::KeyRejected) -> SignError {
    SignError::Rejected { file: file.to_owned(), reason: error.description_() }
}
