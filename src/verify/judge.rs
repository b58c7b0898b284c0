//! From claims to a judgement: the one way to a [`Verified`].

use crate::envelope::SignedDigests;
use crate::fault::{Fault, Findings, Note, Rank, Verdict};
use crate::unverified::{Facts, IndexClaims, PackageClaims, Unverified};

use super::causes::Evidenceless;
use super::index_entry::{self, IndexEntries, Matched};
use super::keyring::Keyring;
use super::known::Known;
use super::policy::{Policy, SignatureDemand};
use super::signatures::{Check, Checked, SignatureReport};
use super::subject::{Claims, Subject};
use super::witness::{Evidence, Verified};

/// What a judgement is made with.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The keys that are trusted.
    pub keyring: &'a Keyring,
    /// What is demanded beyond a good signature.
    pub policy: &'a Policy,
    /// Facts about keys, to name causes; they are not trusted.
    pub known: &'a Known,
}

/// What was found about one file.
///
/// Trust: only [`Judgement::verified`] is proof.
#[must_use = "an ignored verdict is an accepted forgery"]
#[derive(Debug)]
pub struct Judgement<T> {
    outcome: Outcome<T>,
    notes: Vec<Note>,
    signatures: Vec<SignatureReport>,
    facts: Facts,
}

#[derive(Debug)]
enum Outcome<T> {
    Verified(Verified<T>),
    Refused { reason: Fault, claims: Option<T>, lacks: Lacks, evidence: Option<Evidence> },
}

/// What a refused file lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lacks {
    /// A signature by a trusted key, and nothing else.
    Trust,
    /// A good signature where a trusted key is named, and nothing else.
    GoodSignature,
    /// One thing that may be waived, however often; all signatures and hashes hold.
    Waivable,
    /// More than that.
    More,
}

impl Lacks {
    fn of(findings: &Findings) -> Self {
        let signature = |fault: &Fault| fault.rank == Rank::Signature;
        let unknown = |fault: &Fault| {
            signature(fault) && matches!(fault.code, "unsigned" | "untrusted" | "key-renamed" | "key-known")
        };
        let bad = |fault: &Fault| {
            unknown(fault)
                || signature(fault)
                    && matches!(fault.code, "bad-signature" | "key-replaced" | "key-renamed" | "signed-twice")
        };
        let code = findings.gravest().map(|fault| fault.code);
        let waivable = |fault: &Fault| is_waivable(fault) && Some(fault.code) == code;
        match () {
            () if findings.only(unknown) => Self::Trust,
            () if findings.only(bad) => Self::GoodSignature,
            () if findings.only(waivable) => Self::Waivable,
            () => Self::More,
        }
    }
}

impl<T> Judgement<T> {
    /// The verdict.
    pub const fn verdict(&self) -> Verdict {
        match &self.outcome {
            Outcome::Verified(_) => Verdict::Verified,
            Outcome::Refused { reason, .. } => reason.verdict(),
        }
    }

    /// Why the file is refused; none if it is verified.
    pub const fn reason(&self) -> Option<&Fault> {
        match &self.outcome {
            Outcome::Verified(_) => None,
            Outcome::Refused { reason, .. } => Some(reason),
        }
    }

    /// The proof, if the file is verified.
    pub const fn verified(&self) -> Option<&Verified<T>> {
        match &self.outcome {
            Outcome::Verified(verified) => Some(verified),
            Outcome::Refused { .. } => None,
        }
    }

    /// The proof, or the reason why there is none.
    ///
    /// # Errors
    /// - The fault that decided.
    pub fn into_verified(self) -> Result<Verified<T>, Fault> {
        match self.outcome {
            Outcome::Verified(verified) => Ok(verified),
            Outcome::Refused { reason, .. } => Err(reason),
        }
    }

    /// What the file says about itself, proven or not.
    pub const fn claims(&self) -> Option<&T> {
        match &self.outcome {
            Outcome::Verified(verified) => Some(verified.value()),
            Outcome::Refused { claims, .. } => claims.as_ref(),
        }
    }

    /// Whether a good signature by a trusted key is all that the file lacks: unsigned, untrusted, or wrongly signed.
    pub const fn lacks_signature_alone(&self) -> bool {
        matches!(
            &self.outcome,
            Outcome::Refused { claims: Some(_), lacks: Lacks::Trust | Lacks::GoodSignature, .. }
        )
    }

    /// What the file says about itself, proven or not, to keep.
    pub fn into_claims(self) -> Option<T> {
        match self.outcome {
            Outcome::Verified(verified) => Some(verified.into_value()),
            Outcome::Refused { claims, .. } => claims,
        }
    }

    /// Everything else worth knowing.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What became of each signature.
    pub fn signatures(&self) -> &[SignatureReport] {
        &self.signatures
    }

    /// What was measured while the file was read.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// Judges a package: its signatures, its form, its hashes.
///
/// Trust: `verified` means that a trusted key signed the control member, that all signatures by trusted
/// keys hold, and that the data member is the one that the control member names. Inflated names and
/// checksums are part of it if the package was read at the full level.
pub fn verify_package(package: Unverified<PackageClaims>, proof: &Proof<'_>) -> Judgement<PackageClaims> {
    judge(package, proof)
}

/// Judges an index: its signatures, its form, its text.
///
/// Trust: `verified` means that a trusted key signed the body, that all signatures by trusted keys hold,
/// and that the text keeps to the grammar.
pub fn verify_index(index: Unverified<IndexClaims>, proof: &Proof<'_>) -> Judgement<IndexClaims> {
    judge(index, proof)
}

/// Judges what is neither: refused, always.
pub fn verify_unknown(file: Unverified<()>, proof: &Proof<'_>) -> Judgement<()> {
    // Without claims there is no proof, whatever the signatures say.
    judge(Unverified { claims: None, ..file }, proof)
}

impl Judgement<PackageClaims> {
    /// Holds a judged package against its index as well: both must hold.
    ///
    /// Trust: the index is proof already. Compared are identity, size, name, version and architecture.
    pub fn against_index(self, index: &IndexEntries) -> Self {
        self.within_index(index, SignatureDemand::Required)
    }

    /// Refuses the package because its index is not proof.
    pub fn without_index(self, message: &str) -> Self {
        let fault = Fault::new(Rank::Integrity, Verdict::Integrity, "index-untrusted", message);
        self.refuse(fault.with_remedy("look at the verdict of the index first"))
    }

    /// Holds a judged package against its index, and lets the index speak for it as far as `demand` says.
    ///
    /// Trust: with anything less than [`SignatureDemand::Required`] a package can be proven by the identity in
    /// a verified index alone, as `apk` does it; the evidence says so ([`super::Via::Index`]).
    pub fn within_index(self, index: &IndexEntries, demand: SignatureDemand) -> Self {
        match index_entry::hold(self, index) {
            Ok(matched) => Self::vouched_for(matched, demand),
            Err(refused) => *refused,
        }
    }

    /// What a package is worth that matches its entry.
    fn vouched_for(matched: Matched<'_>, demand: SignatureDemand) -> Self {
        let (mut judged, voucher) = matched.into_parts();
        let span = judged.facts.signed.as_ref().map(|(span, _)| span.clone());
        judged.outcome = match (judged.outcome, span) {
            (Outcome::Verified(verified), _) => {
                Outcome::Verified(verified.with_via(voucher.with_signature()))
            }
            (Outcome::Refused { reason, claims: Some(claims), lacks, .. }, Some(span))
                if demand.is_met_by_index(lacks) =>
            {
                judged.notes.push(Note { code: reason.code, message: reason.message });
                Outcome::Verified(Verified::witness(claims, voucher.alone(span)))
            }
            // What may be waived still says on which road trust came.
            (Outcome::Refused { reason, claims, lacks, evidence: Some(evidence) }, _) => {
                let evidence = Some(Evidence { via: voucher.with_signature(), ..evidence });
                Outcome::Refused { reason, claims, lacks, evidence }
            }
            (refused, _) => refused,
        };
        judged
    }

    /// The judgement as it is if it is a refusal; proof cannot stay proof where nothing was compared.
    pub(super) fn unless_refused(self) -> Self {
        match self.outcome {
            Outcome::Refused { .. } => self,
            Outcome::Verified(_) => self.refuse(unproven()),
        }
    }

    /// Takes a package that is refused for one code alone, because an operator said so about this very file.
    ///
    /// Trust: never lifts what concerns signatures, hashes, framing or the index; those leave nothing to waive.
    pub fn waiving(mut self, code: &str) -> Self {
        // What was not read to its end has a data member that nothing was compared with.
        let whole = self.facts.size().is_some();
        self.outcome = match self.outcome {
            Outcome::Refused {
                reason,
                claims: Some(claims),
                lacks: Lacks::Waivable,
                evidence: Some(evidence),
            } if whole && (reason.code == code || !checked!("waive-code")) => {
                self.notes.push(Note { code: reason.code, message: reason.message });
                Outcome::Verified(Verified::witness(claims, evidence))
            }
            outcome => outcome,
        };
        self
    }

    pub(super) fn refuse(mut self, fault: Fault) -> Self {
        let (lacks, evidence) = (Lacks::More, None);
        self.outcome = match self.outcome {
            Outcome::Verified(verified) => {
                Outcome::Refused { reason: fault, claims: Some(verified.into_value()), lacks, evidence }
            }
            Outcome::Refused { reason, claims, .. } => {
                // The graver decides, the other stays readable.
                let (reason, rest) = if fault.rank < reason.rank { (fault, reason) } else { (reason, fault) };
                self.notes.push(Note { code: rest.code, message: rest.message });
                Outcome::Refused { reason, claims, lacks, evidence }
            }
        };
        self
    }
}

impl SignatureDemand {
    /// Whether the index speaks for a package that lacks this.
    fn is_met_by_index(self, lacks: Lacks) -> bool {
        match self {
            Self::Required => false,
            Self::Known => lacks == Lacks::Trust || !checked!("demand-known"),
            // What may be waived is no matter of signatures: an operator has to name it.
            Self::IndexAlone => matches!(lacks, Lacks::Trust | Lacks::GoodSignature),
        }
    }
}

fn judge<T: Claims>(unverified: Unverified<T>, proof: &Proof<'_>) -> Judgement<T> {
    let Unverified { mut facts, claims } = unverified;
    let mut findings = std::mem::take(&mut facts.findings);
    let mut signatures = Vec::new();
    let mut evidence = None;
    // A file whose framing is refused has no signed member to speak of.
    if let Some((span, digests)) = &facts.signed {
        let subject = claims.as_ref().map_or_else(Subject::default, Claims::subject);
        let subject = Subject { place: facts.place.as_ref(), ..subject };
        let Proof { keyring, policy, .. } = *proof;
        let checked = Check { digests, keyring, policy, subject }.run(&facts.signatures);
        facts.budget.signature_checks += checked.operations;
        for fault in faults(&facts, digests, &checked, proof) {
            findings.fault(fault);
        }
        checked.notes().into_iter().for_each(|note| findings.note(note));
        evidence = checked.evidence(span.clone());
        signatures = checked.reports;
    }
    let lacks = Lacks::of(&findings);
    let (reason, notes) = findings.decide();
    let outcome = match (reason, claims, evidence) {
        (None, Some(claims), Some(evidence)) => Outcome::Verified(Verified::witness(claims, evidence)),
        (Some(reason), claims, evidence) => Outcome::Refused { reason, claims, lacks, evidence },
        (None, claims, _) => {
            Outcome::Refused { reason: unproven(), claims, lacks: Lacks::More, evidence: None }
        }
    };
    Judgement { outcome, notes, signatures, facts }
}

fn faults(facts: &Facts, digests: &SignedDigests, checked: &Checked, proof: &Proof<'_>) -> Vec<Fault> {
    let mut faults = checked.faults.clone();
    if checked!("sha1-collision") && digests.collision {
        let message = "the signed bytes carry the marks of a SHA-1 collision attack: another file with the same SHA-1 exists";
        let fault = Fault::new(Rank::Signature, Verdict::BadSignature, "sha1-collision", message);
        faults.push(fault.with_remedy("do not install it, and tell whoever signs"));
    }
    faults.extend(checked.demand(proof.policy));
    if checked.faults.is_empty() {
        let search = Evidenceless {
            signatures: &facts.signatures,
            digests,
            keyring: proof.keyring,
            known: proof.known,
        };
        faults.extend(search.fault(checked));
    } else if checked.reports.iter().any(|report| report.status == super::SignatureStatus::Bad) {
        let message = "a signature by a trusted key does not hold";
        faults.push(Fault::new(Rank::Signature, Verdict::BadSignature, "bad-signature", message));
    }
    faults
}

/// Whether an operator may take a file in spite of a fault: signatures, hashes and framing are not theirs.
fn is_waivable(fault: &Fault) -> bool {
    let own = matches!(fault.rank, Rank::Control | Rank::DataFormat | Rank::Unsafe | Rank::Policy);
    own && (fault.code != "digest-too-weak" || !checked!("waive-digest"))
}

/// Nothing is wrong and nothing is proven: that must not pass.
fn unproven() -> Fault {
    Fault::new(Rank::Framing, Verdict::Malformed, "unproven", "nothing in the file could be proven")
}

#[cfg(test)]
mod tests;
