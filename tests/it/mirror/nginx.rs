//! A real server: what a mirror gets from it, and what the next mirror gets from that one.

use std::path::{Path, PathBuf};

use apkvet_fixtures::FakeKey;

use super::rig::{Upstream, built, listing, package, published};
use crate::harness::nginx::Nginx;
use crate::harness::{Ran, apkvet, shared};

/// A folder with mirrors in it, and what each of their commands is told.
struct Site {
    directory: tempfile::TempDir,
    keys: Vec<PathBuf>,
    more: Vec<String>,
}

impl Site {
    fn new(keys: &[PathBuf], more: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        Self { directory, keys: keys.to_vec(), more }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// One command on the mirror `to` of an address.
    fn run(&self, command: &str, from: &str, to: &str, more: &[String]) -> Ran {
        let mut arguments = vec!["mirror", command, "--upstream", from, "--name", "site/main", "--to", to];
        for key in &self.keys {
            arguments.extend(["--key", key.to_str().unwrap()]);
        }
        arguments.extend(more.iter().map(String::as_str));
        apkvet(self.directory.path(), &arguments)
    }

    /// Mirrors an address, checks what came, and sees that there is nothing left to do.
    fn mirror(&self, from: &str, to: &str, more: &[String]) {
        let ran = self.run("sync", from, to, more);
        assert_eq!(ran.code, 0, "{from}: {} {}", ran.out, ran.err);
        let checked = self.run("check", from, to, more);
        assert!(checked.code == 0 && checked.out.contains("0 errors, 0 warnings"), "{from}: {}", checked.out);
        let before = listing(&self.path(to));
        let again = self.run("sync", from, to, more);
        assert!(again.code == 0 && again.out.starts_with("nothing new"), "{from}: {}", again.out);
        assert_eq!(listing(&self.path(to)), before, "{from}: the second run writes");
    }

    /// Serves a repository, mirrors it, serves the mirror, and mirrors that; whether there is a server.
    fn twice(&self, upstream: &Path) -> bool {
        let Some(server) = Nginx::serve(upstream) else { return false };
        self.mirror(&server.url(""), "srv", &self.more);
        let Some(server) = Nginx::serve(&self.path("srv/current")) else { return false };
        self.mirror(&server.url("/site/main"), "again", &arches(&self.more));
        true
    }
}

/// Of these words the architectures alone: a mirror is mirrored whole.
fn arches(words: &[String]) -> Vec<String> {
    let pairs = words.chunks(2).filter(|pair| pair.first().is_some_and(|flag| flag == "--arch"));
    pairs.flatten().cloned().collect()
}

/// Every file of a mirror is one of upstream, byte for byte.
fn same_bytes(mirror: &Path, upstream: &Path) -> usize {
    let tree = published(mirror);
    for (path, bytes) in &tree {
        let original = upstream.join(path.strip_prefix("site/main/").unwrap());
        assert!(std::fs::read(&original).is_ok_and(|original| original == *bytes), "{path} differs");
    }
    tree.len()
}

fn write_keys(site: &Path) -> PathBuf {
    let path = |key: &FakeKey| site.join(key.name());
    let (a, mirror) = (FakeKey::a(), FakeKey::mirror());
    std::fs::write(path(&a), a.public_pem()).unwrap();
    std::fs::write(site.join("mirror.rsa"), mirror.private_pem()).unwrap();
    path(&a)
}

fn generated() -> Upstream {
    let noarch = built(
        apkvet_fixtures::PackageBuilder::new("docs", "3-r1").field("arch", "noarch"),
        "docs",
        "3-r1",
        &[],
        &[(FakeKey::a(), apkvet_fixtures::Label::Rsa256)],
    );
    Upstream::of(&[
        package("tool", "1.0_git20260101-r0", &["lib+stdc++"]),
        package("lib+stdc++", "12.2.1-r10", &[]),
        noarch,
        package("rest", "1-r0", &[]),
    ])
}

#[test]
fn a_real_repository_is_mirrored_from_nginx_and_the_mirror_from_the_mirror() {
    let Some(upstream) = shared("real/melange-repo") else { return };
    let more = ["--arch", "x86_64", "--arch", "aarch64"];
    let site = Site::new(&[upstream.join("melange.rsa.pub")], &more);
    if site.twice(&upstream) {
        assert_eq!(same_bytes(&site.path("srv"), &upstream), 10);
        assert_eq!(published(&site.path("again")), published(&site.path("srv")));
    }
}

#[test]
fn a_generated_repository_is_mirrored_from_nginx_and_the_mirror_from_the_mirror() {
    let site = Site::new(&[], &["--arch", "x86_64"]);
    let site = Site { keys: vec![write_keys(site.directory.path())], ..site };
    generated().write(&site.path("upstream"));
    if site.twice(&site.path("upstream")) {
        assert_eq!(same_bytes(&site.path("srv"), &site.path("upstream")), 5);
        assert_eq!(published(&site.path("again")), published(&site.path("srv")));
    }
}

#[test]
fn a_subset_is_mirrored_from_nginx_and_by_others_with_the_key_that_it_publishes() {
    let site = Site::new(&[], &["--arch", "x86_64", "--select", "tool", "--sign-key", "mirror.rsa"]);
    let upstream = write_keys(site.directory.path());
    let own = site.path("srv/current/keys/mirror.rsa.pub");
    generated().write(&site.path("upstream"));
    let Some(server) = Nginx::serve(&site.path("upstream")) else { return };
    let site = Site { keys: vec![upstream.clone()], ..site };
    site.mirror(&server.url(""), "srv", &site.more);
    let subset = Nginx::serve(&site.path("srv/current")).unwrap();
    let site = Site { keys: vec![upstream, own], ..site };
    site.mirror(&subset.url("/site/main"), "again", &arches(&site.more));
    let mut expected = published(&site.path("srv"));
    assert!(expected.remove("keys/mirror.rsa.pub").is_some());
    assert_eq!(expected.len(), 3);
    assert_eq!(published(&site.path("again")), expected);
}
