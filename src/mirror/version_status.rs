//! Where the versions of a package came from, and whether their paths ever had other bytes.

use super::chronicle;
use super::fetch::local;
use super::finding::Finding;
use super::history::{Event, History};
use super::memory::{Init, recall};
use super::run::package_path;
use super::state::{Place, Provenance};
use crate::limits::Limits;
use crate::publish::Look;

/// One version of a package that the mirror has a proof of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VersionStatus {
    /// Where it belongs.
    pub place: Place,
    /// The proof that is kept of it.
    pub proof: Provenance,
    /// Whether clients find it in the index.
    pub listed: bool,
    /// Since when upstream, or the selection, has it no more. Units: seconds since 1970.
    pub dropped_at: Option<u64>,
    /// Whether upstream had it when the last run looked.
    pub upstream: bool,
    /// Why it is kept without being listed.
    pub unlisted: Option<String>,
    /// What its path had at other times, the oldest first.
    pub others: Vec<Other>,
}

/// Other bytes at the path of a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Other {
    /// Since when. Units: seconds since 1970.
    pub time: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// Everything that is known of the versions of a name, by place and version.
///
/// # Errors
/// - A tree that cannot be read, or a trust state that is lost.
pub fn versions(
    look: &Look,
    limits: &Limits,
    name: &str,
) -> Result<(Vec<VersionStatus>, Vec<Finding>), Finding> {
    proven(look, limits, |proof| proof.name == name)
}

/// Everything that is known of a file, by its SHA-256 in hexadecimal.
///
/// # Errors
/// - As [`versions`].
pub fn of_file(
    look: &Look,
    limits: &Limits,
    sha256: &str,
) -> Result<(Vec<VersionStatus>, Vec<Finding>), Finding> {
    proven(look, limits, |proof| proof.sha256 == sha256)
}

fn proven(
    look: &Look,
    limits: &Limits,
    asked: impl Fn(&Provenance) -> bool,
) -> Result<(Vec<VersionStatus>, Vec<Finding>), Finding> {
    let published = look.published().map_err(|error| local(&error))?;
    let (state, mut findings) = recall(look, published.as_ref(), limits, Init::Refuse)?;
    let history = chronicle::history(look, &state).unwrap_or_else(|finding| {
        findings.push(finding);
        History::default()
    });
    let proofs = state.proofs().filter(|(_, proof)| asked(proof));
    let versions = proofs.map(|(place, proof)| {
        let former = state.former(place, &proof.label());
        let path = package_path(place, &format!("{}.apk", proof.label()));
        let entry = path.as_ref().and_then(|path| published.as_ref()?.entry(path));
        VersionStatus {
            place: place.clone(),
            proof: proof.clone(),
            listed: entry.is_some_and(|entry| entry.dropped_at().is_none()),
            dropped_at: former.map(|former| former.dropped_at),
            upstream: former.is_none_or(|former| former.upstream),
            unlisted: former.and_then(|former| former.unlisted.clone()),
            others: path.map(|path| others(&history, path.as_str(), proof)).unwrap_or_default(),
        }
    });
    let versions = versions.collect();
    Ok((versions, findings))
}

fn others(history: &History, path: &str, proof: &Provenance) -> Vec<Other> {
    let events = history.of_path(path).filter(|(_, entry)| entry.event != Event::Dropped);
    let mut others: Vec<Other> = Vec::new();
    for (time, entry) in events.filter(|(_, entry)| entry.sha256 != proof.sha256) {
        if !others.iter().any(|other| other.sha256 == entry.sha256) {
            others.push(Other { time, sha256: entry.sha256.clone() });
        }
    }
    others
}
