//! `apkvet mirror status`: how a mirror is, for people and for monitoring.

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use super::record::{count, counted, findings, size};
use super::target::TargetArgs;
use super::{pinned, snapshot, versions};
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::subjects::shown;
use crate::mirror::{Finding, GenerationStatus, IndexStatus, LastRun, Severity, Status, status};
use crate::types::escape_all;

/// Shows what is published, how old it is, and how the last run ended
#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    /// Show each version of this package: the proof that is kept of it, and what its path had before
    #[arg(value_name = "NAME", conflicts_with_all = ["client", "pinned"])]
    name: Option<String>,
    /// Show who has each version that the files of `pinned-by` name: upstream, the mirror alone, or nobody
    #[arg(long, conflicts_with = "client")]
    pinned: bool,
    #[command(flatten)]
    target: TargetArgs,
    /// Show what a client writes into /etc/apk/repositories, and which key it installs
    #[arg(long)]
    client: bool,
    /// Under which address clients reach the mirror
    #[arg(long, value_name = "URL", default_value = "http://MIRROR", requires = "client")]
    url: String,
}

/// The `status` line.
#[derive(Serialize)]
struct Record<'a> {
    to: String,
    generation: Option<u64>,
    published: Option<u64>,
    age: Option<u64>,
    generations: Vec<u64>,
    generation_list: Vec<Generation>,
    snapshots: Vec<snapshot::Record<'a>>,
    tree: Option<&'a str>,
    keys: &'a [String],
    packages: usize,
    bytes: u64,
    stale: bool,
    last_run: Option<Run<'a>>,
    indexes: Vec<Index<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Client>,
}

/// One generation that is there.
#[derive(Serialize)]
struct Generation {
    number: u64,
    created: u64,
    packages: usize,
    bytes: u64,
    published: bool,
}

#[derive(Serialize)]
struct Run<'a> {
    result: &'a str,
    codes: &'a [String],
    message: Option<&'a str>,
    since: u64,
}

#[derive(Serialize)]
struct Index<'a> {
    repository: &'a str,
    arch: &'a str,
    packages: usize,
    bytes: u64,
    retained: usize,
    dropped: usize,
    time: Option<u64>,
    age: Option<u64>,
    max_age: Option<u64>,
    stale: bool,
    description: Option<&'a str>,
    upstream_sha256: Option<&'a str>,
}

/// What a client needs.
#[derive(Serialize)]
struct Client {
    repositories: Vec<String>,
    keys: Vec<String>,
}

/// The last JSON line.
#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    exit: u8,
}

pub(super) fn run(args: &StatusArgs, output: &mut Output) -> Result<Exit, Failure> {
    let target = args.target.target()?;
    let (config, to, look) = (target.config.as_ref(), &target.to, target.look()?);
    if args.pinned {
        return pinned::show(&look, config, &shown(to), output);
    }
    if let Some(name) = &args.name {
        return versions::show(&look, config, &shown(to), name, output);
    }
    let found = status(&look, config, now()).map_err(|finding| Failure::local(anyhow!("{finding}")))?;
    let tags = |name: &str| {
        let mut repositories = config.iter().flat_map(|config| config.repositories());
        repositories.find(|repository| repository.name == name).and_then(|one| one.tag.clone())
    };
    let client = args.client.then(|| client(&found, &args.url, tags));
    let exit = if output.is_json() {
        output.record("status", &record(&shown(to), &found, client))?;
        findings(output, &found.findings)?
    } else if let Some(client) = client {
        words_for_client(output, &client)?;
        return Ok(Exit::Holds);
    } else {
        words(output, &shown(to), &found)?;
        findings(output, &found.findings)?
    };
    finish(output, &found.findings, exit)
}

fn record<'a>(to: &str, found: &'a Status, client: Option<Client>) -> Record<'a> {
    Record {
        to: to.to_owned(),
        generation: found.generation,
        published: found.published,
        age: found.published.map(|at| now().saturating_sub(at)),
        generations: found.generations.iter().map(|one| one.number).collect(),
        generation_list: found.generations.iter().map(|one| generation(one, found.generation)).collect(),
        snapshots: found.snapshots.iter().map(|one| snapshot::record(None, one)).collect(),
        tree: found.tree.as_deref(),
        keys: &found.keys,
        packages: found.indexes.iter().map(|index| index.packages).sum(),
        bytes: found.indexes.iter().map(|index| index.bytes).sum(),
        stale: found.indexes.iter().any(IndexStatus::is_stale),
        last_run: found.last_run.as_ref().map(|run| Run {
            result: &run.result,
            codes: &run.codes,
            message: run.message.as_deref(),
            since: run.time,
        }),
        indexes: found.indexes.iter().map(index).collect(),
        client,
    }
}

fn generation(one: &GenerationStatus, published: Option<u64>) -> Generation {
    let GenerationStatus { number, created, packages, bytes } = *one;
    Generation { number, created, packages, bytes, published: published == Some(number) }
}

fn index(index: &IndexStatus) -> Index<'_> {
    Index {
        repository: &index.place.repository,
        arch: &index.place.arch,
        packages: index.packages,
        bytes: index.bytes,
        retained: index.retained,
        dropped: index.dropped,
        time: index.time,
        age: index.age,
        max_age: index.max_age,
        stale: index.is_stale(),
        description: index.description.as_deref(),
        upstream_sha256: index.upstream_sha256.as_deref(),
    }
}

/// A line for each repository, in order, and the keys under `keys/`.
fn client(found: &Status, url: &str, tag: impl Fn(&str) -> Option<String>) -> Client {
    let url = url.trim_end_matches('/');
    let mut repositories: Vec<String> = Vec::new();
    for index in &found.indexes {
        let name = &index.place.repository;
        let line = match tag(name) {
            Some(tag) => format!("@{tag} {url}/{name}"),
            None => format!("{url}/{name}"),
        };
        if !repositories.contains(&line) {
            repositories.push(line);
        }
    }
    let keys = found.keys.iter().map(|key| format!("{url}/keys/{key}")).collect();
    Client { repositories, keys }
}

fn words_for_client(output: &mut Output, client: &Client) -> Result<(), Failure> {
    output.line("# /etc/apk/repositories")?;
    for line in &client.repositories {
        output.line(&escape_all(line).to_string())?;
    }
    if client.keys.is_empty() {
        output.line("# the indexes are upstream's: clients keep the keys of upstream")?;
    }
    for key in &client.keys {
        let name = key.rsplit('/').next().unwrap_or_default();
        output.line(&format!("# /etc/apk/keys/{name} is {}", escape_all(key)))?;
    }
    Ok(())
}

fn words(output: &mut Output, to: &str, found: &Status) -> Result<(), Failure> {
    let Some(generation) = found.generation else {
        output.line(&format!("{to}: nothing is published"))?;
        return last_run(output, found.last_run.as_ref());
    };
    let at = found.published.map(when).unwrap_or_default();
    let kept = found.generations.len();
    output
        .line(&format!("{to}: generation {generation}, made {at}; {} kept", counted(kept, "generation")))?;
    for index in &found.indexes {
        let time =
            index.time.map_or_else(|| "of unknown age".to_owned(), |time| format!("of {}", when(time)));
        let retained =
            if index.retained > 0 { format!(", {} of them retained", index.retained) } else { String::new() };
        let dropped =
            if index.dropped > 0 { format!(", {} for older indexes", index.dropped) } else { String::new() };
        output.line(&format!(
            "  {}/{}  {} ({}){retained}{dropped}; upstream's index {time}",
            index.place.repository,
            index.place.arch,
            counted(index.packages, "package"),
            size(index.bytes),
        ))?;
    }
    for key in &found.keys {
        output.line(&format!("  keys/{}", escape_all(key)))?;
    }
    history(output, found)?;
    last_run(output, found.last_run.as_ref())
}

/// Generations that a rollback can serve again; of many the newest, unless more is asked for.
fn history(output: &mut Output, found: &Status) -> Result<(), Failure> {
    const USUAL: usize = 10;
    let shown = if output.verbosity() == 0 { USUAL } else { usize::MAX };
    let hidden = found.generations.len().saturating_sub(shown);
    if hidden > 0 {
        output.line(&format!("  {} before these: -v shows them", counted(hidden, "generation")))?;
    }
    for one in found.generations.iter().skip(hidden) {
        let GenerationStatus { number, created, packages, bytes } = *one;
        let published = if found.generation == Some(number) { ", published" } else { "" };
        let what = format!("{} ({})", counted(packages, "package"), size(bytes));
        output.line(&format!("  generation {number}, made {}: {what}{published}", when(created)))?;
    }
    for one in &found.snapshots {
        output.line(&format!("  {}", snapshot::line(one)))?;
    }
    if let Some(tree) = found.tree.as_ref().filter(|_| output.verbosity() > 0) {
        output.line(&format!("  tree sha256:{tree}"))?;
    }
    Ok(())
}

fn last_run(output: &mut Output, run: Option<&LastRun>) -> Result<(), Failure> {
    let text = match run {
        None => "no run has ended yet".to_owned(),
        Some(LastRun { result, time, .. }) if result == "ok" => {
            format!("runs end well since {}", when(*time))
        }
        Some(LastRun { codes, message, time, .. }) => {
            let message = escape_all(message.as_deref().unwrap_or_default()).to_string();
            let codes = escape_all(&codes.join(", ")).to_string();
            format!("runs fail since {}: {message} ({codes})", when(*time))
        }
    };
    Ok(output.line(&text)?)
}

pub(super) fn finish(output: &mut Output, told: &[Finding], exit: Exit) -> Result<Exit, Failure> {
    if output.is_json() {
        let (errors, warnings) = (count(told, Severity::Error), count(told, Severity::Warning));
        output.record("summary", &Summary { errors, warnings, exit: exit.code() })?;
    }
    Ok(exit)
}

/// A time as people read it, in UTC.
pub(super) fn when(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| format!("second {seconds}"), |time| time.to_string())
}
