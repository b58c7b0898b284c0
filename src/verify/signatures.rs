//! Checks each signature of a file against the trusted keys.

use crate::envelope::{Label, Signature, SignedDigests};
use crate::fault::{Fault, Note, Rank, Verdict};
use crate::keys::{Fingerprint, NotPinned, PinnedUse};
use crate::types::{KeyName, escape};

use super::arithmetic::Hashed;
use super::keyring::{Keyring, TrustedKey};
use super::policy::{KeyNames, MinDigest, Policy};
use super::subject::Subject;
use super::witness::{Evidence, EvidenceKey, Via};

/// What became of one signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignatureStatus {
    /// It holds, by a trusted key.
    Good,
    /// A trusted key has its name, but did not make it.
    Bad,
    /// No trusted key has its name.
    UnknownKey,
    /// Its label is none that apk knows.
    UnknownAlgorithm,
    /// Its key or label is not allowed, and nothing was computed.
    Refused,
}

impl SignatureStatus {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::UnknownKey => "unknown-key",
            Self::UnknownAlgorithm => "unknown-algorithm",
            Self::Refused => "refused",
        }
    }
}

/// One signature and what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignatureReport {
    pub(super) key_name: String,
    pub(super) label: Label,
    pub(super) status: SignatureStatus,
    pub(super) fingerprint: Option<Fingerprint>,
}

impl SignatureReport {
    /// The name of the key that the signature asks for.
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// The algorithm that it names.
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// What became of it.
    pub const fn status(&self) -> SignatureStatus {
        self.status
    }

    /// The trusted key that was tried, if there is one.
    pub const fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }
}

/// All signatures of a file, checked.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) reports: Vec<SignatureReport>,
    pub(super) good: Vec<(Label, EvidenceKey)>,
    pub(super) faults: Vec<Fault>,
    /// Keys that are trusted, but not for this use.
    pub(super) unpinned: Vec<Unpinned>,
    /// Public-key operations.
    pub(super) operations: u64,
}

/// The digest that a label asks for. None: the label is not one that is computed.
pub(super) fn hashed(label: &Label, digests: &SignedDigests) -> Option<Hashed> {
    match label {
        Label::Rsa => digests.sha1.map(Hashed::Sha1),
        Label::Rsa256 => digests.sha256.map(Hashed::Sha256),
        Label::Rsa512 => digests.sha512.map(Hashed::Sha512),
        Label::Dsa | Label::Unknown(_) => None,
    }
}

/// A trusted key that no pin admits for what it was asked to vouch for.
#[derive(Debug)]
pub(super) struct Unpinned {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) reason: NotPinned,
}

/// What signatures are checked against.
#[derive(Clone, Copy)]
pub(super) struct Check<'a> {
    pub(super) digests: &'a SignedDigests,
    pub(super) keyring: &'a Keyring,
    pub(super) policy: &'a Policy,
    pub(super) subject: Subject<'a>,
}

impl Check<'_> {
    /// Checks every signature whose key is trusted; each of them must hold.
    pub(super) fn run(&self, signatures: &[Signature]) -> Checked {
        let mut checked = Checked::default();
        for signature in signatures {
            let report = checked.one(signature, self);
            checked.reports.push(report);
        }
        checked
    }

    /// Whether a key counts here, by the pins if there are any.
    fn admits(&self, key: &TrustedKey, signature: &Signature) -> Result<(), NotPinned> {
        let Some(pinned) = self.policy.pinned.as_ref().filter(|_| checked!("pins")) else { return Ok(()) };
        let name = KeyName::parse(key.name().as_bytes()).map_err(|_| NotPinned::Fingerprint)?;
        let used = PinnedUse {
            fingerprint: key.fingerprint(),
            name: &name,
            location: self.subject.place,
            architecture: self.subject.architecture,
            package: self.subject.package,
            sha1: signature.label == Label::Rsa,
        };
        pinned.pins.admit(&used, pinned.today).map(|_| ())
    }
}

impl Checked {
    fn one(&mut self, signature: &Signature, check: &Check<'_>) -> SignatureReport {
        let mut report = SignatureReport {
            key_name: signature.key_name.to_string(),
            label: signature.label.clone(),
            status: SignatureStatus::UnknownKey,
            fingerprint: None,
        };
        if matches!(signature.label, Label::Unknown(_)) {
            report.status = SignatureStatus::UnknownAlgorithm;
            return report;
        }
        for key in check.keyring.by_name(&signature.key_name) {
            if report.status != SignatureStatus::Good && self.counts(key, signature, check) {
                report.status = self.by_key(signature, check.digests, key);
                report.fingerprint = Some(key.fingerprint());
            }
        }
        let unsettled = matches!(report.status, SignatureStatus::UnknownKey | SignatureStatus::Bad);
        let any = unsettled && check.policy.key_names == KeyNames::Any;
        if let Some(key) = any.then(|| self.find(signature, check)).flatten() {
            report.status = SignatureStatus::Good;
            report.fingerprint = Some(key.fingerprint());
        }
        report
    }

    /// Whether a key counts; if not, that is remembered for the cause.
    fn counts(&mut self, key: &TrustedKey, signature: &Signature, check: &Check<'_>) -> bool {
        let Err(reason) = check.admits(key, signature) else { return true };
        self.unpinned.push(Unpinned {
            name: key.name().to_owned(),
            file: key.file().to_owned(),
            fingerprint: key.fingerprint(),
            reason,
        });
        false
    }

    fn by_key(
        &mut self,
        signature: &Signature,
        digests: &SignedDigests,
        key: &TrustedKey,
    ) -> SignatureStatus {
        if checked!("signature-dsa") && signature.label == Label::Dsa {
            let message = format!(
                "the signature by `{}` is labelled DSA; RSA over SHA-1, SHA-256 or SHA-512 is accepted",
                signature.key_name
            );
            let fault = Fault::new(Rank::Key, Verdict::Policy, "signature-dsa", message);
            self.faults.push(fault.with_remedy("ask whoever signs for an RSA signature"));
            return SignatureStatus::Refused;
        }
        let verifying = match key.verifying() {
            Ok(verifying) => verifying,
            Err(refused) => {
                let message = format!("the key `{}` ({}) is refused: {refused}", key.name(), key.file());
                let fault = Fault::new(Rank::Key, Verdict::Policy, refused.code(), message);
                let remedy = "ask whoever signs for a new RSA key of 3072 bits or more";
                self.faults.push(fault.with_remedy(remedy));
                return SignatureStatus::Refused;
            }
        };
        let Some(hashed) = hashed(&signature.label, digests) else { return SignatureStatus::Bad };
        self.operations += 1;
        if verifying.verifies(&hashed, &signature.bytes) || !checked!("signature") {
            self.good.push((signature.label.clone(), evidence_key(key)));
            SignatureStatus::Good
        } else {
            SignatureStatus::Bad
        }
    }

    /// The trusted key of any name that made the signature.
    fn find<'k>(&mut self, signature: &Signature, check: &Check<'k>) -> Option<&'k TrustedKey> {
        let hashed = hashed(&signature.label, check.digests)?;
        let key = check.keyring.iter().find(|key| {
            key.verifying().is_ok_and(|verifying| {
                self.operations += 1;
                verifying.verifies(&hashed, &signature.bytes)
            })
        })?;
        if !self.counts(key, signature, check) {
            return None;
        }
        self.good.push((signature.label.clone(), evidence_key(key)));
        Some(key)
    }

    /// What the policy demands of the good signatures.
    pub(super) fn demand(&self, policy: &Policy) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.good.is_empty() {
            return faults;
        }
        let strong = self.good.iter().any(|(label, _)| matches!(label, Label::Rsa256 | Label::Rsa512));
        if checked!("min-digest") && policy.min_digest == MinDigest::Sha256 && !strong {
            let message = "only SHA-1 signatures by trusted keys, where SHA-256 or SHA-512 is demanded";
            let fault = Fault::new(Rank::Policy, Verdict::Policy, "digest-too-weak", message);
            faults.push(fault.with_remedy(
                "ask whoever signs for a signature over SHA-256 (RSA256), or accept SHA-1 with --min-digest sha1",
            ));
        }
        let demanded = |key: &EvidenceKey| policy.fingerprints.contains(&key.fingerprint);
        if checked!("fingerprint")
            && !policy.fingerprints.is_empty()
            && !self.good.iter().any(|(_, key)| demanded(key))
        {
            let found: Vec<String> = self.good.iter().map(|(_, key)| key.fingerprint.to_string()).collect();
            let message = format!("signed by {}, which is none of the demanded keys", found.join(" and "));
            let fault = Fault::new(Rank::Signature, Verdict::Untrusted, "fingerprint-mismatch", message);
            faults.push(fault.with_remedy(
                "the key file is not the one whose fingerprint you compared: fetch it again from a source that you trust",
            ));
        }
        faults
    }

    /// Notes on good signatures.
    pub(super) fn notes(&self) -> Vec<Note> {
        let sha1 = self.good.iter().any(|(label, _)| *label == Label::Rsa);
        let strong = self.good.iter().any(|(label, _)| *label != Label::Rsa);
        let note = Note::new("sha1-signature", "a signature rests on SHA-1, as most of Alpine's own do");
        let only = Note::new("sha1-only", "no signature by a trusted key rests on SHA-256 or SHA-512");
        let mut notes = match (sha1, strong) {
            (true, true) => vec![note],
            (true, false) => vec![note, only],
            _ => Vec::new(),
        };
        // Without a good signature this is the cause, and no note beside it.
        if !self.good.is_empty() {
            let text = |unpinned: &Unpinned| Note::new("not-pinned", unpinned.sentence());
            notes.extend(self.unpinned.iter().map(text));
        }
        notes
    }

    /// The evidence, if any signature is good.
    pub(super) fn evidence(&self, span: std::ops::Range<u64>) -> Option<Evidence> {
        let strength = |label: &Label| match label {
            Label::Rsa512 => 3,
            Label::Rsa256 => 2,
            _ => 1,
        };
        let algorithm = self.good.iter().map(|(label, _)| label).max_by_key(|label| strength(label))?.clone();
        let mut keys: Vec<EvidenceKey> = Vec::new();
        for (_, key) in &self.good {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        Some(Evidence { keys, algorithm, span, via: Via::Signature })
    }
}

impl Unpinned {
    pub(super) fn sentence(&self) -> String {
        let Self { name, file, fingerprint, reason } = self;
        format!("the key `{}` ({file}, {fingerprint}) does not count here: {reason}", escape(name))
    }
}

fn evidence_key(key: &TrustedKey) -> EvidenceKey {
    EvidenceKey {
        name: key.name().to_owned(),
        file: key.file().to_owned(),
        fingerprint: key.fingerprint(),
        bits: key.key().bits(),
    }
}
