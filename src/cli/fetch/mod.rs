//! `apkvet fetch`: downloads, verifies, and only then lets the file appear under its name.

mod check;
mod named;
mod session;
mod settings;
pub(super) mod spool;
mod watch;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit::Exit;
use super::failure::Failure;
use super::output::{Output, Style};
use super::signals::Signals;
use super::subjects::shown;
use super::text;
use super::trust::TrustArgs;
use super::verify::DigestArg;
use crate::transport::{Cancel, Fetcher, Location};
use crate::types::{Digest, Sha256};
use check::Check;
use named::Repositories;
use session::{Record, Session, Wanted};
use spool::Folder;
use watch::Manner;

/// Download, verify, and only then put the file in place
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  apkvet fetch --key sgerrand.rsa.pub --fingerprint sha256:ba1a… --to /tmp https://…/glibc-2.23-r3.apk
  apkvet fetch --sha256 6f3c… -o jre.tar.gz https://…/jre-8u60.tar.gz
  apkvet fetch --config apkvet.toml bash")]
pub(super) struct FetchArgs {
    /// URLs of packages or indexes, or names of packages in the repositories of --config
    #[arg(required = true, value_name = "URL|NAME")]
    subjects: Vec<String>,
    /// Put the one file here
    #[arg(short, long, value_name = "FILE", conflicts_with = "to")]
    output: Option<PathBuf>,
    /// Put the files into this directory, under the names that they have there [default: here]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// The one file must have this digest, whatever it is; no signature is asked for then
    #[arg(
        long,
        value_name = "HEX",
        conflicts_with_all = ["keys", "directories", "any_key_name", "fingerprints", "pins", "index", "min_digest"]
    )]
    sha256: Option<String>,
    /// Packages must also match their entry in this index, which is verified first
    #[arg(long, value_name = "APKINDEX.tar.gz")]
    index: Option<PathBuf>,
    /// The weakest digest that a signature may rest on [default: sha1]
    #[arg(long, value_enum)]
    min_digest: Option<DigestArg>,
    /// Take a package whose name and version are not those in its URL
    #[arg(long)]
    any_file_name: bool,
    /// Set a limit, for example data-inflated=32G (repeatable)
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    /// Where names are looked up: the repositories of this configuration, each with its own keys
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The architecture, where the configuration has several
    #[arg(long, value_name = "ARCH", requires = "config")]
    arch: Option<String>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    network: NetworkArgs,
}

/// The flags that say how files are fetched.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
struct NetworkArgs {
    /// A file with `user:password` for the URLs that are named here
    #[arg(long, value_name = "FILE")]
    auth_file: Option<PathBuf>,
    /// Certificate authorities in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Whether those of --ca-file are trusted beside the authorities of the system, or alone
    #[arg(long, value_enum, default_value_t = CaMode::Add, requires = "ca_file")]
    ca_mode: CaMode,
    /// Stop a file that is longer than this (`K`, `M`, `G`)
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = settings::size)]
    max_size: u64,
    /// Requests for one file that bring nothing new before giving up
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,
}

/// What private authorities are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum CaMode {
    /// Further ones
    Add,
    /// The only ones
    Only,
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

/// Runs the command.
pub(super) fn run(args: &FetchArgs, output: &mut Output) -> Result<Exit, Failure> {
    let signals = Signals::watch(Cancel::default(), "interrupted, and nothing is left behind")?;
    let names: Vec<String> = args.subjects.iter().filter(|subject| !is_url(subject)).cloned().collect();
    let repositories = match (&args.config, names.as_slice()) {
        (Some(path), [_, ..]) => {
            own_keys(args)?;
            Some(Repositories::load(path, args.arch.as_deref())?)
        }
        (None, [name, ..]) => return Err(no_configuration(name)),
        _ => None,
    };
    let settings = settings::settings(&args.network, repositories.as_ref(), signals.cancel().clone())?;
    let fetcher = Fetcher::new(settings).map_err(Failure::usage)?;
    let scoped = settings::scoped()?;
    let directory = directory(args)?;
    let folder = Folder::open(&directory)
        .with_context(|| format!("cannot open the directory {}", shown(&directory)))
        .map_err(Failure::local)?;
    let manner = Manner::of(output);
    let mut session = Session { worker: fetcher.worker(), signals, output, manner };
    let mut run = Run { summary: Summary::default(), exit: Exit::Holds };
    let mut wanted = match urls(args, &scoped, &mut session)? {
        Ok(wanted) => wanted,
        Err(record) => {
            run.print(session.output, &record)?;
            return run.finish(session.output);
        }
    };
    if let Some(repositories) = &repositories {
        match repositories.find(&names, args, &scoped, &folder, &mut session)? {
            Ok(found) => wanted.extend(found),
            Err(bad) => {
                bad.iter().try_for_each(|record| run.print(session.output, record))?;
                return run.finish(session.output);
            }
        }
    }
    let destinations = destinations(args, &wanted, &directory)?;
    for (wanted, destination) in wanted.iter().zip(&destinations) {
        let record = session.file(wanted, &folder, destination)?;
        run.print(session.output, &record)?;
    }
    run.finish(session.output)
}

fn is_url(subject: &str) -> bool {
    let scheme = subject.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Keys of repositories are an operator's input, each for one repository and for no other.
fn own_keys(args: &FetchArgs) -> Result<(), Failure> {
    let TrustArgs { keys, directories, pins, .. } = &args.trust;
    if keys.is_empty() && directories.is_empty() && pins.is_none() && args.index.is_none() {
        return Ok(());
    }
    let text = "--key, --keys-dir, --key-pins and --index go with URLs: for names, the configuration says whom each repository trusts";
    Err(Failure::usage(anyhow!(text)))
}

fn no_configuration(name: &str) -> Failure {
    let name = crate::types::escape(name);
    if name.to_string().contains(['/', ':']) {
        return Failure::usage(anyhow!(
            "expected http:// or https://, found `{name}`; `apkvet verify` looks at files"
        ));
    }
    Failure::usage(anyhow!("to look up {name}, name the repositories by --config FILE"))
}

/// The directory that everything is put into.
fn directory(args: &FetchArgs) -> Result<PathBuf, Failure> {
    let Some(file) = &args.output else {
        return Ok(args.to.clone().unwrap_or_else(|| PathBuf::from(".")));
    };
    if args.subjects.len() > 1 {
        return Err(Failure::usage(anyhow!("-o takes one subject; --to DIR takes several")));
    }
    let bad = || Failure::usage(anyhow!("-o {}: expected the name of a file", shown(file)));
    file.file_name().ok_or_else(bad)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(parent.unwrap_or_else(|| Path::new(".")).to_owned())
}

/// Where each file is to appear.
fn destinations(args: &FetchArgs, wanted: &[Wanted], directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    if let Some(file) = &args.output {
        return Ok(vec![file.clone()]);
    }
    let mut all: Vec<PathBuf> = Vec::new();
    for one in wanted {
        let plain = args.to.is_none();
        let name = &one.source.file_name;
        let path = if plain { PathBuf::from(name) } else { directory.join(name) };
        if all.contains(&path) {
            return Err(Failure::usage(anyhow!("two files would become {}", shown(&path))));
        }
        all.push(path);
    }
    Ok(all)
}

/// The URLs among the subjects; or the index of `--index`, if that does not hold.
fn urls(
    args: &FetchArgs,
    scoped: &[Location],
    session: &mut Session<'_>,
) -> Result<Result<Vec<Wanted>, Record>, Failure> {
    let urls: Vec<&String> = args.subjects.iter().filter(|subject| is_url(subject)).collect();
    if urls.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let check = match &args.sha256 {
        Some(_) if args.subjects.len() > 1 => {
            return Err(Failure::usage(anyhow!("--sha256 takes one subject")));
        }
        Some(hex) => Check::Digest(digest(hex)?),
        None => match settings::signed(args, session)? {
            Ok(signed) => Check::Signed(Box::new(signed)),
            Err(record) => return Ok(Err(record)),
        },
    };
    let check = Rc::new(check);
    let credentials = args.network.auth_file.as_deref().map(named::credentials).transpose()?;
    let wanted = |url: &&String| {
        let location = Location::parse(url).context("a URL that cannot be used").map_err(Failure::usage)?;
        let location = match &credentials {
            Some(credentials) => location.with_credentials(credentials.clone()),
            None => location.with_scoped(scoped),
        };
        settings::wanted(args, location, Rc::clone(&check))
    };
    urls.iter().map(wanted).collect::<Result<_, _>>().map(Ok)
}

fn digest(hex: &str) -> Result<Digest<Sha256>, Failure> {
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex).to_ascii_lowercase();
    Digest::parse_hex(hex.as_bytes()).context("--sha256").map_err(Failure::usage)
}

/// What is told so far.
struct Run {
    summary: Summary,
    exit: Exit,
}

impl Run {
    fn print(&mut self, output: &mut Output, record: &Record) -> Result<(), Failure> {
        self.summary.files += 1;
        match record.file.verdict {
            None => self.summary.errors += 1,
            Some("verified") => self.summary.verified += 1,
            Some("untrusted" | "unsigned") => self.summary.untrusted += 1,
            Some(_) => self.summary.bad += 1,
        }
        self.exit = self.exit.worst(record.exit);
        if output.is_json() {
            output.record("file", record)?;
        } else if !(output.is_quiet() && record.file.holds()) {
            text::file(output, &record.file)?;
            if let Some(saved) = &record.saved {
                output.line(&format!("           saved as {saved}"))?;
            }
        }
        Ok(())
    }

    fn finish(mut self, output: &mut Output) -> Result<Exit, Failure> {
        self.summary.exit = self.exit.code();
        if output.is_json() {
            output.record("summary", &self.summary)?;
        } else if !output.is_quiet() {
            let Summary { files, verified, untrusted, bad, errors, .. } = self.summary;
            let style = if self.exit == Exit::Holds { Style::Good } else { Style::Bad };
            let noun = if files == 1 { "file" } else { "files" };
            let text = format!(
                "{files} {noun}: {verified} verified, {untrusted} untrusted, {bad} bad, {errors} not fetched"
            );
            let text = output.paint(style, &text);
            output.line(&text)?;
        }
        Ok(self.exit)
    }
}
