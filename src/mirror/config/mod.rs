//! What a mirror is to hold: the file `apkvet.toml`, decided and checked before anything is fetched.

mod error;
mod flags;
mod listed;
mod parse;
mod raw;
mod repository;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::dated::SnapshotRule;
use crate::limits::Limits;

pub use error::{ConfigError, Problem};
pub use flags::Flags;
pub use parse::time as parse_time;
pub(super) use parse::{WORLD, is_path};
pub use repository::{
    Closure, IndexKind, MaxAge, PackageSignatures, Rebuilt, Repository, Retain, Selection, UnknownAge,
    Upstreams, Waiver,
};

/// Everything that a run of a mirror is told.
///
/// Shape: TOML as `docs/configuration.md` says; relative paths are relative to the folder that is handed in.
/// Trust: written by the operator; still, nothing in it can name a path outside of the tree for a published file.
#[derive(Clone, Debug)]
pub struct Config {
    mirror: MirrorSettings,
    repositories: Vec<Repository>,
    limits: Limits,
}

/// What holds for all repositories.
#[derive(Clone, Debug)]
pub struct MirrorSettings {
    /// The root of the tree.
    pub to: PathBuf,
    /// How long a dropped file can still be fetched.
    pub grace: Duration,
    /// Connections at a time.
    pub connections: usize,
    /// Which repository a package name belongs to, where several have it.
    pub owners: BTreeMap<String, String>,
    /// How much of a repository may vanish in one run. Units: percent of its packages.
    pub shrink_percent: u8,
    /// Further certificate authorities, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Where a run leaves its figures, in the text form that Prometheus reads.
    pub metrics: Option<PathBuf>,
    /// A program and its arguments, called after a run; nothing if it is empty.
    pub hook: Vec<String>,
    /// Which snapshots are made without being asked for.
    pub snapshots: Option<SnapshotRule>,
    /// Lock files whose packages stay in the pool.
    pub locks: Vec<PathBuf>,
}

impl MirrorSettings {
    /// The longest that clients keep an index, and much more.
    pub const GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// Connections unless the configuration says otherwise.
    pub const CONNECTIONS: usize = 8;
    /// More than this share of a repository vanishing at once is no ordinary day.
    pub const SHRINK_PERCENT: u8 = 30;

    /// The defaults for a tree.
    pub fn new(to: PathBuf) -> Self {
        Self {
            to,
            grace: Self::GRACE,
            connections: Self::CONNECTIONS,
            owners: BTreeMap::new(),
            shrink_percent: Self::SHRINK_PERCENT,
            ca_file: None,
            metrics: None,
            hook: Vec::new(),
            snapshots: None,
            locks: Vec::new(),
        }
    }
}

impl Config {
    /// Parses the text of a configuration whose relative paths are relative to `folder`.
    ///
    /// # Errors
    /// - [`ConfigError`] for the first value that is not understood, or that contradicts another.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        parse::config(text, folder)
    }

    /// The same for one run, with a folder in the place of the upstreams of each repository that it has, and
    /// without a bound on the age of an index.
    #[must_use]
    pub(super) fn of_bundle(&self, folder: &Path, label: &str, has: impl Fn(&str, &str) -> bool) -> Self {
        let mut config = self.clone();
        for repository in &mut config.repositories {
            repository.max_age = None;
            let mut architectures = repository.architectures.iter();
            if !repository.build_index
                && architectures.all(|architecture| has(&repository.name, architecture.as_str()))
            {
                let label = format!("{label} {}", repository.name);
                let folder = folder.join(&repository.name);
                repository.upstreams = repository.upstreams.clone().unpacked_to(folder, label);
            }
        }
        config
    }

    /// What holds for all repositories.
    pub const fn mirror(&self) -> &MirrorSettings {
        &self.mirror
    }

    /// The repositories, in the order of the file, which is the order in which clients name them.
    pub fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    /// How much hostile input may cost.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }
}

#[cfg(test)]
mod tests;
