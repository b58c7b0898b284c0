//! `apkvet mirror`: a verified subset of repositories, kept and served.

mod args;
mod beside;
mod check;
mod diff;
mod export;
mod hook;
mod import;
pub(super) mod known_file;
mod lock;
mod metrics;
mod own_key;
mod own_packages;
mod pinned;
mod plan;
mod progress;
mod prune;
mod record;
mod rollback;
mod roots;
mod settings;
mod snapshot;
mod status;
mod sync;
mod target;
pub(super) mod versions;

use clap::{Args, Subcommand};

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;

/// Keeps a verified mirror: plans, syncs, checks, reports, prunes
#[derive(Args, Debug)]
pub(super) struct MirrorArgs {
    #[command(subcommand)]
    command: MirrorCommand,
}

/// What to do with a mirror.
#[derive(Debug, Subcommand)]
enum MirrorCommand {
    Plan(plan::PlanArgs),
    Sync(sync::SyncArgs),
    Check(check::CheckArgs),
    Status(status::StatusArgs),
    Lock(lock::LockArgs),
    Diff(diff::DiffArgs),
    Snapshot(snapshot::SnapshotArgs),
    Rollback(rollback::RollbackArgs),
    Prune(prune::PruneArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
}

pub(super) fn run(args: MirrorArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.command {
        MirrorCommand::Plan(args) => plan::run(&args, output),
        MirrorCommand::Sync(args) => sync::run(&args, output),
        MirrorCommand::Check(args) => check::run(&args, output),
        MirrorCommand::Status(args) => status::run(&args, output),
        MirrorCommand::Diff(args) => diff::run(&args, output),
        MirrorCommand::Lock(args) => lock::run(&args, output),
        MirrorCommand::Snapshot(args) => snapshot::run(&args, output),
        MirrorCommand::Rollback(args) => rollback::run(&args, output),
        MirrorCommand::Prune(args) => prune::run(&args, output),
        MirrorCommand::Export(args) => export::run(&args, output),
        MirrorCommand::Import(args) => import::run(&args, output),
    }
}
