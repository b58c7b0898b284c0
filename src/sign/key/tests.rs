use std::fs;
use std::path::PathBuf;

use super::*;
use crate::sign::SignDigests;

const PKCS8: &[u8] = include_bytes!("../../../fixtures/test-keys/FAKE-apkvet-test-a.rsa");
const PUBLIC: &[u8] = include_bytes!("../../../fixtures/test-keys/FAKE-apkvet-test-a.rsa.pub");
const OTHER_PUBLIC: &[u8] = include_bytes!("../../../fixtures/test-keys/FAKE-apkvet-test-b.rsa.pub");

fn test_key(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/test-keys").join(name)
}

/// The same key in the older form, cut out of the newer one.
fn pkcs1() -> String {
    let der = crate::keys::blocks(PKCS8).next().unwrap().body.unwrap();
    // Version, algorithm and the header of an OCTET STRING come before the older form.
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der[26..]);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n"))
}

#[test]
fn both_forms_of_a_key_are_read_and_named_after_their_file() {
    let key = SigningKey::parse("mirror.rsa", PKCS8).unwrap();
    assert_eq!(key.name().as_str(), "mirror.rsa.pub");
    assert_eq!(key.public_pem().as_bytes(), PUBLIC);
    let older = SigningKey::parse("mirror.rsa", pkcs1().as_bytes()).unwrap();
    assert_eq!(older.public_key(), key.public_key());
}

#[test]
fn a_signature_is_deterministic_and_holds() {
    let key = SigningKey::parse("a.rsa", PKCS8).unwrap();
    let make = || key.sign(SignDigest::Sha256, b"index").unwrap();
    assert_eq!(make(), make());
    assert_eq!(make().label().as_str(), "RSA256");
    assert!(signature_holds(key.public_key(), &make(), b"index"));
    assert!(!signature_holds(key.public_key(), &make(), b"indeX"));
}

#[test]
fn nothing_private_is_printed() {
    let key = SigningKey::read(&test_key("FAKE-apkvet-test-a.rsa")).unwrap();
    let printed = format!("{key:?}");
    assert_eq!(
        printed,
        "SigningKey { name: KeyName(\"FAKE-apkvet-test-a.rsa.pub\"), public: Rsa(RsaPublicKey(2048 bits, exponent 0x010001)), .. }"
    );
    let damaged = String::from_utf8(PKCS8.to_vec()).unwrap().replacen("MIIE", "MIIF", 1);
    let error = SigningKey::parse("a.rsa", damaged.as_bytes()).unwrap_err();
    assert!(matches!(error, SignError::Rejected { .. }), "{error:?}");
    let printed = format!("{error} {error:?}");
    assert!(damaged.lines().filter(|line| !line.starts_with('-')).all(|line| !printed.contains(&line[..8])));
}

#[test]
fn what_is_no_private_key_is_named() {
    let found = |text: &[u8]| match SigningKey::parse("k.rsa", text).unwrap_err() {
        SignError::NotAPrivateKey { found, .. } => found,
        error => panic!("{error:?}"),
    };
    assert_eq!(found(PUBLIC), "`PUBLIC KEY`");
    assert_eq!(found(b"hello"), "no PEM at all");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(found(encrypted.as_bytes()), "`ENCRYPTED PRIVATE KEY`");
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nQUJD\n-----END RSA PRIVATE KEY-----\n";
    assert_eq!(found(older.as_bytes()), "an encrypted private key");
    let both = [PUBLIC, PKCS8].concat();
    assert!(SigningKey::parse("k.rsa", &both).is_ok());
}

#[test]
fn names_that_cannot_go_into_a_signature_are_refused() {
    let parse = |name: &str| SigningKey::parse(name, PKCS8);
    assert!(parse(&"k".repeat(KEY_NAME_MAX - 4)).is_ok());
    for name in ["", "my key", "k\u{e9}", &"k".repeat(KEY_NAME_MAX - 3)] {
        let found = parse(name).map(|key| key.name().to_string());
        assert!(name.is_empty() || matches!(found, Err(SignError::Name { .. })), "{found:?}");
    }
}

#[test]
fn a_command_signs_and_what_it_makes_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let public = directory.path().join("hsm.rsa.pub");
    fs::write(&public, PUBLIC).unwrap();
    let key_file = test_key("FAKE-apkvet-test-a.rsa");
    let text = format!("openssl pkeyutl -sign -inkey {} -pkeyopt digest:{{digest}}", key_file.display());
    let command = SignCommand::parse(&text).unwrap();
    let key = SigningKey::behind(command.clone(), &public).unwrap();
    let own = SigningKey::read(&key_file).unwrap();
    for digest in SignDigests::Both.as_slice() {
        let signature = key.sign(*digest, b"index").unwrap();
        assert_eq!(signature.key_name().as_str(), "hsm.rsa.pub");
        assert_eq!(signature.bytes(), own.sign(*digest, b"index").unwrap().bytes());
    }
    fs::write(&public, OTHER_PUBLIC).unwrap();
    let wrong = SigningKey::behind(command, &public).unwrap().sign(SignDigest::Sha256, b"index");
    assert!(matches!(wrong, Err(SignError::DoesNotHold { digest: "sha256", .. })), "{wrong:?}");
}

#[test]
fn a_command_that_fails_says_what_it_said() {
    let public = test_key("FAKE-apkvet-test-a.rsa.pub");
    let sign = |text: &str| {
        let key = SigningKey::behind(SignCommand::parse(text).unwrap(), &public).unwrap();
        key.sign(SignDigest::Sha256, b"index").unwrap_err()
    };
    assert!(matches!(sign("/no/such/program"), SignError::Command { .. }));
    let error = sign("openssl pkeyutl -no-such-option");
    assert!(matches!(&error, SignError::CommandFailed { said, .. } if !said.is_empty()), "{error:?}");
    assert!(matches!(sign("true"), SignError::DoesNotHold { .. }));
}

#[test]
fn sha1_needs_a_file_that_openssl_can_read() {
    let key = SigningKey::parse("a.rsa", PKCS8).unwrap();
    assert!(matches!(key.sign(SignDigest::Sha1, b"index"), Err(SignError::NoSha1)));
}

#[test]
fn keys_that_no_client_of_ours_accepts_do_not_sign() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("small.rsa");
    let made = std::process::Command::new("openssl")
        .args(["genrsa", "-traditional", "-out"])
        .arg(&file)
        .arg("1024")
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: openssl is not at hand");
        return;
    }
    let error = SigningKey::read(&file).unwrap_err();
    assert!(matches!(error, SignError::Rejected { .. } | SignError::Refused { .. }), "{error:?}");
}
