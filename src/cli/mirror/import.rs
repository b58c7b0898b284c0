//! `apkvet mirror import`: takes in what another mirror has exported, verified again.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::args::{AllowedArgs, SourceArgs, WaitArgs};
use super::settings::{Make, Settings};
use super::sync;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::subjects::shown;
use crate::mirror::bundle::import;
use crate::publish::Tree;

/// Verifies a bundle by the keys of this configuration, and publishes what it holds; asks no network
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// The bundle, as `mirror export` wrote it
    file: PathBuf,
    /// What the mirror is to hold (docs/configuration.md)
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    allowed: AllowedArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(super) fn run(args: &ImportArgs, output: &mut Output) -> Result<Exit, Failure> {
    let source = SourceArgs::of_config(Some(args.config.clone()));
    let settings = Settings::load(&source, Some(&args.allowed), output)?;
    let signers = settings.signers()?;
    let opened = File::open(&args.file).with_context(|| format!("cannot read {}", shown(&args.file)));
    let bundle = BufReader::with_capacity(256 << 10, opened.map_err(Failure::local)?);
    let tree = Tree::open(settings.store(Make::Root)?, args.wait.wait()).map_err(Failure::of_publish)?;
    if let Some(exit) = sync::own_indexes(&settings, &tree, output)? {
        return Ok(exit);
    }
    sync::run_with(&settings, &tree, &signers, output, |mirror, signers| {
        import(mirror, &tree, signers, bundle).map(|imported| imported.outcome)
    })
}
