//! Fetches a repository, verifies all of it on arrival, and keeps nothing:
//! `cargo run --release --example drain -- --keys DIR URL/x86_64`.
//!
//! What a mirror costs without its disk; `benches/mirror` sets it beside a `curl` that throws everything away.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, anyhow, bail};
use apkvet::container::Scratch;
use apkvet::index::{Keep, Record};
use apkvet::keys::read_key;
use apkvet::transport::{Demand, Fetcher, Location, Settings, Worker};
use apkvet::unverified::{FileDigest, Level, ReadOptions, Subject, read};
use apkvet::verify::{
    IndexEntries, Keyring, Known, Policy, Proof, SignatureDemand, TrustedKey, verify_index, verify_package,
};
use clap::Parser;

/// Verify a whole repository while it is fetched, and keep nothing
#[derive(Debug, Parser)]
#[command(name = "drain")]
struct Arguments {
    /// Where the index and its packages are
    url: String,
    /// Directory of the keys that are trusted
    #[arg(long)]
    keys: PathBuf,
    /// Files that are fetched at the same time
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

/// The largest index that is taken. Units: bytes.
const INDEX_CAP: u64 = 64 << 20;

#[expect(clippy::print_stdout, reason = "this is what the program says")]
fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (keyring, policy, known) = (keyring(&arguments.keys)?, Policy::default(), Known::builtin());
    let proof = Proof { keyring: &keyring, policy: &policy, known: &known };
    let upstream = Location::parse(&arguments.url)?;
    let fetcher = Fetcher::new(Settings::default())?;
    let entries = index(&mut fetcher.worker(), &upstream, &proof)?;
    let records: Vec<Record<'_>> = entries.index().records().collect();
    let next = AtomicUsize::new(0);
    let hand = || -> anyhow::Result<u64> {
        let (mut worker, mut reading, mut bytes) = (fetcher.worker(), Reading::default(), 0);
        while let Some(record) = records.get(next.fetch_add(1, Ordering::Relaxed)) {
            bytes += package(&mut worker, &mut reading, &upstream, record, &entries, &proof)
                .with_context(|| record.label())?;
        }
        Ok(bytes)
    };
    let bytes = std::thread::scope(|scope| {
        let hands: Vec<_> = (0..arguments.connections.max(1)).map(|_| scope.spawn(hand)).collect();
        hands
            .into_iter()
            .map(|hand| hand.join().map_err(|_| anyhow!("a thread ended early"))?)
            .sum::<Result<u64, _>>()
    })?;
    println!("{} packages, {bytes} bytes, all verified", records.len());
    Ok(())
}

fn keyring(directory: &Path) -> anyhow::Result<Keyring> {
    let mut keyring = Keyring::default();
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("a key without a name")?;
        let key = read_key(&fs::read(&path)?).with_context(|| format!("cannot read {}", path.display()))?;
        keyring.add(TrustedKey::new(name, name, key))?;
    }
    Ok(keyring)
}

fn index(worker: &mut Worker, upstream: &Location, proof: &Proof<'_>) -> anyhow::Result<IndexEntries> {
    let mut bytes = Vec::new();
    worker.fetch(
        std::slice::from_ref(upstream),
        &Demand::new(&["APKINDEX.tar.gz"], INDEX_CAP),
        &mut bytes,
    )?;
    let options = ReadOptions { index_text: Keep::Text, ..ReadOptions::default() };
    let Subject::Index(index) = read(bytes.as_slice(), &options, &mut Scratch::default())? else {
        bail!("APKINDEX.tar.gz is no index");
    };
    let verified =
        verify_index(index, proof).into_verified().map_err(|fault| anyhow!(fault.message().to_owned()))?;
    IndexEntries::new(verified).context("the index has no text")
}

/// What one package after another is read with.
#[derive(Default)]
struct Reading {
    bytes: Vec<u8>,
    scratch: Scratch,
}

/// Fetches one package and judges it at the level of identity; gives how long it is.
fn package(
    worker: &mut Worker,
    reading: &mut Reading,
    upstream: &Location,
    record: &Record<'_>,
    entries: &IndexEntries,
    proof: &Proof<'_>,
) -> anyhow::Result<u64> {
    let Reading { bytes, scratch } = reading;
    bytes.clear();
    let demand = Demand::new(&[&record.file_name()], record.size()).sized(record.size());
    let fetched = worker.fetch(std::slice::from_ref(upstream), &demand, bytes)?;
    let options =
        ReadOptions { level: Level::Identity, file_digest: FileDigest::Compute, ..ReadOptions::default() };
    let Subject::Package(package) = read(bytes.as_slice(), &options, scratch)? else {
        bail!("the file is no package");
    };
    let judged = verify_package(package, proof).within_index(entries, SignatureDemand::Required);
    judged.into_blob().map_err(|fault| anyhow!(fault.message().to_owned()))?;
    Ok(fetched.bytes)
}
