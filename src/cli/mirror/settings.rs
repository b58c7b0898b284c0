//! From flags and files to what a run is told.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::args::{AllowedArgs, SourceArgs};
use super::own_key::public_half;
use crate::cli::clock::{now, today};
use crate::cli::failure::Failure;
use crate::cli::known::read;
use crate::cli::output::Output;
use crate::cli::subjects::shown;
use crate::cli::trust::{DEFAULT_DIRECTORIES, Trust as Keys};
use crate::limits::Limits;
use crate::mirror::{
    Allowed, Config, Flags, Init, Mirror, MirrorSettings, Overrides, Progress, Repository, Trust, TrustError,
};
use crate::publish::{DiskStore, Durability, PublishError, Store};
use crate::sign::SigningKey;
use crate::transport::{
    Authorities, Cancel, Credentials, Fetcher, Location, Proxies, Settings as FetchSettings,
};
use crate::verify::{KeyNames, Policy, TrustedKey};

/// Everything that a run is told, loaded.
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) trusts: Vec<Trust>,
    fetcher: Fetcher,
    credentials: Vec<Location>,
    pub(super) allowed: Allowed,
    pub(super) now: u64,
    /// Ends everything that is being fetched.
    pub(super) cancel: Cancel,
}

impl Settings {
    /// Loads a configuration, or what flags say in its place.
    pub(super) fn load(
        args: &SourceArgs,
        allowed: Option<&AllowedArgs>,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let config = config(args)?;
        let trusts = trusts(args, &config, output)?;
        let cancel = Cancel::default();
        let fetcher = fetcher(&config, cancel.clone())?;
        let environment = std::env::var("APKVET_AUTH").unwrap_or_default();
        let credentials = Credentials::parse_scoped(&environment)
            .context("APKVET_AUTH in the environment")
            .map_err(Failure::usage)?;
        let allowed = allowed.map(of_run).unwrap_or_default();
        Ok(Self { config, trusts, fetcher, credentials, allowed, now: now(), cancel })
    }

    /// The run.
    pub(super) fn mirror<'a>(&'a self, progress: &'a dyn Progress) -> Mirror<'a> {
        Mirror {
            config: &self.config,
            trusts: &self.trusts,
            fetcher: &self.fetcher,
            credentials: &self.credentials,
            allowed: &self.allowed,
            now: self.now,
            progress,
        }
    }

    /// The private keys that sign, one for each repository that has one.
    pub(super) fn signers(&self) -> Result<Vec<Option<SigningKey>>, Failure> {
        let read = |repository: &Repository| {
            let Some(path) = &repository.sign_key else { return Ok(None) };
            SigningKey::read(path)
                .map(Some)
                .with_context(|| format!("repository {}, sign-key", repository.name))
                .map_err(Failure::usage)
        };
        self.config.repositories().iter().map(read).collect()
    }

    /// The tree on disk; made if need be.
    pub(super) fn store(&self, make: Make) -> Result<Arc<dyn Store>, Failure> {
        store(&self.config.mirror().to, make)
    }
}

/// Whether a root that is not there is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Make {
    /// It is made.
    Root,
    /// It has to be there.
    Nothing,
}

/// The tree at a root.
pub(super) fn store(root: &Path, make: Make) -> Result<Arc<dyn Store>, Failure> {
    if make == Make::Root {
        std::fs::create_dir_all(root)
            .with_context(|| format!("cannot make {}", shown(root)))
            .map_err(Failure::local)?;
    }
    let opened = DiskStore::open(root, Durability::default()).map_err(Failure::of_publish)?;
    Ok(Arc::new(opened))
}

impl Failure {
    /// What publishing said.
    pub(super) fn of_publish(error: PublishError) -> Self {
        match error {
            PublishError::Locked { .. } => Self::locked(error),
            _ => Self::local(error),
        }
    }
}

/// The configuration, from its file or from flags.
fn config(args: &SourceArgs) -> Result<Config, Failure> {
    match &args.config {
        Some(path) => of_file(path),
        None => of_flags(args),
    }
}

/// The configuration in a file.
pub(super) fn of_file(path: &Path) -> Result<Config, Failure> {
    let text = String::from_utf8(read(path)?)
        .map_err(|_| Failure::usage(anyhow!("expected UTF-8 in {}", shown(path))))?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    Config::parse(&text, folder)
        .with_context(|| format!("cannot use {}", shown(path)))
        .map_err(Failure::usage)
}

fn of_flags(args: &SourceArgs) -> Result<Config, Failure> {
    let to = args.to.clone().ok_or_else(|| {
        Failure::usage(anyhow!("expected --config FILE, or --to DIR with --upstream and --arch"))
    })?;
    let mut keys: Vec<_> = args.trust.keys.iter().chain(&args.trust.directories).cloned().collect();
    if keys.is_empty() {
        keys.extend(DEFAULT_DIRECTORIES.map(Into::into));
    }
    let flags = Flags {
        upstreams: args.upstream.clone(),
        repositories: args.repositories.clone(),
        name: args.name.clone(),
        architectures: args.architectures.clone(),
        selections: args.selections.clone(),
        closure: args.closure.map(super::args::ClosureArg::closure),
        index_kind: args.index_kind.map(super::args::IndexKindArg::kind),
        sign_key: args.sign_key.clone(),
        keys,
    };
    Config::of_flags(MirrorSettings::new(to), flags, Limits::default())
        .context("these flags make no mirror")
        .map_err(Failure::usage)
}

/// Whom each repository trusts: what it names itself, or what flags say of the one repository.
fn trusts(args: &SourceArgs, config: &Config, output: &mut Output) -> Result<Vec<Trust>, Failure> {
    if args.config.is_none() {
        // One load for each: a keyring belongs to one repository.
        return config.repositories().iter().map(|_| of_trust(args, output)).collect();
    }
    let flagged = !(args.trust.keys.is_empty()
        && args.trust.directories.is_empty()
        && args.trust.fingerprints.is_empty())
        || args.trust.pins.is_some()
        || args.trust.any_key_name;
    if flagged {
        let text = "trust flags belong to mirrors without --config: name the keys of each repository there";
        return Err(Failure::usage(anyhow!(text)));
    }
    let load = |repository: &Repository| {
        let failed = |error: TrustError| {
            let unreadable = error.is_unreadable();
            let error = anyhow::Error::new(error).context(format!("repository {}, keys", repository.name));
            if unreadable { Failure::local(error) } else { Failure::usage(error) }
        };
        let trust = Trust::load(repository, today()).map_err(failed)?;
        // An index that each run makes is signed by the key that signs what is published.
        match repository.sign_key.as_deref().filter(|_| repository.build_index) {
            Some(path) => {
                let (name, key) = public_half(path)?;
                trust.with(TrustedKey::new(name, shown(path), key)).map_err(failed)
            }
            None => Ok(trust),
        }
    };
    config.repositories().iter().map(load).collect()
}

fn of_trust(args: &SourceArgs, output: &mut Output) -> Result<Trust, Failure> {
    let Keys { keyring, known, pinned } = Keys::load(&args.trust, output)?;
    let policy = Policy {
        key_names: if args.trust.any_key_name { KeyNames::Any } else { KeyNames::AsSigned },
        fingerprints: args.trust.fingerprints.clone(),
        pinned,
        ..Policy::default()
    };
    Ok(Trust::of(keyring, policy, known))
}

fn of_run(args: &AllowedArgs) -> Allowed {
    Allowed {
        states: Overrides {
            rollback: args.allow_rollback.clone(),
            stale: args.allow_stale,
            future: args.allow_future,
            description: args.allow_description,
            shrink: args.allow_shrink,
        },
        replaced: args.allow_replaced.iter().cloned().collect(),
        init: if args.init_state { Init::Allow } else { Init::Refuse },
        locked: None,
    }
}

fn fetcher(config: &Config, cancel: Cancel) -> Result<Fetcher, Failure> {
    let authorities = match &config.mirror().ca_file {
        Some(path) => Authorities::Add(read(path)?),
        None => Authorities::System,
    };
    let proxies = Proxies::from_environment(|name| std::env::var(name).ok());
    let settings = FetchSettings { proxies, authorities, cancel, ..FetchSettings::default() };
    Fetcher::new(settings).context("cannot fetch with these settings").map_err(Failure::usage)
}
