use super::*;
use crate::keys::{Content, RsaPublicKey};
use std::os::unix::fs::{PermissionsExt, symlink};

fn key() -> PublicKey {
    PublicKey::Rsa(RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1]))
}

fn names(directory: &KeyDirectory) -> Vec<&str> {
    directory.files().iter().map(|file| file.name().to_str().unwrap()).collect()
}

#[test]
fn every_entry_counts_whatever_its_suffix_and_none_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.rsa.pub.bak", "a.rsa.pub", ".hidden", "notes"] {
        fs::write(dir.path().join(name), key().to_pem()).unwrap();
    }
    fs::write(dir.path().join("html"), "<html>").unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    fs::create_dir(dir.path().join(".git")).unwrap();
    symlink("nothing", dir.path().join("link")).unwrap();
    let read = KeyDirectory::read(dir.path()).unwrap();
    assert_eq!(names(&read), [".hidden", "a.rsa.pub", "b.rsa.pub.bak", "html", "link", "notes", "sub"]);
    let content: Vec<_> = read.files().iter().map(|file| file.content().err().cloned()).collect();
    let expected = [
        None,
        None,
        None,
        Some(KeyFileError::NotAKey { content: Content::Html }),
        Some(KeyFileError::Unreadable(Unreadable::DanglingLink)),
        None,
        Some(KeyFileError::Unreadable(Unreadable::Directory)),
    ];
    assert_eq!(content, expected);
    assert!(read.files()[0].is_hidden() && !read.files()[1].is_hidden());
}

#[test]
fn who_verifies_gets_the_same_keys_and_reasons_as_who_audits() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.rsa.pub", ".hidden", "linked"] {
        fs::write(dir.path().join(name), key().to_pem()).unwrap();
    }
    fs::write(dir.path().join("damaged"), format!("-e {}", key().to_pem())).unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    symlink("linked", dir.path().join("link")).unwrap();
    symlink("nothing", dir.path().join("dangling")).unwrap();
    symlink("circle", dir.path().join("circle")).unwrap();
    let audited = KeyDirectory::read(dir.path()).unwrap();
    let audited: Vec<_> = audited.files().iter().filter(|file| !file.is_hidden()).collect();
    let read = KeyDirectory::read_keys(dir.path()).unwrap();
    assert_eq!(read.len(), 7);
    for (named, file) in read.iter().zip(audited) {
        assert_eq!((named.name(), named.path(), named.content()), (file.name(), file.path(), file.content()));
    }
    let missing = dir.path().join("missing");
    let errors = [KeyDirectory::read_keys(&missing).map(|_| ()), KeyDirectory::read(&missing).map(|_| ())];
    assert!(errors.iter().all(|result| matches!(result, Err(DirectoryError::Read { .. }))), "{errors:?}");
}

#[test]
fn tells_who_may_change_the_file_and_where_a_link_leads() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    fs::write(&file, key().to_pem()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    fs::hard_link(&file, dir.path().join("other")).unwrap();
    symlink("key", dir.path().join("link")).unwrap();
    let read = KeyFile::read(&dir.path().join("link"));
    assert_eq!(read.content(), Ok(&key()));
    assert_eq!(read.owner().unwrap().mode, 0o664);
    assert_eq!((read.hard_links(), read.links().len()), (2, 1));
    assert_eq!(read.links()[0].target, Path::new("key"));
}

#[test]
fn a_large_file_is_not_read_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("large");
    fs::File::create(&file).unwrap().set_len(20 << 20).unwrap();
    let read = KeyFile::read(&file);
    assert_eq!(read.content().unwrap_err().code(), "key-too-large");
    assert_eq!((read.size(), read.sha256()), (20 << 20, None));
}

#[test]
fn links_of_a_system_under_a_root_are_followed_inside_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("etc/apk/keys")).unwrap();
    fs::create_dir_all(dir.path().join("usr/share/apk/keys")).unwrap();
    fs::write(dir.path().join("usr/share/apk/keys/a.rsa.pub"), key().to_pem()).unwrap();
    symlink("/usr/share/apk/keys/a.rsa.pub", dir.path().join("etc/apk/keys/a.rsa.pub")).unwrap();
    let read = KeyDirectory::read_in(dir.path(), Path::new("/etc/apk/keys")).unwrap();
    assert_eq!(read.files()[0].content(), Ok(&key()));
    assert_eq!(read.files()[0].path(), Path::new("/etc/apk/keys/a.rsa.pub"));
    assert_eq!(read.owners().len(), 4);
}

#[test]
fn a_missing_directory_is_an_error_that_names_it() {
    let error = KeyDirectory::read(Path::new("/nowhere/at all")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the key directory `/nowhere/at all`");
}

#[test]
fn no_byte_of_a_private_key_shows_in_debug_output() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key.rsa");
    fs::write(&file, "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n").unwrap();
    let read = KeyFile::read(&file);
    assert!(read.form().holds_private_key());
    assert!(!format!("{read:?}").contains("U0VD"));
}
