//! How much memory the program takes, whatever it is given: looked up in `/proc` when it has done its work.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use apkvet_fixtures::{FakeKey, Gzip, Header, PackageBuilder, tar};

use crate::bombs;
use crate::harness::{bounded, files, shared};

/// Runs `verify` on some files and then on standard input, where it waits until its peak was looked up.
fn peak(jobs: &str, keys: &Path, limits: &[(&str, &str)], files: &[PathBuf]) -> (u64, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apkvet"));
    command.args(["verify", "-j", jobs, "--color", "never", "--keys-dir"]).arg(keys);
    for (name, value) in limits {
        command.args(["--limit", &format!("{name}={value}")]);
    }
    command.args(files).arg("-").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = bounded::process(&mut command).stdin(Stdio::piped()).spawn().unwrap();
    // What it says is read meanwhile: a pipe holds 64 KiB, and a long path of the checkout makes it more than that.
    let mut said = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        said.read_to_string(&mut text).map(|_| text)
    });
    // Once more than a pipe holds was taken, the program has come to its last subject.
    child.stdin.as_mut().unwrap().write_all(&endless()).unwrap();
    let peak = peak_of(child.id());
    bounded::finished(child, "verify with its last bytes on standard input");
    let text = reading.join().unwrap().unwrap();
    let lines: Vec<String> = text.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect();
    // One for standard input, and the summary.
    assert_eq!(lines.len(), files.len() + 2, "{lines:?}");
    assert!(lines[files.len()].ends_with("[truncated]"), "{lines:?}");
    (peak, lines)
}

/// The beginning of a package that goes on and on.
fn endless() -> Vec<u8> {
    let mut bytes = large_package(1 << 20);
    bytes.truncate(512 << 10);
    bytes
}

/// The most memory that a process had at any time. Units: bytes.
fn peak_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn fake_keys(directory: &Path) -> PathBuf {
    let keys = directory.join("keys");
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(keys.join(FakeKey::a().name()), FakeKey::a().public_pem()).unwrap();
    keys
}

fn measurable() -> bool {
    let there = Path::new("/proc/self/status").exists();
    if !there {
        eprintln!("SKIPPED: there is no /proc: no memory was measured");
    }
    there
}

fn assert_within(what: &str, peak: u64, mebibytes: u64) {
    eprintln!("{what}: {} KiB at most", peak >> 10);
    assert!(peak <= mebibytes << 20, "{what}: {} KiB, {mebibytes} MiB are allowed", peak >> 10);
}

#[test]
fn bombs_take_no_more_than_sixty_four_mebibytes() {
    if !measurable() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let keys = fake_keys(directory.path());
    for (n, case) in bombs::cases().into_iter().enumerate() {
        let file = directory.path().join(format!("{n}.apk"));
        std::fs::write(&file, &case.bytes).unwrap();
        let (peak, lines) = peak("1", &keys, case.limits, &[file]);
        assert!(lines[0].ends_with(&format!("[{}]", case.refused_by)), "{}: {lines:?}", case.name);
        // An index is allowed 64 bytes for each of the 500,000 entries that this test lets it have.
        let allowed = if case.refused_by == "limit-index-entries" { 48 } else { 32 };
        assert_within(case.name, peak, allowed);
    }
}

/// A signed package with one file of so many bytes that nothing compresses.
fn large_package(size: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32).to_le_bytes()
    };
    let content: Vec<u8> = (0..size / 8).flat_map(|_| word()).collect();
    let builder =
        PackageBuilder::new("large", "1-r0").data(|data| data.checked_file("usr/share/x", &content));
    let data = Gzip { level: 0, ..Gzip::default() }.member(&builder.data_archive());
    let pkginfo = builder.pkginfo(&tar::sha256_hex(&data));
    let control = apkvet_fixtures::gzip::member(&builder.control_archive(&pkginfo).bytes());
    let package = apkvet_fixtures::Package { signature: Vec::new(), control, data };
    package.signed(&[(FakeKey::a(), apkvet_fixtures::Label::Rsa256)]).bytes()
}

#[test]
fn a_package_of_a_hundred_megabytes_takes_no_more_memory_than_a_small_one() {
    if !measurable() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let keys = fake_keys(directory.path());
    let file = directory.path().join("large.apk");
    std::fs::write(&file, large_package(100_000_000)).unwrap();
    let (one, lines) = peak("1", &keys, &[], std::slice::from_ref(&file));
    assert!(lines[0].starts_with("OK"), "{lines:?}");
    assert_within("100 MB", one, 32);
    let (two, lines) = peak("2", &keys, &[], &[file.clone(), file]);
    assert!(lines[1].starts_with("OK"), "{lines:?}");
    assert_within("twice 100 MB at once", two, 64);
}

#[test]
fn a_million_entries_of_data_cost_what_the_limit_allows() {
    if !measurable() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let keys = fake_keys(directory.path());
    let file = directory.path().join("many.apk");
    let add = |data: apkvet_fixtures::Archive| {
        (0..300_000).fold(data, |data, n| data.entry(&Header::directory(format!("usr/{n}")), b""))
    };
    let package = PackageBuilder::new("many", "1-r0").data(add).build();
    std::fs::write(&file, package.bytes()).unwrap();
    let (peak, lines) = peak("1", &keys, &[("data-ratio", "1000")], &[file]);
    assert!(lines[0].ends_with("[limit-data-entries]"), "{lines:?}");
    assert_within("300,000 entries", peak, 32);
}

#[test]
fn no_file_at_hand_takes_more_than_thirty_two_mebibytes() {
    let Some(root) = shared("real").and_then(|real| Some(real.parent()?.to_owned())) else { return };
    if !measurable() {
        return;
    }
    for (keys, folder) in [
        ("corpus/v2/keys", "corpus/v2/mutants"),
        ("real/alpine/keys", "real/alpine/v3.16/main/x86_64"),
        ("real/alpine/keys", "real/alpine/v3.17/main/aarch64"),
        ("real/abuild-2025", "real/abuild-2025/x86_64"),
        ("real/glibc/keys", "real/glibc"),
        ("real/wolfi", "real/wolfi"),
    ] {
        let files = files(&root.join(folder));
        let (one, _) = peak("1", &root.join(keys), &[], &files);
        assert_within(folder, one, 32);
        let (two, _) = peak("2", &root.join(keys), &[], &files);
        assert_within(&format!("{folder} at -j 2"), two, 64);
    }
}
