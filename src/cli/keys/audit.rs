//! `apkvet keys audit`: who may sign what this machine installs, and what is wrong with that.

use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::audit_json;
use super::audit_objects::{self, ObjectArgs};
use super::audit_text;
use crate::audit::{
    Blocklist, Branch, Depth, Examined, Id, Ignore, Owners, Report, Search, Settings, Severity, SharedPrimes,
    Strictness, Tables, audit, examine, moduli_to_examine,
};
use crate::cli::clock::today;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::known::{KnownArgs, read};
use crate::cli::output::Output;
use crate::cli::pool;
use crate::cli::subjects::shown;
use crate::cli::threads::cores;
use crate::cli::trust::DEFAULT_DIRECTORIES;
use crate::keys::{DirectoryError, KeyDirectory, KnownKeys, Pins};
use crate::types::Architecture;

/// Audits key directories: what apk trusts there, and what is wrong with it
///
/// Exit code 1 if there is a finding at or above `--fail-on`, 3 if a named directory cannot be read.
#[derive(Args, Debug)]
pub(super) struct AuditArgs {
    /// Key directories [default: /etc/apk/keys, then /lib/apk/keys, below --root]
    #[arg(value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Audit the system below this directory: paths are looked up there, and no link leads out of it
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Do not ask who may change the files: for a checkout or a build context
    #[arg(long)]
    no_perms: bool,
    /// The architecture of the machine [default: what etc/apk/arch says, for the default directories]
    #[arg(long, value_name = "ARCH", value_parser = parse_architecture)]
    arch: Option<Architecture>,
    #[command(flatten)]
    objects: ObjectArgs,
    /// Hold the keys against this pin file
    #[arg(long, value_name = "FILE")]
    key_pins: Option<PathBuf>,
    /// How strict to be
    #[arg(long, value_enum, default_value_t = PolicyArg::Default)]
    policy: PolicyArg,
    /// The day of the audit [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// Warn of keys that are older than this by their names: days or years, such as 3650d or 10y
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    max_age: Option<i32>,
    /// Search longer for weak numbers: seconds for each key
    #[arg(long)]
    deep: bool,
    /// Keys that nobody must use, in the format of badkeys (repeatable)
    #[arg(long, value_name = "FILE")]
    blocklist: Vec<PathBuf>,
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
    /// Do not count these findings (repeatable); they are listed as ignored
    #[arg(long, value_name = "ID[:FINGERPRINT]", value_parser = Ignore::parse)]
    ignore: Vec<Ignore>,
    #[command(flatten)]
    known: KnownArgs,
}

/// How strict to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum PolicyArg {
    /// What is usual today is not complained of
    Default,
    /// What will have to change is
    Strict,
}

/// Which findings count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum FailOn {
    /// Errors
    Error,
    /// Errors and warnings
    Warn,
    /// Every finding
    Info,
}

/// What was audited, for rendering.
#[derive(Debug)]
pub(super) struct Audited<'a> {
    pub(super) as_of: Date,
    pub(super) root: String,
    pub(super) policy: &'static str,
    pub(super) known: &'a KnownKeys,
    pub(super) directories: &'a [KeyDirectory],
    pub(super) report: &'a Report,
    pub(super) exit: Exit,
}

/// The list of blocked keys may be long; no longer than this. Units: bytes.
const LARGEST_LIST: u64 = 1 << 30;

pub(super) fn run(args: &AuditArgs, output: &mut Output) -> Result<Exit, Failure> {
    let known = args.known.load()?;
    let pins = args.key_pins.as_deref().map(read_pins).transpose()?;
    let blocklists = args.blocklist.iter().map(|path| read_list(path)).collect::<Result<Vec<_>, _>>()?;
    let (directories, unread) = args.read_directories(output)?;
    let system = args.system();
    let objects = audit_objects::read_all(&args.objects, output)?;
    let settings = Settings {
        as_of: args.as_of.unwrap_or_else(today),
        strictness: args.policy.into(),
        architecture: args.arch.as_ref().or(system.architecture.as_ref()),
        max_age: args.max_age,
        owners: args.owners(),
        search: args.search(),
        pins: pins.as_ref(),
        known: &known,
        blocklists: &blocklists,
        ignore: &args.ignore,
        repositories: system.repositories,
        branches: &system.branches,
    };
    let depth = if args.deep { Depth::Deep } else { Depth::Usual };
    let examined = examine_all(&directories, &known, depth);
    let mut report = audit(&directories, &objects, &examined, &settings);
    if directories.is_empty() && unread == Exit::LocalIo {
        // That nothing could be read is not that nothing is there.
        report.findings.retain(|finding| finding.id != Id::KeyNone);
    }
    args.print(&report, &settings, &directories, unread, output)
}

impl AuditArgs {
    fn print(
        &self,
        report: &Report,
        settings: &Settings<'_>,
        directories: &[KeyDirectory],
        unread: Exit,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let refused = if report.worst() >= Some(self.fail_on.into()) { Exit::Refused } else { Exit::Holds };
        let exit = refused.worst(unread);
        let audited = Audited {
            as_of: settings.as_of,
            root: shown(self.root.as_deref().unwrap_or(Path::new("/"))),
            policy: if self.policy == PolicyArg::Strict { "strict" } else { "default" },
            known: settings.known,
            directories,
            report,
            exit,
        };
        if output.is_json() {
            audit_json::print(&audited, output)?;
        } else {
            audit_text::print(&audited, output)?;
        }
        Ok(exit)
    }

    fn search(&self) -> Search {
        if self.directories.is_empty() { Search::FirstWins } else { Search::Separate }
    }

    /// A system belongs to root. What a user unpacked, or named, may belong to that user.
    fn owners(&self) -> Owners {
        use std::os::unix::fs::MetadataExt;
        let user = rustix::process::getuid().as_raw();
        let own = |root: &Path| root.metadata().is_ok_and(|metadata| metadata.uid() == user);
        match (&self.root, self.directories.is_empty()) {
            _ if self.no_perms => Owners::Anybody,
            (Some(root), _) if own(root) => Owners::RootOr(user),
            (None, false) => Owners::RootOr(user),
            _ => Owners::Root,
        }
    }

    /// Reads the directories; one that was named and cannot be read is told of, and the others are audited.
    fn read_directories(&self, output: &mut Output) -> Result<(Vec<KeyDirectory>, Exit), Failure> {
        let read = |path: &Path| match &self.root {
            Some(root) => KeyDirectory::read_in(root, path),
            None => KeyDirectory::read(path),
        };
        if let Some(root) = self.root.as_deref().filter(|root| !root.is_dir()) {
            return Err(Failure::local(anyhow!("the root {} is no directory that can be read", shown(root))));
        }
        let named = self.directories.iter().map(PathBuf::as_path);
        let default = DEFAULT_DIRECTORIES.iter().filter(|_| self.directories.is_empty()).map(Path::new);
        let (mut directories, mut exit) = (Vec::new(), Exit::Holds);
        for path in named.chain(default) {
            match read(path) {
                Ok(directory) => directories.push(directory),
                Err(DirectoryError::Read { source, .. })
                    if self.directories.is_empty() && source.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    output.error(&format!("{:#}", anyhow::Error::new(error)));
                    exit = Exit::LocalIo;
                }
            }
        }
        Ok((directories, exit))
    }

    /// What the system under audit says of itself; nothing for directories that were named.
    fn system(&self) -> System {
        if !self.directories.is_empty() {
            return System::default();
        }
        let etc = self.root.as_deref().unwrap_or(Path::new("/")).join("etc/apk");
        let text = |name: &str| read(&etc.join(name)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let lines = text("repositories").unwrap_or_default();
        let addresses: Vec<&str> =
            lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        System {
            architecture: text("arch").and_then(|text| Architecture::parse(text.trim().as_bytes()).ok()),
            repositories: Some(addresses.len()).filter(|count| *count > 0),
            branches: addresses.iter().filter_map(|address| Branch::find(address)).collect(),
        }
    }
}

/// What a system says of itself.
#[derive(Debug, Default)]
struct System {
    architecture: Option<Architecture>,
    repositories: Option<usize>,
    branches: Vec<Branch>,
}

/// Examines all keys, on as many threads as there are cores, and what they have in common beside that.
fn examine_all(directories: &[KeyDirectory], known: &KnownKeys, depth: Depth) -> Examined {
    let (keys, tables) = (moduli_to_examine(directories), Tables::default());
    thread::scope(|scope| {
        let find = || SharedPrimes::find(directories, known);
        let shared = thread::Builder::new().spawn_scoped(scope, find);
        let mut found = Vec::new();
        let Ok(()) = pool::in_order(
            &keys,
            cores(),
            |key| u64::try_from(key.bits()).unwrap_or(u64::MAX),
            |key, _| ((*key).clone(), examine(key, &tables, depth)),
            |of_one| {
                found.push(of_one);
                Ok::<(), std::convert::Infallible>(())
            },
        );
        // A thread that panicked has ended the program; nobody may take that for "nothing found".
        let join = |thread: ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        // Where the system has no more threads, this one does it last.
        let shared = shared.map_or_else(|_| find(), join);
        let mut examined = Examined::new(shared);
        found.into_iter().for_each(|(key, found)| examined.add(key, found));
        examined
    })
}

fn read_pins(path: &Path) -> Result<Pins, Failure> {
    let pins = Pins::parse(&read(path)?);
    pins.with_context(|| format!("cannot use the pin file {}", shown(path))).map_err(Failure::usage)
}

fn read_list(path: &Path) -> Result<Blocklist, Failure> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    file.and_then(|file| file.take(LARGEST_LIST + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", shown(path)))
        .map_err(Failure::local)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST_LIST) {
        return Err(Failure::usage(anyhow!(
            "the block list {} is larger than {LARGEST_LIST} bytes",
            shown(path)
        )));
    }
    Blocklist::new(shown(path), &bytes)
        .with_context(|| format!("cannot use the block list {}", shown(path)))
        .map_err(Failure::usage)
}

fn parse_architecture(text: &str) -> Result<Architecture, crate::types::ArchitectureError> {
    Architecture::parse(text.as_bytes())
}

/// Days, or years of 365.25 days.
fn parse_age(text: &str) -> Result<i32, String> {
    let expected = || {
        format!(
            "expected a number of days or years, such as 3650d or 10y, found `{}`",
            crate::types::escape(text)
        )
    };
    let (digits, years) = match (text.strip_suffix('y'), text.strip_suffix('d')) {
        (Some(digits), _) => (digits, true),
        (_, Some(digits)) => (digits, false),
        _ => return Err(expected()),
    };
    let number: i32 = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
        .ok_or_else(expected)?;
    let days = if years { number.checked_mul(1461).map(|quarters| quarters / 4) } else { Some(number) };
    days.ok_or_else(expected)
}

impl From<PolicyArg> for Strictness {
    fn from(policy: PolicyArg) -> Self {
        match policy {
            PolicyArg::Default => Self::Default,
            PolicyArg::Strict => Self::Strict,
        }
    }
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Self::Error,
            FailOn::Warn => Self::Warn,
            FailOn::Info => Self::Info,
        }
    }
}
