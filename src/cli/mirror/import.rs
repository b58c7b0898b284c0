//! `apkvet mirror import`: takes in what another mirror has exported, verified again.

use std::fs::File;
use std::io::{self, BufReader, Read};
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
use crate::transport::Cancel;

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
    let reader = BufReader::with_capacity(256 << 10, opened.map_err(Failure::local)?);
    let bundle = Ending { reader, cancel: settings.cancel.clone() };
    let tree = Tree::open(settings.store(Make::Root)?, args.wait.wait()).map_err(Failure::of_publish)?;
    if let Some(exit) = sync::own_indexes(&settings, &tree, output)? {
        return Ok(exit);
    }
    sync::run_with(&settings, &tree, &signers, output, |mirror, signers| {
        import(mirror, &tree, signers, bundle).map(|imported| imported.outcome)
    })
}

/// A bundle that ends when a signal ends the run: gigabytes may be left of it.
struct Ending<R> {
    reader: R,
    cancel: Cancel,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("interrupted"));
        }
        self.reader.read(buffer)
    }
}
