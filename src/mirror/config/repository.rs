//! One repository: where it comes from, whom it trusts, what of it is wanted.

use std::path::PathBuf;
use std::time::Duration;

use regex_lite::Regex;

use crate::types::Architecture;
use crate::unverified::Level;
use crate::verify::MinDigest;

/// Where the same repository can be fetched, tried in order.
///
/// Shape: http(s) URLs or folders; a URL may hold credentials and is never printed as it is.
#[derive(Clone, Eq, PartialEq)]
pub struct Upstreams {
    texts: Vec<String>,
    unpacked: Option<Unpacked>,
}

/// A folder that stands for the upstreams during one run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unpacked {
    /// Where it lies.
    pub folder: PathBuf,
    /// What it is called in what is told and kept.
    pub label: String,
}

impl Upstreams {
    /// Upstreams as texts, tried in order.
    pub const fn new(texts: Vec<String>) -> Self {
        Self { texts, unpacked: None }
    }

    /// The same upstreams, of which a folder has what they have.
    #[must_use]
    pub fn unpacked_to(self, folder: PathBuf, label: String) -> Self {
        Self { unpacked: Some(Unpacked { folder, label }), ..self }
    }

    /// The folder that stands for them.
    pub const fn unpacked(&self) -> Option<&Unpacked> {
        self.unpacked.as_ref()
    }

    /// The texts as written.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// Not the texts: they may hold credentials.
impl std::fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} upstreams", self.texts.len())
    }
}

/// Whose index is published.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IndexKind {
    /// The whole repository, with upstream's signed index byte for byte.
    Upstream,
    /// Entries byte for byte, in an index of our own.
    Subset,
}

/// What is demanded of a package beside its index entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PackageSignatures {
    /// A good signature by a key of this repository.
    Required,
    /// A good one if a key of this repository is named; bad ones are refused in any case.
    Known,
    /// The index entry alone: for repositories whose packages carry no signature.
    Index,
}

/// What a selection brings with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closure {
    /// Every provider of every dependency, and what installs itself.
    Providers,
    /// What apk would install.
    Solved,
}

/// How long versions that upstream dropped stay listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retain {
    /// So many versions of a name; 0: none.
    Count(u64),
    /// So long after upstream dropped them.
    Period(Duration),
    /// For good.
    All,
}

/// What happens when upstream has other bytes under the same version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rebuilt {
    /// The run is refused.
    Refuse,
    /// The old package stays.
    KeepOld,
}

/// How old an index may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MaxAge {
    /// The bound.
    pub age: Duration,
    /// What happens when the index says nothing of its age.
    pub unknown: UnknownAge,
}

/// What happens when an index says nothing of its age.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnknownAge {
    /// The run is refused.
    Refuse,
    /// A warning.
    Warn,
}

/// What is wanted of a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selection {
    /// Atoms, globs, `*`, and `world:FILE`, whose file is relative to the configuration.
    pub requests: Vec<String>,
    /// What comes with them.
    pub closure: Closure,
    /// How long dropped versions stay.
    pub retain: Retain,
    /// Files that name versions which stay whatever `retain` says.
    pub pinned_by: Vec<String>,
}

/// One known bad package that is taken all the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiver {
    /// Name and version.
    pub package: String,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// The code that is waived.
    pub code: String,
}

/// One repository of a mirror.
#[derive(Clone, Debug)]
pub struct Repository {
    /// The path below the tree, such as `v3.17/main`.
    pub name: String,
    /// Repositories of one set are used together by clients: they are solved together.
    pub set: String,
    /// The tag under which clients list it, without `@`.
    pub tag: Option<String>,
    /// Where it comes from.
    pub upstreams: Upstreams,
    /// The architectures, each a folder of its own.
    pub architectures: Vec<Architecture>,
    /// Key files that are trusted for this repository, and for no other.
    pub keys: Vec<PathBuf>,
    /// A pin file that narrows them, or that takes them from the list of known keys.
    pub key_pins: Option<PathBuf>,
    /// What is demanded of packages beside their index entry.
    pub package_signatures: PackageSignatures,
    /// How deep packages are looked at.
    pub level: Level,
    /// The weakest digest of signatures.
    pub min_digest: MinDigest,
    /// Whose index is published.
    pub index_kind: IndexKind,
    /// The key that signs an index of our own.
    pub sign_key: Option<PathBuf>,
    /// Whether the upstream is a folder of packages of the operator, whose index each run makes anew.
    pub build_index: bool,
    /// What is wanted; everything for an upstream index.
    pub selection: Selection,
    /// What happens with rebuilt packages.
    pub rebuilt: Rebuilt,
    /// What the description of the index must match: an index of another branch is validly signed, too.
    pub description: Option<Regex>,
    /// How old the index may be.
    pub max_age: Option<MaxAge>,
    /// Known bad packages.
    pub waivers: Vec<Waiver>,
    /// A file with `user:password` for the upstreams.
    pub auth_file: Option<PathBuf>,
}
