//! The configuration as it is written; unknown keys are errors, since a misspelt guard is no guard.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) mirror: RawMirror,
    #[serde(default)]
    pub(super) repository: Vec<RawRepository>,
    #[serde(default)]
    pub(super) limits: BTreeMap<String, CountOrWord>,
}

/// `[mirror]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawMirror {
    pub(super) to: PathBuf,
    pub(super) grace: Option<String>,
    pub(super) connections: Option<usize>,
    #[serde(default)]
    pub(super) owners: BTreeMap<String, String>,
    pub(super) shrink_percent: Option<u8>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) metrics: Option<PathBuf>,
    #[serde(default)]
    pub(super) hook: Vec<String>,
    pub(super) snapshots: Option<String>,
    pub(super) keep_snapshots: Option<usize>,
    #[serde(default)]
    pub(super) locks: Vec<PathBuf>,
}

/// One value, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// A count or a word.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum CountOrWord {
    Count(u64),
    Word(String),
}

/// `[[repository]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawRepository {
    pub(super) name: Option<String>,
    pub(super) set: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) upstream: Option<OneOrMany>,
    pub(super) repositories: Option<PathBuf>,
    pub(super) architectures: Vec<String>,
    #[serde(default)]
    pub(super) keys: Vec<PathBuf>,
    pub(super) key_pins: Option<PathBuf>,
    pub(super) package_signatures: Option<String>,
    pub(super) level: Option<String>,
    pub(super) min_digest: Option<String>,
    pub(super) index_kind: Option<String>,
    pub(super) sign_key: Option<PathBuf>,
    #[serde(default)]
    pub(super) build_index: bool,
    #[serde(default)]
    pub(super) select: Vec<String>,
    pub(super) closure: Option<String>,
    pub(super) retain: Option<CountOrWord>,
    #[serde(default)]
    pub(super) pinned_by: Vec<String>,
    pub(super) rebuilt: Option<String>,
    pub(super) description: Option<String>,
    pub(super) max_age: Option<String>,
    pub(super) max_age_unknown: Option<String>,
    #[serde(default)]
    pub(super) waive: Vec<String>,
    pub(super) auth_file: Option<PathBuf>,
}
