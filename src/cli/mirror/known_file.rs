//! `apkvet inspect FILE --config …`: whether a mirror knows the very file, and what it proved of it.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use super::settings::{Make, of_file, store};
use super::versions::{Version, version, words};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::limits::Limits;
use crate::mirror::{VersionStatus, of_file as known_of_file};
use crate::publish::Tree;

/// Which mirror is asked.
#[derive(Args, Debug)]
pub(in crate::cli) struct KnownArgs {
    /// Ask the mirror of this configuration whether it knows the file, and show its proof
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    config: Option<PathBuf>,
    /// Ask the mirror with this root
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// What a mirror knows of a file; none if no mirror was asked.
#[derive(Debug)]
pub(in crate::cli) struct KnownFile(Option<Vec<VersionStatus>>);

/// A record with what a mirror knows behind its own fields.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Known<'k, T> {
    #[serde(flatten)]
    record: &'k T,
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror: Option<Vec<Version<'k>>>,
}

impl<'k, T> Known<'k, T> {
    /// The record, and what is known beside.
    pub(in crate::cli) fn of(record: &'k T, known: &'k KnownFile) -> Self {
        Self { record, mirror: known.0.as_ref().map(|known| known.iter().map(version).collect()) }
    }
}

impl KnownFile {
    /// Asks for a SHA-256 in hexadecimal.
    pub(in crate::cli) fn ask(args: &KnownArgs, sha256: Option<&str>) -> Result<Self, Failure> {
        let config = args.config.as_deref().map(of_file).transpose()?;
        let to = config.as_ref().map(|config| config.mirror().to.clone()).or_else(|| args.to.clone());
        let Some(to) = to else { return Ok(Self(None)) };
        let limits = config.map_or_else(Limits::default, |config| config.limits().clone());
        let look = Tree::look(store(&to, Make::Nothing)?);
        let known = sha256.map(|sha256| known_of_file(&look, &limits, sha256)).transpose();
        let known = known.map_err(|finding| Failure::local(anyhow!("{finding}")))?;
        Ok(Self(Some(known.map(|(known, _)| known).unwrap_or_default())))
    }

    /// In words.
    pub(in crate::cli) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let Some(known) = &self.0 else { return Ok(()) };
        let what = if known.is_empty() {
            "the mirror does not know this file"
        } else {
            "the mirror knows this file:"
        };
        output.line(what)?;
        known.iter().try_for_each(|one| words(output, one))
    }
}
