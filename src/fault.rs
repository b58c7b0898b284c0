//! What is wrong with a file, and how the verdict is chosen among several wrongs.

use std::fmt;

/// What a verification says of a file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Signed by a trusted key, whole, and well formed.
    Verified,
    /// Well formed, but no trusted key signed it.
    Untrusted,
    /// Carries no signature.
    Unsigned,
    /// A signature by a trusted key does not hold.
    BadSignature,
    /// Not in the format, or in it in a way that readers disagree about.
    Malformed,
    /// A hash, a checksum or an index entry does not match.
    Integrity,
    /// A file name or link that must not be installed.
    Unsafe,
    /// Well formed and signed, but refused by choice.
    Policy,
    /// A format that apkvet does not verify yet.
    Unsupported,
}

impl Verdict {
    /// The stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Untrusted => "untrusted",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad-signature",
            Self::Malformed => "malformed",
            Self::Integrity => "integrity",
            Self::Unsafe => "unsafe",
            Self::Policy => "policy",
            Self::Unsupported => "unsupported",
        }
    }

    /// What to do where nothing closer is known.
    const fn remedy(self) -> Option<&'static str> {
        match self {
            Self::Verified => None,
            Self::Malformed => Some(
                "fetch the file again; if it is the same, have it built anew with abuild, melange or nfpm, and do not install this one",
            ),
            Self::Integrity => {
                Some("it was damaged, exchanged or built wrong: fetch it again from a source that you trust")
            }
            Self::Unsafe => Some("do not install it, and tell whoever built it"),
            Self::Policy => Some(
                "refused by choice, not for damage: ask whoever builds it, or lift the limit that is named",
            ),
            Self::Untrusted | Self::Unsigned | Self::BadSignature | Self::Unsupported => {
                Some("do not install it, and ask whoever signs")
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of several faults decides the verdict: the first of these that occurs.
///
/// The order is a contract: what says that a file is not what it seems comes before what says
/// that a rightly signed file is not wanted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rank {
    /// Signature members, number and kind of members, bytes after the last, gzip of the signed member.
    Framing,
    /// A key or an algorithm that is not allowed.
    Key,
    /// A bad signature, no trusted one, or none.
    Signature,
    /// The content of the signed member.
    Control,
    /// `datahash`, per-file checksums, an index entry.
    Integrity,
    /// The structure of the data member.
    DataFormat,
    /// Names and links.
    Unsafe,
    /// Everything else that is refused by choice.
    Policy,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    pub(crate) rank: Rank,
    pub(crate) verdict: Verdict,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) remedy: Option<String>,
}

impl Fault {
    pub(crate) fn new(rank: Rank, verdict: Verdict, code: &'static str, message: impl fmt::Display) -> Self {
        Self { rank, verdict, code, message: message.to_string(), remedy: None }
    }

    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The verdict that this fault leads to if it decides.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// One sentence: what was found, what was expected, where. Untrusted text in it is escaped.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it; what the verdict alone says if nothing closer is known.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref().or_else(|| self.verdict.remedy())
    }
}

/// Something worth knowing that decides nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Note {
    pub(crate) fn new(code: &'static str, message: impl fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }

    /// The stable name.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// One sentence. Untrusted text in it is escaped.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// How many faults and notes of one file are kept; hostile input could make millions.
const KEPT: usize = 100;

/// Faults and notes of one file, collected while it is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    faults: Vec<Fault>,
    notes: Vec<Note>,
}

impl Findings {
    /// Keeps a fault. Beyond the bound, only one that outranks all others is kept.
    pub(crate) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < KEPT {
            self.faults.push(fault);
        } else if self.faults.iter().all(|kept| fault.rank < kept.rank) {
            self.faults.pop();
            self.faults.push(fault);
        }
    }

    pub(crate) fn note(&mut self, note: Note) {
        if self.notes.len() < KEPT && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Takes over what another part of the reading found.
    pub(crate) fn absorb(&mut self, other: Self) {
        other.faults.into_iter().for_each(|fault| self.fault(fault));
        other.notes.into_iter().for_each(|note| self.note(note));
    }

    /// Whether nothing is wrong but for faults of this kind.
    pub(crate) fn only(&self, kind: impl Fn(&Fault) -> bool) -> bool {
        // A flood may have pushed out others: then nothing is known of them.
        self.faults.len() < KEPT && self.faults.iter().all(kind)
    }

    /// The fault that will decide.
    pub(crate) fn gravest(&self) -> Option<&Fault> {
        // The first of the least rank, as a stable sort has it.
        self.faults.iter().min_by_key(|fault| fault.rank)
    }

    /// The deciding fault, if any, and everything else as notes.
    pub(crate) fn decide(mut self) -> (Option<Fault>, Vec<Note>) {
        // A stable sort: among equals the first in the file decides.
        self.faults.sort_by_key(|fault| fault.rank);
        let mut faults = self.faults.into_iter();
        let reason = faults.next();
        let rest = faults.map(|fault| Note { code: fault.code, message: fault.message });
        (reason, rest.chain(self.notes).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(rank: Rank, code: &'static str) -> Fault {
        Fault::new(rank, Verdict::Malformed, code, "x")
    }

    #[test]
    fn the_first_of_the_highest_rank_decides_and_the_rest_become_notes() {
        let mut findings = Findings::default();
        findings.fault(fault(Rank::Policy, "c"));
        findings.fault(fault(Rank::Control, "a"));
        findings.fault(fault(Rank::Control, "b"));
        let (reason, notes) = findings.decide();
        assert_eq!(reason.map(|fault| fault.code), Some("a"));
        assert_eq!(notes.iter().map(|note| note.code).collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn a_flood_of_mild_faults_cannot_hide_a_grave_one() {
        let mut findings = Findings::default();
        (0..KEPT + 5).for_each(|_| findings.fault(fault(Rank::Unsafe, "mild")));
        findings.fault(fault(Rank::Framing, "grave"));
        assert_eq!(findings.faults.len(), KEPT);
        assert_eq!(findings.decide().0.map(|fault| fault.code), Some("grave"));
    }
}
