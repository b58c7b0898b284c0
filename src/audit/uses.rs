//! Which key made which signature: every signature is held against the keys of the store.

use std::collections::BTreeSet;

use super::adb::AdbSignature;
use super::entry::Entry;
use super::settings::Search;
use super::signed::{Signed, SignedObject, Signer};
use crate::envelope::{Label, Signature, SignedDigests};
use crate::keys::{Fingerprint, PublicKey};
use crate::verify::TrustedKey;

/// How many public-key operations are spent on signatures whose key is not where its name says.
const SEARCHES: usize = 200_000;

/// A signature that asks for a key of the store, or was made by one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Use {
    /// What the operator named, escaped.
    pub repo: String,
    /// The index or package, escaped.
    pub object: String,
    /// `RSA`, `RSA256`, `RSA512` or `ADB`.
    pub alg: String,
    /// Whether the key made it; `None` where that was not checked.
    pub ok: Option<bool>,
}

/// What became of one signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Outcome {
    pub(super) signer: Signer,
    pub(super) alg: String,
    pub(super) made: Made,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Made {
    /// By the key that it asks for; the place of that among the entries.
    AsAsked(usize),
    /// By another key of the store.
    ByAnother(usize),
    /// Not by the key that it asks for, nor by any other.
    ByNone,
    /// The key that it asks for is not here, and no other made it.
    Missing,
    /// The key that it asks for is here, and is not computed with.
    NotChecked(usize),
}

/// What became of all signatures of all objects.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// By entry.
    pub(super) of: Vec<Vec<Use>>,
    /// By object.
    pub(super) outcomes: Vec<Vec<Outcome>>,
}

impl Uses {
    pub(super) fn find(entries: &[Entry<'_>], objects: &[SignedObject], search: Search) -> Self {
        let mut finder = Finder::new(entries, search);
        let mut uses = Self { of: entries.iter().map(|_| Vec::new()).collect(), outcomes: Vec::new() };
        for object in objects {
            let outcomes = finder.outcomes(&object.signed);
            for outcome in &outcomes {
                uses.record(object, outcome);
            }
            uses.outcomes.push(outcomes);
        }
        uses
    }

    fn record(&mut self, object: &SignedObject, outcome: &Outcome) {
        let (entry, ok) = match outcome.made {
            Made::AsAsked(entry) | Made::ByAnother(entry) => (entry, Some(true)),
            Made::NotChecked(entry) => (entry, None),
            Made::ByNone | Made::Missing => return,
        };
        if let Some(uses) = self.of.get_mut(entry) {
            let (repo, object) = (object.source.clone(), object.object.clone());
            uses.push(Use { repo, object, alg: outcome.alg.clone(), ok });
        }
    }

    /// The keys that made something.
    pub(super) fn used(&self, entries: &[Entry<'_>]) -> BTreeSet<Fingerprint> {
        let used =
            entries.iter().zip(&self.of).filter(|(_, uses)| uses.iter().any(|used| used.ok != Some(false)));
        used.filter_map(|(entry, _)| entry.fingerprint()).collect()
    }
}

/// A key that counts, with its place among the entries.
struct Candidate {
    entry: usize,
    id: String,
    key: TrustedKey,
}

struct Finder {
    candidates: Vec<Candidate>,
    searches: usize,
}

impl Finder {
    fn new(entries: &[Entry<'_>], search: Search) -> Self {
        let mut candidates: Vec<Candidate> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let Some(key) = entry.trusted() else { continue };
            let taken = |candidate: &Candidate| candidate.key.name() == entry.name();
            if search == Search::FirstWins && candidates.iter().any(taken) {
                continue;
            }
            let id = key.apk3_key_id().to_string();
            candidates.push(Candidate { entry: at, id, key: TrustedKey::new(entry.name(), "", key.clone()) });
        }
        Self { candidates, searches: 0 }
    }

    fn outcomes(&mut self, signed: &Signed) -> Vec<Outcome> {
        match signed {
            Signed::V2(signatures, digests) => signatures
                .iter()
                .map(|signature| Outcome {
                    signer: Signer::Name(signature.key_name.to_string()),
                    alg: signature.label.to_string(),
                    made: self.v2(signature, digests),
                })
                .collect(),
            Signed::V3(signatures) => signatures
                .iter()
                .map(|signature| Outcome {
                    signer: Signer::KeyId(signature.key_id()),
                    alg: "ADB".to_owned(),
                    made: self.v3(signature),
                })
                .collect(),
        }
    }

    fn v2(&mut self, signature: &Signature, digests: &SignedDigests) -> Made {
        let named = |candidate: &&Candidate| candidate.key.name() == signature.key_name.as_str();
        let mut found = Made::Missing;
        for candidate in self.candidates.iter().filter(named) {
            match candidate.key.made(signature, digests) {
                Ok(true) => return Made::AsAsked(candidate.entry),
                Ok(false) => found = Made::ByNone,
                Err(_) if found == Made::Missing => found = Made::NotChecked(candidate.entry),
                Err(_) => {}
            }
        }
        if matches!(found, Made::NotChecked(_)) || signature.label == Label::Dsa {
            return found;
        }
        let rest = self.candidates.iter().filter(|candidate| !named(candidate));
        let mut rest = rest.take(SEARCHES.saturating_sub(self.searches)).inspect(|_| self.searches += 1);
        let other = rest.find(|candidate| candidate.key.made(signature, digests) == Ok(true));
        other.map_or(found, |candidate| Made::ByAnother(candidate.entry))
    }

    /// v3 finds keys by identifier: a name is no matter.
    fn v3(&self, signature: &AdbSignature) -> Made {
        let id = signature.key_id();
        let Some(candidate) = self.candidates.iter().find(|candidate| candidate.id == id) else {
            return Made::Missing;
        };
        match candidate.key.made_over(signature.digest, &signature.bytes) {
            Ok(true) => Made::AsAsked(candidate.entry),
            Ok(false) => Made::ByNone,
            Err(_) if matches!(candidate.key.key(), PublicKey::Rsa(_) | PublicKey::Ec(_)) => {
                Made::NotChecked(candidate.entry)
            }
            Err(_) => Made::ByNone,
        }
    }
}
