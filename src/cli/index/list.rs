//! `apkvet index list`: the entries of an index, and questions about them.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Serialize;

use super::source::{Judge, JudgeArgs};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::index::{Query, Record, select};
use crate::types::{Dependency, escape_all};

/// List the entries of an index
///
/// All conditions that are given must hold. An index that is not verified is listed all the same, with a warning.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  apkvet index list APKINDEX.tar.gz 'py3-*'
  apkvet index list APKINDEX.tar.gz --provides so:libssl.so.3
  apkvet index list APKINDEX.tar.gz --who-needs openssl --json")]
pub(super) struct ListArgs {
    /// The index, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Names that match, with * for any text and ? for one character
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// Packages that answer to this name, by their own or by what they provide: so:libssl.so.3, 'cmd:sh', 'nginx>=1.22'
    #[arg(long, value_name = "ATOM")]
    provides: Option<String>,
    /// Packages that name exactly this among their dependencies
    #[arg(long, value_name = "NAME")]
    depends_on: Option<String>,
    /// Packages that need this package, by its name or by anything that it provides
    #[arg(long, value_name = "NAME")]
    who_needs: Option<String>,
    #[command(flatten)]
    judge: JudgeArgs,
}

/// One `entry` line.
#[derive(Debug, Serialize)]
struct EntryRecord {
    name: String,
    version: String,
    arch: Option<String>,
    /// Units: bytes.
    size: u64,
    /// Units: bytes.
    installed_size: Option<u64>,
    origin: Option<String>,
    license: Option<String>,
    description: Option<String>,
    url: Option<String>,
    maintainer: Option<String>,
    commit: Option<String>,
    /// Units: seconds since 1970.
    build_time: Option<u64>,
    provider_priority: u64,
    depends: Vec<String>,
    provides: Vec<String>,
    install_if: Vec<String>,
    identity: String,
    line: u64,
}

/// The last line, as JSON.
#[derive(Serialize)]
struct Summary {
    entries: usize,
    listed: usize,
    verdict: Option<&'static str>,
    exit: u8,
}

pub(super) fn run(args: &ListArgs, output: &mut Output) -> Result<Exit, Failure> {
    let judge = Judge::load(&args.judge, output)?;
    let provides = args.provides.as_deref().map(Dependency::parse).transpose();
    let provides = provides.context("--provides").map_err(Failure::usage)?;
    let judged = judge.look(&args.file, output)?;
    let Some(content) = &judged.content else { return Ok(Exit::Refused) };
    let query = Query {
        pattern: args.pattern.as_deref(),
        provides,
        depends_on: args.depends_on.as_deref(),
        who_needs: args.who_needs.as_deref(),
    };
    let found = select(&content.index, &query, judge.limits())
        .map_err(|limit| Failure::refused(anyhow!("{}: {limit}", judged.record.path)))?;
    let (entries, listed) = (content.index.len(), found.len());
    if output.is_json() {
        for record in &found {
            output.record("entry", &EntryRecord::of(record))?;
        }
        let summary = Summary { entries, listed, verdict: judged.record.verdict, exit: Exit::Holds.code() };
        output.record("summary", &summary)?;
        return Ok(Exit::Holds);
    }
    let mut table = Table::new(&["NAME", "VERSION", "ARCH", "SIZE", "ORIGIN", "LICENCE"]);
    for record in &found {
        let text = |text: Option<&str>| escape_all(text.unwrap_or("-")).to_string();
        table.row(
            None,
            vec![
                record.name().to_owned(),
                record.version().to_owned(),
                text(record.architecture()),
                size(record.size()),
                text(record.origin()),
                text(record.license()),
            ],
        );
    }
    table.print(output)?;
    if !output.is_quiet() {
        output.line(&format!("{listed} of {entries} entries"))?;
    }
    Ok(Exit::Holds)
}

impl EntryRecord {
    fn of(record: &Record<'_>) -> Self {
        let text = |text: Option<&str>| text.map(|text| escape_all(text).to_string());
        let field = |letter| text(record.field(letter));
        let atom = |atom: Dependency<'_>| escape_all(atom.as_str()).to_string();
        Self {
            name: record.name().to_owned(),
            version: record.version().to_owned(),
            arch: text(record.architecture()),
            size: record.size(),
            installed_size: record.installed_size(),
            origin: text(record.origin()),
            license: text(record.license()),
            description: field(b'T'),
            url: field(b'U'),
            maintainer: field(b'm'),
            commit: field(b'c'),
            build_time: record.build_time(),
            provider_priority: record.provider_priority(),
            depends: record.dependencies().map(atom).collect(),
            provides: record.provides().map(atom).collect(),
            install_if: record.install_if().map(atom).collect(),
            identity: record.identity().to_string(),
            line: record.line(),
        }
    }
}

/// A size with a unit, three digits at least.
fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| bytes >> shift > 0);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(shift, unit)| format!("{}.{} {unit}", bytes >> shift, tenth(bytes, shift)),
    )
}

/// The first digit behind the point.
fn tenth(bytes: u64, shift: u32) -> u64 {
    ((bytes & ((1 << shift) - 1)) * 10) >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_that_people_read() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(10 << 20), "10.0 MiB");
        assert_eq!(size(u64::MAX), "17179869183.9 GiB");
    }
}
