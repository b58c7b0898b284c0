//! The sixth step: what the next generation holds, first as a value, then on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::config::{Config, IndexKind, Repository};
use super::fetch::{Brought, local};
use super::finding::{Class, Finding, chain};
use super::label;
use super::offer::{INDEX, Offer, digest};
use super::select::Selected;
use super::state::Place;
use super::trust::Trust;
use crate::container::Scratch;
use crate::index::{IndexDraft, Record};
use crate::limits::Limits;
use crate::publish::{AdmitError, Entry, EntryKind, Manifest, Pooled, Staging, StorePath, Tree};
use crate::sign::{SignDigests, SigningKey, sign_index};
use crate::types::Architecture;
use crate::unverified::{ReadOptions, Subject};
use crate::verify::{Keyring, Known, Policy, Proof, TrustedKey, verify_index};

/// What a generation is made from.
pub(super) struct Next<'a> {
    pub(super) config: &'a Config,
    pub(super) trusts: &'a [Trust],
    /// The key of each repository that has one.
    pub(super) signers: &'a [Option<&'a SigningKey>],
    pub(super) selected: &'a [Selected<'a>],
    pub(super) brought: &'a BTreeMap<(Place, String), Brought>,
    pub(super) published: Option<&'a Manifest>,
    /// Paths whose content is not to be used again.
    pub(super) broken: &'a BTreeSet<StorePath>,
    pub(super) limits: &'a Limits,
    /// Units: seconds since 1970.
    pub(super) now: u64,
}

/// One file of the next generation.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) path: StorePath,
    pub(super) label: String,
    pub(super) content: Content<'a>,
}

/// Where the content of a file comes from.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// It came in during this run.
    Brought(&'a Pooled),
    /// It is published already.
    Carried(Entry),
    /// It is made here, or upstream's as it is.
    Index { bytes: Vec<u8>, repository: usize },
    /// A public key of ours.
    Key { bytes: Vec<u8> },
}

impl<'a> Next<'a> {
    /// Everything that the next generation holds.
    ///
    /// # Errors
    /// - A path that cannot be, a signature that cannot be made, a package that nobody has.
    pub(super) fn parts(&self) -> Result<Vec<Part<'a>>, Finding> {
        let mut parts = BTreeMap::new();
        for place in self.selected {
            self.place(place, &mut parts).map_err(|finding| finding.at(&place.offer.place))?;
        }
        self.keys(&mut parts)?;
        self.carry_over(&mut parts);
        Ok(parts.into_values().collect())
    }

    fn place(
        &self,
        selected: &Selected<'a>,
        parts: &mut BTreeMap<StorePath, Part<'a>>,
    ) -> Result<(), Finding> {
        let offer = selected.offer;
        for chosen in selected.listed() {
            let record = chosen.candidate.record;
            for folder in folders(&record, &offer.architecture) {
                let path = path(&offer.place.repository, folder, &record.file_name())?;
                let own = folder == offer.place.arch;
                let part = self.package(offer, &record, path, own)?;
                put(parts, part)?;
            }
        }
        let path = path(&offer.place.repository, &offer.place.arch, INDEX)?;
        let bytes = self.index(selected)?;
        let label = label::index(&offer.place, &offer.sha256);
        let carried = self
            .usable(&path)
            .filter(|entry| entry.kind() == EntryKind::Index && entry.sha256().to_string() == digest(&bytes));
        let content = match carried {
            Some(entry) => Content::Carried(entry.clone().labelled(&label)),
            None => Content::Index { bytes, repository: offer.repository },
        };
        put(parts, Part { path, label, content })
    }

    fn package(
        &self,
        offer: &Offer,
        record: &Record<'_>,
        path: StorePath,
        own: bool,
    ) -> Result<Part<'a>, Finding> {
        let identity = record.identity().to_string();
        // A second name of the same file is in no plan of its own.
        let label = if own {
            label::package(&offer.place, record.name(), record.version(), &identity)
        } else {
            String::new()
        };
        if let Some(brought) = self.brought.get(&(offer.place.clone(), record.label())) {
            return Ok(Part { path, label, content: Content::Brought(&brought.pooled) });
        }
        let home = StorePath::parse(&format!(
            "{}/{}/{}",
            offer.place.repository,
            offer.place.arch,
            record.file_name()
        ));
        let entry = home.ok().and_then(|home| self.usable(&home));
        let Some(entry) = entry.filter(|entry| entry.size() == record.size()) else {
            let message = "neither fetched nor published: nothing can be linked";
            return Err(Finding::error(Class::Local, "not-in-pool", message).about(record.label()));
        };
        let moved = entry.clone().moved(path.clone()).listed().labelled(&label);
        Ok(Part { path, label, content: Content::Carried(moved) })
    }

    /// The index of a place: upstream's byte for byte, or one of our own with its entries byte for byte.
    fn index(&self, selected: &Selected<'_>) -> Result<Vec<u8>, Finding> {
        let offer = selected.offer;
        if self.repository(offer)?.index_kind == IndexKind::Upstream {
            return Ok(offer.bytes.clone());
        }
        let mut draft = IndexDraft::new(offer.time.unwrap_or_default());
        if let Some(description) = &offer.raw_description {
            draft = draft.described(description);
        }
        selected.listed().for_each(|chosen| draft.copy(&chosen.candidate.record));
        let failed = |error: &dyn std::error::Error| Finding::error(Class::Local, "index", chain(error));
        let body = draft.body(self.limits).map_err(|error| failed(&error))?;
        let signer = self.signer(offer.repository)?;
        sign_index(&body, signer, SignDigests::Sha256).map_err(|error| failed(&error))
    }

    /// The public half of each key that signs.
    fn keys(&self, parts: &mut BTreeMap<StorePath, Part<'a>>) -> Result<(), Finding> {
        for signer in self.signers.iter().flatten() {
            let path = path("keys", "", signer.name().as_str())?;
            let bytes = signer.public_pem().into_bytes();
            let same = |part: &Part<'_>| match &part.content {
                Content::Key { bytes: known } => *known == bytes,
                Content::Carried(entry) => entry.sha256().to_string() == digest(&bytes),
                _ => false,
            };
            match parts.get(&path) {
                Some(part) if same(part) => continue,
                Some(_) => {
                    let message = format!("two different keys would be published as {path}");
                    return Err(Finding::error(Class::Usage, "sign-key", message));
                }
                None => {}
            }
            let content = match self.usable(&path) {
                Some(entry) if entry.sha256().to_string() == digest(&bytes) => {
                    Content::Carried(entry.clone())
                }
                _ => Content::Key { bytes },
            };
            put(parts, Part { path, label: String::new(), content })?;
        }
        Ok(())
    }

    /// What clients with an older index may still fetch, as long as the grace period lasts.
    fn carry_over(&self, parts: &mut BTreeMap<StorePath, Part<'a>>) {
        let grace = self.config.mirror().grace;
        let unlisted: BTreeSet<StorePath> = self.selected.iter().flat_map(Selected::unlisted_paths).collect();
        for entry in self.published.iter().flat_map(|published| published.entries()) {
            let broken = self.broken.contains(entry.path());
            if parts.contains_key(entry.path()) || entry.kind() == EntryKind::Index || broken {
                continue;
            }
            let dropped = entry.clone().dropped(self.now);
            if unlisted.contains(entry.path()) || !is_over(&dropped, grace, self.now) {
                let (path, label) = (entry.path().clone(), entry.label().to_owned());
                parts.insert(path.clone(), Part { path, label, content: Content::Carried(dropped) });
            }
        }
    }

    /// What is published at a path and can be used again.
    fn usable(&self, path: &StorePath) -> Option<&'a Entry> {
        self.published?.entry(path).filter(|_| !self.broken.contains(path))
    }

    /// Whether the published generation is just this.
    pub(super) fn is_published(&self, parts: &[Part<'_>]) -> bool {
        let Some(published) = self.published else { return false };
        let same = |part: &Part<'_>| match &part.content {
            Content::Carried(entry) => published.entry(&part.path).is_some_and(|known| {
                known.sha256() == entry.sha256()
                    && known.dropped_at() == entry.dropped_at()
                    && known.label() == entry.label()
            }),
            _ => false,
        };
        published.entries().len() == parts.len() && parts.iter().all(same)
    }

    /// Stages every part.
    ///
    /// # Errors
    /// - What publishing says, or that an index of ours does not hold.
    pub(super) fn stage(
        &self,
        tree: &Tree,
        staging: &mut Staging<'_>,
        parts: Vec<Part<'_>>,
    ) -> Result<(), Finding> {
        for Part { path, label, content } in parts {
            match content {
                Content::Brought(pooled) => staging.add(path, pooled, &label),
                Content::Carried(entry) => staging.carry(entry),
                Content::Key { bytes } => staging.public_key(path.name().unwrap_or_default(), &bytes),
                Content::Index { bytes, repository } => {
                    let pooled = self.admit(tree, &bytes, repository)?;
                    staging.add(path, &pooled, &label)
                }
            }
            .map_err(|error| local(&error))?;
        }
        Ok(())
    }

    /// Brings an index into the pool, verified as a client would: by our own public key, or by upstream's.
    fn admit(&self, tree: &Tree, bytes: &[u8], repository: usize) -> Result<Pooled, Finding> {
        let mut spooled = tree.spool().map_err(|error| local(&error))?;
        spooled.write(bytes).map_err(|error| Finding::error(Class::Local, "io", error))?;
        let own = self.signers.get(repository).copied().flatten().map(own_keyring).transpose()?;
        let (policy, known) = (Policy::default(), Known::builtin());
        let proof = match (&own, self.trusts.get(repository)) {
            (Some(keyring), _) => Proof { keyring, policy: &policy, known: &known },
            (None, Some(trust)) => trust.proof(),
            (None, None) => return Err(Finding::error(Class::Local, "keys", "no key for this index")),
        };
        // Of upstream's index the place was proven when it was offered; the bytes are the same.
        let proof = Proof { policy: &policy, ..proof };
        let options = ReadOptions { limits: self.limits.clone(), ..ReadOptions::default() };
        let admitted = tree.admit(spooled, options, &mut Scratch::default(), |subject| match subject {
            Subject::Index(index) => verify_index(index, &proof).into_blob(),
            _ => Err(not_an_index()),
        });
        admitted.map_err(|error| match error {
            AdmitError::Refused(fault) => Finding::of_fault(&fault),
            AdmitError::Publish(error) => local(&error),
        })
    }

    fn repository(&self, offer: &Offer) -> Result<&'a Repository, Finding> {
        let missing = || Finding::error(Class::Local, "repository", "a repository without a configuration");
        self.config.repositories().get(offer.repository).ok_or_else(missing)
    }

    fn signer(&self, repository: usize) -> Result<&'a SigningKey, Finding> {
        let missing = || Finding::error(Class::Usage, "sign-key", "a subset without a key to sign its index");
        self.signers.get(repository).copied().flatten().ok_or_else(missing)
    }
}

/// The folders below a repository where clients look for a package: that of its entry, and that of the index.
pub(super) fn folders<'r>(record: &Record<'r>, architecture: &'r Architecture) -> Vec<&'r str> {
    let index = architecture.as_str();
    match record.architecture() {
        // apk looks in `noarch/` if the entry says so; older clients look beside the index.
        Some(Architecture::NOARCH) => vec![index, Architecture::NOARCH],
        Some(other) if other != index => vec![other],
        _ => vec![index],
    }
}

/// A path below the root that is served.
pub(super) fn path(repository: &str, folder: &str, file: &str) -> Result<StorePath, Finding> {
    let text = if folder.is_empty() {
        format!("{repository}/{file}")
    } else {
        format!("{repository}/{folder}/{file}")
    };
    StorePath::parse(&text).map_err(|error| Finding::error(Class::Refused, "path", error).about(&text))
}

/// A path holds one thing; the same file twice is one.
fn put<'a>(parts: &mut BTreeMap<StorePath, Part<'a>>, part: Part<'a>) -> Result<(), Finding> {
    let sha256 = |part: &Part<'_>| match &part.content {
        Content::Brought(pooled) => pooled.sha256().to_string(),
        Content::Carried(entry) => entry.sha256().to_string(),
        Content::Index { bytes, .. } | Content::Key { bytes } => digest(bytes),
    };
    match parts.get(&part.path) {
        Some(known) if sha256(known) != sha256(&part) => {
            let message = "two architectures have different packages of this name for all architectures";
            Err(Finding::error(Class::State, "noarch-differs", message).about(part.path.as_str()))
        }
        Some(_) => Ok(()),
        None => {
            parts.insert(part.path.clone(), part);
            Ok(())
        }
    }
}

fn is_over(entry: &Entry, grace: Duration, now: u64) -> bool {
    entry.dropped_at().is_some_and(|at| at.saturating_add(grace.as_secs()) <= now)
}

/// The one key that clients have of us.
fn own_keyring(signer: &SigningKey) -> Result<Keyring, Finding> {
    let mut keyring = Keyring::default();
    let key = TrustedKey::new(signer.name().as_str(), "sign-key", signer.public_key().clone());
    keyring.add(key).map_err(|error| Finding::error(Class::Usage, "sign-key", error))?;
    Ok(keyring)
}

fn not_an_index() -> crate::fault::Fault {
    use crate::fault::{Fault, Rank, Verdict};
    Fault::new(Rank::Framing, Verdict::Malformed, "not-an-index", "what was made is not an index")
}
