//! Texts of packages, indexes, keys and operators.

use apkvet::index::{Index, Keep, TextReader};
use apkvet::keys::{KnownKeys, Pins, Scope, read_key};
use apkvet::mirror::{Config, pinned_by::Named};
use apkvet::package::PkgInfo;
use apkvet::plan::{World, repositories};
use apkvet::transport::{Credentials, Location};
use apkvet::types::{Architecture, Dependency, Version, VersionText, compare_versions};
use apkvet_fixtures::{FakeKey, PackageBuilder};

use super::files::limits;

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
        // What a text without faults is split into needs no second look at its names.
        assert!(index.records().eq(Index::read_leniently(input.to_vec()).records()));
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

/// Where things lie: nothing that is below a place leaves it, and no password is ever shown.
pub(crate) fn location(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.splitn(3, '\n');
    let (place, segment, secret) = (lines.next(), lines.next(), lines.next());
    let Ok(place) = Location::parse(place.unwrap_or_default()) else { return };
    let shown = place.to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    if let Ok(below) = place.join(&[segment.unwrap_or_default()]) {
        assert_eq!(below.is_local(), place.is_local());
        if let (Some(outer), Some(inner)) = (place.scope(), below.scope()) {
            assert!(outer.covers(&inner), "{inner} is not below {outer}");
        }
        if let (Some(outer), Some(inner)) = (place.path(), below.path()) {
            assert_eq!(inner.parent(), Some(outer));
        }
    }
    if let Ok(credentials) = Credentials::parse(secret.unwrap_or_default()) {
        let scope = place.scope();
        let secret = place.with_credentials(credentials);
        assert_eq!(secret.to_string(), shown);
        assert_eq!(secret.scope(), scope);
    }
    let _ = Credentials::parse_scoped(text);
}

/// What people ask for, and where from.
pub(crate) fn world(input: &[u8]) {
    if let Ok(world) = World::parse(input) {
        let text: String = world.requests().iter().map(|request| format!("{}\n", request.as_str())).collect();
        let again = World::parse(text.as_bytes()).expect("what was read parses again");
        assert_eq!(again.requests(), world.requests());
    }
    let read = repositories::parse(input, &Architecture::parse(b"x86_64").unwrap());
    let lines = input.split(|byte| *byte == b'\n').count();
    assert!(read.stopped.is_none_or(|bad| bad.line <= lines));
    if let Ok(text) = std::str::from_utf8(input) {
        let named = Named::parse(text);
        assert!(named.versions.iter().all(|found| Dependency::parse_requested(&found.atom).is_ok()));
    }
}

/// Seeds of texts.
pub(super) fn text_seeds(target: &str) -> Option<Vec<Vec<u8>>> {
    let line = |text: &str| text.as_bytes().to_vec();
    Some(match target {
        "pkginfo" => vec![PackageBuilder::new("hello", "1.0-r0").pkginfo(&"0".repeat(64)).into_bytes()],
        "key_file" => vec![line(FakeKey::a().public_pem()), line(FakeKey::a().private_pem())],
        "known_keys" => vec![include_bytes!("../../src/keys/known-keys.json").to_vec()],
        "version" => vec![line("1.2.3a_beta4_p5~6abc-r7\n1.2.3"), line("0.99f7-r1\n1")],
        "dependency" => vec![line("so:libc.so>=1.2~3"), line("!foo@tag><Q1AAAA")],
        "scope" => vec![line("https://example.org:443/a/../b%20c"), line("file:/srv")],
        "location" => vec![
            line("https://user:pass%40word@example.org:8443/alpine/?q\na+b-1.apk\nuser:password"),
            line("/srv/alpine\nmain\n"),
        ],
        "pins" => {
            let zeros = "0".repeat(64);
            vec![line(&format!("sha256:{zeros} a.rsa.pub scope=file:/srv until=2027-01-01 sha1=deny"))]
        }
        "index_text" => {
            vec![line("C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:a\nV:1\nA:x86_64\nS:1\nI:1\nD:b>1\n\n")]
        }
        "config" => vec![line(
            "[mirror]\nto = \"x\"\n[[repository]]\nupstream = \"https://a/b/c\"\narchitectures = [\"x86_64\"]\nkeys = [\"k\"]\n",
        )],
        "world" => vec![
            line("bash nginx~1.22 !mdocml\na@edge>=2\n"),
            line("set m=https://dl.example/v3.17\n@edge ${m} main community\n"),
            line("FROM alpine:3.17\nARG V=1.2-r0\nRUN apk add --no-cache bash=5.2.15-r0 x=$V \\\n  curl\n"),
        ],
        _ => return None,
    })
}
