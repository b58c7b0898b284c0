//! `apkvet verify`: packages and indexes, each with its verdict.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::limits::Limits;
use crate::unverified::{self, FileDigest, Keep, Level, ReadOptions, Unverified};
use crate::verify::{
    IndexEntries, Judgement, KeyNames, MinDigest, Policy, Proof, verify_index, verify_package, verify_unknown,
};

use super::exit::Exit;
use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, Style};
use super::pool::{Begun, Work, Worker};
use super::read::{WasRead, begin, end, is_large, read, side_by_side};
use super::record::FileRecord;
use super::subjects::{Subject, expand, shown};
use super::threads::{cores, threads};
use super::trust::{Trust, TrustArgs};
use super::{pool, text};

/// Verify packages and indexes: signature, structure, hashes, files
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// Packages, indexes, directories (walked for *.apk and APKINDEX.tar.gz), or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How much is looked at: everything, or origin and identity alone (as fast as SHA-256)
    #[arg(long, value_enum, default_value_t = LevelArg::Full)]
    level: LevelArg,
    /// Packages must also match their entry in this index, which is verified first
    #[arg(long, value_name = "APKINDEX.tar.gz")]
    index: Option<PathBuf>,
    /// The weakest digest that a signature may rest on
    #[arg(long, value_enum, default_value_t = DigestArg::Sha1)]
    min_digest: DigestArg,
    /// Set a limit, for example data-inflated=32G (repeatable)
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    /// Threads [default: number of cores]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum LevelArg {
    /// Everything
    Full,
    /// Origin and identity
    Identity,
}

/// The weakest digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum DigestArg {
    /// SHA-1 as well, with a note
    Sha1,
    /// SHA-256 or SHA-512
    Sha256,
}

impl From<LevelArg> for Level {
    fn from(level: LevelArg) -> Self {
        match level {
            LevelArg::Full => Self::Full,
            LevelArg::Identity => Self::Identity,
        }
    }
}

/// The last JSON line.
#[derive(Debug, Default, Serialize)]
struct Summary {
    files: usize,
    verified: usize,
    untrusted: usize,
    bad: usize,
    errors: usize,
    exit: u8,
}

/// Everything that is decided before the first file is opened.
struct Run {
    trust: Trust,
    policy: Policy,
    options: ReadOptions,
    entries: Option<IndexForPackages>,
}

/// The index that packages are held against.
enum IndexForPackages {
    Verified(IndexEntries),
    Refused { path: String, verdict: &'static str },
}

/// Runs the command.
pub(super) fn run(args: &VerifyArgs, output: &mut Output) -> Result<Exit, Failure> {
    let jobs = args.jobs.map(|jobs| threads(Some(jobs))).transpose()?;
    let mut run = Run::new(args, output)?;
    let subjects = expand(&args.files)?;
    let mut summary = Summary::default();
    // One small file is work for one thread: nobody has to find out how many there could be.
    let one_is_enough = matches!(&*subjects, [one] if !is_large(one.size())) && args.index.is_none();
    let threads = jobs.unwrap_or_else(|| if one_is_enough { 1 } else { cores() });
    if let Some(path) = &args.index {
        let subject = Subject::File { path: path.clone(), size: 0 };
        let (record, entries) = run.index(&subject, path, threads);
        run.entries = Some(entries);
        print(output, &record, &mut summary)?;
    }
    let abreast = side_by_side(run.options.level);
    pool::in_order_abreast(&subjects, threads, Subject::size, (&run, abreast), |record| {
        print(output, &record, &mut summary)
    })?;
    finish(output, summary)
}

impl Run {
    fn new(args: &VerifyArgs, output: &mut Output) -> Result<Self, Failure> {
        let mut limits = Limits::default();
        for limit in &args.limits {
            set_limit(&mut limits, limit)?;
        }
        let trust = Trust::load(&args.trust, output)?;
        let policy = Policy {
            min_digest: match args.min_digest {
                DigestArg::Sha1 => MinDigest::AcceptSha1,
                DigestArg::Sha256 => MinDigest::Sha256,
            },
            key_names: if args.trust.any_key_name { KeyNames::Any } else { KeyNames::AsSigned },
            fingerprints: args.trust.fingerprints.clone(),
            pinned: trust.pinned.clone(),
        };
        // The digest of the whole file is printed in JSON alone, and costs as much as the verification.
        let file_digest = if output.is_json() { FileDigest::Compute } else { FileDigest::Skip };
        let level = args.level.into();
        let options = ReadOptions { limits, level, file_digest, ..ReadOptions::default() };
        Ok(Self { trust, policy, options, entries: None })
    }

    fn proof(&self) -> Proof<'_> {
        Proof { keyring: &self.trust.keyring, policy: &self.policy, known: &self.trust.known }
    }

    /// Verifies the index that packages are held against, keeping its text.
    fn index(&self, subject: &Subject, path: &Path, threads: usize) -> (FileRecord, IndexForPackages) {
        let options = ReadOptions { index_text: Keep::Text, ..self.options.clone() };
        let refused = |verdict| IndexForPackages::Refused { path: shown(path), verdict };
        let read = match read(subject, &options, &mut Worker::alone(threads)) {
            Ok(read) => read,
            Err(error) => {
                let record = FileRecord::unread(subject.shown(), options.level, &error);
                return (record, refused("not read"));
            }
        };
        let unverified::Subject::Index(index) = read else {
            let record = self.judge(subject, read);
            return (record, refused("not an index"));
        };
        let judged = verify_index(index, &self.proof());
        let record = FileRecord::index(subject.shown(), options.level, &judged);
        let verdict = judged.verdict().name();
        let entries = judged.into_verified().ok().and_then(IndexEntries::new);
        (record, entries.map_or_else(|| refused(verdict), IndexForPackages::Verified))
    }

    fn record(&self, subject: &Subject, read: WasRead) -> FileRecord {
        match read {
            Ok(read) => self.judge(subject, read),
            Err(error) => FileRecord::unread(subject.shown(), self.options.level, &error),
        }
    }

    fn judge(&self, subject: &Subject, read: unverified::Subject) -> FileRecord {
        let (path, level, proof) = (subject.shown(), self.options.level, self.proof());
        match read {
            unverified::Subject::Package(package) => {
                FileRecord::package(path, level, &self.judge_package(package))
            }
            unverified::Subject::Index(index) => FileRecord::index(path, level, &verify_index(index, &proof)),
            unverified::Subject::Unknown(file) => {
                FileRecord::unknown(path, level, &verify_unknown(file, &proof))
            }
        }
    }

    fn judge_package(
        &self,
        package: Unverified<unverified::PackageClaims>,
    ) -> Judgement<unverified::PackageClaims> {
        let judged = verify_package(package, &self.proof());
        match &self.entries {
            None => judged,
            Some(IndexForPackages::Verified(entries)) => judged.against_index(entries),
            Some(IndexForPackages::Refused { path, verdict }) => judged
                .without_index(&format!("the index {path} is {verdict}, so nothing can be held against it")),
        }
    }
}

pub(super) fn set_limit(limits: &mut Limits, text: &str) -> Result<(), Failure> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("expected NAME=VALUE after --limit, found `{text}`"))
        .map_err(Failure::usage)?;
    let known = crate::limits::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    limits
        .set(name, value)
        .with_context(|| format!("--limit {text} (limits are: {known})"))
        .map_err(Failure::usage)
}

impl Work<Subject> for Run {
    type Made = FileRecord;
    type Half = Opened;

    fn begin(&self, subject: &Subject, worker: &mut Worker) -> Begun<FileRecord, Opened> {
        match begin(subject, &self.options, worker) {
            Begun::Done(read) => Begun::Done(self.record(subject, read)),
            Begun::Half(opened, data) => Begun::Half(opened, data),
        }
    }

    fn end(&self, subject: &Subject, opened: Opened, read: io::Result<unverified::Subject>) -> FileRecord {
        self.record(subject, end(subject, &opened, read))
    }
}

fn print(output: &mut Output, record: &FileRecord, summary: &mut Summary) -> Result<(), Failure> {
    summary.files += 1;
    match record.verdict {
        None => summary.errors += 1,
        Some("verified") => summary.verified += 1,
        Some("untrusted" | "unsigned") => summary.untrusted += 1,
        Some(_) => summary.bad += 1,
    }
    if output.is_json() {
        output.record("file", record)?;
    } else if !(output.is_quiet() && record.holds()) {
        text::file(output, record)?;
    }
    Ok(())
}

fn finish(output: &mut Output, mut summary: Summary) -> Result<Exit, Failure> {
    let refused = if summary.untrusted + summary.bad > 0 { Exit::Refused } else { Exit::Holds };
    let unread = if summary.errors > 0 { Exit::LocalIo } else { Exit::Holds };
    let exit = refused.worst(unread);
    summary.exit = exit.code();
    if output.is_json() {
        output.record("summary", &summary)?;
    } else if !output.is_quiet() {
        let Summary { files, verified, untrusted, bad, errors, .. } = summary;
        let style = if exit == Exit::Holds { Style::Good } else { Style::Bad };
        let noun = if files == 1 { "file" } else { "files" };
        let text = format!(
            "{files} {noun}: {verified} verified, {untrusted} untrusted, {bad} bad, {errors} not read"
        );
        let text = output.paint(style, &text);
        output.line(&text)?;
    }
    Ok(exit)
}
