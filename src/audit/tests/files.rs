//! Forms, names and rights of files.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::audit::numbers::testing::prime;
use crate::audit::testing::{Store, rsa};
use crate::audit::{Owners, Search};

fn pem() -> String {
    rsa(&(prime(1024, 1) * prime(1024, 2)), 65_537).to_pem()
}

/// What is found of one file beside a good key.
fn form(name: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    let good = rsa(&(prime(1024, 3) * prime(1024, 4)), 65_537);
    let store = Store::default().key("k/good.rsa.pub", &good).file(&format!("k/{name}"), content);
    store.found().iter().map(|line| line.replace(&format!(" k/{name}"), "")).collect()
}

#[test]
fn a_clean_key_has_no_finding() {
    assert_eq!(form("a.rsa.pub", pem()), [""; 0]);
}

#[test]
fn what_is_no_key_is_told() {
    let contents: [&[u8]; 7] = [
        b"",
        b"<!DOCTYPE html><html>404</html>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"ssh-rsa AAAA me@here\n",
        b"{\"message\":\"Not Found\"}",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"404: Not Found",
    ];
    for content in contents {
        assert_eq!(form("a.rsa.pub", content), ["error form-not-a-key"], "{}", crate::types::escape(content));
    }
}

#[test]
fn damaged_keys_are_told_and_deviating_ones_noted() {
    let text = pem();
    for (content, expected) in [
        (format!("-e {text}"), "error form-damaged"),
        (format!(" {text}"), "error form-damaged"),
        (text.replace('\n', ""), "error form-damaged"),
        (text.replace("-----END PUBLIC KEY-----\n", ""), "error form-damaged"),
        (text.replacen("MII", "M!I", 1), "error form-damaged"),
        (format!("\u{feff}{text}"), "info form-noncanonical"),
        (text.replace('\n', "\r\n"), "info form-noncanonical"),
        (format!("a comment\n{text}"), "info form-noncanonical"),
        (format!("{text}\n"), "info form-noncanonical"),
        (text.trim_end().to_owned(), "info form-noncanonical"),
    ] {
        assert_eq!(form("a.rsa.pub", &content), [expected], "{content:.40}");
    }
}

#[test]
fn which_reader_loads_a_damaged_key_is_said() {
    let store = Store::default().file("k/a.rsa.pub", format!("-e {}", pem()));
    let finding = store.audit().findings.into_iter().find(|f| f.id.as_str() == "form-damaged").unwrap();
    assert!(finding.message.contains("with mbedTLS trusts it"), "{finding:?}");
    assert_eq!((&finding.detail["damage"], &finding.detail["line"]), (&"echo-artefact".into(), &1.into()));
    assert!(finding.fingerprint.is_some());
}

#[test]
fn private_keys_are_told_alone_and_beside_public_ones() {
    let secret = "-----BEGIN PRIVATE KEY-----\nU0VDUkVUU0VDUkVU\n-----END PRIVATE KEY-----\n";
    assert_eq!(form("a.rsa", secret), ["error form-private"]);
    let both = form("a.rsa.pub", format!("{secret}{}", pem()));
    assert_eq!(both, ["error form-private", "info form-noncanonical"]);
    let report = Store::default().file("k/a.rsa", secret).audit();
    assert!(!format!("{report:?}").contains("U0VDUkVU"));
}

#[test]
fn two_keys_in_a_file_and_the_label_of_pkcs1_are_told() {
    let two = format!("{}{}", pem(), rsa(&(prime(1024, 5) * prime(1024, 6)), 65_537).to_pem());
    assert_eq!(form("a.rsa.pub", two)[..1], ["error form-many"]);
    use base64::Engine;
    let key = rsa(&(prime(1024, 1) * prime(1024, 2)), 65_537);
    let body = base64::engine::general_purpose::STANDARD.encode(key.as_rsa().unwrap().pkcs1_der());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pkcs1 =
        format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", lines.join("\n"));
    assert_eq!(form("a.rsa.pub", pkcs1), ["warn form-pkcs1"]);
}

#[test]
fn large_files_are_told_from_64001_bytes_on() {
    let padded = |length: usize| format!("{}{}", pem(), " ".repeat(length - pem().len()));
    assert!(!form("a.rsa.pub", padded(64_000)).contains(&"warn file-large".to_owned()));
    assert!(form("a.rsa.pub", padded(64_001)).contains(&"warn file-large".to_owned()));
    let found = form("a.rsa.pub", vec![b' '; 20 << 20]);
    assert_eq!(found, ["error form-not-a-key", "warn file-large"]);
}

#[test]
fn names_that_say_leftover_are_trusted_all_the_same() {
    for (name, expected) in [
        ("a.rsa.pub.bak", &["warn name-leftover"][..]),
        ("a.rsa.pub~", &["warn name-leftover"]),
        ("a.rsa.pub.apk-new", &["warn name-leftover"]),
        ("a.rsa.pub.dpkg-old", &["warn name-leftover"]),
        ("a.key", &["warn name-leftover"]),
        ("a.pub", &[]),
        ("a.pem", &[]),
        (".a.rsa.pub", &["warn name-hidden"]),
        ("a b.rsa.pub", &["warn name-odd"]),
        ("é.rsa.pub", &["warn name-odd"]),
    ] {
        assert_eq!(form(name, pem()), expected, "{name}");
    }
    assert_eq!(form(&format!("{}.rsa.pub", "a".repeat(79)), pem()), [""; 0]);
    assert_eq!(form(&format!("{}.rsa.pub", "a".repeat(80)), pem()), ["warn name-odd"]);
    assert_eq!(form(".gitkeep", ""), ["warn name-hidden"]);
}

#[test]
fn no_key_at_all_is_an_error() {
    let damaged = Store::default().file("k/a.rsa.pub", "nothing");
    assert_eq!(damaged.found(), ["error key-none k", "error form-not-a-key k/a.rsa.pub"]);
    let hidden = Store::default().file("k/.a.rsa.pub", pem());
    assert!(hidden.found().contains(&"error key-none k".to_owned()));
    assert_eq!(Store::default().found(), ["error key-none -"]);
}

#[test]
fn what_is_no_regular_file_is_told_without_waiting() {
    let store = Store::default().file("k/a.rsa.pub", pem());
    let keys = store.root.path().join("k");
    let mode = rustix::fs::Mode::from_bits_retain(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, keys.join("pipe"), mode).unwrap();
    symlink("nothing", keys.join("dangling")).unwrap();
    std::fs::create_dir(keys.join("sub")).unwrap();
    let expected = ["k/dangling", "k/pipe", "k/sub"].map(|file| format!("error key-unreadable {file}"));
    assert_eq!(store.found(), expected);
}

/// A store whose rights are asked for, below directories that are closed.
fn guarded() -> Store {
    let user = rustix::process::getuid().as_raw();
    let store = Store { owners: Owners::RootOr(user), ..Store::default().file("k/a.rsa.pub", pem()) };
    let set = |path: &str, mode| {
        std::fs::set_permissions(store.root.path().join(path), std::fs::Permissions::from_mode(mode))
            .unwrap();
    };
    set("k", 0o755);
    set("k/a.rsa.pub", 0o644);
    store
}

/// Findings about rights, apart from directories above the scratch directory.
fn rights(store: &Store) -> Vec<String> {
    let found = store.found().into_iter().filter(|line| line.contains(" perm-"));
    found.filter(|line| !line.contains(" perm-dir /") || line.contains("/k")).collect()
}

#[test]
fn files_that_others_may_write_or_cannot_read_are_told() {
    for (mode, expected) in [
        (0o644, None),
        (0o664, Some("error perm-writable k/a.rsa.pub")),
        (0o646, Some("error perm-writable k/a.rsa.pub")),
        (0o640, Some("info perm-unreadable k/a.rsa.pub")),
    ] {
        let store = guarded();
        let path = store.root.path().join("k/a.rsa.pub");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(rights(&store), expected.into_iter().collect::<Vec<_>>(), "{mode:o}");
    }
}

#[test]
fn a_key_directory_that_others_may_write_is_told_sticky_or_not() {
    for (mode, open) in [(0o755, false), (0o775, true), (0o1777, true)] {
        let store = guarded();
        std::fs::set_permissions(store.root.path().join("k"), std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(rights(&store).iter().any(|line| line.starts_with("error perm-dir")), open, "{mode:o}");
    }
}

#[test]
fn the_sticky_bit_excuses_a_directory_above_the_keys() {
    for (mode, open) in [(0o1777, false), (0o777, true)] {
        let store = guarded();
        std::fs::set_permissions(store.root.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let root = store.root.path().canonicalize().unwrap().display().to_string();
        let found = store.audit().findings;
        let told = found.iter().any(|f| f.id.as_str() == "perm-dir" && f.file.as_deref() == Some(&root));
        assert_eq!(told, open, "{mode:o}");
    }
}

#[test]
fn links_are_noted_and_links_through_open_directories_are_errors() {
    let store = guarded();
    let root = store.root.path();
    std::fs::create_dir(root.join("other")).unwrap();
    std::fs::write(root.join("other/b.rsa.pub"), pem()).unwrap();
    std::fs::set_permissions(root.join("other/b.rsa.pub"), std::fs::Permissions::from_mode(0o644)).unwrap();
    symlink("../other/b.rsa.pub", root.join("k/b.rsa.pub")).unwrap();
    let open = |mode| {
        std::fs::set_permissions(root.join("other"), std::fs::Permissions::from_mode(mode)).unwrap();
        rights(&store)
    };
    assert_eq!(open(0o755), ["info perm-symlink k/b.rsa.pub"]);
    assert_eq!(open(0o777), ["error perm-symlink k/b.rsa.pub"]);
}

#[test]
fn a_second_name_of_the_file_is_noted() {
    let store = guarded();
    std::fs::hard_link(store.root.path().join("k/a.rsa.pub"), store.root.path().join("elsewhere")).unwrap();
    assert_eq!(rights(&store), ["info perm-hardlink k/a.rsa.pub"]);
}

#[test]
fn nobody_asks_for_rights_in_a_checkout() {
    let mut store = guarded();
    let path = store.root.path().join("k/a.rsa.pub");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
    store.owners = Owners::Anybody;
    assert_eq!(rights(&store), [""; 0]);
}

#[test]
fn the_first_directory_wins_a_name() {
    let other = rsa(&(prime(1024, 3) * prime(1024, 4)), 65_537);
    let shadow = |key: String| {
        let store = Store::default().file("etc/a.rsa.pub", pem()).file("lib/a.rsa.pub", key);
        Store { search: Search::FirstWins, ..store }.found()
    };
    assert_eq!(shadow(other.to_pem()), ["warn name-shadow lib/a.rsa.pub"]);
    assert_eq!(shadow(pem()), ["info name-shadow lib/a.rsa.pub"]);
    let apart = Store::default().file("etc/a.rsa.pub", pem()).key("lib/b.rsa.pub", &other);
    assert_eq!(Store { search: Search::FirstWins, ..apart }.found(), [""; 0]);
}
