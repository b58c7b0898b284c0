//! Whole files, and the rooms inside them.

use std::io::{self, Read};
use std::sync::LazyLock;

use apkvet::container::Scratch;
use apkvet::keys::read_key;
use apkvet::limits::{Budget, Limits};
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

impl<'a> Pieces<'a> {
    fn of(input: &'a [u8]) -> Self {
        Self { input, state: crc32fast::hash(input) }
    }
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
/// The archives of the signature members: a header, then a signature of 256 bytes.
static SIGNATURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let archive = |package: &Package| {
        let mut archive = Vec::new();
        flate2::read::GzDecoder::new(&*package.signature).read_to_end(&mut archive).unwrap();
        archive
    };
    PACKAGES.iter().map(archive).collect()
});
static INDEX: LazyLock<IndexBuilder> = LazyLock::new(|| {
    let package = PackageBuilder::new("hello", "1.0-r0").build();
    IndexBuilder::default().package("hello", "1.0-r0", &package, "")
});
/// Everything behind the signature member: the one thing that is signed.
static INDEX_BODY: LazyLock<Vec<u8>> = LazyLock::new(|| gzip::member(&INDEX.archive().bytes()));

/// Limits under which no input of a fuzzer takes long.
pub(super) fn limits() -> Limits {
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
        let pieces = judge(Pieces::of(input), level);
        assert_eq!((whole.verdict, whole.code), (pieces.verdict, pieces.code), "{level:?}");
        assert_eq!(whole.budget.bytes_inflated, pieces.budget.bytes_inflated, "{level:?}");
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

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

pub(crate) fn signature_tar(input: &[u8]) {
    let judged = judge(&*[&*gzip::member(input), &SIGNED[0]].concat(), Level::Full);
    if judged.verdict == "verified" {
        let made = |archive: &Vec<u8>| contains(input, &archive[512..768]);
        assert!(SIGNATURES.iter().any(made), "verified, and nobody made this signature");
    }
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

/// A deflate stream of the input's choice in a member that is whole around it: flate2 says what it holds.
///
/// The first four bytes choose flags, time and system, so that headers are tried as well.
pub(crate) fn gzip_member(input: &[u8]) {
    let Some((head, rest)) = input.split_first_chunk::<4>() else { return };
    let (expected, used) = reference(rest);
    let stream = rest.get(..used).unwrap_or(rest);
    let trailer = |content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap();
        [crc32fast::hash(content).to_le_bytes(), length.to_le_bytes()].concat()
    };
    let trailer = trailer(expected.as_deref().unwrap_or_default());
    // Flags announce what does not stand there: without them the member is what the stream makes it.
    let member = |flags: u8| {
        let head = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, head[1], head[2]];
        [&head, stream, &trailer].concat()
    };
    let judged = judge(&*member(head[0] & 1), Level::Full);
    let broken = judged.code.starts_with("gzip-");
    assert!(expected.is_none() || !broken, "{judged:?}, and flate2 reads it");
    assert_ne!(judged.verdict, "verified", "nothing in it is signed");
    // And with flags: no panic, no proof.
    assert_ne!(judge(&*member(head[0]), Level::Full).verdict, "verified");
}

/// What flate2 makes of a deflate stream, and how much of the input belongs to it.
fn reference(stream: &[u8]) -> (Option<Vec<u8>>, usize) {
    let mut decoder = flate2::bufread::DeflateDecoder::new(stream);
    let mut content = Vec::new();
    let whole = Read::by_ref(&mut decoder).take(1 << 22).read_to_end(&mut content);
    let used = usize::try_from(decoder.total_in()).unwrap();
    let ended = whole.is_ok() && decoder.read(&mut [0]).is_ok_and(|read| read == 0);
    (ended.then_some(content), used)
}

/// Seeds of what is a file or an archive.
pub(super) fn file_seeds(target: &str) -> Option<Vec<Vec<u8>>> {
    let builder = || PackageBuilder::new("hello", "1.0-r0");
    Some(match target {
        "package" => PACKAGES.iter().map(Package::bytes).collect(),
        "index" => {
            let sha1 = apkvet_fixtures::index::sign(&INDEX.archive().bytes(), &[(FakeKey::a(), Label::Rsa)]);
            vec![sha1, INDEX.build(), INDEX_BODY.clone()]
        }
        "gzip_member" => {
            let member = &PACKAGES[1].control;
            vec![[&[0, 0, 2, 3], &member[10..member.len() - 8]].concat(), b"\0\0\x02\x03\x03\0".to_vec()]
        }
        "signature_tar" => SIGNATURES.clone(),
        "control_tar" => {
            vec![builder().control_archive(&builder().pkginfo(&"0".repeat(64))).bytes()]
        }
        "data_tar" => vec![builder().data_archive()],
        "index_tar" => vec![INDEX.archive().bytes()],
        _ => return None,
    })
}
