//! Stores of keys for the tests: files in scratch directories, audited on a fixed day.

use std::path::PathBuf;

use dashu_int::UBig;
use jiff::civil::{Date, date};

use super::blocklist::Blocklist;
use super::branch::Branch;
use super::examine::{Examined, examine, moduli_to_examine};
use super::ignore::Ignore;
use super::numbers::Tables;
use super::report::{Report, audit};
use super::settings::{Depth, Owners, Search, Settings, Strictness};
use super::shared_primes::SharedPrimes;
use super::signed::SignedObject;
use crate::keys::{KeyDirectory, KnownKeys, Pins, PublicKey, RsaPublicKey};
use crate::types::Architecture;

/// A store under construction, and how it is to be audited.
pub(super) struct Store {
    pub(super) root: tempfile::TempDir,
    pub(super) directories: Vec<PathBuf>,
    pub(super) objects: Vec<SignedObject>,
    pub(super) as_of: Date,
    pub(super) strictness: Strictness,
    pub(super) architecture: Option<&'static str>,
    pub(super) max_age: Option<i32>,
    pub(super) owners: Owners,
    pub(super) search: Search,
    pub(super) pins: Option<String>,
    pub(super) known: KnownKeys,
    pub(super) blocklists: Vec<Blocklist>,
    pub(super) ignore: Vec<&'static str>,
    pub(super) branches: Vec<Branch>,
    pub(super) depth: Depth,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            directories: Vec::new(),
            objects: Vec::new(),
            as_of: date(2026, 11, 24),
            strictness: Strictness::Default,
            architecture: None,
            max_age: None,
            owners: Owners::Anybody,
            search: Search::Separate,
            pins: None,
            known: KnownKeys::builtin(),
            blocklists: Vec::new(),
            ignore: Vec::new(),
            branches: Vec::new(),
            depth: Depth::Usual,
        }
    }
}

impl Store {
    /// Puts a file into a directory below the root: `dir/name`.
    pub(super) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.root.path().join(path);
        let directory = path.parent().unwrap().to_owned();
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(path, content).unwrap();
        if !self.directories.contains(&directory) {
            self.directories.push(directory);
        }
        self
    }

    pub(super) fn key(self, path: &str, key: &PublicKey) -> Self {
        self.file(path, key.to_pem())
    }

    /// A store of one RSA key with exponent 65537, called `k/x.rsa.pub`.
    pub(super) fn of(modulus: &UBig) -> Self {
        Self::default().key("k/x.rsa.pub", &rsa(modulus, 65_537))
    }

    pub(super) fn audit(&self) -> Report {
        let directories: Vec<KeyDirectory> =
            self.directories.iter().map(|path| KeyDirectory::read(path).unwrap()).collect();
        let tables = Tables::default();
        let mut examined = Examined::new(SharedPrimes::find(&directories, &self.known));
        for key in moduli_to_examine(&directories) {
            examined.add(key.clone(), examine(key, &tables, self.depth));
        }
        let pins = self.pins.as_ref().map(|text| Pins::parse(text.as_bytes()).unwrap());
        let architecture = self.architecture.map(|name| Architecture::parse(name.as_bytes()).unwrap());
        let ignore: Vec<Ignore> = self.ignore.iter().map(|text| Ignore::parse(text).unwrap()).collect();
        let settings = Settings {
            as_of: self.as_of,
            strictness: self.strictness,
            architecture: architecture.as_ref(),
            max_age: self.max_age,
            owners: self.owners,
            search: self.search,
            pins: pins.as_ref(),
            known: &self.known,
            blocklists: &self.blocklists,
            ignore: &ignore,
            repositories: None,
            branches: &self.branches,
        };
        audit(&directories, &self.objects, &examined, &settings)
    }

    /// `severity id file` of each finding, without what every small store of strangers gets.
    pub(super) fn found(&self) -> Vec<String> {
        let noise = ["pin-unlisted", "scope-global", "rsa-2048", "id-age"];
        self.all()
            .into_iter()
            .filter(|line| !noise.iter().any(|id| line.contains(&format!("info {id}"))))
            .collect()
    }

    /// `severity id file` of each finding; the file without the root.
    pub(super) fn all(&self) -> Vec<String> {
        let root = format!("{}/", self.root.path().display());
        let file = |file: &Option<String>| file.as_deref().unwrap_or("-").replace(&root, "");
        let findings = self.audit().findings;
        findings
            .iter()
            .map(|finding| format!("{} {} {}", finding.severity, finding.id, file(&finding.file)))
            .collect()
    }
}

pub(super) fn rsa(modulus: &UBig, exponent: u64) -> PublicKey {
    PublicKey::Rsa(RsaPublicKey::new(&modulus.to_be_bytes(), &exponent.to_be_bytes()))
}
