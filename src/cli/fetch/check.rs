//! What a fetched file must be, before it may appear.

use std::io::{self, Read};

use sha2::Digest as _;

use super::session::Indexed;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::record::{FileRecord, Reason};
use crate::cli::trust::{Trust, TrustArgs};
use crate::container::Scratch;
use crate::fault::Verdict;
use crate::keys::Scope;
use crate::limits::{Limits, length};
use crate::mirror::Waiver;
use crate::transport::Cancel;
use crate::types::{Digest, Sha256, escape};
use crate::unverified::{self, FileDigest, IndexClaims, Keep, Level, PackageClaims, ReadOptions, Subject};
use crate::verify::{
    IndexEntries, Judgement, KeyNames, MinDigest, Policy, Proof, SignatureDemand, verify_index,
    verify_package, verify_unknown,
};

/// Everything is looked at: what is installed next is not looked at again.
const LEVEL: Level = Level::Full;

/// What proves a file.
#[derive(Debug)]
pub(super) enum Check {
    /// A signature by a trusted key, and an index if there is one.
    Signed(Box<Signed>),
    /// Its digest, whatever it is.
    Digest(Digest<Sha256>),
}

/// Trust in signatures, loaded.
#[derive(Debug)]
pub(super) struct Signed {
    trust: Trust,
    policy: Policy,
    options: ReadOptions,
    index: Option<(IndexEntries, SignatureDemand)>,
    waivers: Vec<Waiver>,
}

/// Whether a package must be the one that its file name says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FileNames {
    /// It must, where the name is one that apk would give.
    AsPackaged,
    /// It need not.
    Any,
}

/// One file to check.
#[derive(Debug)]
pub(super) struct Suspect<'a> {
    /// How it is told of, escaped.
    pub(super) label: &'a str,
    /// The name under which it was asked for.
    pub(super) file_name: &'a str,
    /// What that name promises.
    pub(super) file_names: FileNames,
    /// Where it was asked for, as scopes of pins are written.
    pub(super) place: Option<Scope>,
    /// Units: bytes.
    pub(super) size: u64,
}

/// Stops reading when the run ends.
struct Stoppable<'a, R> {
    reader: R,
    cancel: &'a Cancel,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            Err(io::Error::other("interrupted"))
        } else {
            self.reader.read(buffer)
        }
    }
}

impl Check {
    /// Looks at a file, front to back, once.
    pub(super) fn run(
        &self,
        suspect: &Suspect<'_>,
        reader: impl Read,
        cancel: &Cancel,
    ) -> io::Result<FileRecord> {
        let reader = Stoppable { reader, cancel };
        match self {
            Self::Signed(signed) => signed.file(suspect, reader),
            Self::Digest(digest) => by_digest(suspect, reader, *digest),
        }
    }

    /// Whether an index says what the file must be.
    pub(super) fn indexed(&self) -> Indexed {
        match self {
            Self::Signed(signed) if signed.index.is_some() => Indexed::Yes,
            _ => Indexed::No,
        }
    }
}

impl Signed {
    /// Loads what is trusted.
    pub(super) fn load(
        args: &TrustArgs,
        min_digest: MinDigest,
        limits: Limits,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let trust = Trust::load(args, output)?;
        let policy = Policy {
            min_digest,
            key_names: if args.any_key_name { KeyNames::Any } else { KeyNames::AsSigned },
            fingerprints: args.fingerprints.clone(),
            pinned: trust.pinned.clone(),
        };
        let options =
            ReadOptions { limits, level: LEVEL, file_digest: FileDigest::Compute, ..ReadOptions::default() };
        Ok(Self { trust, policy, options, index: None, waivers: Vec::new() })
    }

    /// Holds packages against an index as well.
    pub(super) fn within(mut self, index: IndexEntries, demand: SignatureDemand) -> Self {
        self.index = Some((index, demand));
        self
    }

    /// Takes the packages that an operator named as known and bad in one way.
    pub(super) fn waiving(mut self, waivers: &[Waiver]) -> Self {
        self.waivers = waivers.to_vec();
        self
    }

    /// The index that packages are held against.
    pub(super) fn index(&self) -> Option<&IndexEntries> {
        self.index.as_ref().map(|(index, _)| index)
    }

    /// Judges an index, keeping its text; none if it is something else.
    pub(super) fn judge_index(
        &self,
        suspect: &Suspect<'_>,
        reader: impl Read,
        cancel: &Cancel,
    ) -> io::Result<(FileRecord, Option<Judgement<IndexClaims>>)> {
        let options = ReadOptions { index_text: Keep::Text, ..self.options.clone() };
        match self.read(suspect, Stoppable { reader, cancel }, &options)? {
            Subject::Index(index) => {
                let judged = verify_index(index, &self.proof());
                Ok((FileRecord::index(suspect.label.to_owned(), LEVEL, &judged), Some(judged)))
            }
            other => Ok((refuse_kind(self.record(suspect, other), "an index"), None)),
        }
    }

    fn file(&self, suspect: &Suspect<'_>, reader: impl Read) -> io::Result<FileRecord> {
        let subject = self.read(suspect, reader, &self.options)?;
        let record = self.record(suspect, subject);
        Ok(if record.holds() { as_promised(suspect, record, self.index.is_some()) } else { record })
    }

    fn read(&self, suspect: &Suspect<'_>, reader: impl Read, options: &ReadOptions) -> io::Result<Subject> {
        let read = unverified::read(reader, options, &mut Scratch::default())?;
        Ok(read.with_size(Some(suspect.size)).at(suspect.place.clone()))
    }

    fn record(&self, suspect: &Suspect<'_>, subject: Subject) -> FileRecord {
        let (label, proof) = (suspect.label.to_owned(), self.proof());
        match subject {
            Subject::Package(package) => {
                let judged = verify_package(package, &proof);
                let judged = match &self.index {
                    Some((entries, demand)) => judged.within_index(entries, *demand),
                    None => judged,
                };
                let judged = match self.waiver(suspect, &judged) {
                    Some(waiver) => judged.waiving(&waiver.code),
                    None => judged,
                };
                FileRecord::package(label, LEVEL, &judged)
            }
            Subject::Index(index) => FileRecord::index(label, LEVEL, &verify_index(index, &proof)),
            Subject::Unknown(file) => FileRecord::unknown(label, LEVEL, &verify_unknown(file, &proof)),
        }
    }

    /// What is said of this very file, which `waive` names by its digest.
    fn waiver(&self, suspect: &Suspect<'_>, judged: &Judgement<PackageClaims>) -> Option<&Waiver> {
        let package = suspect.file_name.strip_suffix(".apk")?;
        let sha256 = judged.facts().sha256()?.to_string();
        self.waivers.iter().find(|waiver| waiver.package == package && waiver.sha256 == sha256)
    }

    fn proof(&self) -> Proof<'_> {
        Proof { keyring: &self.trust.keyring, policy: &self.policy, known: &self.trust.known }
    }
}

/// A good signature says who made a file, not that it is the one that was asked for.
fn as_promised(suspect: &Suspect<'_>, record: FileRecord, indexed: bool) -> FileRecord {
    let name = suspect.file_name;
    let Some(package) = &record.package else {
        let wanted = indexed || name.ends_with(".apk");
        return if wanted { refuse_kind(record, "a package") } else { record };
    };
    let own = format!("{}-{}.apk", package.name, package.version);
    if name == "APKINDEX.tar.gz" {
        return refuse_kind(record, "an index");
    }
    if suspect.file_names == FileNames::Any || own == name || !is_apks_own(name) {
        return record;
    }
    let message = format!("asked for {}, found {}", escape(name), escape(&own));
    let remedy = "a good package, but another one: an old one may have weaknesses that the new one has not; --any-file-name takes it";
    let reason = Reason { code: "other-package", message, remedy: Some(remedy.to_owned()) };
    record.refused(Verdict::Integrity, reason)
}

/// Whether a name has the form that apk gives: it ends with a release number.
fn is_apks_own(name: &str) -> bool {
    let release = name.strip_suffix(".apk").and_then(|name| name.rsplit_once("-r"));
    release.is_some_and(|(before, number)| {
        before.contains('-') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn refuse_kind(record: FileRecord, expected: &str) -> FileRecord {
    if !record.holds() {
        return record;
    }
    let message = format!("expected {expected}, found {} {}", article(record.kind), record.kind);
    let remedy = Some("something else lies at this address: ask who serves it".to_owned());
    record.refused(Verdict::Integrity, Reason { code: "wrong-kind", message, remedy })
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with('i') || kind.starts_with('u') { "an" } else { "a" }
}

fn by_digest(suspect: &Suspect<'_>, mut reader: impl Read, wanted: Digest<Sha256>) -> io::Result<FileRecord> {
    let (mut hash, mut buffer, mut size) = (sha2::Sha256::new(), vec![0; 64 << 10], 0_u64);
    loop {
        let read = reader.read(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        hash.update(bytes);
        size = size.saturating_add(length(bytes));
    }
    let found: Digest<Sha256> = Digest::new(hash.finalize().into());
    let record = FileRecord::digested(suspect.label.to_owned(), LEVEL, found, size);
    if found == wanted {
        return Ok(record);
    }
    let message = format!("expected SHA-256 {wanted}, found {found}");
    let remedy = "look at the file's source for its digest, and whether it was exchanged".to_owned();
    let reason = Reason { code: "digest-mismatch", message, remedy: Some(remedy) };
    Ok(record.refused(Verdict::Integrity, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_apks_own_form_promise_a_version() {
        for name in ["glibc-2.23-r3.apk", "py3-a-1.0_rc1-r10.apk"] {
            assert!(is_apks_own(name), "{name}");
        }
        for name in
            ["glibc.apk", "tool_1.0_x86_64.apk", "a-r1.apk", "a-1-r.apk", "a-1-r1.apk.sig", "a-1-rx.apk"]
        {
            assert!(!is_apks_own(name), "{name}");
        }
    }
}
