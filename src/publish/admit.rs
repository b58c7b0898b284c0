//! The one way into the pool: a file with its proof.

use std::io::{self, Read};
use std::sync::PoisonError;

use crate::container::Scratch;
use crate::types::{Digest, Sha256, Sha256Hasher};
use crate::unverified::{Facts, FileDigest, ReadOptions, Subject, read};
use crate::verify::{Blob, BlobKind, Evidence, Verified};

use super::error::{AdmitError, Doing, Measured, PublishError};
use super::layout;
use super::manifest::EntryKind;
use super::path::StorePath;
use super::spooled::{Spooled, SpooledReader};
use super::store::{Kind, Mode, Store, StoreFile};
use super::tree::Tree;

/// A proven file in the pool, ready to be published.
#[derive(Debug)]
pub struct Pooled {
    blob: Verified<Blob>,
}

impl Pooled {
    /// Over the whole file.
    pub const fn sha256(&self) -> Digest<Sha256> {
        self.blob.value().sha256()
    }

    /// Units: bytes.
    pub const fn size(&self) -> u64 {
        self.blob.value().size()
    }

    /// Why it counts as proven.
    pub const fn evidence(&self) -> &Evidence {
        self.blob.evidence()
    }

    pub(super) const fn kind(&self) -> EntryKind {
        match self.blob.value().kind() {
            BlobKind::Package => EntryKind::Package,
            BlobKind::Index => EntryKind::Index,
        }
    }
}

impl Tree {
    /// Reads a spooled file, has it judged, and keeps it in the pool under its digest.
    ///
    /// Trust: what is judged is read from the very descriptor that was written, and hashed while it is read;
    /// digest and size of the proof must be those. A file that the pool has already is used again.
    ///
    /// # Errors
    /// - [`AdmitError::Refused`] with what `judge` says.
    /// - [`PublishError::OtherFile`] for the proof of another file.
    /// - [`PublishError::Changed`] if somebody else has touched the file.
    /// - [`PublishError::Io`]; the spooled file is gone in each case.
    ///
    /// # Examples
    /// Nothing gets in without proof. This compiles:
    /// ```
    /// use apkvet::publish::{AdmitError, Pooled, Spooled, Tree};
    /// use apkvet::{container::Scratch, unverified::{ReadOptions, Unverified}, verify::{Blob, Verified}};
    /// fn keep(tree: &Tree, file: Spooled, proof: Verified<Blob>) -> Result<Pooled, AdmitError<()>> {
    ///     tree.admit(file, ReadOptions::default(), &mut Scratch::default(), |_| Ok(proof))
    /// }
    /// ```
    /// and this, which differs in one word, does not:
    /// ```compile_fail
    /// use apkvet::publish::{AdmitError, Pooled, Spooled, Tree};
    /// use apkvet::{container::Scratch, unverified::{ReadOptions, Unverified}, verify::{Blob, Verified}};
    /// fn keep(tree: &Tree, file: Spooled, proof: Unverified<Blob>) -> Result<Pooled, AdmitError<()>> {
    ///     tree.admit(file, ReadOptions::default(), &mut Scratch::default(), |_| Ok(proof))
    /// }
    /// ```
    pub fn admit<E>(
        &self,
        mut spooled: Spooled,
        options: ReadOptions,
        scratch: &mut Scratch,
        judge: impl FnOnce(Subject) -> Result<Verified<Blob>, E>,
    ) -> Result<Pooled, AdmitError<E>> {
        let path = spooled.path.clone();
        spooled.file.set_mode(Mode::Immutable).doing("protect", &path)?;
        let before = spooled.file.stat().doing("look at", &path)?;
        // Whatever was asked for, the digest is what the file is kept under.
        let options = ReadOptions { file_digest: FileDigest::Compute, ..options };
        let subject = read(spooled.reader(), &options, scratch).doing("read", &path)?;
        let expected = whole(subject.facts());
        let blob = judge(subject).map_err(AdmitError::Refused)?;
        if spooled.file.stat().doing("look at", &path)? != before && checked!("admit-changed") {
            return Err(PublishError::Changed { path }.into());
        }
        let found = Measured { sha256: blob.value().sha256(), size: blob.value().size() };
        if checked!("admit-digest") && expected != Some(found) {
            return Err(PublishError::OtherFile { expected, found }.into());
        }
        let pooled = Pooled { blob };
        self.pool(spooled, &found, pooled.kind())?;
        Ok(pooled)
    }

    /// Moves a spooled file to its place in the pool, if there is none.
    pub(super) fn pool(
        &self,
        mut spooled: Spooled,
        measured: &Measured,
        kind: EntryKind,
    ) -> Result<(), PublishError> {
        let path = layout::pooled(measured.sha256);
        if self.has(&path, measured)? {
            return Ok(());
        }
        // An index is synced when its time is set, together with that.
        if kind != EntryKind::Index {
            spooled.file.sync().doing("sync", &spooled.path)?;
        }
        self.make_pool_dir(measured.sha256)?;
        // What does not depend on the architecture comes in once for each, at the same time: the first one stays.
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.pending().files.contains(&path) {
            return Ok(());
        }
        let store = &*self.look.store;
        store.rename(&spooled.path, &path).doing("keep", &path)?;
        spooled.moved = true;
        self.note(measured.sha256, &path);
        let (there, written) =
            (store.stat(&path).doing("look at", &path)?, spooled.file.stat().doing("look at", &path)?);
        if there.id == written.id || !checked!("pool-exchanged") {
            Ok(())
        } else {
            Err(PublishError::Changed { path })
        }
    }

    /// Whether the pool has this very file.
    fn has(&self, path: &StorePath, measured: &Measured) -> Result<bool, PublishError> {
        let store = &*self.look.store;
        let stat = match store.stat(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            stat => stat.doing("look at", path)?,
        };
        if stat.kind != Kind::File || stat.size != measured.size {
            return Ok(false);
        }
        Ok(self.proven.contains_key(&measured.sha256) || self.adopt(path, measured)?)
    }

    /// Takes over a pool file that no published generation names: a run that died may have left it half-written.
    fn adopt(&self, path: &StorePath, measured: &Measured) -> Result<bool, PublishError> {
        if self.pending().files.contains(path) {
            return Ok(true);
        }
        let store = &*self.look.store;
        let mut file = store.open(path).doing("read", path)?;
        if hash(&mut SpooledReader::new(&*file)).doing("read", path)? != *measured && checked!("pool-adopt") {
            return Ok(false);
        }
        self.sync_pooled(&mut *file, path)?;
        // Its names may be as young as itself.
        self.pending().dirs.extend([layout::pool(), layout::pool_dir(measured.sha256)]);
        Ok(true)
    }

    /// Syncs a file of the pool; one that could not be synced leaves the pool, unless something else has it as well.
    pub(super) fn sync_pooled(&self, file: &mut dyn StoreFile, path: &StorePath) -> Result<(), PublishError> {
        let synced = file.sync().doing("sync", path);
        // What a generation or snapshot links was on stable storage before that was made.
        let is_new = || file.stat().is_ok_and(|stat| stat.links <= 1);
        if synced.is_err() && is_new() {
            // Its pages may be gone though they read well: the next run must not find it and believe it.
            drop(self.look.store.remove_file(path));
        }
        synced
    }

    fn note(&self, sha256: Digest<Sha256>, path: &StorePath) {
        let mut pending = self.pending();
        pending.dirs.insert(layout::pool_dir(sha256));
        pending.files.insert(path.clone());
    }

    fn make_pool_dir(&self, sha256: Digest<Sha256>) -> Result<(), PublishError> {
        let dir = layout::pool_dir(sha256);
        // A file in it waits for the next barrier, so that it is there; if it is new, so does its name in the pool.
        if self.pending().dirs.contains(&dir) {
            return Ok(());
        }
        match self.look.store.make_dir(&dir, Mode::ServedDir) {
            Ok(()) => {
                self.pending().dirs.insert(layout::pool());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // A run that failed may have made it, and not have come to making it durable.
                if !self.durable_dirs.contains(&dir) {
                    self.pending().dirs.insert(layout::pool());
                }
                Ok(())
            }
            Err(error) => Err(error).doing("make", &dir),
        }
    }
}

/// Digest and size of a file that was read to its end.
fn whole(facts: &Facts) -> Option<Measured> {
    facts.sha256().zip(facts.size()).map(|(sha256, size)| Measured { sha256, size })
}

/// Digest and size of everything that a reader gives.
pub(super) fn hash(reader: &mut dyn Read) -> io::Result<Measured> {
    let mut hasher = Sha256Hasher::new();
    let mut buffer = vec![0; 64 << 10];
    let mut size = 0_u64;
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(Measured { sha256: hasher.finish(), size }),
            count => {
                hasher.update(buffer.get(..count).unwrap_or_default());
                size = size.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            }
        }
    }
}

/// Whether a store has a regular file of this size at a path.
pub(super) fn has_size(store: &dyn Store, path: &StorePath, size: u64) -> bool {
    store.stat(path).is_ok_and(|stat| stat.kind == Kind::File && stat.size == size)
}
