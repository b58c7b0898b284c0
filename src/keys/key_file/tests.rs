use super::*;
use crate::keys::der;
use crate::keys::{DerError, RsaPublicKey};

/// Any number will do: nothing here asks whether it is a product of primes.
fn key() -> RsaPublicKey {
    let modulus: Vec<u8> = (0..=255_u8).map(|n| n.wrapping_mul(167) | 0x81).collect();
    RsaPublicKey::new(&modulus, &[1, 0, 1])
}

fn pem_text() -> String {
    pem::write("PUBLIC KEY", &key().spki_der())
}

fn loads(text: impl AsRef<[u8]>) {
    assert_eq!(read_key(text.as_ref()), Ok(PublicKey::Rsa(key())));
}

fn damage(text: impl AsRef<[u8]>) -> (usize, Damage) {
    match read_key(text.as_ref()) {
        Err(KeyFileError::Damaged { line, damage }) => (line, damage),
        other => panic!("{other:?}"),
    }
}

#[test]
fn loads_every_form_that_openssl_loads() {
    let text = pem_text();
    loads(&text);
    loads(text.replace('\n', "\r\n"));
    loads(format!("# a comment\n{text}"));
    loads(format!("\n{text}"));
    loads(text.trim_end());
    loads(format!("\u{feff}{text}"));
    loads(text.replace('\n', "  \t\n"));
    loads(format!("{text}\n"));
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    loads(format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"));
    loads(text.replacen("KEY-----\n", "KEY-----\n\n", 1));
    loads(text.replacen("KEY-----\n", "KEY-----\nA: b\n\n", 1));
}

#[test]
fn the_first_of_two_keys_counts() {
    let other = RsaPublicKey::new(&[0xff; 256], &[1, 0, 1]);
    loads(format!("{}{}", pem_text(), pem::write("PUBLIC KEY", &other.spki_der())));
}

#[test]
fn passes_over_blocks_that_are_no_public_keys() {
    let text = pem_text();
    for label in ["PRIVATE KEY", "CERTIFICATE", "EC PARAMETERS", "WHATEVER"] {
        loads(format!("{}{text}", pem::write(label, b"not a key")));
    }
    loads(format!("-----BEGIN X-----\n!!!!\n-----END X-----\n{text}"));
    loads(format!("{}{text}", pem::write("PUBLIC KEY", b"not a key")));
}

#[test]
fn loads_the_label_of_pkcs1_with_either_structure() {
    loads(pem::write("RSA PUBLIC KEY", &key().pkcs1_der()));
    loads(pem::write("RSA PUBLIC KEY", &key().spki_der()));
}

#[test]
fn does_not_load_pkcs1_under_the_label_of_spki() {
    let text = pem::write("PUBLIC KEY", &key().pkcs1_der());
    let expected = DerError::Tag { expected: der::SEQUENCE, found: der::INTEGER };
    assert_eq!(damage(text), (1, Damage::Key(PublicKeyError::Der(expected))));
}

#[test]
fn names_text_before_begin() {
    let text = pem_text();
    assert_eq!(damage(format!("-e {text}")), (1, Damage::EchoArtefact));
    assert_eq!(damage(format!(" {text}")), (1, Damage::BeforeBegin));
    assert_eq!(damage(format!("x\n-{text}")), (2, Damage::BeforeBegin));
}

#[test]
fn names_broken_frames() {
    let text = pem_text();
    assert_eq!(damage(text.replace('\n', "")), (1, Damage::OneLine));
    assert_eq!(damage(text.replace('\n', "\r")), (1, Damage::OneLine));
    assert_eq!(damage(text.replace("-----END PUBLIC KEY-----\n", "")), (1, Damage::EndMissing));
    assert_eq!(damage(text.replace("END PUBLIC", "END RSA PUBLIC")), (1, Damage::EndDiffers));
    assert_eq!(damage(text.replacen("KEY-----", "KEY----- x", 1)), (1, Damage::BeginLine));
    assert_eq!(damage(text.replacen("-----BEGIN", "----BEGIN", 1)), (1, Damage::BeginLine));
    assert_eq!(damage(text.replace("-----END", "\n-----END")), (1, Damage::Header));
    assert_eq!(damage(text.replacen("MII", "M_I", 1)), (1, Damage::Base64));
    assert_eq!(damage("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"), (1, Damage::NoBody));
}

#[test]
fn takes_structures_that_openssl_takes_and_no_others() {
    let spki = key().spki_der();
    loads(pem::write("PUBLIC KEY", &[&spki[..], &[0, 0]].concat()));
    let mut without_null = spki[4..].to_vec();
    without_null.drain(13..15);
    without_null[1] -= 2;
    loads(pem::write("PUBLIC KEY", &der::encode(der::SEQUENCE, &without_null)));
    let inner = der::encode(der::SEQUENCE, &[&spki[4..], &[5, 0]].concat());
    let expected = Damage::Key(PublicKeyError::Der(DerError::Trailing { count: 2 }));
    assert_eq!(damage(pem::write("PUBLIC KEY", &inner)), (1, expected));
}

#[test]
fn other_kinds_of_keys_load_as_what_they_are() {
    let ed25519 = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &[7; 32]].concat();
    let loaded = read_key(pem::write("PUBLIC KEY", &ed25519).as_bytes()).unwrap();
    assert_eq!((loaded.kind(), loaded.spki_der()), ("ed25519", ed25519));
}

#[test]
fn says_what_a_file_is_that_holds_no_key() {
    assert_eq!(read_key(b""), Err(KeyFileError::Empty));
    assert_eq!(read_key(b"<html>"), Err(KeyFileError::NotAKey { content: Content::Html }));
    let private = pem::write("PRIVATE KEY", b"secret");
    assert_eq!(read_key(private.as_bytes()), Err(KeyFileError::NotAKey { content: Content::PrivateKey }));
    let der = key().spki_der();
    assert_eq!(read_key(&der), Err(KeyFileError::NotAKey { content: Content::Der }));
    let large = vec![b'\n'; MAX_KEY_FILE + 1];
    assert_eq!(read_key(&large), Err(KeyFileError::TooLarge { limit: MAX_KEY_FILE }));
}

#[test]
fn reads_the_real_key_files_as_openssl_does() {
    let Some(real) = crate::keys::testing::real() else { return };
    let fingerprint =
        |path: &str| read_key(&std::fs::read(real.join(path)).unwrap()).map(|key| key.fingerprint().short());
    assert_eq!(fingerprint("glibc/keys/andyshinn.rsa.pub"), Ok("ba1a4a4bd6e61910".to_owned()));
    assert_eq!(fingerprint("wolfi/wolfi-signing.rsa.pub"), Ok("6e95f867b00808f1".to_owned()));
    assert_eq!(
        fingerprint("glibc/key-history/2016-06-07-3db7b4c/sgerrand.rsa.pub"),
        Err(KeyFileError::Damaged { line: 1, damage: Damage::EchoArtefact })
    );
    assert_eq!(
        fingerprint("glibc/key-history/2016-06-10-e837f4c/sgerrand.rsa.pub"),
        Ok("a3fce11200f7804c".to_owned())
    );
}
