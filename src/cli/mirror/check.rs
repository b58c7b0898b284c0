//! `apkvet mirror check`: a published tree, verified from scratch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Serialize;
use walkdir::WalkDir;

use super::args::{SourceArgs, WaitArgs};
use super::own_key::own_keyring;
use super::progress::Bars;
use super::record::{count, counted, findings, size};
use super::settings::{Make, Settings};
use super::sync;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::cli::subjects::shown;
use crate::cli::threads::threads;
use crate::cli::trust::Trust as Keys;
use crate::cli::verify::LevelArg;
use crate::limits::Limits;
use crate::mirror::{
    Checked, Checkee, Finding, IndexKind, Place, Repository, Severity, Subjects, check, defects, dropped,
    history_defects, retained_unsolvable, snapshot_defects, unsolvable,
};
use crate::publish::{Depth, StorePath, Tree};
use crate::transport::Location;
use crate::types::Architecture;
use crate::verify::{KeyNames, Keyring, Known, Policy, Proof, SignatureDemand};

/// Verifies a published tree from scratch, also one that another tool made
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// A directory with indexes in it, or with a `current`; without it, the tree of the configuration
    directory: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
    /// How much of packages is looked at
    #[arg(long, value_enum, default_value_t = LevelArg::Full)]
    level: LevelArg,
    /// Fetch again what does not hold (needs --config or the flags of the mirror)
    #[arg(long, conflicts_with = "directory")]
    repair: bool,
    /// Threads [default: number of cores]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    wait: WaitArgs,
}

/// The last JSON line.
#[derive(Serialize)]
struct Summary {
    indexes: usize,
    packages: usize,
    bytes: u64,
    errors: usize,
    warnings: usize,
    seconds: f64,
    exit: u8,
}

pub(super) fn run(args: &CheckArgs, output: &mut Output) -> Result<Exit, Failure> {
    let (begun, jobs) = (Instant::now(), threads(args.jobs)?);
    match &args.directory {
        Some(directory) => {
            let checked = foreign(args, directory, jobs, output)?;
            report(output, &checked, begun)
        }
        None => {
            let settings = Settings::load(&args.source, None, output)?;
            let checked = own(args, &settings, jobs, output)?;
            let exit = report(output, &checked, begun)?;
            if args.repair && exit != Exit::Holds {
                repair(args, &settings, checked, output)
            } else {
                Ok(exit)
            }
        }
    }
}

/// A directory that anybody made, with the keys that flags name.
fn foreign(args: &CheckArgs, directory: &Path, jobs: usize, output: &mut Output) -> Result<Checked, Failure> {
    let root = served(directory);
    let keys = Keys::load(&args.source.trust, output)?;
    let policy = Policy {
        key_names: if args.source.trust.any_key_name { KeyNames::Any } else { KeyNames::AsSigned },
        fingerprints: args.source.trust.fingerprints.clone(),
        pinned: keys.pinned,
        ..Policy::default()
    };
    let proof = Proof { keyring: &keys.keyring, policy: &policy, known: &keys.known };
    let limits = Limits::default();
    let mut checkees = Vec::new();
    for place in places(&root)? {
        let architecture = Architecture::parse(place.arch.as_bytes()).map_err(Failure::usage)?;
        let base = root.join(&place.repository).to_str().and_then(|text| Location::parse(text).ok());
        let (index, packages, demand, level) = (proof, proof, SignatureDemand::Required, args.level.into());
        checkees.push(Checkee { place, architecture, index, packages, demand, level, waivers: &[], base });
    }
    let dropped = BTreeSet::new();
    let bars = Bars::new(output);
    let checked = check(&Subjects { root, checkees, dropped, jobs, limits: &limits }, &bars);
    bars.finish();
    Ok(checked)
}

/// The tree of a configuration, with the keys of each repository.
fn own(args: &CheckArgs, settings: &Settings, jobs: usize, output: &Output) -> Result<Checked, Failure> {
    let look = Tree::look(settings.store(Make::Nothing)?);
    let root = served(&settings.config.mirror().to);
    let repositories = settings.config.repositories();
    let own_keys: Vec<Option<Keyring>> = repositories.iter().map(own_keyring).collect::<Result<_, _>>()?;
    let (policy, known) = (Policy::default(), Known::builtin());
    let mut checkees = Vec::new();
    for ((repository, trust), own) in repositories.iter().zip(&settings.trusts).zip(&own_keys) {
        let packages = trust.proof();
        let index = match own {
            Some(keyring) => Proof { keyring, policy: &policy, known: &known },
            None => packages,
        };
        for architecture in &repository.architectures {
            checkees.push(checkee(args, repository, architecture, index, packages));
        }
    }
    let dropped = dropped(&look).unwrap_or_default();
    let limits = settings.config.limits();
    let bars = Bars::new(output);
    let subjects = Subjects { root, checkees, dropped, jobs, limits };
    let mut checked = check(&subjects, &bars);
    bars.finish();
    let config = &settings.config;
    checked.findings.extend(unsolvable(config, &subjects, &checked));
    checked.findings.extend(retained_unsolvable(&look, config, &subjects, &checked));
    checked.findings.extend(defects(&look, &mut checked.broken));
    checked.findings.extend(history_defects(&look, config.limits()));
    let depth = if args.level == LevelArg::Full { Depth::Digests } else { Depth::Sizes };
    checked.findings.extend(snapshot_defects(&look, depth));
    Ok(checked)
}

fn checkee<'a>(
    args: &CheckArgs,
    repository: &'a Repository,
    architecture: &Architecture,
    index: Proof<'a>,
    packages: Proof<'a>,
) -> Checkee<'a> {
    Checkee {
        place: Place { repository: repository.name.clone(), arch: architecture.as_str().to_owned() },
        architecture: architecture.clone(),
        index,
        packages,
        demand: repository.package_signatures.into(),
        level: args.level.into(),
        waivers: &repository.waivers,
        base: repository.upstreams.texts().first().and_then(|text| Location::parse(text).ok()),
    }
}

/// Takes what does not hold out of the pool, and syncs.
fn repair(
    args: &CheckArgs,
    settings: &Settings,
    checked: Checked,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let signers = settings.signers()?;
    let mut tree =
        Tree::open(settings.store(Make::Nothing)?, args.wait.wait()).map_err(Failure::of_publish)?;
    let broken: BTreeSet<StorePath> =
        checked.broken.iter().filter_map(|path| StorePath::parse(path).ok()).collect();
    let doomed: Vec<_> = match tree.as_look().published().map_err(Failure::of_publish)? {
        Some(published) => broken.iter().filter_map(|path| Some(published.entry(path)?.sha256())).collect(),
        None => Vec::new(),
    };
    for sha256 in doomed {
        tree.discard(sha256).map_err(Failure::of_publish)?;
    }
    sync::whole(settings, &tree, &signers, &broken, output)
}

/// What is served of a tree of ours, or the directory itself.
fn served(directory: &Path) -> PathBuf {
    let current = directory.join("current");
    // A link that is exchanged meanwhile must not lead half of the check elsewhere.
    if current.is_dir() { current.canonicalize().unwrap_or(current) } else { directory.to_owned() }
}

/// Every place below a directory that has an index.
fn places(root: &Path) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name() {
        let entry = entry
            .with_context(|| format!("cannot read the directory {}", shown(root)))
            .map_err(Failure::local)?;
        if entry.file_name() != "APKINDEX.tar.gz" {
            continue;
        }
        let below = entry.path().parent().and_then(|folder| folder.strip_prefix(root).ok());
        let Some(below) = below.and_then(Path::to_str) else { continue };
        // An index in the root itself lies in the folder of its architecture.
        let (repository, arch) = below.rsplit_once('/').unwrap_or(("", below));
        if arch.is_empty() {
            let text = "expected the directory above the architectures, found an index in it:";
            return Err(Failure::usage(anyhow!("{text} {}", shown(root))));
        }
        places.push(Place { repository: repository.to_owned(), arch: arch.to_owned() });
    }
    if places.is_empty() {
        return Err(Failure::usage(anyhow!("no APKINDEX.tar.gz below {}", shown(root))));
    }
    Ok(places)
}

fn report(output: &mut Output, checked: &Checked, begun: Instant) -> Result<Exit, Failure> {
    let told: &[Finding] = &checked.findings;
    let exit = findings(output, told)?;
    let (errors, warnings) = (count(told, Severity::Error), count(told, Severity::Warning));
    let Checked { indexes, packages, bytes, .. } = *checked;
    if output.is_json() {
        let seconds = begun.elapsed().as_secs_f64();
        let exit = exit.code();
        output.record("summary", &Summary { indexes, packages, bytes, errors, warnings, seconds, exit })?;
    } else if !output.is_quiet() {
        let style = if exit == Exit::Holds { Style::Good } else { Style::Bad };
        let text = format!(
            "{} and {} ({}) hold, {}, {}",
            counted(indexes, "index"),
            counted(packages, "package"),
            size(bytes),
            counted(errors, "error"),
            counted(warnings, "warning"),
        );
        let text = output.paint(style, &text);
        output.line(&text)?;
    }
    Ok(exit)
}

/// Whether a repository has an index of our own.
pub(super) fn is_subset(repository: &Repository) -> bool {
    repository.index_kind == IndexKind::Subset
}
