//! A tree as it lies there, read without a lock and without writing anything.

use std::io::{self, Read};
use std::sync::Arc;

use super::check::{self, Defect, Depth};
use super::error::{Doing, PublishError};
use super::layout;
use super::manifest::Manifest;
use super::opened::Opened;
use super::path::StorePath;
use super::store::Store;

/// Documents are smaller than this: trust state of a hundred repositories. Units: bytes.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Manifests are smaller than this: a million files. Units: bytes.
const MAX_MANIFEST: u64 = 512 << 20;

/// A tree, for reading.
///
/// While another run works on it, what was there a moment ago may be gone; each answer alone is consistent.
#[derive(Clone, Debug)]
pub struct Look {
    pub(super) store: Arc<dyn Store>,
}

impl Look {
    /// Looks at a tree; nothing is read yet.
    pub fn at(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The number of the published generation; none if nothing is published.
    ///
    /// # Errors
    /// - [`PublishError::Occupied`] if `current` is not a link of ours; [`PublishError::Io`].
    pub fn current(&self) -> Result<Option<u64>, PublishError> {
        let path = layout::current();
        let occupied =
            || PublishError::Occupied { path: path.clone(), expected: "a symbolic link to a generation" };
        match self.store.read_link(&path) {
            Ok(target) => {
                let number = target.strip_prefix("gens/").and_then(layout::number);
                number.map(Some).ok_or_else(occupied)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(occupied()),
            Err(error) => Err(error).doing("read", &path),
        }
    }

    /// The numbers of all generations that are whole, the published one last.
    ///
    /// # Errors
    /// - [`PublishError::Occupied`], [`PublishError::Io`].
    pub fn generations(&self) -> Result<Vec<u64>, PublishError> {
        let Some(current) = self.current()? else { return Ok(Vec::new()) };
        let mut numbers = self.numbered(".json")?;
        numbers.retain(|number| *number <= current);
        Ok(numbers)
    }

    /// Numbers of the manifests with this ending, sorted.
    pub(super) fn numbered(&self, ending: &str) -> Result<Vec<u64>, PublishError> {
        let path = layout::manifests();
        let listed = match self.store.list(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.doing("list", &path)?,
        };
        let number = |name: &str| name.strip_suffix(ending).and_then(layout::number);
        let mut numbers: Vec<u64> = listed.iter().filter_map(|listed| number(&listed.name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// What a generation holds.
    ///
    /// # Errors
    /// - [`PublishError::NoGeneration`], [`PublishError::Damaged`], [`PublishError::Io`].
    pub fn manifest(&self, number: u64) -> Result<Manifest, PublishError> {
        let path = layout::manifest(number);
        let bytes = self.bounded(&path, MAX_MANIFEST)?.ok_or(PublishError::NoGeneration { number })?;
        Manifest::decode(&bytes, number, &path)
    }

    pub(super) fn manifest_at(&self, path: &StorePath, number: u64) -> Result<Manifest, PublishError> {
        let bytes = self.bounded(path, MAX_MANIFEST)?.ok_or(PublishError::NoGeneration { number })?;
        Manifest::decode(&bytes, number, path)
    }

    /// What the published generation holds; none if nothing is published.
    ///
    /// # Errors
    /// - As [`Look::current`] and [`Look::manifest`].
    pub fn published(&self) -> Result<Option<Manifest>, PublishError> {
        self.current()?.map(|number| self.manifest(number)).transpose()
    }

    /// Reads a document; none if it was never written.
    ///
    /// # Errors
    /// - [`PublishError::DocumentName`], [`PublishError::TooLarge`], [`PublishError::Io`].
    pub fn read_document(&self, name: &str) -> Result<Option<Vec<u8>>, PublishError> {
        self.bounded(&layout::document(name)?, MAX_DOCUMENT)
    }

    /// Opens a file of a generation, as a server does for a client.
    ///
    /// # Errors
    /// - [`PublishError::Io`].
    pub fn open(&self, number: u64, path: &StorePath) -> Result<Opened, PublishError> {
        let path = layout::generation(number)
            .below(path)
            .map_err(|_| PublishError::Reserved { path: path.clone() })?;
        self.store.open(&path).and_then(Opened::new).doing("read", &path)
    }

    /// Holds a generation against its manifest: what is missing, wrong, or not in it.
    ///
    /// # Errors
    /// - As [`Look::manifest`]; what is wrong with the files is in the result.
    pub fn check(&self, number: u64, depth: Depth) -> Result<Vec<Defect>, PublishError> {
        check::generation(&*self.store, &self.manifest(number)?, depth)
    }

    /// A list of ours; none if there is none.
    pub(super) fn list_of_ours(&self, path: &StorePath) -> Result<Option<Vec<u8>>, PublishError> {
        self.bounded(path, MAX_MANIFEST)
    }

    fn bounded(&self, path: &StorePath, limit: u64) -> Result<Option<Vec<u8>>, PublishError> {
        let opened = match self.store.open(path).and_then(Opened::new) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.doing("read", path)?,
        };
        let mut bytes = Vec::new();
        opened.take(limit.saturating_add(1)).read_to_end(&mut bytes).doing("read", path)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
            Ok(Some(bytes))
        } else {
            Err(PublishError::TooLarge { path: path.clone(), limit })
        }
    }
}
