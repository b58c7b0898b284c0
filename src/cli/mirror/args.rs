//! Which mirror: a configuration, or flags for one repository.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::trust::TrustArgs;
use crate::mirror::{Closure, IndexKind};
use crate::publish::Wait;

/// Which mirror.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mirror")]
pub(super) struct SourceArgs {
    /// What the mirror is to hold (docs/configuration.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = FLAGS)]
    pub(super) config: Option<PathBuf>,
    /// Where the repository comes from: a URL or a folder (repeatable, tried in order)
    #[arg(long, value_name = "URL|DIR")]
    pub(super) upstream: Vec<String>,
    /// Take the upstreams from this file, as /etc/apk/repositories is written: a repository for each line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["upstream", "name"])]
    pub(super) repositories: Option<PathBuf>,
    /// Path of the repository below the tree [default: the last two segments of the first upstream]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The root of the tree; DIR/current is what is served
    #[arg(long, value_name = "DIR")]
    pub(super) to: Option<PathBuf>,
    /// Architecture (repeatable)
    #[arg(long = "arch", value_name = "ARCH")]
    pub(super) architectures: Vec<String>,
    /// What is wanted: an atom, a pattern, * or world:FILE (repeatable)
    #[arg(long = "select", value_name = "WHAT", allow_hyphen_values = true)]
    pub(super) selections: Vec<String>,
    /// What comes with the selection [default: providers]
    #[arg(long, value_enum)]
    pub(super) closure: Option<ClosureArg>,
    /// Whose index is published [default: subset if anything is selected, else upstream]
    #[arg(long, value_enum)]
    pub(super) index_kind: Option<IndexKindArg>,
    /// The private key that signs the index of a subset
    #[arg(long, value_name = "FILE")]
    pub(super) sign_key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
}

impl SourceArgs {
    /// A configuration, and no flags.
    pub(super) fn of_config(config: Option<PathBuf>) -> Self {
        Self {
            config,
            upstream: Vec::new(),
            repositories: None,
            name: None,
            to: None,
            architectures: Vec::new(),
            selections: Vec::new(),
            closure: None,
            index_kind: None,
            sign_key: None,
            trust: TrustArgs::default(),
        }
    }
}

/// Flags that a configuration takes the place of.
const FLAGS: [&str; 9] = [
    "upstream",
    "repositories",
    "name",
    "to",
    "architectures",
    "selections",
    "closure",
    "index_kind",
    "sign_key",
];

/// What comes with a selection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum ClosureArg {
    /// Every provider of every dependency, and what installs itself
    Providers,
    /// What apk would install
    Solved,
}

impl ClosureArg {
    pub(super) const fn closure(self) -> Closure {
        match self {
            Self::Providers => Closure::Providers,
            Self::Solved => Closure::Solved,
        }
    }
}

/// Whose index is published.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum IndexKindArg {
    /// One of our own, with entries byte for byte
    Subset,
    /// Upstream's, byte for byte, with the whole repository
    Upstream,
}

impl IndexKindArg {
    pub(super) const fn kind(self) -> IndexKind {
        match self {
            Self::Subset => IndexKind::Subset,
            Self::Upstream => IndexKind::Upstream,
        }
    }
}

/// What is allowed for one run, and logged.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Allowed for this run")]
pub(super) struct AllowedArgs {
    /// Take this one older index; its SHA-256
    #[arg(long, value_name = "SHA256", value_parser = sha256)]
    pub(super) allow_rollback: Option<String>,
    /// Take indexes beyond their age
    #[arg(long)]
    pub(super) allow_stale: bool,
    /// Take indexes that are ahead of the clock
    #[arg(long)]
    pub(super) allow_future: bool,
    /// Take indexes whose description does not match
    #[arg(long)]
    pub(super) allow_description: bool,
    /// Let any share of a repository vanish
    #[arg(long)]
    pub(super) allow_shrink: bool,
    /// Take other bytes for versions of this package that were published before (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(super) allow_replaced: Vec<String>,
    /// Begin anew where the trust state is lost or damaged
    #[arg(long)]
    pub(super) init_state: bool,
}

/// Whether to wait for another run.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct WaitArgs {
    /// Wait for another run to end, at most this long if a time is given (90s, 5m)
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, value_parser = time)]
    wait: Option<Option<Duration>>,
}

impl WaitArgs {
    pub(super) const fn wait(self) -> Wait {
        match self.wait {
            None => Wait::Never,
            Some(None) => Wait::Forever,
            Some(Some(time)) => Wait::AtMost(time),
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    crate::mirror::parse_time(text).map_err(|problem| problem.to_string())
}

fn sha256(text: &str) -> Result<String, String> {
    use crate::types::{Digest, Sha256};
    let hex = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    Digest::<Sha256>::parse_hex(hex.as_bytes())
        .map(|digest| digest.to_string())
        .map_err(|error| error.to_string())
}
