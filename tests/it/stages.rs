//! Reading in two stages: the same verdict, notes and work as in one, wherever the checks take place.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use apkvet::container::Scratch;
use apkvet::limits::Limits;
use apkvet::unverified::{
    Beside, Checks, Chunk, FileDigest, Inflate, Keep, ReadOptions, Subject, read, read_beside,
};
use apkvet::verify::{Keyring, Policy};
use apkvet_fixtures::{FakeKey, Gzip, IndexBuilder, Label, Package, PackageBuilder, gzip, tar};
use base64::Engine as _;

use crate::bombs;
use crate::harness::{
    Judged, Ran, apkvet, apkvet_at, apkvet_on_one_thread, apkvet_on_one_thread_at, files, judge_subject,
    keyring, shared,
};
use crate::mutants;
use crate::refusals::trusting_a;

/// Checks chunks when so many of them wait.
struct Later(usize);

/// Checks chunks on another thread.
struct Elsewhere;

/// Leaves out a chunk.
struct Forgetful(usize);

/// Never inflates.
struct Idle;

/// Inflates twice.
struct Twice;

/// Exchanges a chunk for the next.
struct Swapping(usize);

/// Exchanges a chunk for the same one of an earlier reading.
#[derive(Default)]
struct Foreign(Option<Chunk>);

impl Beside for Later {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        let mut waiting = VecDeque::new();
        inflate(&mut |chunk| {
            waiting.push_back(std::mem::take(chunk));
            if waiting.len() > self.0 {
                let mut first = waiting.pop_front().unwrap();
                checks.take(&mut first);
                *chunk = first;
            }
        });
        waiting.iter_mut().for_each(|chunk| checks.take(chunk));
    }
}

impl Beside for Elsewhere {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        let (sender, receiver) = sync_channel::<Chunk>(2);
        std::thread::scope(|scope| {
            let checker = scope.spawn(move || {
                receiver.into_iter().for_each(|mut chunk| checks.take(&mut chunk));
            });
            inflate(&mut |chunk| sender.send(std::mem::take(chunk)).unwrap());
            drop(sender);
            checker.join().unwrap();
        })
    }
}

impl Beside for Forgetful {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        let mut number = 0;
        inflate(&mut |chunk| {
            if number != self.0 {
                checks.take(chunk);
            }
            *chunk = Chunk::default();
            number += 1;
        });
    }
}

impl Beside for Idle {
    fn run(&mut self, _: &mut Checks<'_>, _: &mut Inflate<'_>) {}
}

impl Beside for Twice {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        inflate(&mut |chunk| checks.take(chunk));
        inflate(&mut |chunk| checks.take(chunk));
    }
}

impl Beside for Swapping {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        let (mut number, mut held) = (0, None);
        inflate(&mut |chunk| {
            let mut chunk = std::mem::take(chunk);
            if number == self.0 {
                held = Some(chunk);
            } else {
                checks.take(&mut chunk);
                held.take().iter_mut().for_each(|held| checks.take(held));
            }
            number += 1;
        });
    }
}

impl Beside for Foreign {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        let mut number = 0;
        inflate(&mut |chunk| {
            let mut chunk = std::mem::take(chunk);
            if number == 1 {
                chunk = self.0.replace(chunk).unwrap_or_default();
            }
            checks.take(&mut chunk);
            number += 1;
        });
    }
}

/// The message with which a reading fails in which the checks take place like this.
fn refusal(bytes: &[u8], options: &ReadOptions, beside: &mut dyn Beside) -> String {
    read_beside(bytes, options, &mut Scratch::default(), beside).unwrap_err().to_string()
}

/// Whatever the checks were not given as it was inflated, nothing can be said of the file.
fn assert_all_must_be_checked(bytes: &[u8], options: &ReadOptions) {
    let unchecked = "the member was not checked as it was inflated";
    for number in [0, 1, 5] {
        assert_eq!(refusal(bytes, options, &mut Forgetful(number)), unchecked, "without chunk {number}");
        assert_eq!(refusal(bytes, options, &mut Swapping(number)), unchecked, "chunk {number} too late");
    }
    let mut foreign = Foreign::default();
    for _ in 0..2 {
        assert_eq!(refusal(bytes, options, &mut foreign), unchecked, "with a chunk of another reading");
    }
    assert_eq!(refusal(bytes, options, &mut Idle), "the member was not inflated");
    for beside in [&mut Forgetful(usize::MAX) as &mut dyn Beside, &mut Twice, &mut Elsewhere] {
        let whole = read_beside(bytes, options, &mut Scratch::default(), beside).unwrap();
        assert_eq!(judge_subject(whole, &trusting_a(), &Policy::default()).verdict, "verified");
    }
}

/// Everything that is said of a file.
pub(crate) fn said(subject: Subject, keyring: &Keyring) -> (Judged, String) {
    let size = subject.size();
    let facts = match &subject {
        // Members, digest and files, as far as they were asked for.
        Subject::Package(package) => format!("{package:?}"),
        Subject::Index(index) => format!("{index:?}"),
        Subject::Unknown(file) => format!("{file:?}"),
    };
    (judge_subject(subject, keyring, &Policy::default()), format!("{size:?} {facts}"))
}

fn assert_same(
    name: &str,
    bytes: &[u8],
    keyring: &Keyring,
    options: &ReadOptions,
    ways: &mut [&mut dyn Beside],
) {
    let expected = said(read(bytes, options, &mut Scratch::default()).unwrap(), keyring);
    // The buffers are used again, as by a thread that reads many files.
    let mut scratch = Scratch::default();
    for (number, beside) in ways.iter_mut().enumerate() {
        let found = said(read_beside(bytes, options, &mut scratch, *beside).unwrap(), keyring);
        assert_eq!(found, expected, "{name}, way {number}");
    }
}

fn options() -> ReadOptions {
    ReadOptions { list_files: true, file_digest: FileDigest::Compute, ..ReadOptions::default() }
}

#[test]
fn every_generated_and_real_file_is_judged_the_same_in_two_stages() {
    let Some(root) = shared("corpus/v2").and_then(|path| Some(path.parent()?.parent()?.to_owned())) else {
        return;
    };
    let mut count = 0;
    for (keys, folder) in [
        ("corpus/v2/keys", "corpus/v2/mutants"),
        ("real/alpine/keys", "real/alpine/v3.16/main/x86_64"),
        ("real/glibc/keys", "real/glibc"),
        ("real/wolfi", "real/wolfi"),
    ] {
        let keyring = keyring(&root.join(keys));
        for file in files(&root.join(folder)) {
            let (name, bytes) = (file.display().to_string(), std::fs::read(&file).unwrap());
            let ways: &mut [&mut dyn Beside] = &mut [&mut Later(0), &mut Later(usize::MAX), &mut Elsewhere];
            assert_same(&name, &bytes, &keyring, &options(), ways);
            count += 1;
        }
    }
    assert!(count >= 270, "{count}");
}

#[test]
fn every_mutant_and_every_bomb_is_judged_the_same_in_two_stages() {
    let keyring = trusting_a();
    for (number, mutant) in mutants::mutants(200).into_iter().enumerate() {
        assert_same(&format!("mutant {number}"), &mutant.bytes, &keyring, &options(), &mut [&mut Later(1)]);
    }
    for case in bombs::cases() {
        let mut limits = Limits::default();
        case.limits.iter().for_each(|(name, value)| limits.set(name, value).unwrap());
        let options = ReadOptions { limits, ..ReadOptions::default() };
        assert_same(case.name, &case.bytes, &keyring, &options, &mut [&mut Elsewhere]);
    }
}

/// A package of some chunks, with content that does not compress to nothing.
pub(crate) fn large(change: impl FnOnce(&mut Vec<u8>)) -> Package {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let content: Vec<u8> = (0..3 << 20).map(|_| byte()).collect();
    let builder =
        PackageBuilder::new("large", "1-r0").data(|data| data.checked_file("usr/share/x", &content));
    let mut archive = builder.data_archive();
    change(&mut archive);
    let data = Gzip { level: 1, ..Gzip::default() }.member(&archive);
    let control = gzip::member(&builder.control_archive(&builder.pkginfo(&tar::sha256_hex(&data))).bytes());
    Package { signature: Vec::new(), control, data }.signed(&[(FakeKey::a(), Label::Rsa256)])
}

/// Fails after so many bytes.
pub(crate) struct Failing<'a>(pub(crate) &'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::StaleNetworkFileHandle.into());
        }
        self.0.read(buffer)
    }
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_an_error_in_two_stages_as_well() {
    let bytes = large(|_| ()).bytes();
    for length in [0, 100, 5_000, 70_000, bytes.len() / 2, bytes.len() - 1, bytes.len()] {
        let failing = || Failing(&bytes[..length]);
        let (options, mut scratch) = (ReadOptions::default(), Scratch::default());
        let one = read(failing(), &options, &mut scratch).map(|_| ()).map_err(|error| error.kind());
        for beside in [&mut Later(3) as &mut dyn Beside, &mut Elsewhere] {
            let two = read_beside(failing(), &options, &mut scratch, beside);
            assert_eq!(two.map(|_| ()).map_err(|error| error.kind()), one, "after {length} bytes");
        }
        assert_eq!(one, Err(io::ErrorKind::StaleNetworkFileHandle), "after {length} bytes");
    }
}

#[test]
fn checks_that_were_not_given_everything_prove_nothing() {
    assert_all_must_be_checked(&large(|_| ()).bytes(), &ReadOptions::default());
}

/// An index of some chunks, signed by the first fake key, with a change made to its text.
fn large_index(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let mut text = String::new();
    for number in 0_u64..20_000 {
        // A multiplier that scatters, so that the text does not compress to nothing.
        let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        let digest = [&scattered[..], &scattered, &scattered[..4]].concat();
        let identity = format!("Q1{}", base64::engine::general_purpose::STANDARD.encode(digest));
        text += &format!(
            "C:{identity}\nP:p{number}\nV:1.{number}-r0\nA:x86_64\nS:1000\nI:4096\nT:The number {number}\n\n"
        );
    }
    IndexBuilder::default().text(&change(text)).build()
}

#[test]
fn an_index_whose_text_was_not_checked_to_its_end_proves_nothing() {
    let bytes = large_index(|text| text);
    let options = ReadOptions { index_text: Keep::Text, ..ReadOptions::default() };
    assert_all_must_be_checked(&bytes, &options);
    let ways: &mut [&mut dyn Beside] = &mut [&mut Later(0), &mut Later(usize::MAX), &mut Elsewhere];
    assert_same("an index", &bytes, &trusting_a(), &options, ways);
}

#[test]
fn the_program_says_the_same_of_a_large_index_on_one_thread_and_on_two() {
    let directory = directory_with_a();
    let good = large_index(|text| text);
    assert!(good.len() > 256 << 10, "{} bytes are no large file", good.len());
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 0x10;
    let cases = [
        ("good", good.clone(), "verified"),
        (
            "number",
            large_index(|text| text.replace("S:1000\nI:4096\nT:The number 17000", "S:-")),
            "malformed",
        ),
        ("twice", large_index(|text| format!("{text}{}", &text[..200])), "malformed"),
        ("flip", flipped, "malformed"),
        ("cut", good[..good.len() - 1000].to_vec(), "malformed"),
    ];
    for (name, bytes, verdict) in cases {
        std::fs::write(directory.path().join(name), &bytes).unwrap();
        let one = lines(directory.path(), "1", &[name]);
        let found: serde_json::Value = serde_json::from_str(&one[0]).unwrap();
        assert_eq!(found["verdict"], verdict, "{name}: {found}");
        assert_eq!(lines(directory.path(), "2", &[name]), one, "{name}");
        let check = |jobs| {
            apkvet(directory.path(), &["index", "check", "--json", "-j", jobs, "--keys-dir", "keys", name])
        };
        let (one, two) = (check("1"), check("2"));
        assert_eq!((two.code, two.out), (one.code, one.out), "{name}");
    }
}

/// A directory with the first fake key under `keys`.
pub(crate) fn directory_with_a() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("keys")).unwrap();
    std::fs::write(directory.path().join("keys").join(FakeKey::a().name()), FakeKey::a().public_pem())
        .unwrap();
    directory
}

/// What the program says of files, line by line, but for the paths.
pub(crate) fn lines(directory: &Path, jobs: &str, files: &[&str]) -> Vec<String> {
    let arguments = [&["verify", "--json", "-j", jobs, "--keys-dir", "keys"][..], files].concat();
    apkvet(directory, &arguments).out.lines().map(str::to_owned).collect()
}

#[test]
fn the_program_says_the_same_of_a_large_file_on_one_thread_and_on_two() {
    let directory = directory_with_a();
    let good = large(|_| ()).bytes();
    assert!(good.len() > 2 << 20, "{} bytes are no large file", good.len());
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let cases = [
        ("good", good.clone(), "verified"),
        ("content", large(|archive| archive[2 << 20] ^= 1).bytes(), "integrity"),
        ("header", large(|archive| archive[300] = b'x').bytes(), "malformed"),
        ("flip", flipped(good.len() / 2), "integrity"),
        ("crc", flipped(good.len() - 8), "integrity"),
        ("cut", good[..good.len() - 1000].to_vec(), "malformed"),
        ("trailing", [&good[..], b"x"].concat(), "malformed"),
    ];
    for (name, bytes, verdict) in cases {
        std::fs::write(directory.path().join(name), &bytes).unwrap();
        let one = lines(directory.path(), "1", &[name]);
        let found: serde_json::Value = serde_json::from_str(&one[0]).unwrap();
        assert_eq!(found["verdict"], verdict, "{name}: {found}");
        assert_eq!(lines(directory.path(), "2", &[name]), one, "{name}");
    }
    // Beside a small file the large one has a helper as well; each keeps its place.
    std::fs::write(directory.path().join("small"), PackageBuilder::new("a", "1-r0").build().bytes()).unwrap();
    let names = ["small", "good", "small", "flip"];
    assert_eq!(lines(directory.path(), "4", &names), lines(directory.path(), "1", &names));
}

#[test]
fn threads_that_cannot_be_had_are_done_without() {
    let directory = directory_with_a();
    std::fs::write(directory.path().join("large"), large(|_| ()).bytes()).unwrap();
    std::fs::write(directory.path().join("small"), PackageBuilder::new("a", "1-r0").build().bytes()).unwrap();
    for names in [&["large"][..], &["small", "large", "small"]] {
        let arguments = [&["verify", "--json", "-j", "4", "--keys-dir", "keys"][..], names].concat();
        let ran = apkvet_on_one_thread(directory.path(), &arguments);
        let expected = apkvet(directory.path(), &arguments);
        assert_eq!((ran.code, ran.out), (expected.code, expected.out), "{}", ran.err);
    }
}

#[test]
fn indexes_and_audits_do_without_further_threads_as_well() {
    const TIME: &str = "1764000000";
    let directory = directory_with_a();
    let second = directory.path().join("keys").join(FakeKey::b().name());
    std::fs::write(second, FakeKey::b().public_pem()).unwrap();
    std::fs::create_dir(directory.path().join("packages")).unwrap();
    for name in ["a", "b", "c"] {
        let package = PackageBuilder::new(name, "1-r0").build().bytes();
        std::fs::write(directory.path().join(format!("packages/{name}-1-r0.apk")), package).unwrap();
    }
    let index = directory.path().join("index");
    let made = |ran: &Ran| {
        assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
        // The summary names the time that it took.
        let files = ran.out.lines().filter(|line| line.contains("\"type\":\"file\""));
        let made = (files.map(str::to_owned).collect::<Vec<_>>(), std::fs::read(&index).unwrap());
        assert_eq!(made.0.len(), 3, "{}", ran.out);
        std::fs::remove_file(&index).unwrap();
        made
    };
    let build =
        ["index", "build", "--json", "-j", "4", "--keys-dir", "keys", "--output", "index", "packages"];
    let alone = made(&apkvet_on_one_thread_at(TIME, directory.path(), &build));
    let expected = made(&apkvet_at(TIME, directory.path(), &build));
    assert_eq!(alone, expected);
    std::fs::write(&index, &expected.1).unwrap();

    let check =
        ["index", "check", "--json", "-j", "4", "--keys-dir", "keys", "--packages", "packages", "index"];
    for arguments in [&check[..], &["keys", "audit", "--json", "keys"]] {
        let ran = apkvet_on_one_thread(directory.path(), arguments);
        let expected = apkvet(directory.path(), arguments);
        assert_eq!((ran.code, ran.out), (expected.code, expected.out), "{}", ran.err);
    }
}
