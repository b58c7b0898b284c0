//! `apkvet mirror export`: what is published, in one file for a mirror without a way out.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use super::beside::write;
use super::plan::refusal;
use super::record::{counted, size};
use super::target::TargetArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::fetch::spool::Spool;
use crate::cli::output::{Output, Style};
use crate::cli::subjects::shown;
use crate::mirror::bundle::{Exported, export};
use crate::transport::Sink;

/// Writes what is published into one file, for `mirror import` on a machine without a network
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// The bundle
    file: PathBuf,
    /// Leave out packages that this generation lists: the other side has them
    #[arg(long, value_name = "GENERATION")]
    since: Option<u64>,
    #[command(flatten)]
    target: TargetArgs,
}

/// The last JSON line.
#[derive(Serialize)]
struct Summary<'a> {
    output: String,
    size: u64,
    generation: u64,
    base: Option<u64>,
    packages: usize,
    bytes: u64,
    tree: &'a str,
    list_sha256: &'a str,
    exit: u8,
}

pub(super) fn run(args: &ExportArgs, output: &mut Output) -> Result<Exit, Failure> {
    let look = args.target.target()?.look()?;
    let mut refused = None;
    let written = write(&args.file, |spool| {
        export(&look, args.since, &mut Sinking(spool)).map_err(|finding| {
            // An error keeps the file from appearing.
            let failure = Failure::local(anyhow!("{finding}"));
            refused = Some(finding);
            failure
        })
    });
    if let Some(finding) = refused {
        return refusal(output, &[finding]);
    }
    finish(args, &written?, output)?;
    Ok(Exit::Holds)
}

fn finish(args: &ExportArgs, exported: &Exported, output: &mut Output) -> Result<(), Failure> {
    let (packages, bytes) = exported.bundle.packages();
    if output.is_json() {
        let summary = Summary {
            output: shown(&args.file),
            size: exported.size,
            generation: exported.bundle.generation,
            base: exported.bundle.base,
            packages,
            bytes,
            tree: &exported.bundle.tree,
            list_sha256: &exported.sha256,
            exit: Exit::Holds.code(),
        };
        return Ok(output.record("summary", &summary)?);
    }
    if output.is_quiet() {
        return Ok(());
    }
    let since =
        exported.bundle.base.map_or_else(String::new, |base| format!(", new since generation {base}"));
    let text = format!(
        "{}: {} ({}) of generation {}{since}; tree sha256:{}",
        shown(&args.file),
        counted(packages, "package"),
        size(bytes),
        exported.bundle.generation,
        exported.bundle.tree
    );
    let text = output.paint(Style::Good, &text);
    Ok(output.line(&text)?)
}

/// A private file as a sink.
struct Sinking<'a, 's>(&'a mut Spool<'s>);

impl Write for Sinking<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Sink::write(self.0, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
