//! A small upstream that moves, a mirror of it, and a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apkvet::mirror::{Allowed, Config, Finding, Mirror, Outcome, Silent, Trust};
use apkvet::publish::{DiskStore, Durability, Floor, Prune, PruneMode, Roots, Store, StorePath, Tree, prune};
use apkvet::sign::SigningKey;
use apkvet::transport::{Authorities, Fetcher, Retries, Settings};
use apkvet_fixtures::index::{identity, sign};
use apkvet_fixtures::{FakeKey, IndexBuilder, Label, Package, PackageBuilder};
use jiff::civil::date;

use crate::harness::http_fault_server::FaultServer;

/// 2026-01-01, when every test begins. Units: seconds since 1970.
pub(super) const NOW: u64 = 1_767_225_600;
/// Units: seconds.
pub(super) const DAY: u64 = 24 * 60 * 60;

/// One package of an upstream.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) package: Package,
    /// Lines of its entry beside those that every entry has.
    pub(super) more: String,
    pub(super) arch: String,
}

/// A signed package with one file in it.
pub(super) fn package(name: &str, version: &str, depends: &[&str]) -> Item {
    built(PackageBuilder::new(name, version), name, version, depends, &[(FakeKey::a(), Label::Rsa256)])
}

/// A package as a builder makes it, signed by these keys.
pub(super) fn built(
    builder: PackageBuilder,
    name: &str,
    version: &str,
    depends: &[&str],
    signers: &[(FakeKey, Label)],
) -> Item {
    let builder = depends.iter().fold(builder, |builder, on| builder.another("depend", on));
    let more = if depends.is_empty() { String::new() } else { format!("D:{}\n", depends.join(" ")) };
    let (name, version, arch) = (name.to_owned(), version.to_owned(), "x86_64".to_owned());
    Item { name, version, package: builder.build_signed(signers), more, arch }
}

impl Item {
    pub(super) fn file(&self) -> String {
        format!("{}-{}.apk", self.name, self.version)
    }
}

/// What an upstream serves for `x86_64`.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) items: Vec<Item>,
    /// Units: seconds since 1970.
    pub(super) time: u64,
    pub(super) description: Option<&'static str>,
    pub(super) key: FakeKey,
}

impl Upstream {
    pub(super) fn of(items: &[Item]) -> Self {
        Self { items: items.to_vec(), time: NOW - DAY, description: Some("v3.17.0-1"), key: FakeKey::a() }
    }

    /// The same, a day later, with other packages.
    pub(super) fn next(&self, items: &[Item]) -> Self {
        Self { items: items.to_vec(), time: self.time + DAY, ..self.clone() }
    }

    pub(super) fn index(&self) -> Vec<u8> {
        let text = |item: &Item| {
            let Item { name, version, package, more, arch } = item;
            let (identity, size) = (identity(&package.control), package.bytes().len());
            let time = self.time;
            format!("C:{identity}\nP:{name}\nV:{version}\nA:{arch}\nS:{size}\nI:4096\nt:{time}\n{more}\n")
        };
        let builder = IndexBuilder::default().description(self.description);
        let builder = self.items.iter().fold(builder, |builder, item| builder.text(&text(item)));
        sign(&builder.archive().bytes(), &[(self.key.clone(), Label::Rsa256)])
    }

    /// Every file, by path below the address.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files: BTreeMap<String, Vec<u8>> =
            self.items.iter().map(|item| (format!("x86_64/{}", item.file()), item.package.bytes())).collect();
        files.insert("x86_64/APKINDEX.tar.gz".to_owned(), self.index());
        files
    }

    /// Writes everything into a directory, in place of what is there.
    pub(super) fn write(&self, to: &Path) {
        let _ = std::fs::remove_dir_all(to);
        for (path, bytes) in self.files() {
            let path = to.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    /// Serves everything at a path of a server.
    pub(super) fn serve(&self, server: &FaultServer, at: &str) {
        self.files().iter().for_each(|(path, bytes)| server.put(&format!("{at}/{path}"), bytes));
    }
}

/// A mirror on disk, and everything that a run of it is told.
pub(super) struct Rig {
    pub(super) directory: tempfile::TempDir,
    /// Lines of the repository in the configuration.
    pub(super) lines: String,
    /// Lines of `[mirror]`.
    pub(super) mirror: String,
    /// Further repositories.
    pub(super) others: String,
    pub(super) upstreams: String,
    pub(super) allowed: Allowed,
    pub(super) now: u64,
}

impl Rig {
    /// A subset of the folder `upstream`.
    pub(super) fn subset(select: &str) -> Self {
        let rig = Self::whole();
        Self { lines: format!("select = [{select}]\nsign-key = \"mirror.rsa\"\n"), ..rig }
    }

    /// All of the folder `upstream`, with upstream's index.
    pub(super) fn whole() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        for fake in [FakeKey::a(), FakeKey::b(), FakeKey::c()] {
            key(fake.name(), fake.public_pem());
        }
        key("mirror.rsa", FakeKey::mirror().private_pem());
        Self {
            directory,
            lines: String::new(),
            mirror: String::new(),
            others: String::new(),
            upstreams: "\"upstream\"".to_owned(),
            allowed: Allowed::default(),
            now: NOW,
        }
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// The text of the configuration.
    pub(super) fn text(&self) -> String {
        let keys = if self.lines.contains("keys") {
            String::new()
        } else {
            format!("keys = [\"{}\"]", FakeKey::a().name())
        };
        format!(
            "[mirror]\nto = \"srv\"\n{}\n[[repository]]\nname = \"v3.17/main\"\nupstream = [{}]\n\
             architectures = [\"x86_64\"]\n{keys}\n{}\n{}",
            self.mirror, self.upstreams, self.lines, self.others
        )
    }

    pub(super) fn config(&self) -> Config {
        Config::parse(&self.text(), self.directory.path()).unwrap()
    }

    pub(super) fn tree(&self) -> Tree {
        Tree::open(self.store(), crate::harness::store::SOON).unwrap()
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        let to = self.path("srv");
        std::fs::create_dir_all(&to).unwrap();
        Arc::new(DiskStore::open(&to, Durability::default()).unwrap())
    }

    /// One run of the library.
    pub(super) fn sync(&self) -> Result<Outcome, Vec<Finding>> {
        self.sync_by(&fetcher())
    }

    /// The same with a fetcher of one's own.
    pub(super) fn sync_by(&self, fetcher: &Fetcher) -> Result<Outcome, Vec<Finding>> {
        let tree = self.tree();
        self.run_by(fetcher, |mirror, signers| mirror.sync(&tree, signers, &BTreeSet::new()))
    }

    /// A run that takes some paths for damaged.
    pub(super) fn sync_broken(&self, broken: &BTreeSet<StorePath>) -> Result<Outcome, Vec<Finding>> {
        let tree = self.tree();
        self.run(|mirror, signers| mirror.sync(&tree, signers, broken))
    }

    /// What a run is told.
    pub(super) fn run<T>(&self, run: impl FnOnce(&Mirror<'_>, &[Option<&SigningKey>]) -> T) -> T {
        self.run_by(&fetcher(), run)
    }

    fn run_by<T>(&self, fetcher: &Fetcher, run: impl FnOnce(&Mirror<'_>, &[Option<&SigningKey>]) -> T) -> T {
        let config = self.config();
        let load = |repository| Trust::load(repository, date(2026, 1, 1)).unwrap();
        let trusts: Vec<Trust> = config.repositories().iter().map(load).collect();
        let key = |path: &PathBuf| SigningKey::read(path).unwrap();
        let keys: Vec<Option<SigningKey>> =
            config.repositories().iter().map(|repository| repository.sign_key.as_ref().map(key)).collect();
        let signers: Vec<Option<&SigningKey>> = keys.iter().map(Option::as_ref).collect();
        let mirror = Mirror {
            config: &config,
            trusts: &trusts,
            fetcher,
            credentials: &[],
            allowed: &self.allowed,
            now: self.now,
            progress: &Silent,
        };
        run(&mirror, &signers)
    }

    /// Deletes what nothing needs any more, however young it is: files of the pool have the time of this machine.
    pub(super) fn prune(&self) {
        let grace = self.config().mirror().grace;
        let rules = Prune { grace, now: 1 << 40, floor: Floor::None, roots: &Roots::default() };
        prune(&self.tree(), &rules, PruneMode::Remove).unwrap();
    }

    /// The codes of a run that is refused; nothing that is published has changed.
    pub(super) fn refused(&self) -> Vec<&'static str> {
        let before = published(&self.path("srv"));
        let findings = self.sync().unwrap_err();
        assert_eq!(published(&self.path("srv")), before, "a refused run changed what is published");
        assert_eq!(files_in(&self.path("srv/spool")), 0, "a refused run left something in the spool");
        findings.iter().map(|finding| finding.code).collect()
    }

    /// The names of the packages that the index of a place lists, with versions.
    pub(super) fn listed(&self, repository: &str) -> Vec<String> {
        let index = self.path(&format!("srv/current/{repository}/x86_64/APKINDEX.tar.gz"));
        text_of(&std::fs::read(index).unwrap())
            .split("\n\n")
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let field = |letter: &str| {
                    entry.lines().find_map(|line| line.strip_prefix(letter)).unwrap().to_owned()
                };
                format!("{}-{}", field("P:"), field("V:"))
            })
            .collect()
    }
}

/// A fetcher that gives up soon.
pub(super) fn fetcher() -> Fetcher {
    let first = std::time::Duration::from_millis(1);
    let retries = Retries { tries: 2, first, longest: first, ..Retries::default() };
    Fetcher::new(Settings { retries, authorities: authority(), ..Settings::default() }).unwrap()
}

/// Nobody has its key, and no server of a test needs it: reading those of the system for each worker takes time.
pub(super) fn authority() -> Authorities {
    const PEM: &str = "\
-----BEGIN CERTIFICATE-----
MIIBvTCCAWOgAwIBAgIUXePUsBHJXYqQ8Bkt2NztlhCkwBIwCgYIKoZIzj0EAwIw
MzExMC8GA1UEAwwoRkFLRSBhcGt2ZXQgdGVzdCBhdXRob3JpdHksIG9mIG5vIHNl
cnZlcjAgFw0yNjExMjgwMDE4MTNaGA8yMTI2MTEwNDAwMTgxM1owMzExMC8GA1UE
AwwoRkFLRSBhcGt2ZXQgdGVzdCBhdXRob3JpdHksIG9mIG5vIHNlcnZlcjBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABGaXq1jkldJDEBKhN5AV9CQXtdmaKiWKA+D9
z+dRmQEd6s19h1/twNGb1p4D3m9ejYde2/MuwcY7nhcz8iKMGdajUzBRMB0GA1Ud
DgQWBBTG5wMRD61F0Rz9t0cAkchLMn7Q/jAfBgNVHSMEGDAWgBTG5wMRD61F0Rz9
t0cAkchLMn7Q/jAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIDpc
6kVhtOhIuMreQwkWWlbejIeDXiNuIB0jHBC5Un74AiEAzcEAP0HuYsZeJ021A+VE
+f6fulncPmckSVfhws4Zdow=
-----END CERTIFICATE-----
";
    Authorities::Only(PEM.as_bytes().to_vec())
}

/// The text of an index, by an independent reader.
pub(super) fn text_of(index: &[u8]) -> String {
    String::from_utf8(member_of(index, "APKINDEX")).unwrap()
}

/// What an index holds under a name, by an independent reader.
pub(super) fn member_of(index: &[u8], name: &str) -> Vec<u8> {
    use std::io::Read;
    let mut tar = Vec::new();
    flate2::read::MultiGzDecoder::new(index).read_to_end(&mut tar).unwrap();
    let name = format!("{name}\0");
    let at = tar.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    let size = std::str::from_utf8(&tar[at + 124..at + 135]).unwrap();
    let size = usize::from_str_radix(size, 8).unwrap();
    tar[at + 512..at + 512 + size].to_vec()
}

/// What clients can fetch: every path below `current`, with its bytes.
pub(super) fn published(to: &Path) -> BTreeMap<String, Vec<u8>> {
    let root = to.join("current");
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.is_file() {
                let below = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(below, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Every file and directory of a tree but the lock and the spool: inode, time of change, size.
pub(super) fn listing(to: &Path) -> BTreeMap<PathBuf, (u64, i64, i64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let mut all = BTreeMap::new();
    let mut folders = vec![to.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                folders.push(path.clone());
            }
            if !path.ends_with("state/lock") && !path.ends_with("spool") {
                all.insert(path, (meta.ino(), meta.ctime(), meta.ctime_nsec(), meta.size()));
            }
        }
    }
    all
}

/// How many names are in a directory.
pub(super) fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}
