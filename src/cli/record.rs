//! What is said about one file, ready to be printed: the `file` line of `docs/json.md`.

use serde::Serialize;

use crate::fault::{Fault, Note, Verdict};
#[cfg(feature = "network")]
use crate::types::Sha256;
use crate::types::{Digest, Sha1, escape_all};
use crate::unverified::{Facts, IndexClaims, Level, PackageClaims};
use crate::verify::{Evidence, Judgement, SignatureReport};

use super::open::ReadError;

/// One `file` line.
#[derive(Debug, Serialize)]
pub(super) struct FileRecord {
    pub(super) path: String,
    pub(super) kind: &'static str,
    pub(super) level: &'static str,
    pub(super) verdict: Option<&'static str>,
    pub(super) reason: Option<Reason>,
    pub(super) evidence: Option<EvidenceRecord>,
    pub(super) signatures: Vec<SignatureRecord>,
    pub(super) package: Option<PackageRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<IndexRecord>,
    pub(super) identity: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) notes: Vec<NoteRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<NoteRecord>,
}

/// Why a file is refused.
#[derive(Debug, Serialize)]
pub(super) struct Reason {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
}

/// Why a file counts as verified.
#[derive(Debug, Serialize)]
pub(super) struct EvidenceRecord {
    pub(super) keys: Vec<KeyRecord>,
    pub(super) algorithm: String,
    pub(super) span: [u64; 2],
    pub(super) via: &'static str,
}

/// A key that made a good signature.
#[derive(Debug, Serialize)]
pub(super) struct KeyRecord {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) fingerprint: String,
    pub(super) bits: usize,
}

/// One signature.
#[derive(Debug, Serialize)]
pub(super) struct SignatureRecord {
    pub(super) key_name: String,
    pub(super) algorithm: String,
    pub(super) status: &'static str,
    pub(super) fingerprint: Option<String>,
}

/// What a package says about itself; proven only under the verdict `verified`.
#[derive(Debug, Serialize)]
pub(super) struct PackageRecord {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) arch: String,
    pub(super) origin: Option<String>,
    pub(super) installed_size: u64,
    pub(super) datahash: String,
}

/// What an index says about itself; proven only under the verdict `verified`.
#[derive(Debug, Serialize)]
pub(super) struct IndexRecord {
    pub(super) entries: u64,
    pub(super) description: Option<String>,
    /// Units: seconds since 1970.
    pub(super) time: Option<u64>,
}

/// A note or an error.
#[derive(Debug, Serialize)]
pub(super) struct NoteRecord {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl FileRecord {
    /// A file that could not be read.
    pub(super) fn unread(path: String, level: Level, error: &ReadError) -> Self {
        let error = NoteRecord { code: error.code(), message: error.to_string() };
        Self { error: Some(error), ..Self::empty(path, "unknown", level) }
    }

    /// A file that did not even arrive, or one that a rule beside verification refuses.
    #[cfg(feature = "network")]
    pub(super) fn failed(path: String, level: Level, code: &'static str, message: String) -> Self {
        Self { error: Some(NoteRecord { code, message }), ..Self::empty(path, "unknown", level) }
    }

    /// A file that is what its digest says.
    #[cfg(feature = "network")]
    pub(super) fn digested(path: String, level: Level, digest: Digest<Sha256>, size: u64) -> Self {
        let evidence = EvidenceRecord {
            keys: Vec::new(),
            algorithm: "SHA-256".to_owned(),
            span: [0, size],
            via: "digest",
        };
        Self {
            verdict: Some(Verdict::Verified.name()),
            evidence: Some(evidence),
            sha256: Some(digest.to_string()),
            size: Some(size),
            ..Self::empty(path, "unknown", level)
        }
    }

    /// The same file, refused all the same.
    #[cfg(feature = "network")]
    pub(super) fn refused(self, verdict: Verdict, reason: Reason) -> Self {
        Self { verdict: Some(verdict.name()), reason: Some(reason), evidence: None, ..self }
    }

    /// A judged package.
    pub(super) fn package(path: String, level: Level, judged: &Judgement<PackageClaims>) -> Self {
        let package = judged.claims().map(package);
        let identity = identity(judged.facts());
        Self { package, identity, ..Self::judged(path, "package", level, judged) }
    }

    /// A judged index.
    pub(super) fn index(path: String, level: Level, judged: &Judgement<IndexClaims>) -> Self {
        let index = judged.claims().map(|claims| IndexRecord {
            entries: claims.entries(),
            description: claims.description().map(str::to_owned),
            time: claims.time(),
        });
        Self { index, ..Self::judged(path, "index", level, judged) }
    }

    /// A file that is neither.
    pub(super) fn unknown(path: String, level: Level, judged: &Judgement<()>) -> Self {
        Self::judged(path, "unknown", level, judged)
    }

    /// Whether the file is verified.
    pub(super) fn holds(&self) -> bool {
        self.verdict == Some(Verdict::Verified.name())
    }

    fn judged<T>(path: String, kind: &'static str, level: Level, judged: &Judgement<T>) -> Self {
        let facts = judged.facts();
        Self {
            verdict: Some(judged.verdict().name()),
            reason: judged.reason().map(reason),
            evidence: judged.verified().map(|verified| evidence(verified.evidence())),
            signatures: judged.signatures().iter().map(signature).collect(),
            sha256: facts.sha256().map(|digest| digest.to_string()),
            size: facts.size(),
            notes: judged.notes().iter().map(note).collect(),
            ..Self::empty(path, kind, level)
        }
    }

    fn empty(path: String, kind: &'static str, level: Level) -> Self {
        Self {
            path,
            kind,
            level: level.name(),
            verdict: None,
            reason: None,
            evidence: None,
            signatures: Vec::new(),
            package: None,
            index: None,
            identity: None,
            sha256: None,
            size: None,
            notes: Vec::new(),
            error: None,
        }
    }
}

/// The `C:` value of a package, if its control member was read.
pub(super) fn identity(facts: &Facts) -> Option<String> {
    facts.identity().map(|sha1: Digest<Sha1>| crate::types::Identity::new(sha1).to_string())
}

pub(super) fn package(claims: &PackageClaims) -> PackageRecord {
    let info = claims.control().info();
    PackageRecord {
        name: info.name().to_owned(),
        version: info.version().to_owned(),
        arch: info.architecture().to_owned(),
        origin: info.value("origin").map(|origin| escape_all(origin).to_string()),
        installed_size: info.installed_size(),
        datahash: info.datahash().to_string(),
    }
}

fn reason(fault: &Fault) -> Reason {
    Reason {
        code: fault.code(),
        message: fault.message().to_owned(),
        remedy: fault.remedy().map(str::to_owned),
    }
}

pub(super) fn note(note: &Note) -> NoteRecord {
    NoteRecord { code: note.code(), message: note.message().to_owned() }
}

fn evidence(evidence: &Evidence) -> EvidenceRecord {
    let key = |key: &crate::verify::EvidenceKey| KeyRecord {
        name: key.name().to_owned(),
        file: key.file().to_owned(),
        fingerprint: key.fingerprint().to_string(),
        bits: key.bits(),
    };
    let span = evidence.span();
    EvidenceRecord {
        keys: evidence.keys().iter().map(key).collect(),
        algorithm: evidence.algorithm().to_string(),
        span: [span.start, span.end],
        via: evidence.via().name(),
    }
}

fn signature(report: &SignatureReport) -> SignatureRecord {
    SignatureRecord {
        key_name: report.key_name().to_owned(),
        algorithm: report.label().to_string(),
        status: report.status().name(),
        fingerprint: report.fingerprint().map(|fingerprint| fingerprint.to_string()),
    }
}
