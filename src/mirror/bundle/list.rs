//! The list of a bundle: everything that the generation lists, and which of it lies in the bundle.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::BundleError;
use super::{MAX_LIST, SCHEMA};
use crate::limits::length;
use crate::mirror::offer::INDEX_CAP;
use crate::mirror::state::Place;
use crate::publish::StorePath;
use crate::types::{Digest, Sha256};

/// What a bundle says that it holds.
///
/// Trust: none.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    schema: String,
    /// The generation that it was made of, on the outside.
    pub generation: u64,
    /// When that was made. Units: seconds since 1970.
    pub created: u64,
    /// The generation whose packages are left out; none if nothing is.
    pub base: Option<u64>,
    /// The digest of everything that the generation lists.
    pub tree: String,
    /// The files of the generation, by path.
    pub files: Vec<BundleFile>,
}

/// One file of the generation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BundleFile {
    /// Its path below the root that is served.
    pub path: String,
    /// What it is.
    pub kind: BundleKind,
    /// Units: bytes.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Whether it lies in the bundle.
    pub here: bool,
}

/// What a file of a bundle is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BundleKind {
    /// An index.
    Index,
    /// A public key of the mirror outside: for people to compare, and never trusted.
    Key,
    /// A package.
    Package,
}

/// Keys are smaller than this. Units: bytes.
const KEY_CAP: u64 = 64 << 10;
/// What the size field of an entry can say, and more than any package. Units: bytes.
const FILE_CAP: u64 = (1 << 33) - 1;

impl Bundle {
    /// A list; the files are sorted.
    pub(super) fn new(
        generation: u64,
        created: u64,
        base: Option<u64>,
        tree: String,
        mut files: Vec<BundleFile>,
    ) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { schema: SCHEMA.to_owned(), generation, created, base, tree, files }
    }

    /// The bytes that are stored.
    pub(super) fn encode(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        if length(bytes) > MAX_LIST {
            return Err(BundleError::TooLarge { found: length(bytes), limit: MAX_LIST });
        }
        let list = |error: &dyn std::fmt::Display| BundleError::List(error.to_string());
        let bundle: Self = serde_json::from_slice(bytes).map_err(|error| list(&error))?;
        if bundle.schema != SCHEMA {
            return Err(list(&format!("expected the schema {SCHEMA}, found {}", bundle.schema)));
        }
        let mut before: Option<&str> = None;
        for file in &bundle.files {
            file.check().map_err(BundleError::List)?;
            if before.is_some_and(|before| before >= file.path.as_str()) {
                return Err(list(&format!("{} is not in its order, or stands there twice", file.path)));
            }
            before = Some(&file.path);
        }
        // One text for one list: whatever else parses to the same is none of ours.
        let ours = bundle.encode().map_err(|error| list(&error))?;
        if ours == bytes { Ok(bundle) } else { Err(list(&"it is not written as this program writes it")) }
    }

    /// What lies in the archive behind the list, in its order, each content once: indexes, keys, packages.
    pub(super) fn contents(&self) -> Vec<&BundleFile> {
        let mut here: Vec<&BundleFile> = self.files.iter().filter(|file| file.here).collect();
        here.sort_by_key(|file| file.kind);
        let mut seen = BTreeSet::new();
        here.retain(|file| seen.insert(&file.sha256));
        here
    }

    /// How many packages lie in the bundle, and their size. Units: bytes.
    pub fn packages(&self) -> (usize, u64) {
        let packages = self.contents().into_iter().filter(|file| file.kind == BundleKind::Package);
        packages.fold((0, 0), |(count, bytes), file| (count + 1, bytes.saturating_add(file.size)))
    }

    /// The indexes: where each belongs, and the SHA-256 of its file in hexadecimal.
    pub(super) fn indexes(&self) -> impl Iterator<Item = (Place, &str)> {
        self.files.iter().filter(|file| file.kind == BundleKind::Index).filter_map(|file| {
            let (folder, _) = file.path.rsplit_once('/')?;
            let (repository, arch) = folder.rsplit_once('/')?;
            let place = Place { repository: repository.to_owned(), arch: arch.to_owned() };
            Some((place, file.sha256.as_str()))
        })
    }
}

impl BundleFile {
    fn check(&self) -> Result<(), String> {
        let path = StorePath::parse(&self.path).map_err(|error| error.to_string())?;
        Digest::<Sha256>::parse_hex(self.sha256.as_bytes()).map_err(|error| error.to_string())?;
        let cap = match self.kind {
            BundleKind::Index => INDEX_CAP,
            BundleKind::Key => KEY_CAP,
            BundleKind::Package => FILE_CAP,
        };
        if self.size > cap {
            return Err(format!("{path} has {} bytes, at most {cap} are read", self.size));
        }
        let first = path.segments().next().unwrap_or_default();
        let name = path.name().unwrap_or_default();
        let fits = match self.kind {
            BundleKind::Index => name == crate::mirror::offer::INDEX && self.here,
            BundleKind::Key => first == "keys" && self.here,
            BundleKind::Package => name.ends_with(".apk"),
        };
        let own = matches!(first, "keys" | "snapshots") && self.kind != BundleKind::Key;
        if fits && !own { Ok(()) } else { Err(format!("{path} is no place for this kind of file")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, kind: BundleKind, here: bool) -> BundleFile {
        BundleFile { path: path.to_owned(), kind, size: 1, sha256: "ab".repeat(32), here }
    }

    fn bundle(files: Vec<BundleFile>) -> Bundle {
        Bundle::new(3, 5, Some(2), "cd".repeat(32), files)
    }

    fn usual() -> Vec<BundleFile> {
        vec![
            file("r/x86_64/a-1.apk", BundleKind::Package, true),
            file("r/x86_64/APKINDEX.tar.gz", BundleKind::Index, true),
            file("keys/m.rsa.pub", BundleKind::Key, true),
        ]
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bundle = bundle(usual());
        assert_eq!(Bundle::decode(&bundle.encode().unwrap()).unwrap(), bundle);
        let place = Place { repository: "r".to_owned(), arch: "x86_64".to_owned() };
        assert!(bundle.indexes().map(|(place, _)| place).eq([place]));
        // One content, though three paths have it.
        assert_eq!(bundle.contents().len(), 1);
    }

    #[test]
    fn a_list_that_nobody_wrote_is_refused() {
        let refused = |files: Vec<BundleFile>| {
            let bytes = bundle(files).encode().unwrap();
            assert!(matches!(Bundle::decode(&bytes), Err(BundleError::List(_))), "{bytes:?}");
        };
        for path in ["../a.apk", "/a.apk", "snapshots/a.apk", "keys/a.apk", "r/a.txt", ""] {
            refused(vec![file(path, BundleKind::Package, true)]);
        }
        refused(vec![file("r/x/APKINDEX.tar.gz", BundleKind::Index, false)]);
        refused(vec![file("r/x/other", BundleKind::Index, true)]);
        refused(vec![file("r/m.rsa.pub", BundleKind::Key, true)]);
        refused(vec![BundleFile { size: u64::MAX, ..file("r/a.apk", BundleKind::Package, true) }]);
        refused(vec![BundleFile { sha256: "x".to_owned(), ..file("r/a.apk", BundleKind::Package, true) }]);
        let twice = file("r/a.apk", BundleKind::Package, true);
        refused(vec![twice.clone(), twice]);
        let text = String::from_utf8(bundle(usual()).encode().unwrap()).unwrap();
        for wrong in [
            text.replace("bundle/1", "bundle/2"),
            text.replace(":3,", ": 3,"),
            text.replace("\"base\"", "\"bases\""),
            text.trim_end().to_owned(),
        ] {
            assert!(matches!(Bundle::decode(wrong.as_bytes()), Err(BundleError::List(_))), "{wrong}");
        }
    }
}
