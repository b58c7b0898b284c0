//! How a key file is written, beside what it holds.

use std::fmt;

use super::content;
use super::key_file::decode;
use super::mbedtls;
use super::pem;
use super::public_key::PublicKey;

/// The form of a key file, as the audit reports it.
///
/// Trust: none. Holds no byte of the file but its public keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Form {
    public_blocks: usize,
    private: bool,
    pkcs1: bool,
    deviations: Vec<Deviation>,
    mbedtls: Option<PublicKey>,
}

/// A way in which a key file differs from the bytes that OpenSSL would write for its key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Deviation {
    /// A byte order mark at the start.
    ByteOrderMark,
    /// Lines that end in carriage return and line feed.
    CarriageReturns,
    /// Text or other blocks around the key.
    OuterText,
    /// Blanks at the start or the end of lines.
    Blanks,
    /// Empty lines.
    EmptyLines,
    /// Lines of base64 that are not 64 characters long.
    LineLength,
    /// No end of line after the last line.
    NoFinalNewline,
    /// A structure that is not minimal DER, or lacks its NULL parameters.
    Encoding,
    /// Bytes after the structure.
    TrailingBytes,
    /// None of these, but other bytes all the same.
    Other,
}

impl Form {
    /// Looks at the bytes of a key file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut form = Self {
            private: content::holds_private_key(bytes),
            mbedtls: mbedtls::read(bytes),
            ..Self::default()
        };
        let mut loaded = None;
        for block in pem::blocks(bytes) {
            let Some(decoded) = decode(&block) else { continue };
            form.public_blocks += 1;
            if let (Ok(decoded), None) = (decoded, &loaded) {
                form.pkcs1 = block.label == b"RSA PUBLIC KEY";
                loaded = Some(decoded);
            }
        }
        if let Some(decoded) = loaded {
            let pem = decoded.key.to_pem();
            if bytes != pem.as_bytes() {
                form.deviations = deviations(bytes);
                if !decoded.canonical {
                    form.deviations.push(Deviation::Encoding);
                }
                if decoded.trailing > 0 {
                    form.deviations.push(Deviation::TrailingBytes);
                }
                if form.deviations.is_empty() && !form.pkcs1 {
                    form.deviations.push(Deviation::Other);
                }
            }
        }
        form
    }

    /// Number of blocks that claim to be public keys; apk sees the first that loads.
    pub const fn public_blocks(&self) -> usize {
        self.public_blocks
    }

    /// Whether any part is, or was meant to be, a private key.
    pub const fn holds_private_key(&self) -> bool {
        self.private
    }

    /// Whether the key that loads stands under the label `RSA PUBLIC KEY`.
    pub const fn is_pkcs1(&self) -> bool {
        self.pkcs1
    }

    /// How the bytes differ from those that OpenSSL writes; empty if no key loads.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    /// The key that apk built with mbedTLS would load.
    pub const fn mbedtls_key(&self) -> Option<&PublicKey> {
        self.mbedtls.as_ref()
    }
}

fn deviations(bytes: &[u8]) -> Vec<Deviation> {
    let (mut found, mut inside, mut body) = (Vec::new(), false, Vec::new());
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut note = |deviation, holds| {
        if holds && !found.contains(&deviation) {
            found.push(deviation);
        }
    };
    note(Deviation::ByteOrderMark, text.len() < bytes.len());
    note(Deviation::NoFinalNewline, !text.ends_with(b"\n"));
    for line in text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\r").unwrap_or(line);
        let content = bare.trim_ascii();
        note(Deviation::CarriageReturns, bare.len() < line.len());
        note(Deviation::Blanks, content.len() < bare.len() && !content.is_empty());
        note(Deviation::EmptyLines, content.is_empty());
        if content.starts_with(b"-----BEGIN ") {
            let public =
                content == b"-----BEGIN PUBLIC KEY-----" || content == b"-----BEGIN RSA PUBLIC KEY-----";
            note(Deviation::OuterText, !public);
            inside = true;
            body.clear();
        } else if content.starts_with(b"-----END ") {
            let lengths = body.split_last().is_none_or(|(last, others): (&usize, &[usize])| {
                *last <= 64 && others.iter().all(|length| *length == 64)
            });
            note(Deviation::LineLength, !lengths);
            inside = false;
        } else if inside {
            body.push(content.len());
        } else {
            note(Deviation::OuterText, !content.is_empty());
        }
    }
    found.sort_unstable();
    found
}

impl Deviation {
    /// A stable word for the deviation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "bom",
            Self::CarriageReturns => "crlf",
            Self::OuterText => "outer-text",
            Self::Blanks => "blanks",
            Self::EmptyLines => "empty-lines",
            Self::LineLength => "line-length",
            Self::NoFinalNewline => "no-final-newline",
            Self::Encoding => "encoding",
            Self::TrailingBytes => "trailing-bytes",
            Self::Other => "other-bytes",
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByteOrderMark => "a byte order mark",
            Self::CarriageReturns => "CRLF line ends",
            Self::OuterText => "text around the key",
            Self::Blanks => "blanks at the ends of lines",
            Self::EmptyLines => "empty lines",
            Self::LineLength => "lines that are not 64 characters long",
            Self::NoFinalNewline => "no final newline",
            Self::Encoding => "an encoding that is not canonical DER",
            Self::TrailingBytes => "bytes after the key structure",
            Self::Other => "other bytes than OpenSSL writes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::RsaPublicKey;

    fn key() -> RsaPublicKey {
        let modulus: Vec<u8> = (0..=255_u8).map(|n| n.wrapping_mul(167) | 0x81).collect();
        RsaPublicKey::new(&modulus, &[1, 0, 1])
    }

    fn text() -> String {
        pem::write("PUBLIC KEY", &key().spki_der())
    }

    fn found(text: impl AsRef<[u8]>) -> Vec<Deviation> {
        Form::of(text.as_ref()).deviations().to_vec()
    }

    #[test]
    fn canonical_bytes_have_no_deviation() {
        let form = Form::of(text().as_bytes());
        assert_eq!((form.deviations(), form.public_blocks()), (&[][..], 1));
        assert!(!form.holds_private_key() && !form.is_pkcs1());
        assert_eq!(form.mbedtls_key(), Some(&PublicKey::Rsa(key())));
    }

    #[test]
    fn names_each_deviation_alone() {
        let text = text();
        assert_eq!(found(format!("\u{feff}{text}")), [Deviation::ByteOrderMark]);
        assert_eq!(found(text.replace('\n', "\r\n")), [Deviation::CarriageReturns]);
        assert_eq!(found(format!("# hello\n{text}")), [Deviation::OuterText]);
        assert_eq!(found(text.replace('\n', " \n")), [Deviation::Blanks]);
        assert_eq!(found(format!("{text}\n")), [Deviation::EmptyLines]);
        assert_eq!(found(text.trim_end()), [Deviation::NoFinalNewline]);
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let long = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        assert_eq!(found(long), [Deviation::LineLength]);
        let trailing = pem::write("PUBLIC KEY", &[&key().spki_der()[..], &[0]].concat());
        assert_eq!(found(trailing), [Deviation::TrailingBytes]);
        let dash = text.replacen("\n-----END", "-\n-----END", 1);
        assert_eq!(found(dash), [Deviation::Other]);
    }

    #[test]
    fn a_longer_length_than_needed_is_an_encoding_of_its_own() {
        let spki = key().spki_der();
        let longer = [&[0x30, 0x83, 0, spki[2], spki[3]][..], &spki[4..]].concat();
        assert_eq!(found(pem::write("PUBLIC KEY", &longer)), [Deviation::Encoding]);
    }

    #[test]
    fn counts_public_keys_and_sees_private_ones() {
        let form = Form::of(format!("{}{}", text(), text()).as_bytes());
        assert_eq!(form.public_blocks(), 2);
        let both = format!("{}{}", pem::write("PRIVATE KEY", b"x"), text());
        let form = Form::of(both.as_bytes());
        assert!(form.holds_private_key());
        assert_eq!(form.public_blocks(), 1);
    }

    #[test]
    fn the_label_of_pkcs1_is_no_other_deviation() {
        let form = Form::of(pem::write("RSA PUBLIC KEY", &key().pkcs1_der()).as_bytes());
        assert!(form.is_pkcs1());
        assert_eq!(form.deviations(), []);
    }

    #[test]
    fn what_does_not_load_still_tells_what_mbedtls_sees() {
        let form = Form::of(format!("-e {}", text()).as_bytes());
        assert_eq!(form.public_blocks(), 0);
        assert_eq!(form.mbedtls_key(), Some(&PublicKey::Rsa(key())));
    }
}
