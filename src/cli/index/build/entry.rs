//! From a package file to its entry.

use std::io;
use std::path::{Path, PathBuf};

use super::misnamed;
use super::reuse::{Older, Unsigned};
use crate::cli::index::source::Judge;
use crate::cli::open::Opened;
use crate::cli::pool::{self, Begun, Work, Worker};
use crate::cli::read::{WasRead, begin, end, side_by_side};
use crate::cli::record::{FileRecord, NoteRecord, Reason};
use crate::cli::subjects::{Subject, shown};
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

impl Work<PathBuf> for Reader<'_> {
    type Made = Made;
    type Half = Opened;

    /// Takes the older entry of a file, or reads the file.
    fn begin(&self, file: &PathBuf, worker: &mut Worker) -> Begun<Made, Opened> {
        if let Some(text) = self.older.entry(file, self.rewritten) {
            return Begun::Done(Made::Reused(text.to_owned()));
        }
        let options =
            ReadOptions { limits: self.judge.limits().clone(), level: self.level, ..ReadOptions::default() };
        match begin(&subject(file), &options, worker) {
            Begun::Done(read) => Begun::Done(self.made(file, read)),
            Begun::Half(opened, data) => Begun::Half(opened, data),
        }
    }

    fn end(&self, file: &PathBuf, opened: Opened, read: io::Result<unverified::Subject>) -> Made {
        self.made(file, end(&subject(file), &opened, read))
    }
}

fn subject(file: &Path) -> Subject {
    Subject::File { path: file.to_owned(), size: 0 }
}

fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

impl Reader<'_> {
    /// Works on all files, and hands on what comes of each in their order.
    pub(super) fn read_all<E: Send>(
        &self,
        files: &[PathBuf],
        threads: usize,
        take: impl FnMut(Made) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        // What is taken from the older index costs next to nothing.
        let size = |file: &PathBuf| self.older.entry(file, self.rewritten).map_or_else(|| size(file), |_| 1);
        pool::in_order_abreast(files, threads, size, (self, side_by_side(self.level)), take)
    }

    /// Judges what was read of a file.
    fn made(&self, file: &Path, read: WasRead) -> Made {
        let (path, level, proof) = (shown(file), self.level, self.judge.proof());
        match read {
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
