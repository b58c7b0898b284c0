//! `apkvet mirror status NAME`: where the versions of a package came from.

use serde::Serialize;

use super::record::{findings, size};
use super::status::{finish, when};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::limits::Limits;
use crate::mirror::{Config, VersionStatus, versions};
use crate::publish::Look;
use crate::types::escape_all;

/// The `status` line.
#[derive(Serialize)]
struct Record<'a> {
    to: &'a str,
    name: String,
    versions: Vec<Version<'a>>,
}

/// One version, as the tree of a mirror proves it.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Version<'a> {
    repository: &'a str,
    arch: &'a str,
    version: &'a str,
    identity: &'a str,
    datahash: &'a str,
    sha256: &'a str,
    size: u64,
    keys: &'a [String],
    via: &'a str,
    level: &'a str,
    waived: Option<&'a str>,
    index_sha256: &'a str,
    upstream: &'a str,
    verified: u64,
    listed: bool,
    upstream_has: bool,
    dropped_at: Option<u64>,
    unlisted: Option<&'a str>,
    other_bytes: Vec<Other<'a>>,
}

#[derive(Debug, Serialize)]
struct Other<'a> {
    time: u64,
    sha256: &'a str,
}

pub(super) fn show(
    look: &Look,
    config: Option<&Config>,
    to: &str,
    name: &str,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let limits = config.map_or_else(Limits::default, |config| config.limits().clone());
    let (found, told) = match versions(look, &limits, name) {
        Ok(found) => found,
        Err(finding) => (Vec::new(), vec![finding]),
    };
    let name = escape_all(name).to_string();
    if output.is_json() {
        let versions = found.iter().map(version).collect();
        output.record("status", &Record { to, name, versions })?;
    } else if found.is_empty() {
        output.line(&format!("{name}: the mirror keeps no proof of a package of this name"))?;
    } else {
        found.iter().try_for_each(|one| words(output, one))?;
    }
    let exit = findings(output, &told)?;
    finish(output, &told, exit)
}

/// The version as JSON.
pub(in crate::cli) fn version(status: &VersionStatus) -> Version<'_> {
    let VersionStatus { place, proof, .. } = status;
    let other = status.others.iter().map(|other| Other { time: other.time, sha256: &other.sha256 });
    Version {
        repository: &place.repository,
        arch: &place.arch,
        version: &proof.version,
        identity: &proof.identity,
        datahash: &proof.datahash,
        sha256: &proof.sha256,
        size: proof.size,
        keys: &proof.keys,
        via: &proof.via,
        level: &proof.level,
        waived: proof.waived.as_deref(),
        index_sha256: &proof.index,
        upstream: &proof.upstream,
        verified: proof.time,
        listed: status.listed,
        upstream_has: status.upstream,
        dropped_at: status.dropped_at,
        unlisted: status.unlisted.as_deref(),
        other_bytes: other.collect(),
    }
}

/// The version in words.
pub(in crate::cli) fn words(output: &mut Output, status: &VersionStatus) -> Result<(), Failure> {
    let VersionStatus { place, proof, .. } = status;
    let state = match (status.listed, status.dropped_at, &status.unlisted) {
        (true, None, _) => "listed".to_owned(),
        (true, Some(at), _) => format!("retained since {}", when(at)),
        (false, _, Some(why)) => format!("kept without being listed: {}", escape_all(why)),
        (false, _, None) => {
            "dropped; its file stays for older indexes until the grace period is over".to_owned()
        }
    };
    output.line(&format!(
        "{}/{}  {}  {}  {state}",
        place.repository,
        place.arch,
        proof.label(),
        size(proof.size)
    ))?;
    output.line(&format!("  sha256 {}", proof.sha256))?;
    output.line(&format!("  signed by {} ({})", proof.keys.join(", "), proof.via))?;
    output.line(&format!("  index sha256 {}", proof.index))?;
    output.line(&format!("  from {}, verified {}", escape_all(&proof.upstream), when(proof.time)))?;
    if status.others.is_empty() {
        output.line("  its path never had other bytes")?;
    }
    for other in &status.others {
        output.line(&format!("  its path had sha256 {} from {}", other.sha256, when(other.time)))?;
    }
    Ok(())
}
