//! `apkvet fetch`, as the steps of a Dockerfile run it, against servers that hold what they should, and what not.

/// Signals, and what a killed run leaves.
mod ended;
/// Names, looked up through verified indexes.
mod named;
/// The conditions beside a signature: an index, pins, several tries.
mod proven;

use std::path::Path;

use apkvet_fixtures::{FakeKey, Header, IndexBuilder, Label, Package, PackageBuilder};

use crate::harness::http_fault_server::{FaultServer, answer};
use crate::harness::{Ran, apkvet, shared};

const FILE: &str = "hello-1.0-r0.apk";

fn package(name: &str) -> Package {
    PackageBuilder::new(name, "1.0-r0").build_signed(&[(FakeKey::a(), Label::Rsa256)])
}

/// A working directory with the key under its right name, and a server.
struct Context {
    directory: tempfile::TempDir,
    server: FaultServer,
}

impl Context {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = FakeKey::a();
        std::fs::write(directory.path().join(key.name()), key.public_pem()).unwrap();
        Self { directory, server: FaultServer::start(files) }
    }

    fn hello() -> Self {
        Self::new(&[("/hello-1.0-r0.apk", &package("hello").bytes())])
    }

    fn fetch(&self, arguments: &[&str]) -> Ran {
        apkvet(self.directory.path(), &[&["fetch", "--to", "out"], arguments].concat())
    }

    /// Fetches the file with the right key.
    fn fetch_hello(&self, more: &[&str]) -> Ran {
        std::fs::create_dir_all(self.out()).unwrap();
        let url = self.server.url("/hello-1.0-r0.apk");
        self.fetch(&[&["--tries", "1", "--key", FakeKey::a().name()], more, &[&url]].concat())
    }

    fn out(&self) -> std::path::PathBuf {
        self.directory.path().join("out")
    }

    /// Everything that lies where files are put.
    fn left(&self) -> Vec<String> {
        names(&self.out())
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_verified_package_appears_under_its_name() {
    use std::os::unix::fs::PermissionsExt;
    let context = Context::hello();
    let ran = context.fetch_hello(&[]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(context.left(), [FILE]);
    let file = context.out().join(FILE);
    assert_eq!(std::fs::read(&file).unwrap(), package("hello").bytes());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert!(ran.out.contains("OK") && ran.out.contains("1 verified"), "{}", ran.out);
}

#[test]
fn what_does_not_hold_leaves_nothing_behind() {
    let good = package("hello").bytes();
    let (mut flipped, other) = (good.clone(), package("other").bytes());
    *flipped.last_mut().unwrap() ^= 1;
    let page = b"<!DOCTYPE html><html><body>maintenance</body></html>".to_vec();
    let stranger = PackageBuilder::new("hello", "1.0-r0").build_signed(&[(FakeKey::b(), Label::Rsa256)]);
    for (bytes, code) in [
        (other, "other-package"),
        (flipped, "datahash-mismatch"),
        (page, "html"),
        (good[..good.len() / 2].to_vec(), "truncated"),
        (stranger.bytes(), "untrusted"),
        (Vec::new(), "empty"),
    ] {
        let context = Context::new(&[("/hello-1.0-r0.apk", &good)]);
        context.server.misbehave(move |_| {
            let length = format!("Content-Length: {}", bytes.len());
            Some(answer("200 OK", &[&length], &bytes))
        });
        let ran = context.fetch_hello(&[]);
        assert_eq!(ran.code, 1, "{code}: {} {}", ran.out, ran.err);
        assert!(ran.out.contains(&format!("[{code}]")), "{code}: {}", ran.out);
        assert_eq!(context.left(), [""; 0], "{code}");
    }
}

#[test]
fn what_was_there_before_stays_if_the_new_file_does_not_hold() {
    let context = Context::hello();
    std::fs::create_dir_all(context.out()).unwrap();
    std::fs::write(context.out().join(FILE), "old").unwrap();
    context.server.put("/hello-1.0-r0.apk", b"<html></html>");
    assert_eq!(context.fetch_hello(&[]).code, 1);
    assert_eq!(std::fs::read(context.out().join(FILE)).unwrap(), b"old");
    context.server.put("/hello-1.0-r0.apk", &package("hello").bytes());
    assert_eq!(context.fetch_hello(&[]).code, 0);
    assert_eq!(std::fs::read(context.out().join(FILE)).unwrap(), package("hello").bytes());
    assert_eq!(context.left(), [FILE]);
}

#[test]
fn another_key_of_the_same_name_is_refused_by_its_fingerprint() {
    let context = Context::hello();
    let ours = apkvet(context.directory.path(), &["keys", "show", FakeKey::a().name()]);
    let at = ours.out.find("sha256:").unwrap();
    let fingerprint = &ours.out[at..at + 71];
    assert_eq!(context.fetch_hello(&["--fingerprint", fingerprint]).code, 0);
    let swapped = PackageBuilder::new("hello", "1.0-r0").build_signed(&[(FakeKey::b(), Label::Rsa256)]);
    // Whoever holds the address has exchanged package and key.
    std::fs::write(context.directory.path().join("evil"), FakeKey::b().public_pem()).unwrap();
    context.server.put("/hello-1.0-r0.apk", &swapped.bytes());
    let named = format!("{}=evil", FakeKey::b().name());
    std::fs::remove_file(context.out().join(FILE)).unwrap();
    let url = context.server.url("/hello-1.0-r0.apk");
    let ran = context.fetch(&["--key", &named, "--fingerprint", fingerprint, &url]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("[fingerprint-mismatch]"), "{}", ran.out);
    assert_eq!(context.left(), [""; 0]);
}

#[test]
fn a_missing_file_and_a_dead_server_are_told_apart_by_the_exit_code() {
    let context = Context::hello();
    context.server.remove("/hello-1.0-r0.apk");
    let ran = context.fetch_hello(&[]);
    assert_eq!(ran.code, 5, "{} {}", ran.out, ran.err);
    let port = context.server.port();
    drop(context.server);
    let directory = context.directory.path();
    let url = format!("http://127.0.0.1:{port}/hello-1.0-r0.apk");
    let key = FakeKey::a();
    let ran = apkvet(directory, &["fetch", "--tries", "1", "--to", "out", "--key", key.name(), &url]);
    assert_eq!(ran.code, 4, "{} {}", ran.out, ran.err);
    assert_eq!(names(&directory.join("out")), [""; 0]);
}

#[test]
fn a_file_that_is_no_package_is_proven_by_its_digest() {
    let context = Context::new(&[("/jre.tar.gz", b"not a package")]);
    std::fs::create_dir_all(context.out()).unwrap();
    let url = context.server.url("/jre.tar.gz");
    let right = "73e61fa8b29dd72f57017b3ebcdbff2e69b2950c2b2ee41eb2c9d9e6a6a90ccf";
    let wrong = context.fetch(&["--sha256", right, &url]);
    assert_eq!(wrong.code, 1, "{}", wrong.out);
    assert!(wrong.out.contains("[digest-mismatch]"), "{}", wrong.out);
    assert_eq!(context.left(), [""; 0]);
    let found = wrong.out.split("found ").nth(1).unwrap().split_whitespace().next().unwrap();
    let ran = context.fetch(&["--json", "--sha256", found, &url]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("\"via\":\"digest\""), "{}", ran.out);
    assert_eq!(context.left(), ["jre.tar.gz"]);
}

#[test]
fn credentials_are_sent_and_never_printed() {
    let context = Context::hello();
    std::fs::create_dir_all(context.out()).unwrap();
    let url = context.server.url_as("somebody:canary", "/hello-1.0-r0.apk");
    let ran = context.fetch(&["-v", "--key", FakeKey::a().name(), &url]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    context.server.put("/hello-1.0-r0.apk", b"x");
    let refused = context.fetch(&["-v", "--key", FakeKey::a().name(), &url]);
    for text in [ran.out, ran.err, refused.out, refused.err] {
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(context.server.asked().iter().all(|asked| asked.header("authorization").is_some()));
}

/// The steps of the README's Dockerfile, and the same with what an attacker at the address would do.
#[test]
fn the_real_glibc_packages_are_fetched_as_the_readme_does() {
    const FINGERPRINT: &str = "sha256:ba1a4a4bd6e619104222aef2544c48b63911d2ea95a00703358862d4c892da9c";
    let Some(glibc) = shared("real/glibc") else { return };
    let read = |name: &str| std::fs::read(glibc.join(name)).unwrap();
    let files = ["glibc-2.23-r3.apk", "glibc-bin-2.23-r3.apk"];
    let served: Vec<(String, Vec<u8>)> = files.iter().map(|name| (format!("/{name}"), read(name))).collect();
    let served: Vec<(&str, &[u8])> =
        served.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let context = Context::new(&served);
    let directory = context.directory.path();
    std::fs::create_dir_all(context.out()).unwrap();
    std::fs::write(directory.join("sgerrand.rsa.pub"), read("keys/andyshinn.rsa.pub")).unwrap();
    let urls: Vec<String> = files.iter().map(|name| context.server.url(&format!("/{name}"))).collect();
    let fetch = |key: &str| context.fetch(&["--key", key, "--fingerprint", FINGERPRINT, &urls[0], &urls[1]]);
    let ran = fetch("sgerrand.rsa.pub");
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(context.left(), files);
    files.iter().for_each(|name| std::fs::remove_file(context.out().join(name)).unwrap());
    // The key file of another time, under the same name.
    let other = read("key-history/2016-06-10-e837f4c/sgerrand.rsa.pub");
    std::fs::create_dir(directory.join("other")).unwrap();
    std::fs::write(directory.join("other/sgerrand.rsa.pub"), other).unwrap();
    let ran = fetch("other/sgerrand.rsa.pub");
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert_eq!(context.left(), [""; 0]);
    // One package exchanged with the other, cut, and replaced by a page: the good one comes all the same.
    let (whole, page) = (read("glibc-2.23-r3.apk"), b"<html>maintenance</html>".to_vec());
    for bytes in [read("glibc-bin-2.23-r3.apk"), whole[..whole.len() / 2].to_vec(), page] {
        context.server.put("/glibc-2.23-r3.apk", &bytes);
        let ran = fetch("sgerrand.rsa.pub");
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert_eq!(context.left(), ["glibc-bin-2.23-r3.apk"]);
    }
}
