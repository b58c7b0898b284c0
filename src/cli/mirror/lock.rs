//! `apkvet mirror lock`: writes down exactly what is published.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Serialize;

use super::beside::put;
use super::plan::refusal;
use super::record::counted;
use super::target::TargetArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::subjects::shown;
use crate::mirror::lock;
use crate::mirror::lock_file::LockFile;

/// Writes what the selection resolved to and is published: for `mirror sync --locked`, elsewhere and later
#[derive(Args, Debug)]
pub(super) struct LockArgs {
    /// The lock file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

/// The last JSON line.
#[derive(Serialize)]
struct Summary<'a> {
    generation: u64,
    indexes: usize,
    packages: usize,
    tree: &'a str,
    output: String,
    exit: u8,
}

pub(super) fn run(args: &LockArgs, output: &mut Output) -> Result<Exit, Failure> {
    let target = args.target.target()?;
    if args.output.is_none() && output.is_json() {
        return Err(Failure::usage(anyhow!("a lock file is no JSON line: expected -o FILE with --json")));
    }
    let locked = match lock(&target.look()?, &target.limits()) {
        Ok(locked) => locked,
        Err(refused) => return refusal(output, &refused),
    };
    let text = locked.file.to_text().context("cannot write the lock file").map_err(Failure::local)?;
    let Some(path) = &args.output else {
        output.raw(text.as_bytes())?;
        output.note(&format!("tree sha256:{}", locked.tree));
        return Ok(Exit::Holds);
    };
    put(path, text.as_bytes())?;
    let (indexes, packages) = (locked.file.indexes().len(), locked.file.packages().len());
    if output.is_json() {
        let summary = Summary {
            generation: locked.generation,
            indexes,
            packages,
            tree: &locked.tree,
            output: shown(path),
            exit: Exit::Holds.code(),
        };
        output.record("summary", &summary)?;
    } else if !output.is_quiet() {
        let packages = counted(packages, "package");
        let generation = locked.generation;
        output.line(&format!(
            "{}: {packages} of generation {generation}, tree sha256:{}",
            shown(path),
            locked.tree
        ))?;
    }
    Ok(Exit::Holds)
}

/// Lock files are smaller than this: one of a million packages. Units: bytes.
const MAX_LOCK: u64 = 512 << 20;

fn whole(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let opened = std::fs::File::open(path);
    opened
        .and_then(|file| file.take(MAX_LOCK + 1).read_to_end(&mut text))
        .with_context(|| format!("cannot read {}", shown(path)))
        .map_err(Failure::local)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= MAX_LOCK) {
        return Ok(text);
    }
    Err(Failure::usage(anyhow!(
        "expected a lock file of at most {MAX_LOCK} bytes, found {} larger",
        shown(path)
    )))
}

/// Reads a lock file that a run is to be held to.
pub(super) fn of_file(path: &Path) -> Result<LockFile, Failure> {
    LockFile::parse(&whole(path)?)
        .with_context(|| format!("cannot use the lock file {}", shown(path)))
        .map_err(Failure::usage)
}
