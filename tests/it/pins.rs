use std::path::{Path, PathBuf};

use apkvet::keys::read_key;
use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

use crate::harness::{apkvet, shared};

/// A directory with a package signed by key `a`, and that key.
struct Place {
    directory: tempfile::TempDir,
    fingerprint: String,
}

impl Place {
    fn new(label: Label) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = FakeKey::a();
        let package = PackageBuilder::new("hello", "1.0-r0").build_signed(&[(FakeKey::a(), label)]);
        std::fs::write(directory.path().join("hello.apk"), package.bytes()).unwrap();
        std::fs::write(directory.path().join(key.name()), key.public_pem()).unwrap();
        let fingerprint = read_key(key.public_pem().as_bytes()).unwrap().fingerprint().to_string();
        Self { directory, fingerprint }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    /// Verdict, code and message with a pin line for the key, or with the text as it is.
    fn verify(&self, words: &str) -> String {
        self.verify_with(&format!("{} {} {words}", self.fingerprint, FakeKey::a().name()))
    }

    fn verify_with(&self, pins: &str) -> String {
        std::fs::write(self.path().join("keys.pin"), pins).unwrap();
        let key = FakeKey::a().name();
        let ran =
            apkvet(&self.path(), &["verify", "--json", "--key-pins", "keys.pin", "--key", key, "hello.apk"]);
        let line = &ran.json()[0];
        if line["verdict"] == "verified" {
            return "verified".to_owned();
        }
        format!(
            "{} {}: {}",
            line["verdict"].as_str().unwrap(),
            line["reason"]["code"].as_str().unwrap(),
            line["reason"]["message"].as_str().unwrap()
        )
    }
}

#[test]
fn a_pin_that_fits_in_every_word_admits_the_key() {
    let place = Place::new(Label::Rsa256);
    let scope = format!("scope=file:{}", place.path().display());
    for words in [
        "",
        "until=2999-01-01",
        "packages=hel*,other",
        "arch=x86_64",
        "sha1=deny",
        &scope,
        &format!("scope=https://example.org/ {scope} until=2999-01-01 arch=x86_64 packages=hello"),
    ] {
        assert_eq!(place.verify(words), "verified", "{words}");
    }
}

#[test]
fn a_pin_that_does_not_fit_in_one_word_makes_the_file_untrusted() {
    let place = Place::new(Label::Rsa);
    let elsewhere = format!("scope=file:{}/below", place.path().display());
    for (words, cause) in [
        ("until=2020-01-01", "counts until 2020-01-01"),
        ("packages=other", "does not count for this package"),
        ("arch=aarch64", "does not count for this architecture"),
        ("sha1=deny", "denies signatures over SHA-1"),
        ("scope=https://example.org/", "does not count at this place"),
        (&elsewhere, "does not count at this place"),
    ] {
        let found = place.verify(words);
        assert!(found.starts_with("untrusted not-pinned: ") && found.contains(cause), "{words}: {found}");
    }
    let other_name = place.verify_with(&format!("{} other.rsa.pub", place.fingerprint));
    assert!(other_name.contains("pinned under the name `other.rsa.pub`"), "{other_name}");
    let other_key = place.verify_with(&format!("sha256:{} {}", "0".repeat(64), FakeKey::a().name()));
    assert!(other_key.contains("no pin has the fingerprint"), "{other_key}");
    assert!(place.verify_with("# nothing is pinned\n").starts_with("untrusted not-pinned"));
}

#[test]
fn a_link_out_of_a_scope_is_not_hidden_by_dots() {
    let place = Place::new(Label::Rsa256);
    let other = tempfile::tempdir().unwrap();
    std::fs::create_dir(other.path().join("inner")).unwrap();
    std::fs::copy(place.path().join("hello.apk"), other.path().join("hello.apk")).unwrap();
    std::os::unix::fs::symlink(other.path().join("inner"), place.path().join("link")).unwrap();
    let scope =
        format!("{} {} scope=file:{}", place.fingerprint, FakeKey::a().name(), place.path().display());
    std::fs::write(place.path().join("keys.pin"), scope).unwrap();
    let key = FakeKey::a().name();
    let verify =
        |file: &str| apkvet(&place.path(), &["verify", "--key-pins", "keys.pin", "--key", key, file]);
    assert_eq!(verify("hello.apk").code, 0);
    let climbed = verify("link/../hello.apk");
    assert!(climbed.code == 1 && climbed.out.contains("[not-pinned]"), "{climbed:?}");
}

#[test]
fn pins_that_are_not_understood_are_usage_errors() {
    let place = Place::new(Label::Rsa256);
    for (pins, text) in [
        ("sha256:00 a.rsa.pub", "line 1: bad fingerprint"),
        ("\n\nsha1=perhaps", "line 3: bad `sha1=`"),
        (&format!("{} a b", place.fingerprint), "given twice"),
    ] {
        std::fs::write(place.path().join("keys.pin"), pins).unwrap();
        let ran = apkvet(&place.path(), &["verify", "--key-pins", "keys.pin", "hello.apk"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(ran.err.contains(text), "{ran:?}");
    }
}

/// The first line of a file's verdict with pins alone, so that keys come from the list of known ones.
fn by_pins_alone(directory: &Path, pins: &str, file: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("keys.pin");
    std::fs::write(&path, pins).unwrap();
    apkvet(directory, &["verify", "--key-pins", path.to_str().unwrap(), file]).out
}

#[test]
fn pins_alone_take_their_keys_from_the_known_ones() {
    let Some(glibc) = shared("real/glibc") else { return };
    let key = "sha256:ba1a4a4bd6e619104222aef2544c48b63911d2ea95a00703358862d4c892da9c";
    let file = "glibc-bin-2.23-r3.apk";
    let pinned = by_pins_alone(&glibc, &format!("{key} sgerrand.rsa.pub packages=glibc*"), file);
    assert!(pinned.starts_with("OK"), "{pinned}");
    let other = by_pins_alone(&glibc, &format!("{key} sgerrand.rsa.pub packages=openjdk*"), file);
    assert!(other.contains("[not-pinned]") && other.contains("for this package"), "{other}");
    let misnamed = by_pins_alone(&glibc, &format!("{key} andyshinn.rsa.pub"), file);
    assert!(misnamed.contains("[not-pinned]"), "{misnamed}");
}
