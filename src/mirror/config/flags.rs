//! One repository as flags name it.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::raw::{OneOrMany, RawRepository};
use super::repository::{Closure, IndexKind};
use super::{Config, MirrorSettings, listed, parse};
use crate::limits::Limits;

/// What flags say of one repository.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Where it comes from, tried in order.
    pub upstreams: Vec<String>,
    /// A file of upstreams in their place.
    pub repositories: Option<PathBuf>,
    /// Its path below the tree.
    pub name: Option<String>,
    /// The architectures.
    pub architectures: Vec<String>,
    /// What is wanted.
    pub selections: Vec<String>,
    /// What comes with it.
    pub closure: Option<Closure>,
    /// Whose index is published.
    pub index_kind: Option<IndexKind>,
    /// What signs the index of a subset.
    pub sign_key: Option<PathBuf>,
    /// Where the keys come from, for messages: they are loaded elsewhere.
    pub keys: Vec<PathBuf>,
}

impl Config {
    /// A configuration of one repository, or of those of one file, as flags give it.
    ///
    /// # Errors
    /// - [`ConfigError`] as for a file.
    pub fn of_flags(mirror: MirrorSettings, flags: Flags, limits: Limits) -> Result<Self, ConfigError> {
        let folder = Path::new("");
        let raw = raw(flags);
        let repositories = listed::expanded(raw, 1, folder)?
            .into_iter()
            .map(|raw| parse::repository(raw, 1, folder))
            .collect::<Result<_, _>>()?;
        parse::whole(mirror, repositories, limits)
    }
}

fn raw(flags: Flags) -> RawRepository {
    let word = |word: &str| word.to_owned();
    RawRepository {
        name: flags.name,
        upstream: (!flags.upstreams.is_empty()).then_some(OneOrMany::Many(flags.upstreams)),
        repositories: flags.repositories,
        architectures: flags.architectures,
        keys: flags.keys,
        select: flags.selections,
        closure: flags.closure.map(|closure| match closure {
            Closure::Providers => word("providers"),
            Closure::Solved => word("solved"),
        }),
        index_kind: flags.index_kind.map(|kind| match kind {
            IndexKind::Subset => word("subset"),
            IndexKind::Upstream => word("upstream"),
        }),
        sign_key: flags.sign_key,
        ..RawRepository::default()
    }
}
