//! Which key apk built with mbedTLS would load from a file; OpenWrt builds it so.
//!
//! Only the audit asks: where the two readers differ, the same key directory trusts different keys.
//! Source: Mbed TLS 2.28, `library/pem.c`, `library/base64.c`, `library/pkparse.c`, `library/rsa.c`.

use super::public_key::{Curve, PublicKey};

/// apk's own limit for a key file with this back end. Units: bytes.
pub const MBEDTLS_MAX_KEY_FILE: usize = 64_000;

/// The key that the mbedTLS reader would load from these bytes.
pub(super) fn read(bytes: &[u8]) -> Option<PublicKey> {
    if bytes.len() > MBEDTLS_MAX_KEY_FILE {
        return None;
    }
    // A C string: the reader does not look behind a NUL, unless no BEGIN stands before it.
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let key = match block(text, "RSA PUBLIC KEY") {
        Block::Body(der) => PublicKey::decode_pkcs1(&der).ok()?.key,
        Block::Broken => return None,
        Block::Absent => match block(text, "PUBLIC KEY") {
            Block::Body(der) => PublicKey::decode_spki(&der).ok()?.key,
            Block::Broken => return None,
            Block::Absent => {
                let pkcs1 = PublicKey::decode_pkcs1(bytes).ok().filter(|decoded| decoded.trailing == 0);
                pkcs1.map_or_else(|| PublicKey::decode_spki(bytes).ok(), Some)?.key
            }
        },
    };
    is_usable(&key).then_some(key)
}

enum Block {
    Absent,
    Broken,
    Body(Vec<u8>),
}

/// Finds the first frame of this label anywhere, at the begin of a line or not.
fn block(text: &[u8], label: &str) -> Block {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let (Some(start), Some(stop)) = (find(text, begin.as_bytes()), find(text, end.as_bytes())) else {
        return Block::Absent;
    };
    let Some(body) = text.get(start + begin.len()..stop) else { return Block::Absent };
    let body = body.strip_prefix(b" ").unwrap_or(body);
    let body = body.strip_prefix(b"\r").unwrap_or(body);
    let Some(body) = body.strip_prefix(b"\n") else { return Block::Absent };
    decode(body).filter(|der| !der.is_empty()).map_or(Block::Broken, Block::Body)
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// Base64 as Mbed TLS decodes it: blanks only before the end of a line.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut pending, mut bits, mut padding, mut blank) = (Vec::new(), 0_u32, 0_u32, 0, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b' ' => {
                blank = true;
                continue;
            }
            b'\n' => {
                blank = false;
                continue;
            }
            b'\r' if text.get(at + 1) == Some(&b'\n') => {
                blank = false;
                continue;
            }
            _ if blank => return None,
            b'=' => {
                padding += 1;
                if padding > 2 {
                    return None;
                }
                continue;
            }
            _ if padding > 0 => return None,
            _ => pending = pending << 6 | u32::from(value(*byte)?),
        }
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(pending >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

const fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// What the reader checks once the structure is read.
fn is_usable(key: &PublicKey) -> bool {
    match key {
        PublicKey::Rsa(key) => {
            let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
            let (modulus, exponent) = (key.modulus(), key.exponent());
            let smaller = (exponent.len(), exponent) < (modulus.len(), modulus);
            (128..=8192).contains(&key.bits()) && odd(modulus) && odd(exponent) && exponent != [1] && smaller
        }
        PublicKey::Ec(key) => key.curve() != Curve::Explicit && key.point().first() == Some(&4),
        PublicKey::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pem;
    use super::*;
    use crate::keys::RsaPublicKey;

    fn key(exponent: &[u8]) -> RsaPublicKey {
        let modulus: Vec<u8> = (0..=255_u8).map(|n| n.wrapping_mul(167) | 0x81).collect();
        RsaPublicKey::new(&modulus, exponent)
    }

    fn loads(text: impl AsRef<[u8]>) -> bool {
        read(text.as_ref()) == Some(PublicKey::Rsa(key(&[1, 0, 1])))
    }

    #[test]
    fn loads_what_openssl_does_not() {
        let text = pem::write("PUBLIC KEY", &key(&[1, 0, 1]).spki_der());
        assert!(loads(format!("-e {text}")));
        assert!(loads(format!(" {text}")));
        assert!(loads(key(&[1, 0, 1]).spki_der()));
        assert!(loads(key(&[1, 0, 1]).pkcs1_der()));
    }

    #[test]
    fn loads_the_harmless_deviations() {
        let text = pem::write("PUBLIC KEY", &key(&[1, 0, 1]).spki_der());
        assert!(loads(&text));
        assert!(loads(text.replace('\n', "\r\n")));
        assert!(loads(format!("\u{feff}x\n{text}\n")));
        assert!(loads(text.trim_end()));
        assert!(loads(text.replacen("KEY-----\n", "KEY----- \n", 1)));
        assert!(loads(pem::write("RSA PUBLIC KEY", &key(&[1, 0, 1]).pkcs1_der())));
    }

    #[test]
    fn does_not_load_broken_frames_and_foreign_structures() {
        let text = pem::write("PUBLIC KEY", &key(&[1, 0, 1]).spki_der());
        assert!(!loads(text.replace('\n', "")));
        assert!(!loads(text.replace("-----END PUBLIC KEY-----\n", "")));
        assert!(!loads(text.replacen("MII", "MI I", 1)));
        assert!(!loads(pem::write("RSA PUBLIC KEY", &key(&[1, 0, 1]).spki_der())));
        assert!(!loads(format!("{text}{}", " ".repeat(MBEDTLS_MAX_KEY_FILE))));
        assert!(!loads("<html>"));
    }

    #[test]
    fn refuses_exponents_that_openssl_loads() {
        for exponent in [&[1][..], &[2], &[]] {
            let text = pem::write("PUBLIC KEY", &key(exponent).spki_der());
            assert_eq!(read(text.as_bytes()), None, "{exponent:?}");
        }
    }
}
