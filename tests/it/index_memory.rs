use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use apkvet_fixtures::{FakeKey, IndexBuilder};

/// Entries of 330 bytes, with identities that do not compress.
fn text(entries: u32) -> String {
    let mut text = String::new();
    for n in 0..entries {
        let identity = apkvet_fixtures::index::identity(&n.to_be_bytes());
        let _ = write!(
            text,
            "C:{identity}\nP:library-{n}\nV:1.{n}.3-r{}\nA:x86_64\nS:{n}\nI:4096\nT:A library for all that is numbered {n}\n\
             U:https://example.org/library-{n}/\nL:MIT AND Apache-2.0\no:library\nm:A Maintainer <m@example.org>\n\
             t:{}\nc:0123456789abcdef0123456789abcdef01234567\nD:so:libc.musl-x86_64.so.1 library-common=1.{n}.3-r1\n\
             p:so:liblibrary-{n}.so.1=1.{n}.3 cmd:library-{n}=1.{n}.3-r1\n\n",
            n % 10,
            1_600_000_000 + n,
        );
    }
    text
}

/// The most memory that a running process has used so far. Units: bytes.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// Feeds bytes to `apkvet verify -` and watches its memory until it ends.
fn verify(directory: &std::path::Path, bytes: &[u8]) -> (bool, u64) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_apkvet"))
        .args(["verify", "-q", "--keys-dir", ".", "-"])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let (last, most) = bytes.split_last().unwrap();
    input.write_all(most).unwrap();
    // All but the last byte is in the pipe, or through it; what it has cost so far stays visible.
    let mut memory = peak(child.id()).unwrap();
    input.write_all(&[*last]).unwrap();
    drop(input);
    loop {
        memory = memory.max(peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            return (status.success(), memory);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The limit of the design: an index is verified in 16 MiB and 64 bytes for each entry, however long its text is.
#[test]
fn verifying_an_index_takes_16_mib_and_64_bytes_an_entry() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FakeKey::a().name()), FakeKey::a().public_pem()).unwrap();
    // APKVET_LARGE makes it 300 MB of text, as some indexes have.
    let counts: &[u32] =
        if std::env::var_os("APKVET_LARGE").is_some() { &[900_000] } else { &[1000, 120_000] };
    for count in counts {
        let text = text(*count);
        let index = IndexBuilder::default().text(&text).build();
        let (verified, memory) = verify(directory.path(), &index);
        let allowed = (16 << 20) + 64 * u64::from(*count);
        println!("{} bytes of text, {count} entries: {memory} of {allowed} bytes of memory", text.len());
        assert!(verified);
        assert!(memory <= allowed, "{count} entries: {memory} > {allowed}");
    }
}
