//! `apkvet keys`: whose keys lie here, and do they deserve it.

mod audit;
mod audit_json;
mod audit_objects;
mod audit_text;
mod diff;
mod list;
mod pin;
mod record;
mod show;
mod source;

use clap::{Args, Subcommand};

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;

/// Audits, lists, shows, compares and pins public keys
#[derive(Args, Debug)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
enum KeysCommand {
    Audit(audit::AuditArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Diff(diff::DiffArgs),
    Pin(pin::PinArgs),
}

pub(super) fn run(args: KeysArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.command {
        KeysCommand::Audit(args) => audit::run(&args, output),
        KeysCommand::List(args) => list::run(&args, output),
        KeysCommand::Show(args) => show::run(&args, output),
        KeysCommand::Diff(args) => diff::run(&args, output),
        KeysCommand::Pin(args) => pin::run(&args, output),
    }
}
