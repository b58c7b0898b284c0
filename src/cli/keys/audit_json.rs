//! The audit as JSON: one object, `apk-key-audit/1`, its fields in fixed order.

use serde::Serialize;
use serde_json::{Map, Value};

use super::audit::Audited;
use super::record::{Exponent, KeyRecord};
use crate::audit::{Finding, Severity, Use};
use crate::cli::output::Output;
use crate::cli::subjects::shown;
use crate::keys::KeyFile;

/// The whole output.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    as_of: String,
    root: &'a str,
    policy: &'a str,
    known_date: &'a str,
    dirs: Vec<String>,
    keys: Vec<Key>,
    findings: Vec<JsonFinding<'a>>,
    ignored: Vec<JsonIgnored<'a>>,
    summary: Summary,
    exit: u8,
}

/// One file.
#[derive(Serialize)]
struct Key {
    file: String,
    dir: String,
    size: u64,
    mode: Option<String>,
    uid: Option<u32>,
    file_sha256: Option<String>,
    loaded: Loaded,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    bits: Option<usize>,
    exponent: Option<Exponent>,
    spki_sha256: Option<String>,
    apk3_key_id: Option<String>,
    name_time: Option<String>,
    origin: Option<String>,
    status: Option<&'static str>,
    architectures: Vec<String>,
    signs: Vec<JsonUse>,
}

/// Which of apk's two readers loads the file.
#[derive(Serialize)]
struct Loaded {
    openssl: bool,
    mbedtls: bool,
}

#[derive(Serialize)]
struct JsonUse {
    repo: String,
    object: String,
    alg: String,
    ok: Option<bool>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    id: &'static str,
    severity: &'static str,
    file: Option<&'a str>,
    spki_sha256: Option<String>,
    message: &'a str,
    detail: &'a Map<String, Value>,
    remedy: &'a str,
}

#[derive(Serialize)]
struct JsonIgnored<'a> {
    #[serde(flatten)]
    finding: JsonFinding<'a>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    loaded: usize,
    error: usize,
    warn: usize,
    info: usize,
}

pub(super) fn print(audited: &Audited<'_>, output: &mut Output) -> std::io::Result<()> {
    let report = audited.report;
    let files = audited
        .directories
        .iter()
        .flat_map(|directory| directory.files().iter().map(move |file| (shown(directory.path()), file)));
    let uses = report.uses.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
    let keys: Vec<Key> =
        files.zip(uses).map(|((dir, file), uses)| Key::of(audited, dir, file, uses)).collect();
    let summary = Summary {
        files: keys.len(),
        loaded: keys.iter().filter(|key| key.loaded.openssl).count(),
        error: report.count(Severity::Error),
        warn: report.count(Severity::Warn),
        info: report.count(Severity::Info),
    };
    let document = Document {
        schema: "apk-key-audit/1",
        as_of: audited.as_of.to_string(),
        root: &audited.root,
        policy: audited.policy,
        known_date: audited.known.date(),
        dirs: audited.directories.iter().map(|directory| shown(directory.path())).collect(),
        keys,
        findings: report.findings.iter().map(JsonFinding::of).collect(),
        ignored: report
            .ignored
            .iter()
            .map(|ignored| JsonIgnored {
                finding: JsonFinding::of(&ignored.finding),
                reason: ignored.reason.as_deref(),
            })
            .collect(),
        summary,
        exit: audited.exit.code(),
    };
    let text = serde_json::to_string(&document)?;
    output.line(&text)
}

impl Key {
    fn of(audited: &Audited<'_>, dir: String, file: &KeyFile, uses: &[Use]) -> Self {
        let record = KeyRecord::of_file("audited", file, audited.known, audited.as_of);
        let known = record.known;
        Self {
            file: record.name,
            dir,
            size: file.size(),
            mode: file.owner().map(|owned| format!("{:04o}", owned.mode)),
            uid: file.owner().map(|owned| owned.uid),
            file_sha256: record.file_sha256,
            loaded: Loaded {
                openssl: record.loaded,
                mbedtls: file.form().mbedtls_key().is_some() && !file.is_hidden(),
            },
            kind: record.kind,
            bits: record.bits,
            exponent: record.exponent,
            spki_sha256: record.fingerprint.map(|text| text.trim_start_matches("sha256:").to_owned()),
            apk3_key_id: record.apk3_key_id,
            name_time: record.name_time,
            origin: known.as_ref().map(|known| known.origin.clone()),
            status: known.as_ref().map(|known| known.status),
            architectures: known.map(|known| known.architectures).unwrap_or_default(),
            signs: uses.iter().cloned().map(JsonUse::from).collect(),
        }
    }
}

impl From<Use> for JsonUse {
    fn from(used: Use) -> Self {
        let Use { repo, object, alg, ok } = used;
        Self { repo, object, alg, ok }
    }
}

impl<'a> JsonFinding<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            id: finding.id.as_str(),
            severity: finding.severity.as_str(),
            file: finding.file.as_deref(),
            spki_sha256: finding.fingerprint.map(|fingerprint| fingerprint.digest().to_string()),
            message: &finding.message,
            detail: &finding.detail,
            remedy: &finding.remedy,
        }
    }
}
