//! What a mirror published, and when, in a chain that shows if something was taken out or changed.
//!
//! Each change of what is served makes one link: what appeared and what went, with the proof of its day, and the
//! SHA-256 of the link before it. Whoever keeps the digest of the last link somewhere else can tell later that
//! nothing before it was rewritten.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// The form of a link that this program reads and writes.
const SCHEMA: &str = "apkvet-history/1";

/// What happened to one file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// It can be fetched from now on.
    Published,
    /// The index no longer names it.
    Dropped,
    /// Its path has other bytes from now on, because an operator allowed that.
    Replaced,
}

/// Where a file came from, and what proved it when it came.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// SHA-256 of the index that named it, in hexadecimal.
    pub index: String,
    /// When that index was made, if it said so. Units: seconds since 1970.
    pub index_time: Option<u64>,
    /// Fingerprints of the keys that signed the package, or the index alone.
    pub signers: Vec<String>,
    /// On which road trust came, as in JSON output.
    pub via: String,
    /// The host or folder that it was fetched from, without credentials.
    pub upstream: String,
}

/// One file of one change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// The path below the root of what is served.
    pub path: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The identity of a package (`C:`).
    pub identity: Option<String>,
    /// Where it came from; none for what was dropped.
    pub origin: Option<Origin>,
}

/// All files of one change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    schema: String,
    /// The number of the generation that the change made.
    pub generation: u64,
    /// The number of the generation that was published before; none if this link lists everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// SHA-256 of the link before; none for the first.
    pub previous: Option<String>,
    /// The clock of that moment. Units: seconds since 1970.
    pub time: u64,
    /// What happened, sorted by path.
    pub entries: Vec<Entry>,
}

/// Why a chain does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Not a link that this program reads.
    #[error("link {number} cannot be read: {message}")]
    Unreadable {
        /// Counted from 1.
        number: u64,
        /// What the parser says.
        message: String,
    },
    /// A link that does not follow the one before it.
    #[error(
        "link {number} follows {}, but the one before it is {}: a link was changed, or is missing",
        digest(.expected.as_deref()),
        digest(.found.as_deref())
    )]
    Broken {
        /// Counted from 1.
        number: u64,
        /// The digest that the link names.
        expected: Option<String>,
        /// The digest of the link before it.
        found: Option<String>,
    },
    /// The last link is not the one that is remembered.
    #[error("the last link is {}, remembered is {expected}: links are missing at the end", digest(.found.as_deref()))]
    Head {
        /// What is remembered.
        expected: String,
        /// What is there.
        found: Option<String>,
    },
}

fn digest(text: Option<&str>) -> &str {
    text.unwrap_or("none")
}

impl Link {
    /// A link that follows another.
    pub fn new(generation: u64, previous: Option<String>, time: u64, mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| (&a.path, &a.sha256).cmp(&(&b.path, &b.sha256)));
        Self { schema: SCHEMA.to_owned(), generation, after: None, previous, time, entries }
    }

    /// The same link of a change of this generation.
    #[must_use]
    pub fn following(self, generation: u64) -> Self {
        Self { after: Some(generation), ..self }
    }

    /// The bytes that are stored, and their SHA-256 in hexadecimal.
    ///
    /// # Errors
    /// - as `serde_json`; numbers and texts always have a JSON form.
    pub fn to_bytes(&self) -> Result<(Vec<u8>, String), serde_json::Error> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        let digest = sha256(&bytes);
        Ok((bytes, digest))
    }
}

/// A chain that holds, and what can be asked of it.
#[derive(Clone, Debug, Default)]
pub struct History {
    links: Vec<Link>,
    head: Option<String>,
}

impl History {
    /// Reads links from the first to the last, and checks that each follows the one before it.
    ///
    /// # Errors
    /// - [`HistoryError::Unreadable`] for bytes that are no link.
    /// - [`HistoryError::Broken`] where a link does not follow the one before.
    /// - [`HistoryError::Head`] if the last one is not the remembered one.
    pub fn read<B: AsRef<[u8]>>(
        links: impl IntoIterator<Item = B>,
        remembered: Option<&str>,
    ) -> Result<Self, HistoryError> {
        let mut history = Self::default();
        for (number, bytes) in (1..).zip(links) {
            history.follow(number, bytes.as_ref())?;
        }
        match remembered {
            Some(expected) if checked!("history-head") && history.head.as_deref() != Some(expected) => {
                Err(HistoryError::Head { expected: expected.to_owned(), found: history.head })
            }
            _ => Ok(history),
        }
    }

    /// Takes one more link, if it follows.
    pub(super) fn follow(&mut self, number: u64, bytes: &[u8]) -> Result<(), HistoryError> {
        let unreadable = |message: String| HistoryError::Unreadable { number, message };
        let link: Link = serde_json::from_slice(bytes)
            .map_err(|error| unreadable(crate::types::escape(&error.to_string()).to_string()))?;
        if link.schema != SCHEMA {
            return Err(unreadable(format!("expected the schema {SCHEMA}")));
        }
        if checked!("history-chain") && link.previous != self.head {
            let found = self.head.take();
            return Err(HistoryError::Broken { number, expected: link.previous, found });
        }
        self.head = Some(sha256(bytes));
        self.links.push(link);
        Ok(())
    }

    /// SHA-256 of the last link, in hexadecimal.
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }

    /// The links, the oldest first.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// What is listed in a generation, by path with SHA-256; none if the links do not tell.
    ///
    /// A link whose generation never became visible, because the run died, is passed over: no later one
    /// follows its generation.
    pub fn listed(&self, generation: u64) -> Option<BTreeMap<&str, &str>> {
        let (mut visible, mut wanted) = (Vec::new(), Some(generation));
        for link in self.links.iter().rev() {
            if wanted == Some(link.generation) {
                visible.push(link);
                wanted = link.after;
                if wanted.is_none() {
                    break;
                }
            }
        }
        // invariant: `wanted` is none only once a link has said that it lists everything.
        if wanted.is_some() {
            return None;
        }
        let mut listed = BTreeMap::new();
        for entry in visible.into_iter().rev().flat_map(|link| &link.entries) {
            match entry.event {
                Event::Published | Event::Replaced => {
                    listed.insert(entry.path.as_str(), entry.sha256.as_str())
                }
                Event::Dropped => listed.remove(entry.path.as_str()),
            };
        }
        Some(listed)
    }

    /// Everything that happened to one path, the oldest first, each with its time.
    pub fn of_path<'h>(&'h self, path: &'h str) -> impl Iterator<Item = (u64, &'h Entry)> {
        self.links.iter().flat_map(move |link| {
            link.entries.iter().filter(move |entry| entry.path == path).map(|entry| (link.time, entry))
        })
    }

    /// The last origin that is known of a file with these bytes.
    pub fn origin(&self, sha256: &str) -> Option<&Origin> {
        let entries = self.links.iter().rev().flat_map(|link| &link.entries);
        entries.filter(|entry| entry.sha256 == sha256).find_map(|entry| entry.origin.as_ref())
    }

    /// Paths that were published with more than one content, with the digests in their order.
    pub fn changed_paths(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut contents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let published = self.links.iter().flat_map(|link| &link.entries);
        for entry in published.filter(|entry| entry.event != Event::Dropped && entry.identity.is_some()) {
            let known = contents.entry(&entry.path).or_default();
            if !known.contains(&entry.sha256.as_str()) {
                known.push(&entry.sha256);
            }
        }
        contents.retain(|_, digests| digests.len() > 1);
        contents
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest: [u8; 32] = sha2::Sha256::digest(bytes).into();
    crate::types::Digest::<crate::types::Sha256>::new(digest).to_string()
}

#[cfg(test)]
mod tests;
