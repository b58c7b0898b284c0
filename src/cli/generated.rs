//! What is made from the definition of the arguments: completions for shells, and manual pages.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::args::{Arguments, NAME};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::subjects::shown;

/// Prints what a shell needs to complete the words of apkvet
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  apkvet completions bash > /etc/bash_completion.d/apkvet")]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

/// Writes the manual pages, one for each command
#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// The folder that they are written into
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), NAME, &mut text);
    output.raw(&text)?;
    Ok(Exit::Holds)
}

pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let cannot = || format!("cannot write manual pages into {}", shown(&args.directory));
    clap_mangen::generate_to(Arguments::command(), &args.directory)
        .with_context(cannot)
        .map_err(Failure::local)?;
    Ok(Exit::Holds)
}
