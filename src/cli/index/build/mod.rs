//! `apkvet index build`: makes an index from packages, each verified first, and signs it.

mod entry;
#[cfg(feature = "network")]
pub(in crate::cli) mod refresh;
mod reuse;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;
use sha2::Digest as _;

use self::entry::{Made, Reader};
use self::reuse::{Older, Unsigned};
use super::packages::packages;
use super::signing::{Signer, SigningArgs};
use super::source::{Judge, JudgeArgs};
use crate::cli::clock::source_date;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::cli::record::FileRecord;
use crate::cli::replace::replace;
use crate::cli::subjects::shown;
use crate::cli::text;
use crate::cli::threads::threads;
use crate::cli::verify::LevelArg;
use crate::index::{DraftError, Index, IndexBytes, IndexDraft, Record, entry_order};
use crate::limits::Limits;
use crate::types::{Architecture, Digest, Sha256};

/// The longest description that clients show. Units: bytes.
const DESCRIPTION_SHOWN: usize = 160;

/// Make an index from the packages of a directory, each verified first, and sign it
///
/// The same packages, options and time give the same bytes. Nothing is written if a package is refused.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  apkvet index build x86_64 -o x86_64/APKINDEX.tar.gz --rewrite-arch x86_64 --sign-key me.rsa --keys-dir keys
  apkvet index build x86_64 -o x86_64/APKINDEX.tar.gz --reuse x86_64/APKINDEX.tar.gz --sign-key me.rsa")]
pub(super) struct BuildArgs {
    /// The directory of the packages (*.apk); folders in it are not entered
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Where to write the index; it is replaced whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write this architecture into every entry, where clients then look for the packages
    #[arg(long, value_name = "ARCH", value_parser = architecture)]
    rewrite_arch: Option<Architecture>,
    /// The text of DESCRIPTION, of which clients show 160 bytes at most
    #[arg(long, value_name = "TEXT", value_parser = description)]
    description: Option<String>,
    /// Take packages that are unsigned or that no trusted key signed; damaged ones are refused all the same
    #[arg(long)]
    unverified_packages: bool,
    /// How much of packages is looked at: everything, or origin and identity alone (as fast as SHA-256)
    #[arg(long, value_enum, default_value_t = LevelArg::Full)]
    level: LevelArg,
    /// Take the entries of this older index for packages that have not been touched since it was written
    #[arg(long, value_name = "OLD")]
    reuse: Option<PathBuf>,
    /// Threads [default: number of cores]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    signing: SigningArgs,
    #[command(flatten)]
    judge: JudgeArgs,
}

/// The last JSON line.
#[derive(Debug, Serialize)]
struct Summary {
    packages: usize,
    packages_verified: bool,
    read: usize,
    reused: usize,
    refused: usize,
    not_read: usize,
    entries: usize,
    /// Null if nothing was written, as are the four below.
    output: Option<String>,
    size: Option<usize>,
    sha256: Option<String>,
    /// Units: seconds since 1970.
    time: Option<u64>,
    signed_by: Option<String>,
    exit: u8,
}

pub(super) fn run(args: &BuildArgs, output: &mut Output) -> Result<Exit, Failure> {
    let threads = threads(args.jobs)?;
    let time = source_date()?;
    let signer = args.signing.load()?;
    let judge = Judge::load(&args.judge, output)?.on(threads);
    let files = packages(&args.directory)?;
    if files.is_empty() {
        return Err(Failure::usage(anyhow!("no packages (*.apk) in {}", shown(&args.directory))));
    }
    if args.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_SHOWN) {
        output.warning("the description has more than 160 bytes: apk ignores it");
    }
    let unsigned = if args.unverified_packages { Unsigned::Accept } else { Unsigned::Refuse };
    let older = match &args.reuse {
        Some(path) => Older::read(path, &judge, signer.as_ref(), unsigned, output)?,
        None => Older::default(),
    };
    let (rewritten, level) = (args.rewrite_arch.as_ref(), args.level.into());
    let reader = Reader { judge: &judge, older: &older, rewritten, unsigned, level };
    let mut gathered = Gathered::default();
    reader.read_all(&files, threads, |made| gathered.take(made, output))?;
    gathered.finish(&Build { args, time, signer, packages: files.len(), limits: judge.limits() }, output)
}

/// What came of the packages.
#[derive(Debug, Default)]
struct Gathered {
    text: String,
    read: usize,
    reused: usize,
    refused: usize,
    not_read: usize,
}

/// Everything that is decided before the first package is opened.
struct Build<'a> {
    args: &'a BuildArgs,
    time: u64,
    signer: Option<Signer>,
    packages: usize,
    limits: &'a Limits,
}

impl Gathered {
    fn take(&mut self, made: Made, output: &mut Output) -> Result<(), Failure> {
        match made {
            Made::Reused(text) => {
                self.reused += 1;
                self.push(&text);
            }
            Made::Read { text, record, warning } => {
                self.read += 1;
                self.push(&text);
                if output.is_json() || output.verbosity() > 0 {
                    print(output, &record)?;
                }
                if let Some(warning) = warning {
                    output.warning(&warning);
                }
            }
            Made::Refused(record) => {
                if record.error.is_some() {
                    self.not_read += 1
                } else {
                    self.refused += 1
                }
                print(output, &record)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, entry: &str) {
        self.text.push_str(entry);
        self.text.push('\n');
    }

    fn finish(self, build: &Build<'_>, output: &mut Output) -> Result<Exit, Failure> {
        let refused = if self.refused > 0 { Exit::Refused } else { Exit::Holds };
        let exit = if self.not_read > 0 { refused.worst(Exit::LocalIo) } else { refused };
        let written = if exit == Exit::Holds { build.write(&self.text, output)? } else { None };
        let exit = if written.is_some() { exit } else { exit.worst(Exit::Refused) };
        let summary = self.summary(build, written.as_deref(), exit);
        if output.is_json() {
            output.record("summary", &summary)?;
        } else {
            let (style, text) = match &written {
                Some(_) => (Style::Good, summary.written(build)),
                None => (Style::Bad, summary.not_written()),
            };
            if !output.is_quiet() || written.is_none() {
                let text = output.paint(style, &text);
                output.line(&text)?;
            }
        }
        Ok(exit)
    }

    fn summary(&self, build: &Build<'_>, written: Option<&[u8]>, exit: Exit) -> Summary {
        let digest = |bytes| Digest::<Sha256>::new(sha2::Sha256::digest(bytes).into()).to_string();
        Summary {
            packages: build.packages,
            packages_verified: !build.args.unverified_packages,
            read: self.read,
            reused: self.reused,
            refused: self.refused,
            not_read: self.not_read,
            entries: written.map_or(0, |_| self.read + self.reused),
            output: written.map(|_| shown(&build.args.output)),
            size: written.map(<[u8]>::len),
            sha256: written.map(digest),
            time: written.map(|_| build.time),
            signed_by: build.signer.as_ref().filter(|_| written.is_some()).map(Signer::describe),
            exit: exit.code(),
        }
    }
}

impl Build<'_> {
    /// Sorts, writes, signs, and puts the index in its place; none, and why, if the text would be refused.
    fn write(&self, text: &str, output: &mut Output) -> Result<Option<Vec<u8>>, Failure> {
        let index = Index::read_leniently(text.as_bytes().to_vec());
        let mut draft = IndexDraft::new(self.time);
        if let Some(description) = &self.args.description {
            draft = draft.described(description.as_bytes());
        }
        in_order(&index).iter().for_each(|record| draft.copy(record));
        let body = match draft.body(self.limits) {
            Ok(body) => body,
            Err(error) => {
                output.error(&refusal(&error));
                return Ok(None);
            }
        };
        let bytes = match &self.signer {
            Some(signer) => signer.sign(&body)?,
            None => IndexBytes::into_bytes(body),
        };
        replace(&self.args.output, &bytes)?;
        Ok(Some(bytes))
    }
}

/// Entries in the order of indexes that are made.
fn in_order(index: &Index) -> Vec<Record<'_>> {
    let mut records: Vec<Record<'_>> = index.records().collect();
    records.sort_by(entry_order);
    records
}

/// A text that would be refused comes from a package: two of one name and version, or a broken dependency.
fn refusal(error: &DraftError) -> String {
    match error {
        DraftError::Text(fault) => {
            let (entry, message, code) = (&fault.entry, &fault.message, fault.code);
            format!("{entry}: {message} [{code}]")
        }
        error => error.to_string(),
    }
}

impl Summary {
    fn written(&self, build: &Build<'_>) -> String {
        let Self { entries, read, reused, .. } = self;
        let path = shown(&build.args.output);
        let verified = if self.packages_verified { "verified" } else { "read, NOT verified" };
        let reused =
            if *reused > 0 { format!(", {reused} taken from the older index") } else { String::new() };
        let signed =
            self.signed_by.as_ref().map_or_else(|| "not signed".to_owned(), |by| format!("signed by {by}"));
        let packages = if *read == 1 { "package" } else { "packages" };
        format!("wrote {path}: {entries} entries, {read} {packages} {verified}{reused}, {signed}")
    }

    fn not_written(&self) -> String {
        let Self { packages, refused, not_read, .. } = self;
        if refused + not_read == 0 {
            return "nothing was written: the index would be refused".to_owned();
        }
        format!("nothing was written: of {packages} packages {refused} are refused, {not_read} not read")
    }
}

fn print(output: &mut Output, record: &FileRecord) -> Result<(), Failure> {
    if output.is_json() {
        output.record("file", record)?
    } else {
        text::file(output, record)?
    }
    Ok(())
}

fn architecture(text: &str) -> Result<Architecture, crate::types::ArchitectureError> {
    Architecture::parse(text.as_bytes())
}

/// Clients print the description as it is.
fn description(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) {
        Err("expected no control characters")
    } else {
        Ok(text.to_owned())
    }
}

/// The name that clients ask for, if a file has another one.
fn misnamed(file: &Path, name: &str, version: &str) -> Option<String> {
    let expected = format!("{name}-{version}.apk");
    let fits = file.file_name().is_some_and(|found| found.as_encoded_bytes() == expected.as_bytes());
    (!fits).then(|| format!("clients will ask for {expected}, the file is {}", shown(file)))
}
