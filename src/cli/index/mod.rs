//! `apkvet index`: what a repository promises, judged, asked, compared and made.

mod build;
mod check;
mod diff;
mod finding;
mod list;
mod packages;
mod signing;
mod source;

#[cfg(feature = "network")]
pub(super) use build::refresh;

use clap::{Args, Subcommand};

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;

/// Checks, lists, compares and builds indexes (APKINDEX.tar.gz)
#[derive(Args, Debug)]
pub(super) struct IndexArgs {
    #[command(subcommand)]
    command: IndexCommand,
}

/// What to do with indexes.
#[derive(Debug, Subcommand)]
enum IndexCommand {
    Check(check::CheckArgs),
    List(list::ListArgs),
    Diff(diff::DiffArgs),
    Build(build::BuildArgs),
}

pub(super) fn run(args: IndexArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.command {
        IndexCommand::Check(args) => check::run(&args, output),
        IndexCommand::List(args) => list::run(&args, output),
        IndexCommand::Diff(args) => diff::run(&args, output),
        IndexCommand::Build(args) => build::run(&args, output),
    }
}
