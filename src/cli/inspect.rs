//! `apkvet inspect`: what is in a file; it trusts nothing and proves nothing.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::fault::{Fault, Note};
use crate::keys::KnownKeys;
use crate::package::FileFact;
use crate::types::{Identity, escape_all};
use crate::unverified::{
    Facts, FileDigest, IndexClaims, Keep, Level, PackageClaims, ReadOptions, Subject as Read,
};

use super::exit::Exit;
use super::failure::Failure;
use super::output::{Output, Style};
use super::pool::Worker;
use super::read::read;
use super::subjects::Subject;

/// Show what is in a file: members, byte spans, signatures, metadata, files; trusts nothing
#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    /// A package or an index, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[cfg(feature = "network")]
    #[command(flatten)]
    known: super::mirror::known_file::KnownArgs,
}

/// One `file` line of an inspection: like that of `verify`, without a verdict.
#[derive(Debug, Serialize)]
struct Inspection {
    path: String,
    kind: &'static str,
    verdict: Option<&'static str>,
    proves: &'static str,
    size: Option<u64>,
    sha256: Option<String>,
    identity: Option<String>,
    members: Vec<MemberRecord>,
    signatures: Vec<SignatureClaim>,
    fields: Vec<(String, String)>,
    scripts: Vec<ScriptRecord>,
    other_control_entries: Vec<String>,
    files: Vec<FileEntry>,
    entries: Option<u64>,
    description: Option<String>,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct MemberRecord {
    role: &'static str,
    span: [u64; 2],
    stored: u64,
    inflated: Option<u64>,
}

#[derive(Debug, Serialize)]
struct SignatureClaim {
    key_name: String,
    algorithm: String,
    size: usize,
    /// Which known keys have that name; whether one of them made the signature is not checked.
    known: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ScriptRecord {
    name: String,
    size: u64,
    sha1: String,
}

#[derive(Debug, Serialize)]
struct FileEntry {
    path: String,
    kind: &'static str,
    mode: String,
    size: u64,
    uid: u64,
    gid: u64,
    link: Option<String>,
    sha1: Option<String>,
    xattrs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Problem {
    code: &'static str,
    message: String,
}

/// Runs the command.
pub(super) fn run(args: &InspectArgs, output: &mut Output) -> Result<Exit, Failure> {
    let subject = Subject::File { path: args.file.clone(), size: 0 };
    let subject = if args.file.as_os_str() == "-" { Subject::StandardInput } else { subject };
    let options = ReadOptions {
        level: Level::Full,
        file_digest: FileDigest::Compute,
        index_text: Keep::Nothing,
        list_files: true,
        ..ReadOptions::default()
    };
    let path = subject.shown();
    let read = read(&subject, &options, &mut Worker::default())
        .map_err(|error| Failure::local(anyhow::anyhow!("cannot read {path}: {error}")))?;
    let inspection = inspect(path, read, &KnownKeys::builtin());
    #[cfg(feature = "network")]
    let known = super::mirror::known_file::KnownFile::ask(&args.known, inspection.sha256.as_deref())?;
    if output.is_json() {
        #[cfg(feature = "network")]
        output.record("file", &super::mirror::known_file::Known::of(&inspection, &known))?;
        #[cfg(not(feature = "network"))]
        output.record("file", &inspection)?;
        output.record("summary", &serde_json::json!({ "files": 1, "exit": 0 }))?;
    } else {
        print(output, &inspection)?;
        #[cfg(feature = "network")]
        known.print(output)?;
    }
    Ok(Exit::Holds)
}

fn inspect(path: String, read: Read, known: &KnownKeys) -> Inspection {
    match read {
        Read::Package(package) => {
            let (facts, claims) = package.into_claims_without_proof();
            let mut inspection = common(path, "package", facts, known);
            if let Some(claims) = claims {
                add_package(&mut inspection, &claims);
            }
            inspection
        }
        Read::Index(index) => {
            let (facts, claims) = index.into_claims_without_proof();
            let mut inspection = common(path, "index", facts, known);
            inspection.identity = None;
            inspection.entries = claims.as_ref().map(IndexClaims::entries);
            inspection.description = claims.and_then(|claims| claims.description().map(str::to_owned));
            inspection
        }
        Read::Unknown(file) => common(path, "unknown", file.into_claims_without_proof().0, known),
    }
}

fn common(path: String, kind: &'static str, facts: Facts, known: &KnownKeys) -> Inspection {
    let member = |member: &crate::unverified::MemberFact| {
        let span = member.span();
        let stored = span.end.saturating_sub(span.start);
        let (role, inflated) = (member.role().name(), member.inflated());
        MemberRecord { role, span: [span.start, span.end], stored, inflated }
    };
    let signature = |signature: &crate::envelope::Signature| SignatureClaim {
        key_name: signature.key_name().to_string(),
        algorithm: signature.label().to_string(),
        size: signature.bytes().len(),
        known: known
            .by_name(signature.key_name().as_str())
            .map(|key| format!("{} {}", key.origin(), key.fingerprint()))
            .collect(),
    };
    Inspection {
        path,
        kind,
        verdict: None,
        proves: "nothing",
        size: facts.size(),
        sha256: facts.sha256().map(|digest| digest.to_string()),
        identity: facts.identity().map(|sha1| Identity::new(sha1).to_string()),
        members: facts.members().iter().map(member).collect(),
        signatures: facts.signatures().iter().map(signature).collect(),
        fields: Vec::new(),
        scripts: Vec::new(),
        other_control_entries: Vec::new(),
        files: Vec::new(),
        entries: None,
        description: None,
        problems: problems(facts),
    }
}

fn problems(facts: Facts) -> Vec<Problem> {
    let (fault, notes) = facts.into_findings();
    let fault =
        fault.iter().map(|fault: &Fault| Problem { code: fault.code(), message: fault.message().to_owned() });
    let note = |note: &Note| Problem { code: note.code(), message: note.message().to_owned() };
    fault.chain(notes.iter().map(note)).collect()
}

fn add_package(inspection: &mut Inspection, claims: &PackageClaims) {
    let control = claims.control();
    let field = |(key, value): (&str, &str)| (key.to_owned(), escape_all(value).to_string());
    inspection.fields = control.info().fields().map(field).collect();
    let script = |script: &crate::package::Script| ScriptRecord {
        name: script.name().to_owned(),
        size: script.size(),
        sha1: script.sha1().to_string(),
    };
    inspection.scripts = control.scripts().iter().map(script).collect();
    inspection.other_control_entries = control.others().to_vec();
    let files = claims.data().and_then(|data| data.files()).unwrap_or_default();
    inspection.files = files.iter().map(entry).collect();
}

fn entry(file: &FileFact) -> FileEntry {
    let (uid, gid) = file.owner();
    FileEntry {
        path: file.path().to_owned(),
        kind: file.kind().name(),
        mode: format!("{:04o}", file.mode()),
        size: file.size(),
        uid,
        gid,
        link: file.link().map(str::to_owned),
        sha1: file.sha1().map(|sha1| sha1.to_string()),
        xattrs: file.xattrs().to_vec(),
    }
}

fn print(output: &mut Output, inspection: &Inspection) -> Result<(), Failure> {
    let warning =
        "inspect proves nothing: all of this is what the file says about itself; use verify for proof";
    let warning = output.paint(Style::Warning, warning);
    output.line(&warning)?;
    let size = inspection.size.map_or_else(|| "unknown".to_owned(), |size| format!("{size} bytes"));
    output.line(&format!("{}: {}, {size}", inspection.path, inspection.kind))?;
    for (name, value) in [("sha256", &inspection.sha256), ("identity", &inspection.identity)] {
        if let Some(value) = value {
            output.line(&format!("  {name}: {value}"))?;
        }
    }
    output.line("members:")?;
    for member in &inspection.members {
        let [start, end] = member.span;
        let inflated = member.inflated.map_or_else(|| "?".to_owned(), |size| size.to_string());
        let role = member.role;
        output.line(&format!(
            "  {role:<10}  bytes {start} to {end}, {} stored, {inflated} inflated",
            member.stored
        ))?;
    }
    print_signatures(output, inspection)?;
    print_content(output, inspection)?;
    if !inspection.problems.is_empty() {
        output.line("seen beside the way:")?;
        for problem in &inspection.problems {
            output.line(&format!("  {} [{}]", problem.message, problem.code))?;
        }
    }
    Ok(())
}

fn print_signatures(output: &mut Output, inspection: &Inspection) -> Result<(), Failure> {
    output.line(if inspection.signatures.is_empty() {
        "signatures: none"
    } else {
        "signatures (not checked):"
    })?;
    for signature in &inspection.signatures {
        let SignatureClaim { key_name, algorithm, size, known } = signature;
        output.line(&format!("  {algorithm}  {key_name}  {size} bytes"))?;
        for key in known {
            output.line(&format!("    a known key of that name: {key}"))?;
        }
    }
    Ok(())
}

fn print_content(output: &mut Output, inspection: &Inspection) -> Result<(), Failure> {
    if let Some(entries) = inspection.entries {
        let description = inspection.description.as_deref().unwrap_or("none");
        output.line(&format!("index: {entries} entries, description: {description}"))?;
    }
    if !inspection.fields.is_empty() {
        output.line(".PKGINFO:")?;
        for (key, value) in &inspection.fields {
            output.line(&format!("  {key} = {value}"))?;
        }
        output.line(if inspection.scripts.is_empty() { "scripts: none" } else { "scripts:" })?;
    }
    for ScriptRecord { name, size, sha1 } in &inspection.scripts {
        output.line(&format!("  {name}  {size} bytes, sha1 {sha1}"))?;
    }
    for name in &inspection.other_control_entries {
        output.line(&format!("  {name}  (apk ignores it)"))?;
    }
    if !inspection.files.is_empty() {
        output.line("files:")?;
    }
    for file in &inspection.files {
        let FileEntry { path, kind, mode, size, uid, gid, .. } = file;
        let link = file.link.as_ref().map(|link| format!(" -> {link}")).unwrap_or_default();
        let sha1 = file.sha1.as_deref().unwrap_or("-");
        let xattrs =
            if file.xattrs.is_empty() { String::new() } else { format!("  {}", file.xattrs.join(",")) };
        output
            .line(&format!("  {mode}  {uid}:{gid}  {size:>10}  {sha1:<40}  {kind}  {path}{link}{xattrs}"))?;
    }
    Ok(())
}
