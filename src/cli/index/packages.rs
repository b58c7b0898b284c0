//! The packages of an index: every entry's file is there, is what the entry says, and verifies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::source::Judge;
use crate::cli::failure::Failure;
use crate::cli::pool::{self, Worker};
use crate::cli::read::read;
use crate::cli::subjects::{Subject, shown};
use crate::index::rule::{self, Rule};
use crate::index::{Finding, Findings, Index, PackageFacts, Record, differences};
use crate::types::{Architecture, Identity};
use crate::unverified::{self, PackageClaims, ReadOptions};
use crate::verify::{Judgement, verify_package};

/// What holding an index against its packages came to.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) findings: Findings,
    /// Packages that verify and are what their entry says.
    pub(super) verified: u64,
}

/// An entry and the file of its package.
struct Pair<'a> {
    record: Record<'a>,
    file: Option<PathBuf>,
    size: u64,
}

/// Verifies the package of every entry.
pub(super) fn hold(index: &Index, directory: &Path, judge: &Judge, threads: usize) -> Result<Held, Failure> {
    let pairs: Vec<Pair<'_>> = index.records().map(|record| Pair::find(record, directory)).collect();
    let mut held = Held::default();
    pool::in_order(
        &pairs,
        threads,
        |pair| pair.size,
        |pair, worker| (pair.record, pair.differences(judge, worker)),
        |(record, found)| {
            held.verified += u64::from(found.is_empty());
            for (rule, letter, message) in found {
                let (line, entry) = (Some(record.line_of(letter)), record.label());
                held.findings.push(Finding { rule, line, entry, message });
            }
            Ok::<_, Failure>(())
        },
    )?;
    Ok(held)
}

impl<'a> Pair<'a> {
    /// Looks in the folder of the architecture, then in the directory itself.
    fn find(record: Record<'a>, directory: &Path) -> Self {
        let name = record.file_name();
        let found = places(&record, directory).map(|place| place.join(&name)).find_map(|file| {
            let size = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
            Some((file, size))
        });
        let (file, size) = found.map_or((None, 0), |(file, size)| (Some(file), size));
        Self { record, file, size }
    }

    /// In what the package is not as its entry says, with the field that the finding is about.
    fn differences(&self, judge: &Judge, worker: &mut Worker) -> Vec<(Rule, u8, String)> {
        let Some(file) = &self.file else {
            let message = format!("there is no file {}", self.record.file_name());
            return vec![(rule::PACKAGE_MISSING, b'P', message)];
        };
        let subject = Subject::File { path: file.clone(), size: self.size };
        let options = ReadOptions { limits: judge.limits().clone(), ..ReadOptions::default() };
        let refused = |message: String| vec![(rule::PACKAGE_NOT_VERIFIED, b'P', message)];
        match read(&subject, &options, worker) {
            Err(error) => refused(format!("{} cannot be read: {error}", shown(file))),
            Ok(unverified::Subject::Package(package)) => {
                self.judged(file, &verify_package(package, &judge.proof()))
            }
            Ok(_) => refused(format!("{} is no package", shown(file))),
        }
    }

    fn judged(&self, file: &Path, judged: &Judgement<PackageClaims>) -> Vec<(Rule, u8, String)> {
        let mut found = Vec::new();
        if let Some(reason) = judged.reason() {
            let (verdict, code) = (reason.verdict(), reason.code());
            let message = format!("{} is {verdict}: {} [{code}]", shown(file), reason.message());
            found.push((rule::PACKAGE_NOT_VERIFIED, b'P', message));
        }
        if let (Some(claims), Some(sha1)) = (judged.claims(), judged.facts().identity()) {
            let info = claims.control().info();
            let facts = PackageFacts {
                identity: Identity::new(sha1),
                size: judged.facts().size().unwrap_or(self.size),
                name: info.name(),
                version: info.version(),
                architecture: info.architecture(),
            };
            let differences = differences(&self.record, &facts);
            found.extend(differences.into_iter().map(|(rule, message)| (rule, letter(&rule), message)));
        }
        found
    }
}

/// The field that a difference is about.
fn letter(rule: &Rule) -> u8 {
    match *rule {
        rule::PACKAGE_VERSION => b'V',
        rule::PACKAGE_ARCHITECTURE => b'A',
        rule::PACKAGE_IDENTITY => b'C',
        rule::PACKAGE_SIZE => b'S',
        _ => b'P',
    }
}

/// Where the package of an entry may lie.
fn places(record: &Record<'_>, directory: &Path) -> impl Iterator<Item = PathBuf> {
    let architecture = record.architecture().and_then(|text| Architecture::parse(text.as_bytes()).ok());
    let folder = architecture.map(|architecture| directory.join(architecture.as_str()));
    folder.into_iter().chain([directory.to_owned()])
}

/// The packages that no entry of some indexes names, by their paths, escaped.
pub(super) fn unlisted<'a>(
    indexes: impl Iterator<Item = &'a Index>,
    directory: &Path,
) -> Result<Vec<(String, Findings)>, Failure> {
    let (mut listed, mut folders) = (BTreeSet::new(), BTreeSet::from([directory.to_owned()]));
    for record in indexes.flat_map(Index::records) {
        folders.extend(places(&record, directory));
        listed.extend(places(&record, directory).map(|place| place.join(record.file_name())));
    }
    let mut found = Vec::new();
    for folder in folders.iter().filter(|folder| *folder == directory || folder.is_dir()) {
        for file in packages(folder)?.into_iter().filter(|file| !listed.contains(file)) {
            let mut findings = Findings::default();
            let message = format!("no entry names {}", shown(&file));
            findings.push(Finding {
                rule: rule::PACKAGE_UNLISTED,
                line: None,
                entry: String::new(),
                message,
            });
            found.push((shown(&file), findings));
        }
    }
    Ok(found)
}

/// The packages of a directory, sorted; folders are not entered.
pub(super) fn packages(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = || format!("cannot read the directory {}", shown(directory));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(cannot).map_err(Failure::local)? {
        let path = entry.with_context(cannot).map_err(Failure::local)?.path();
        if path.extension().is_some_and(|extension| extension == "apk") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
