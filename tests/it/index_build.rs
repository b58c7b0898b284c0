use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use apkvet_fixtures::{FakeKey, Label, Package, PackageBuilder, gzip, tar};

use crate::harness::{Ran, apkvet, apkvet_at, shared};

const TIME: &str = "1700000000";

/// A directory with `keys`, which are trusted, the private key `mirror.rsa`, and an empty folder `packages`.
fn workshop() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("keys")).unwrap();
    fs::create_dir(path.join("packages")).unwrap();
    fs::write(path.join("keys").join(FakeKey::a().name()), FakeKey::a().public_pem()).unwrap();
    fs::write(path.join("mirror.rsa"), FakeKey::mirror().private_pem()).unwrap();
    fs::write(path.join("mirror.rsa.pub"), FakeKey::mirror().public_pem()).unwrap();
    directory
}

fn put(directory: &Path, name: &str, version: &str, builder: &PackageBuilder) -> PathBuf {
    let file = directory.join("packages").join(format!("{name}-{version}.apk"));
    fs::write(&file, builder.build().bytes()).unwrap();
    file
}

fn build(directory: &Path, arguments: &[&str]) -> Ran {
    let fixed = ["index", "build", "packages", "-o", "APKINDEX.tar.gz", "--keys-dir", "keys"];
    apkvet_at(TIME, directory, &[&fixed, arguments].concat())
}

fn inflated(file: &Path) -> Vec<u8> {
    let mut tar = Vec::new();
    flate2::bufread::MultiGzDecoder::new(&fs::read(file).unwrap()[..]).read_to_end(&mut tar).unwrap();
    tar
}

/// The number in the size field of a header.
fn size(header: &[u8]) -> usize {
    let digits = std::str::from_utf8(&header[124..136]).unwrap().trim_matches(['\0', ' ']);
    usize::from_str_radix(digits, 8).unwrap()
}

/// The text of an index, whoever wrote it.
fn text(file: &Path) -> String {
    let tar = inflated(file);
    let at = tar.windows(10).position(|bytes| bytes == b"APKINDEX\0\0").expect("an APKINDEX");
    String::from_utf8(tar[at + 512..at + 512 + size(&tar[at..])].to_vec()).unwrap()
}

/// The names of the entries in the archives of an index of ours.
fn archived(file: &Path) -> Vec<String> {
    let (tar, mut names, mut at) = (inflated(file), Vec::new(), 0);
    while tar[at] != 0 {
        let name = String::from_utf8(tar[at..at + 100].to_vec()).unwrap();
        names.push(name.trim_end_matches('\0').to_owned());
        at += 512 + size(&tar[at..]).next_multiple_of(512);
    }
    names
}

/// The entries of a text: for each name and version its fields, those that say nothing left out.
fn entries(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let fields = |entry: &str| {
        let split =
            |line: &str| line.split_once(':').map(|(letter, value)| (letter.to_owned(), value.to_owned()));
        let says_something = |(letter, value): &(String, String)| {
            !value.is_empty() && (value != "0" || !["t", "k"].contains(&letter.as_str()))
        };
        entry.lines().filter_map(split).filter(says_something).collect::<BTreeMap<_, _>>()
    };
    let all = text.split("\n\n").filter(|entry| !entry.trim().is_empty()).map(fields);
    all.map(|entry| (format!("{}-{}", entry["P"], entry["V"]), entry)).collect()
}

#[test]
fn the_same_packages_and_time_give_the_same_signed_bytes() {
    let directory = workshop();
    let path = directory.path();
    put(path, "b", "1.0-r0", &PackageBuilder::new("b", "1.0-r0"));
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    let file = path.join("APKINDEX.tar.gz");
    let make = |time: &str, jobs: &str| {
        let fixed = ["index", "build", "packages", "-o", "APKINDEX.tar.gz", "--keys-dir", "keys"];
        let ran = apkvet_at(time, path, &[&fixed[..], &["--sign-key", "mirror.rsa", "-j", jobs]].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        fs::read(&file).unwrap()
    };
    let first = make(TIME, "1");
    assert_eq!(first, make(TIME, "2"));
    assert_ne!(first, make("1700000001", "1"));
    assert_eq!(apkvet(path, &["verify", "--key", "mirror.rsa.pub", "APKINDEX.tar.gz"]).code, 0);
    assert_eq!(entries(&text(&file)).into_keys().collect::<Vec<_>>(), ["a-1.0-r0", "b-1.0-r0"]);
    assert_eq!(archived(&file), [".SIGN.RSA256.mirror.rsa.pub", "APKINDEX"]);
    let wrong =
        apkvet_at("yesterday", path, &["index", "build", "packages", "-o", "x", "--keys-dir", "keys"]);
    assert!(wrong.code == 2 && wrong.err.contains("SOURCE_DATE_EPOCH"), "{wrong:?}");
}

/// A package whose builder hashed and signed a file that is not the one its checksum names.
fn miscounted(name: &str) -> Vec<u8> {
    let builder = PackageBuilder::new(name, "1-r0").data(|data| data.checked_file("usr/x", b"one content"));
    let mut archive = builder.data_archive();
    let at = archive.windows(11).position(|bytes| bytes == b"one content").unwrap();
    archive[at] = b'0';
    let data = gzip::member(&archive);
    let control = gzip::member(&builder.control_archive(&builder.pkginfo(&tar::sha256_hex(&data))).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

#[test]
fn identity_looks_at_no_file_and_gives_the_same_index() {
    let directory = workshop();
    let path = directory.path();
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    let make = |level: &str| {
        let ran = build(path, &["--level", level]);
        (ran.code, fs::read(path.join("APKINDEX.tar.gz")).ok())
    };
    assert_eq!(make("full"), make("identity"));
    fs::write(path.join("packages/b-1-r0.apk"), miscounted("b")).unwrap();
    assert_eq!(make("full").0, 1);
    assert_eq!(make("identity").0, 0);
    let cut = fs::read(path.join("packages/b-1-r0.apk")).unwrap();
    fs::write(path.join("packages/b-1-r0.apk"), &cut[..cut.len() - 1]).unwrap();
    assert_eq!(make("identity").0, 1);
}

#[test]
fn signatures_are_made_over_the_digests_that_are_asked_for() {
    let directory = workshop();
    let path = directory.path();
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    for (digest, labels) in [("sha256", &["RSA256"][..]), ("sha1", &["RSA"]), ("both", &["RSA256", "RSA"])] {
        let ran =
            build(path, &["--sign-key", "mirror.rsa", "--sign-digest", digest, "--description", "ours"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let expected = labels.iter().map(|label| format!(".SIGN.{label}.mirror.rsa.pub"));
        let expected = expected.chain(["DESCRIPTION".to_owned(), "APKINDEX".to_owned()]);
        assert_eq!(archived(&path.join("APKINDEX.tar.gz")), expected.collect::<Vec<_>>());
        let verified =
            apkvet(path, &["verify", "--json", "--key", "mirror.rsa.pub", "APKINDEX.tar.gz"]).json();
        assert_eq!(verified[0]["verdict"], "verified");
        assert_eq!(verified[0]["signatures"].as_array().unwrap().len(), labels.len());
        assert_eq!(verified[0]["index"]["description"], "ours");
    }
}

#[test]
fn a_command_can_sign_in_the_place_of_a_key_file() {
    let directory = workshop();
    put(directory.path(), "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    let command = "openssl pkeyutl -sign -inkey mirror.rsa -pkeyopt digest:{digest}";
    let ran = build(directory.path(), &["--sign-key", "mirror.rsa.pub", "--sign-command", command]);
    assert!(ran.code == 0 && ran.out.contains("signed by mirror.rsa.pub (RSA256)"), "{ran:?}");
    let wrong = build(directory.path(), &["--sign-key", "mirror.rsa.pub", "--sign-command", "false"]);
    assert!(wrong.code == 3 && wrong.err.contains("`false` was to sign over sha256"), "{wrong:?}");
}

#[test]
fn keys_that_cannot_sign_are_usage_errors_and_nothing_private_is_printed() {
    let directory = workshop();
    let path = directory.path();
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    let damaged = FakeKey::mirror().private_pem().replacen("MII", "MIJ", 1);
    fs::write(path.join("damaged.rsa"), &damaged).unwrap();
    for (key, code, word) in [
        ("mirror.rsa.pub", 2, "the private half signs"),
        ("damaged.rsa", 2, "refused"),
        ("nothing", 3, "nothing"),
    ] {
        let ran = build(path, &["--sign-key", key]);
        assert!(ran.code == code && ran.err.contains(word), "{ran:?}");
        assert!(
            damaged.lines().filter(|line| !line.starts_with('-')).all(|line| !ran.err.contains(&line[..8]))
        );
    }
    assert!(!path.join("APKINDEX.tar.gz").exists());
}

#[test]
fn packages_that_are_not_verified_stop_the_build_unless_that_is_asked_for() {
    let directory = workshop();
    let path = directory.path();
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    let unsigned = PackageBuilder::new("b", "1.0-r0").build_signed(&[]);
    fs::write(path.join("packages/b-1.0-r0.apk"), unsigned.bytes()).unwrap();
    let ran = build(path, &[]);
    assert!(ran.code == 1 && ran.out.contains("[unsigned]"), "{ran:?}");
    assert!(ran.out.contains("nothing was written: of 2 packages 1 are refused"), "{ran:?}");
    assert!(!path.join("APKINDEX.tar.gz").exists());
    let ran = build(path, &["--unverified-packages"]);
    assert!(ran.code == 0 && ran.out.contains("2 packages read, NOT verified"), "{ran:?}");
    let summary = build(path, &["--unverified-packages", "--json"]).json().pop().unwrap();
    assert_eq!((&summary["packages_verified"], &summary["entries"]), (&false.into(), &2.into()));
}

#[test]
fn damaged_packages_are_refused_whatever_is_asked_for() {
    let directory = workshop();
    let path = directory.path();
    let mut package = PackageBuilder::new("a", "1.0-r0").build_signed(&[]);
    package.data = PackageBuilder::new("b", "1.0-r0").build().data;
    fs::write(path.join("packages/a-1.0-r0.apk"), package.bytes()).unwrap();
    let ran = build(path, &["--unverified-packages"]);
    assert!(ran.code == 1 && ran.out.contains("[datahash-mismatch]"), "{ran:?}");
}

#[test]
fn two_packages_of_one_name_and_version_are_refused_and_a_wrong_file_name_is_told() {
    let directory = workshop();
    let path = directory.path();
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    let other = PackageBuilder::new("a", "1.0-r0").field("builddate", "1700000001").build();
    fs::write(path.join("packages/a.apk"), other.bytes()).unwrap();
    let ran = build(path, &[]);
    assert!(
        ran.code == 1 && ran.err.contains("a-1.0-r0: ") && ran.err.contains("[entry-duplicate-version]"),
        "{ran:?}"
    );
    assert!(ran.err.contains("clients will ask for a-1.0-r0.apk, the file is packages/a.apk"), "{ran:?}");
    let summary = build(path, &["--json"]).json().pop().unwrap();
    assert_eq!(
        (&summary["type"], &summary["exit"], &summary["output"]),
        (&"summary".into(), &1.into(), &().into())
    );
    fs::remove_file(path.join("packages/a-1.0-r0.apk")).unwrap();
    assert_eq!(build(path, &[]).code, 0);
}

#[test]
fn noarch_stays_unless_the_architecture_is_rewritten() {
    let directory = workshop();
    let path = directory.path();
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0").field("arch", "noarch"));
    for (arguments, expected) in [(&[][..], "noarch"), (&["--rewrite-arch", "riscv64"], "riscv64")] {
        assert_eq!(build(path, arguments).code, 0);
        assert_eq!(entries(&text(&path.join("APKINDEX.tar.gz")))["a-1.0-r0"]["A"], expected);
    }
    assert_eq!(build(path, &["--rewrite-arch", "../x"]).code, 2);
    assert_eq!(build(path, &["--description", "a\u{1b}[31m"]).code, 2);
}

#[test]
fn the_repository_of_the_fixtures_gets_the_index_that_it_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/repository");
    let directory = tempfile::tempdir().unwrap();
    for architecture in ["x86_64", "aarch64"] {
        let made = directory.path().join(architecture);
        let out = made.to_str().unwrap();
        let arguments =
            ["index", "build", architecture, "-o", out, "--rewrite-arch", architecture, "--keys-dir", "keys"];
        let ran = apkvet(&root, &arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        let theirs = entries(&text(&root.join(architecture).join("APKINDEX.tar.gz")));
        assert_eq!(entries(&text(&made)), theirs);
        assert_eq!(theirs.len(), 12, "{architecture}");
    }
}

#[test]
fn the_real_repositories_get_the_entries_that_they_have() {
    let Some(real) = shared("real") else { return };
    let directory = tempfile::tempdir().unwrap();
    let made = directory.path().join("APKINDEX.tar.gz");
    let out = made.to_str().unwrap();
    for (folder, key, count) in [
        ("melange-repo/x86_64", "melange-repo/melange.rsa.pub", 4),
        ("melange-repo/aarch64", "melange-repo/melange.rsa.pub", 4),
        ("abuild-2025/x86_64", "abuild-2025/builduser-68fcd79c.rsa.pub", 51),
    ] {
        let architecture = folder.rsplit('/').next().unwrap();
        let ran = apkvet(
            &real,
            &["index", "build", folder, "-o", out, "--rewrite-arch", architecture, "--key", key],
        );
        assert_eq!(ran.code, 0, "{ran:?}");
        let ours = entries(&text(&made));
        assert_eq!(ours.len(), count);
        let mut theirs = entries(&text(&real.join(folder).join("APKINDEX.tar.gz")));
        // One of the indexes names packages that are not at hand.
        theirs.retain(|name, _| ours.contains_key(name));
        assert_eq!(ours, theirs, "{folder}");
    }
}

/// A thousand packages of every shape, three names with several versions.
fn thousand(directory: &Path) {
    for n in 0..1000_u32 {
        let name = match n % 250 {
            0 => "Many".to_owned(),
            1 => "many".to_owned(),
            _ => format!("package-{n}"),
        };
        let version = format!("{}.{}-r{}", n % 7, n, n % 3);
        let mut builder = PackageBuilder::new(&name, &version).field("size", &(n * 11).to_string());
        if n % 2 == 0 {
            builder = builder.another("depend", "so:libc.so").another("depend", &format!("!package-{n}<2"));
        }
        if n % 3 == 0 {
            builder =
                builder.another("provides", &format!("cmd:c{n}={version}")).another("provides", "virtual");
        }
        if n % 5 == 0 {
            builder =
                builder.another("install_if", "docs").another("install_if", &format!("package-{}=1", n + 1));
        }
        if n % 7 == 0 {
            builder = builder.without("url").without("license").without("origin").field("builddate", "0");
        }
        if n % 11 == 0 {
            builder = builder.field("arch", "noarch").another("provider_priority", &(n % 4).to_string());
        }
        if n % 13 == 0 {
            builder =
                builder.another("maintainer", "Ünï Cödé <u@example.org>").another("commit", "0a1b-dirty");
        }
        if n % 17 == 0 {
            builder = builder.script(".post-install", b"#!/bin/sh\n").field("pkgdesc", "a = b: c  d ");
        }
        put(directory, &name, &version, &builder);
    }
}

fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_thousand_packages_get_the_entries_that_python_and_openssl_compute() {
    if !has("python3", "--version") || !has("openssl", "version") {
        eprintln!("SKIPPED: python3 or openssl is missing: nobody else computed the entries");
        return;
    }
    let directory = workshop();
    let path = directory.path();
    thousand(path);
    let index = path.join("APKINDEX.tar.gz");
    for architecture in ["-", "x86_64"] {
        let rewrite: &[&str] = if architecture == "-" { &[] } else { &["--rewrite-arch", architecture] };
        let ran = build(path, &[&["--sign-key", "mirror.rsa"], rewrite].concat());
        assert!(ran.code == 0 && ran.out.contains("1000 entries, 1000 packages verified"), "{ran:?}");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts/index_entries.py");
        let computed = Command::new("python3")
            .env("PYTHONUTF8", "1")
            .arg(script)
            .arg(path.join("packages"))
            .arg(architecture)
            .output();
        let computed = computed.unwrap();
        assert!(computed.status.success(), "{}", String::from_utf8_lossy(&computed.stderr));
        let (ours, theirs) = (text(&index), String::from_utf8(computed.stdout).unwrap());
        for (ours, theirs) in ours.split("\n\n").zip(theirs.split("\n\n")) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(ours, theirs);
    }
    compare_with_apk(path, &text(&index));
    reuse(path);
}

/// The order, the fields and the layout are those of `apk index`, and `apk` uses what is built.
fn compare_with_apk(path: &Path, ours: &str) {
    let Some(apk) = std::env::var_os("APKVET_APK") else {
        eprintln!("SKIPPED: APKVET_APK names no apk: it has not seen the index of a thousand packages");
        return;
    };
    let mut packages: Vec<PathBuf> =
        fs::read_dir(path.join("packages")).unwrap().map(|entry| entry.unwrap().path()).collect();
    packages.sort();
    let theirs = path.join("theirs.tar.gz");
    let run = |arguments: &[&str], files: &[PathBuf]| {
        let output =
            Command::new(&apk).args(["--root", "/"]).args(arguments).args(files).current_dir(path).output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let index =
        ["index", "--allow-untrusted", "--no-warnings", "--rewrite-arch", "x86_64", "-o", "theirs.tar.gz"];
    run(&index, &packages);
    assert_eq!(ours, text(&theirs));
    fs::copy(path.join("mirror.rsa.pub"), path.join("keys/mirror.rsa.pub")).unwrap();
    let keys = path.join("keys");
    let keys = keys.to_str().unwrap();
    let verified = run(&["--keys-dir", keys, "verify", "APKINDEX.tar.gz"], &[]);
    assert!(verified.trim_end().ends_with(": OK"), "{verified}");
    fs::create_dir(path.join("root")).unwrap();
    fs::create_dir_all(path.join("repository/x86_64")).unwrap();
    fs::copy(path.join("APKINDEX.tar.gz"), path.join("repository/x86_64/APKINDEX.tar.gz")).unwrap();
    let output = Command::new(&apk)
        .arg("--root")
        .arg(path.join("root"))
        .args(["--arch", "x86_64", "--keys-dir", keys, "--no-cache", "--repositories-file", "/dev/null"])
        .arg("--repository")
        .arg(path.join("repository"))
        .args(["search", "--exact", "--all", "many", "package-2"])
        .output()
        .unwrap();
    let found = String::from_utf8_lossy(&output.stdout);
    let mut found: Vec<&str> = found.lines().collect();
    found.sort_unstable();
    let expected = ["many-1.1-r1", "many-2.751-r1", "many-4.501-r0", "many-6.251-r2", "package-2-2.2-r2"];
    assert_eq!(found, expected);
}

/// The second time nothing is read, and the bytes are the same; what was touched is read again.
fn reuse(path: &Path) {
    let arguments =
        ["--sign-key", "mirror.rsa", "--rewrite-arch", "x86_64", "--reuse", "APKINDEX.tar.gz", "--json"];
    let before = fs::read(path.join("APKINDEX.tar.gz")).unwrap();
    let summary = |ran: Ran| ran.json().pop().unwrap();
    let again = summary(build(path, &arguments));
    assert_eq!(
        (&again["read"], &again["reused"], &again["entries"]),
        (&0.into(), &1000.into(), &1000.into())
    );
    assert_eq!(fs::read(path.join("APKINDEX.tar.gz")).unwrap(), before);
    let changed = PackageBuilder::new("package-2", "2.2-r2").field("builddate", "1700000001");
    put(path, "package-2", "2.2-r2", &changed);
    let touched = summary(build(path, &arguments));
    assert_eq!((&touched["read"], &touched["reused"]), (&1.into(), &999.into()));
}

#[test]
fn entries_are_taken_only_from_an_index_that_proves_them() {
    let directory = workshop();
    let path = directory.path();
    put(path, "a", "1.0-r0", &PackageBuilder::new("a", "1.0-r0"));
    assert_eq!(build(path, &[]).code, 0);
    let reuse = ["--reuse", "APKINDEX.tar.gz"];
    let ran = build(path, &reuse);
    assert!(ran.code == 0 && ran.out.contains("1 package verified"), "{ran:?}");
    assert!(
        ran.err.contains("APKINDEX.tar.gz is not verified [unsigned]: no entry is taken from it"),
        "{ran:?}"
    );
    let ran = build(path, &["--reuse", "nothing"]);
    assert!(ran.code == 0 && ran.err.contains("there is no nothing"), "{ran:?}");
    let signed = ["--sign-key", "mirror.rsa", "--reuse", "APKINDEX.tar.gz"];
    assert_eq!(build(path, &signed).code, 0);
    let ran = build(path, &signed);
    assert!(ran.out.contains("0 packages verified, 1 taken from the older index"), "{ran:?}");
    let other = build(path, &[&signed[..], &["--rewrite-arch", "aarch64"]].concat());
    assert!(other.out.contains("1 package verified, signed"), "{other:?}");
}

#[test]
fn packages_by_several_trusted_keys_and_digests_are_taken() {
    let directory = workshop();
    let path = directory.path();
    fs::write(path.join("keys").join(FakeKey::b().name()), FakeKey::b().public_pem()).unwrap();
    for (name, key, label) in [("a", FakeKey::a(), Label::Rsa), ("b", FakeKey::b(), Label::Rsa512)] {
        let package = PackageBuilder::new(name, "1.0-r0").build_signed(&[(key, label)]);
        fs::write(path.join(format!("packages/{name}-1.0-r0.apk")), package.bytes()).unwrap();
    }
    assert_eq!(build(path, &[]).code, 0);
    let ran = build(path, &["--min-digest", "sha256"]);
    assert!(ran.code == 1 && ran.out.contains("[digest-too-weak]"), "{ran:?}");
}
