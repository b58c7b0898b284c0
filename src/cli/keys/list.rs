//! `apkvet keys list`: what is trusted here, and what is known.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::record::KeyRecord;
use super::source::directories;
use crate::cli::clock::today;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::known::KnownArgs;
use crate::cli::output::{Output, Style};
use crate::cli::subjects::shown;
use crate::cli::table::Table;

/// Lists the keys that are trusted here, and those that are known by fact
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// List this directory (repeatable) [default: /etc/apk/keys, /lib/apk/keys]
    #[arg(long = "keys-dir", value_name = "DIR")]
    directories: Vec<PathBuf>,
    #[command(flatten)]
    known: KnownArgs,
}

/// The last line, as JSON.
#[derive(Serialize)]
struct Summary<'a> {
    trusted: usize,
    not_loaded: usize,
    known: usize,
    known_date: &'a str,
    exit: u8,
}

pub(super) fn run(args: &ListArgs, output: &mut Output) -> Result<Exit, Failure> {
    let known = args.known.load()?;
    let today = today();
    let directories = directories(&args.directories)?;
    let files = directories.iter().flat_map(|directory| directory.files());
    let trusted: Vec<_> = files.map(|file| KeyRecord::of_file("trusted", file, &known, today)).collect();
    let facts: Vec<_> = known.keys().iter().map(|key| KeyRecord::of_known(key, today)).collect();
    let loaded = trusted.iter().filter(|record| record.loaded).count();
    if output.is_json() {
        for record in trusted.iter().chain(&facts) {
            output.record("key", record)?;
        }
        let (not_loaded, known_date) = (trusted.len() - loaded, known.date());
        let summary =
            Summary { trusted: loaded, not_loaded, known: facts.len(), known_date, exit: Exit::Holds.code() };
        output.record("summary", &summary)?;
        return Ok(Exit::Holds);
    }
    let mut rest = trusted.as_slice();
    for directory in &directories {
        let (here, after) = rest.split_at_checked(directory.files().len()).unwrap_or((rest, &[]));
        output.line(&format!("In {} (apk trusts each of them for everything):", shown(directory.path())))?;
        table(here).print(output)?;
        output.line("")?;
        rest = after;
    }
    output.line(&format!("Known by fact, not trusted for that (list of {}):", known.date()))?;
    table(&facts).print(output)?;
    output.line("")?;
    output.line(&format!("{} files, {loaded} loaded by apk; {} known keys", trusted.len(), facts.len()))?;
    Ok(Exit::Holds)
}

fn table(records: &[KeyRecord]) -> Table {
    let mut table = Table::new(&["FILE", "TYPE", "AGE", "FINGERPRINT", "ORIGIN", "STATE"]);
    for record in records {
        let style = (record.state() == "NOT LOADED").then_some(Style::Bad);
        let cells = [
            record.name.clone(),
            record.kind_and_bits(),
            record.age.clone(),
            record.short.clone(),
            record.origin(),
            record.state().to_owned(),
        ];
        table.row(style, cells.to_vec());
    }
    table
}
