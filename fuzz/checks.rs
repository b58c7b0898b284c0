//! What must hold for any input, one function a target; the fuzzers and `cargo test` both call these.
#![allow(dead_code, reason = "each fuzzer uses one of them")]

use std::io::{self, Read};
use std::sync::LazyLock;

use apkvet::container::Scratch;
use apkvet::index::{Index, Keep, TextReader};
use apkvet::keys::{KnownKeys, Pins, Scope, read_key};
use apkvet::limits::{Budget, Limits};
use apkvet::mirror::Config;
use apkvet::package::PkgInfo;
use apkvet::types::{Dependency, Version, VersionText, compare_versions};
use apkvet::unverified::{Level, ReadOptions, Subject, read};
use apkvet::verify::{
    Keyring, Known, Policy, Proof, TrustedKey, verify_index, verify_package, verify_unknown,
};
use apkvet_fixtures::{FakeKey, IndexBuilder, Label, Package, PackageBuilder, gzip};

/// What a reading came to.
#[derive(Debug, Eq, PartialEq)]
struct Judged {
    verdict: &'static str,
    code: &'static str,
    budget: Budget,
}

/// Hands out the input in pieces whose sizes depend on it.
struct Pieces<'a> {
    input: &'a [u8],
    state: u32,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = usize::try_from(self.state >> 24).unwrap() % 67 + 1;
        let size = size.min(buffer.len());
        self.input.read(&mut buffer[..size])
    }
}

// Made once: signing costs more than all that is tested here.
static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let mut keyring = Keyring::default();
    for key in [FakeKey::a(), FakeKey::b()] {
        let public = read_key(key.public_pem().as_bytes()).unwrap();
        keyring.add(TrustedKey::new(key.name(), key.name(), public)).unwrap();
    }
    keyring
});
static PACKAGES: LazyLock<Vec<Package>> = LazyLock::new(|| {
    let signed = |label| PackageBuilder::new("hello", "1.0-r0").build_signed(&[(FakeKey::a(), label)]);
    [Label::Rsa, Label::Rsa256, Label::Rsa512].map(signed).into()
});
static SIGNED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    // Everything behind the signature member.
    PACKAGES.iter().map(|package| [package.control.as_slice(), &package.data].concat()).collect()
});
static INDEX: LazyLock<IndexBuilder> = LazyLock::new(|| {
    let package = PackageBuilder::new("hello", "1.0-r0").build();
    IndexBuilder::default().package("hello", "1.0-r0", &package, "")
});
/// Everything behind the signature member: the one thing that is signed.
static INDEX_BODY: LazyLock<Vec<u8>> = LazyLock::new(|| gzip::member(&INDEX.archive().bytes()));

/// Limits under which no input of a fuzzer takes long.
fn limits() -> Limits {
    Limits { data_inflated: 4 << 20, index_text: 4 << 20, ..Limits::default() }
}

fn judge(reader: impl Read, level: Level) -> Judged {
    let options = ReadOptions { level, limits: limits(), list_files: true, ..ReadOptions::default() };
    let (policy, known) = (Policy::default(), Known::builtin());
    let proof = Proof { keyring: &KEYRING, policy: &policy, known: &known };
    macro_rules! judged {
        ($judged:expr) => {{
            let judged = $judged;
            Judged {
                verdict: judged.verdict().name(),
                code: judged.reason().map_or("", |reason| reason.code()),
                budget: judged.facts().budget(),
            }
        }};
    }
    match read(reader, &options, &mut Scratch::default()).unwrap() {
        Subject::Package(package) => judged!(verify_package(package, &proof)),
        Subject::Index(index) => judged!(verify_index(index, &proof)),
        Subject::Unknown(file) => judged!(verify_unknown(file, &proof)),
    }
}

/// A file: the same in pieces, in time that its size bounds, and never proof of what nobody signed.
fn file(input: &[u8], signed: &[Vec<u8>]) {
    for level in [Level::Full, Level::Identity] {
        let whole = judge(input, level);
        let pieces = judge(Pieces { input, state: u32::try_from(input.len()).unwrap() }, level);
        assert_eq!((whole.verdict, whole.code), (pieces.verdict, pieces.code), "{level:?}");
        let length = u64::try_from(input.len()).unwrap();
        assert!(whole.budget.bytes_read <= length);
        // Deflate expands at most 1032 times; the limits stop far earlier.
        assert!(whole.budget.bytes_inflated <= length.saturating_mul(1032) + (1 << 16), "{whole:?}");
        if whole.verdict == "verified" {
            let covered = |signed: &Vec<u8>| input.ends_with(signed);
            assert!(signed.iter().any(covered), "verified, and nobody signed it");
        }
    }
}

/// Inputs to begin with, so that fuzzers need not invent gzip and RSA.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "package" => PACKAGES.iter().map(Package::bytes).collect(),
        "index" => {
            let sha1 = apkvet_fixtures::index::sign(&INDEX.archive().bytes(), &[(FakeKey::a(), Label::Rsa)]);
            vec![sha1, INDEX.build(), INDEX_BODY.clone()]
        }
        "control_tar" => {
            let builder = PackageBuilder::new("hello", "1.0-r0");
            vec![builder.control_archive(&builder.pkginfo(&"0".repeat(64))).bytes()]
        }
        "data_tar" => vec![PackageBuilder::new("hello", "1.0-r0").data_archive()],
        "index_tar" => vec![INDEX.archive().bytes()],
        "pkginfo" => vec![PackageBuilder::new("hello", "1.0-r0").pkginfo(&"0".repeat(64)).into_bytes()],
        "key_file" => vec![FakeKey::a().public_pem().into(), FakeKey::a().private_pem().into()],
        "version" => vec![b"1.2.3a_beta4_p5~6abc-r7\n1.2.3".to_vec(), b"0.99f7-r1\n1".to_vec()],
        "dependency" => vec![b"so:libc.so>=1.2~3".to_vec(), b"!foo@tag><Q1AAAA".to_vec()],
        "scope" => vec![b"https://example.org:443/a/../b%20c".to_vec(), b"file:/srv".to_vec()],
        "pins" => {
            let line =
                format!("sha256:{} a.rsa.pub scope=file:/srv until=2027-01-01 sha1=deny", "0".repeat(64));
            vec![line.into_bytes()]
        }
        "index_text" => {
            vec![b"C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:a\nV:1\nA:x86_64\nS:1\nI:1\nD:b>1\n\n".to_vec()]
        }
        "config" => {
            let text = "[mirror]\nto = \"x\"\n[[repository]]\nupstream = \"https://a/b/c\"\narchitectures = [\"x86_64\"]\nkeys = [\"k\"]\n";
            vec![text.into()]
        }
        _ => vec![Vec::new()],
    }
}

pub(crate) fn package(input: &[u8]) {
    file(input, &SIGNED);
}

pub(crate) fn index(input: &[u8]) {
    file(input, std::slice::from_ref(&INDEX_BODY));
}

/// The rooms behind gzip, without a checksum in the way: the input is the archive of one member.
fn member(before: &[u8], input: &[u8], after: &[u8]) {
    let judged = judge(&*[before, &gzip::member(input), after].concat(), Level::Full);
    assert_ne!(judged.verdict, "verified", "nothing in it is signed");
}

pub(crate) fn signature_tar(input: &[u8]) {
    member(b"", input, &SIGNED[0]);
}

pub(crate) fn control_tar(input: &[u8]) {
    member(&PACKAGES[1].signature, input, &PACKAGES[1].data);
}

pub(crate) fn data_tar(input: &[u8]) {
    member(&PACKAGES[1].control, input, b"");
}

pub(crate) fn index_tar(input: &[u8]) {
    member(b"", input, b"");
}

pub(crate) fn pkginfo(input: &[u8]) {
    let Ok(info) = PkgInfo::parse(input, &limits()) else { return };
    let text: String = info.fields().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let again = PkgInfo::parse(text.as_bytes(), &limits()).expect("what was printed parses");
    assert!(info.fields().eq(again.fields()));
}

pub(crate) fn index_text(input: &[u8]) {
    let whole = {
        let mut reader = TextReader::new(&limits(), Keep::Nothing);
        reader.feed(input).and_then(|()| reader.finish())
    };
    let pieces = {
        let mut reader = TextReader::new(&limits(), Keep::Nothing);
        let size = input.len() % 13 + 1;
        input.chunks(size).try_for_each(|piece| reader.feed(piece)).and_then(|()| reader.finish())
    };
    match (&whole, &pieces) {
        (Ok(whole), Ok(pieces)) => {
            let facts = |report: &apkvet::index::TextReport| {
                (report.entries, report.fault_count, report.note_count, report.newest_build_time)
            };
            assert_eq!(facts(whole), facts(pieces));
        }
        (Err(whole), Err(pieces)) => assert_eq!(whole.name, pieces.name),
        (whole, pieces) => panic!("{whole:?} and {pieces:?}"),
    }
    if let Ok(index) = Index::parse(input.to_vec(), &limits()) {
        assert_eq!(index.as_str().as_bytes(), input);
        assert!(index.records().all(|record| index.identified(&record.identity()).is_some()));
    }
}

pub(crate) fn version(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.lines();
    let (Some(a), Some(b)) = (lines.next(), lines.next()) else { return };
    if let (Ok(a), Ok(b)) = (VersionText::parse(a.as_bytes()), VersionText::parse(b.as_bytes())) {
        assert_eq!(a.compare(&b), b.compare(&a).reverse());
        assert!(a.compare(&a).is_eq());
    }
    if let (Ok(parsed), Ok(_)) = (Version::parse(a.as_bytes()), Version::parse(b.as_bytes())) {
        assert_eq!(parsed.as_str(), a);
        assert_eq!(compare_versions(a, b), compare_versions(b, a).reverse());
    }
}

pub(crate) fn dependency(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for parsed in [Dependency::parse(text), Dependency::parse_requested(text)].into_iter().flatten() {
        assert_eq!(parsed.as_str(), text);
        let _ = parsed.accepts_version("1.2.3-r0");
    }
}

pub(crate) fn key_file(input: &[u8]) {
    let Ok(key) = read_key(input) else { return };
    let again = read_key(key.to_pem().as_bytes()).expect("what was written is read");
    assert_eq!(again, key);
    assert_eq!(again.fingerprint(), key.fingerprint());
}

pub(crate) fn pins(input: &[u8]) {
    let Ok(pins) = Pins::parse(input) else { return };
    let printed: String = pins.pins().iter().map(|pin| format!("{pin}\n")).collect();
    let again = Pins::parse(printed.as_bytes()).expect("what was printed parses");
    assert_eq!(again.pins().len(), pins.pins().len());
    for (a, b) in pins.pins().iter().zip(again.pins()) {
        assert_eq!(a.to_string(), b.to_string());
    }
}

pub(crate) fn known_keys(input: &[u8]) {
    if let Ok(known) = KnownKeys::parse(input) {
        assert!(known.keys().iter().all(|key| !key.names().is_empty()));
    }
}

pub(crate) fn scope(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(scope) = Scope::parse(text) else { return };
    let again = Scope::parse(&scope.to_string()).expect("what was printed parses");
    assert_eq!(again, scope);
    assert!(scope.covers(&again));
}

pub(crate) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(config) = Config::parse(text, std::path::Path::new("/folder")) else { return };
    for repository in config.repositories() {
        let name = std::path::Path::new(&repository.name);
        assert!(name.components().all(|part| matches!(part, std::path::Component::Normal(_))));
        assert!(!name.starts_with("keys") && !name.starts_with("snapshots"));
    }
}

/// A target: its name, and what it calls.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("package", package),
    ("index", index),
    ("signature_tar", signature_tar),
    ("control_tar", control_tar),
    ("data_tar", data_tar),
    ("index_tar", index_tar),
    ("pkginfo", pkginfo),
    ("index_text", index_text),
    ("version", version),
    ("dependency", dependency),
    ("key_file", key_file),
    ("pins", pins),
    ("known_keys", known_keys),
    ("scope", scope),
    ("config", config),
];
