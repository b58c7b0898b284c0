//! From a package file to its entry.

use std::path::Path;

use super::misnamed;
use super::reuse::{Older, Unsigned};
use crate::cli::index::source::Judge;
use crate::cli::pool::Worker;
use crate::cli::record::{FileRecord, NoteRecord, Reason};
use crate::cli::subjects::Subject;
use crate::cli::verify::read;
use crate::index::{EntryFacts, compose};
use crate::types::{Architecture, Identity};
use crate::unverified::{self, Level, PackageClaims, ReadOptions};
use crate::verify::{Judgement, verify_index, verify_package, verify_unknown};

/// How packages become entries.
pub(super) struct Reader<'a> {
    pub(super) judge: &'a Judge,
    pub(super) older: &'a Older,
    pub(super) rewritten: Option<&'a Architecture>,
    pub(super) unsigned: Unsigned,
    /// How much of a package is looked at.
    pub(super) level: Level,
}

/// What became of one package.
#[derive(Debug)]
pub(super) enum Made {
    /// An entry of the older index.
    Reused(String),
    /// An entry from the package itself.
    Read { text: String, record: Box<FileRecord>, warning: Option<String> },
    /// No entry.
    Refused(Box<FileRecord>),
}

impl Reader<'_> {
    /// Takes the older entry of a file, or reads and judges the file.
    pub(super) fn read(&self, file: &Path, worker: &mut Worker) -> Made {
        if let Some(text) = self.older.entry(file, self.rewritten) {
            return Made::Reused(text.to_owned());
        }
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        let subject = Subject::File { path: file.to_owned(), size };
        let (path, level, proof) = (subject.shown(), self.level, self.judge.proof());
        let options = ReadOptions { limits: self.judge.limits().clone(), level, ..ReadOptions::default() };
        match read(&subject, &options, worker) {
            Err(error) => Made::Refused(Box::new(FileRecord::unread(path, level, &error))),
            Ok(unverified::Subject::Package(package)) => {
                let judged = verify_package(package, &proof);
                self.entry(file, Box::new(FileRecord::package(path, level, &judged)), &judged)
            }
            Ok(unverified::Subject::Index(index)) => {
                Made::Refused(Box::new(FileRecord::index(path, level, &verify_index(index, &proof))))
            }
            Ok(unverified::Subject::Unknown(file)) => {
                Made::Refused(Box::new(FileRecord::unknown(path, level, &verify_unknown(file, &proof))))
            }
        }
    }

    fn entry(&self, file: &Path, record: Box<FileRecord>, judged: &Judgement<PackageClaims>) -> Made {
        let accepted = judged.verified().is_some()
            || self.unsigned == Unsigned::Accept && judged.lacks_signature_alone();
        let (claims, facts) = (judged.claims(), judged.facts());
        let Some(((claims, sha1), size)) =
            claims.zip(facts.identity()).zip(facts.size()).filter(|_| accepted)
        else {
            return Made::Refused(self.explained(record));
        };
        let info = claims.control().info();
        let facts = EntryFacts { identity: Identity::new(sha1), size, architecture: self.rewritten };
        let warning = misnamed(file, info.name(), info.version());
        Made::Read { text: compose(info, &facts), record, warning }
    }

    /// Where signatures do not matter, what else is wrong is the reason; it stands first among the notes.
    fn explained(&self, mut record: Box<FileRecord>) -> Box<FileRecord> {
        let signature = matches!(record.verdict, Some("untrusted" | "unsigned" | "bad-signature"));
        if self.unsigned == Unsigned::Accept && signature && !record.notes.is_empty() {
            let NoteRecord { code, message } = record.notes.remove(0);
            record.reason = Some(Reason { code, message, remedy: None });
        }
        record
    }
}
