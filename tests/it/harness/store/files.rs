//! Small signed files, and their proof.

use std::io::Read;
use std::sync::LazyLock;

use apkvet::container::Scratch;
use apkvet::fault::Fault;
use apkvet::keys::read_key;
use apkvet::publish::{AdmitError, Pooled, Spooled, Tree};
use apkvet::unverified::{FileDigest, ReadOptions, Subject, read};
use apkvet::verify::{
    Blob, Keyring, Known, Policy, Proof, TrustedKey, Verified, verify_index, verify_package, verify_unknown,
};
use apkvet_fixtures::{FakeKey, IndexBuilder, Label, PackageBuilder};

/// A signed package.
pub(crate) fn package(name: &str, version: &str) -> Vec<u8> {
    PackageBuilder::new(name, version).build_signed(&[(FakeKey::a(), Label::Rsa256)]).bytes()
}

/// A signed index of packages.
pub(crate) fn index(packages: &[(&str, &str)]) -> Vec<u8> {
    let add = |index: IndexBuilder, (name, version): &(&str, &str)| {
        let package = PackageBuilder::new(name, version).build_signed(&[(FakeKey::a(), Label::Rsa256)]);
        index.package(name, version, &package, "")
    };
    packages.iter().fold(IndexBuilder::default(), add).build()
}

/// The public key that a mirror publishes.
pub(crate) fn key() -> (&'static str, &'static [u8]) {
    (FakeKey::mirror().name(), FakeKey::mirror().public_pem().as_bytes())
}

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let (mut keyring, key) = (Keyring::default(), FakeKey::a());
    let public = read_key(key.public_pem().as_bytes()).unwrap();
    keyring.add(TrustedKey::new(key.name(), key.name(), public)).unwrap();
    keyring
});

static KNOWN: LazyLock<Known> = LazyLock::new(Known::builtin);

/// Verifies a whole file by the key of the fixtures.
pub(crate) fn prove(reader: impl Read) -> Result<Verified<Blob>, Fault> {
    let options = ReadOptions { file_digest: FileDigest::Compute, ..ReadOptions::default() };
    judge(read(reader, &options, &mut Scratch::default()).unwrap())
}

/// Judges what was read of a file by the key of the fixtures.
pub(crate) fn judge(subject: Subject) -> Result<Verified<Blob>, Fault> {
    let policy = Policy::default();
    let proof = Proof { keyring: &KEYRING, policy: &policy, known: &KNOWN };
    match subject {
        Subject::Package(package) => verify_package(package, &proof).into_blob(),
        Subject::Index(index) => verify_index(index, &proof).into_blob(),
        Subject::Unknown(file) => Err(verify_unknown(file, &proof).into_verified().unwrap_err()),
    }
}

/// Spools bytes in two pieces, has them proven, and keeps them.
pub(crate) fn admit(tree: &Tree, bytes: &[u8]) -> Result<Pooled, AdmitError<Fault>> {
    let mut spooled = tree.spool()?;
    let write = |spooled: &mut Spooled| {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        spooled.write(first)?;
        spooled.write(second)
    };
    write(&mut spooled).map_err(|source| apkvet::publish::PublishError::Io {
        doing: "write",
        path: "spool".to_owned(),
        source,
    })?;
    keep(tree, spooled, judge)
}

/// Keeps a spooled file that holds.
pub(crate) fn keep<E>(
    tree: &Tree,
    spooled: Spooled,
    judge: impl FnOnce(Subject) -> Result<Verified<Blob>, E>,
) -> Result<Pooled, AdmitError<E>> {
    tree.admit(spooled, ReadOptions::default(), &mut Scratch::default(), judge)
}
