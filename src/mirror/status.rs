//! How a mirror is: what is published, how old it is, how the last run ended.

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::fetch::local;
use super::finding::{Class, Finding, worst};
use super::label;
use super::memory::{Init, recall};
use super::state::{Place, State};
use crate::limits::Limits;
use crate::publish::{Entry, EntryKind, Look, Manifest, Origin, PublishError, SnapshotHead, Tree, tree_hash};

/// How a run ended; kept apart from the trust state, which a refused run does not touch.
///
/// Shape: written when it differs in more than its time, so that `time` says since when runs end like this.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LastRun {
    schema: String,
    /// `ok`, or the class of the worst error.
    pub result: String,
    /// The codes of what was refused or failed, each once.
    pub codes: Vec<String>,
    /// The first sentence, without what came after it.
    pub message: Option<String>,
    /// Units: seconds since 1970.
    pub time: u64,
}

const SCHEMA: &str = "apkvet-run/1";

impl LastRun {
    /// The name of the document.
    pub const DOCUMENT: &'static str = "run.json";

    /// What is to be kept of a run.
    pub fn of(refused: &[Finding], now: u64) -> Self {
        let result = match worst(refused) {
            None => "ok",
            Some(Class::Locked) => "locked",
            Some(Class::Usage) => "usage",
            Some(Class::Refused) => "refused",
            Some(Class::State) => "state",
            Some(Class::Upstream) => "upstream",
            Some(Class::Network) => "network",
            Some(Class::Local) => "local",
        };
        let mut codes: Vec<String> = refused.iter().map(|finding| finding.code.to_owned()).collect();
        codes.sort();
        codes.dedup();
        Self {
            schema: SCHEMA.to_owned(),
            result: result.to_owned(),
            codes,
            message: refused.first().map(ToString::to_string),
            time: now,
        }
    }

    /// Writes it down if runs did not end like this before.
    ///
    /// # Errors
    /// - What publishing says.
    pub fn write(self, tree: &Tree) -> Result<(), Finding> {
        if Self::read(tree.as_look()).is_some_and(|known| Self { time: self.time, ..known } == self) {
            return Ok(());
        }
        let mut bytes =
            serde_json::to_vec_pretty(&self).map_err(|error| Finding::error(Class::Local, "run", error))?;
        bytes.push(b'\n');
        tree.write_document(Self::DOCUMENT, &bytes).map_err(|error| local(&error))
    }

    /// Reads it; none if there is none, or none that can be read.
    pub fn read(look: &Look) -> Option<Self> {
        let bytes = look.read_document(Self::DOCUMENT).ok().flatten()?;
        serde_json::from_slice::<Self>(&bytes).ok().filter(|run| run.schema == SCHEMA)
    }
}

/// What is published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// The number of the published generation.
    pub generation: Option<u64>,
    /// When it was made. Units: seconds since 1970.
    pub published: Option<u64>,
    /// All generations that are there, the published one last.
    pub generations: Vec<GenerationStatus>,
    /// All snapshots, by name.
    pub snapshots: Vec<SnapshotStatus>,
    /// The digest of everything that the published one lists, as lock files compare it.
    pub tree: Option<String>,
    /// Names of the public keys under `keys/`.
    pub keys: Vec<String>,
    /// Each index.
    pub indexes: Vec<IndexStatus>,
    /// How the last run ended.
    pub last_run: Option<LastRun>,
    /// What is wrong with what is remembered, and what has grown old.
    pub findings: Vec<Finding>,
}

/// One generation that is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GenerationStatus {
    /// Its number.
    pub number: u64,
    /// When it was made. Units: seconds since 1970.
    pub created: u64,
    /// Packages that its indexes list.
    pub packages: usize,
    /// Their size. Units: bytes.
    pub bytes: u64,
}

impl GenerationStatus {
    fn of(manifest: &Manifest) -> Self {
        let (packages, bytes) = listed(manifest.entries());
        Self { number: manifest.number(), created: manifest.created(), packages, bytes }
    }
}

/// One snapshot that is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SnapshotStatus {
    /// Its name.
    pub name: String,
    /// The generation that it was made of.
    pub generation: u64,
    /// When it was made. Units: seconds since 1970.
    pub created: u64,
    /// Packages that its indexes list.
    pub packages: usize,
    /// Their size. Units: bytes.
    pub bytes: u64,
    /// Whether a rule of the configuration made it.
    pub by_rule: bool,
    /// The digest of everything that it lists.
    pub tree: String,
}

impl SnapshotStatus {
    /// What there is to say of a snapshot.
    pub fn of(about: &SnapshotHead) -> Self {
        Self {
            name: about.name().to_string(),
            generation: about.generation(),
            created: about.created(),
            packages: about.packages(),
            bytes: about.bytes(),
            by_rule: about.origin() == Origin::Rule,
            tree: about.tree().to_owned(),
        }
    }
}

/// One published index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IndexStatus {
    /// Where it belongs.
    pub place: Place,
    /// Packages in it.
    pub packages: usize,
    /// Their size. Units: bytes.
    pub bytes: u64,
    /// How many of them upstream, or the selection, has no more.
    pub retained: usize,
    /// Files that are still there for clients with an older index.
    pub dropped: usize,
    /// When upstream made its index, if that is known. Units: seconds since 1970.
    pub time: Option<u64>,
    /// SHA-256 of upstream's index.
    pub upstream_sha256: Option<String>,
    /// What upstream says that it is.
    pub description: Option<String>,
    /// How old upstream's index is. Units: seconds.
    pub age: Option<u64>,
    /// How old it may be. Units: seconds.
    pub max_age: Option<u64>,
}

impl IndexStatus {
    /// Whether it is older than it may be.
    pub fn is_stale(&self) -> bool {
        matches!((self.age, self.max_age), (Some(age), Some(max_age)) if age > max_age)
    }
}

/// Looks at a tree; a configuration says how old its indexes may be.
///
/// # Errors
/// - A tree that cannot be read.
pub fn status(look: &Look, config: Option<&Config>, now: u64) -> Result<Status, Finding> {
    let published = look.published().map_err(|error| local(&error))?;
    let limits = config.map_or_else(Limits::default, |config| config.limits().clone());
    let (state, mut findings) = match recall(look, published.as_ref(), &limits, Init::Refuse) {
        Ok((state, findings)) => (state, findings),
        Err(finding) => (State::default(), vec![finding]),
    };
    let entries = || published.iter().flat_map(Manifest::entries);
    let mut indexes = Vec::new();
    for (place, _) in entries().filter_map(label::read_index) {
        let own = |entry: &&Entry| {
            label::read_package(entry)
                .is_some_and(|held| held.repository == place.repository && held.arch == place.arch)
        };
        let (listed, dropped): (Vec<&Entry>, Vec<&Entry>) =
            entries().filter(own).partition(|entry| entry.dropped_at().is_none());
        let remembered = state.remembered(&place);
        let time = remembered.and_then(|remembered| remembered.time);
        let repository = config.and_then(|config| {
            config.repositories().iter().find(|repository| repository.name == place.repository)
        });
        let one = IndexStatus {
            packages: listed.len(),
            bytes: listed.iter().fold(0, |sum, entry| sum.saturating_add(entry.size())),
            retained: listed.iter().filter(|entry| is_former(&state, &place, entry)).count(),
            dropped: dropped.len(),
            time,
            upstream_sha256: remembered.map(|remembered| remembered.sha256.clone()),
            description: remembered.and_then(|remembered| remembered.description.clone()),
            age: time.map(|time| now.saturating_sub(time)),
            max_age: repository
                .and_then(|repository| repository.max_age)
                .map(|max_age| max_age.age.as_secs()),
            place,
        };
        findings.extend(aged(&one));
        indexes.push(one);
    }
    let keys = entries().filter(|entry| entry.kind() == EntryKind::Key);
    Ok(Status {
        generation: published.as_ref().map(Manifest::number),
        published: published.as_ref().map(Manifest::created),
        generations: generations(look)?,
        snapshots: snapshots(look)?,
        tree: published.as_ref().map(|published| tree_hash(published.entries()).to_string()),
        keys: keys.filter_map(|entry| entry.path().name().map(str::to_owned)).collect(),
        indexes,
        last_run: LastRun::read(look),
        findings,
    })
}

/// Whether a package is there although it is dropped.
fn is_former(state: &State, place: &Place, entry: &Entry) -> bool {
    label::read_package(entry)
        .is_some_and(|held| state.former(place, &format!("{}-{}", held.name, held.version)).is_some())
}

/// Every snapshot that is whole; one that goes meanwhile is left out.
///
/// # Errors
/// - A tree that cannot be read.
pub fn snapshots(look: &Look) -> Result<Vec<SnapshotStatus>, Finding> {
    let mut snapshots = Vec::new();
    for name in look.snapshots().map_err(|error| local(&error))? {
        match look.snapshot_head(&name) {
            Ok(about) => snapshots.push(SnapshotStatus::of(&about)),
            Err(PublishError::NoSnapshot { .. }) => {}
            Err(error) => return Err(local(&error)),
        }
    }
    Ok(snapshots)
}

/// Number and size of the packages that the indexes among some files list.
fn listed<'e>(entries: impl Iterator<Item = &'e Entry>) -> (usize, u64) {
    let held = entries.filter_map(label::held);
    held.fold((0, 0), |(count, bytes), held| (count + 1, bytes.saturating_add(held.size)))
}

/// Every generation that is whole; one that goes meanwhile is left out.
fn generations(look: &Look) -> Result<Vec<GenerationStatus>, Finding> {
    let mut generations = Vec::new();
    for number in look.generations().map_err(|error| local(&error))? {
        match look.manifest(number) {
            Ok(manifest) => generations.push(GenerationStatus::of(&manifest)),
            Err(PublishError::NoGeneration { .. }) => {}
            Err(error) => return Err(local(&error)),
        }
    }
    Ok(generations)
}

/// What has grown old: a warning from half of its age on, a refused state beyond it.
fn aged(index: &IndexStatus) -> Option<Finding> {
    const DAY: u64 = 24 * 60 * 60;
    let (age, max_age) = (index.age?, index.max_age?);
    let text = format!("upstream's index is {} days old, {} are allowed", age / DAY, max_age / DAY);
    if age > max_age {
        let remedy = "look whether runs fail, and whether upstream is still served from its source";
        let finding = Finding::error(Class::State, "stale", text).remedied(Some(remedy));
        return Some(finding.at(&index.place));
    }
    (age > max_age / 2).then(|| Finding::warning("ageing", text).at(&index.place))
}
