//! A published tree, verified from scratch: nothing is believed of whoever made it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::config::Waiver;
use super::crew::crew;
use super::finding::{Class, Finding, Severity};
use super::next::folders;
use super::offer::{INDEX, INDEX_CAP};
use super::progress::{Event, Progress};
use super::state::Place;
use crate::container::Scratch;
use crate::index::{Index, Record};
use crate::limits::Limits;
use crate::transport::Location;
use crate::types::Architecture;
use crate::unverified::{FileDigest, Keep, Level, ReadOptions, Subject, read};
use crate::verify::{IndexEntries, Proof, SignatureDemand, verify_index, verify_package, verify_unknown};

/// One index of a tree and its packages, and what is demanded of them.
#[derive(Clone, Debug)]
pub struct Checkee<'a> {
    /// Where it lies below the root.
    pub place: Place,
    /// Its architecture.
    pub architecture: Architecture,
    /// By which keys the index has to hold.
    pub index: Proof<'a>,
    /// By which keys the packages have to hold.
    pub packages: Proof<'a>,
    /// What is demanded of packages beside their entry.
    pub demand: SignatureDemand,
    /// How deep they are looked at.
    pub level: Level,
    /// Known bad packages.
    pub waivers: &'a [Waiver],
    /// Where the files came from, as pins ask for it.
    pub base: Option<Location>,
}

/// A tree that is checked.
#[derive(Debug)]
pub struct Subjects<'a> {
    /// The directory that is served.
    pub root: PathBuf,
    /// The indexes in it.
    pub checkees: Vec<Checkee<'a>>,
    /// Paths below the root of files that no index lists and that may be there all the same.
    pub dropped: BTreeSet<String>,
    /// How many files are read at a time.
    pub jobs: usize,
    /// How much hostile input may cost.
    pub limits: &'a Limits,
}

/// What a check has found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Indexes that hold.
    pub indexes: usize,
    /// Packages that hold.
    pub packages: usize,
    /// Their size. Units: bytes.
    pub bytes: u64,
    /// What does not hold, and what is worth knowing.
    pub findings: Vec<Finding>,
    /// Paths below the root of what does not hold, or is not there.
    pub broken: BTreeSet<String>,
    /// The entries of each index that holds, by its number among the subjects.
    pub entries: BTreeMap<usize, Index>,
}

/// Reads and judges a whole tree.
pub fn check(subjects: &Subjects<'_>, progress: &dyn Progress) -> Checked {
    let mut checked = Checked::default();
    progress.event(Event::Indexes { count: subjects.checkees.len() });
    for (number, checkee) in subjects.checkees.iter().enumerate() {
        let path = format!("{}/{INDEX}", folder(&checkee.place));
        match read_index(subjects, checkee, &path) {
            Ok(entries) => {
                checked.indexes += 1;
                packages(subjects, checkee, &entries, progress, &mut checked);
                checked.entries.insert(number, entries.index().clone());
            }
            Err(finding) => {
                checked.broken.insert(path.clone());
                checked.findings.push(finding.at(&checkee.place).about(&path));
            }
        }
    }
    let order = |finding: &Finding| (finding.place.clone(), finding.subject.clone(), finding.severity);
    checked.findings.sort_by_key(order);
    checked
}

/// The folder of a place below the root.
fn folder(place: &Place) -> String {
    if place.repository.is_empty() {
        place.arch.clone()
    } else {
        format!("{}/{}", place.repository, place.arch)
    }
}

fn options(subjects: &Subjects<'_>, level: Level) -> ReadOptions {
    ReadOptions { limits: subjects.limits.clone(), level, index_text: Keep::Text, ..ReadOptions::default() }
}

fn read_index(subjects: &Subjects<'_>, checkee: &Checkee<'_>, path: &str) -> Result<IndexEntries, Finding> {
    let file = open(&subjects.root, path)?;
    let options = options(subjects, Level::Full);
    let subject =
        read(file.take(INDEX_CAP), &options, &mut Scratch::default()).map_err(|error| unread(&error))?;
    let scope = scope(checkee, &[checkee.place.arch.as_str(), INDEX]);
    let verified = match subject.at(scope) {
        Subject::Index(index) => verify_index(index, &checkee.index).into_verified(),
        Subject::Unknown(file) => match verify_unknown(file, &checkee.index).into_verified() {
            Err(fault) => Err(fault),
            Ok(_) => return Err(not_that("an index")),
        },
        Subject::Package(_) => return Err(not_that("an index")),
    };
    let verified =
        verified.map_err(|fault| Finding { class: Class::Refused, ..Finding::of_fault(&fault) })?;
    IndexEntries::new(verified).ok_or_else(|| not_that("an index"))
}

fn packages(
    subjects: &Subjects<'_>,
    checkee: &Checkee<'_>,
    entries: &IndexEntries,
    progress: &dyn Progress,
    checked: &mut Checked,
) {
    let mut records: Vec<Record<'_>> = entries.index().records().collect();
    // A large one that came last would leave all other hands idle.
    records.sort_by_key(|record| Reverse(record.size()));
    let bytes = records.iter().fold(0_u64, |sum, record| sum.saturating_add(record.size()));
    progress.event(Event::Fetching { count: records.len(), bytes });
    let done: Result<(), std::convert::Infallible> = crew(
        &records,
        subjects.jobs,
        Scratch::default,
        |scratch, record| package(subjects, checkee, entries, record, scratch),
        |at, result| {
            let Some(record) = records.get(at) else { return Ok(()) };
            let label = record.label();
            progress.event(Event::Received { label: &label, bytes: record.size() });
            progress.event(Event::Done { label: &label });
            match result {
                Ok(()) => {
                    checked.packages += 1;
                    checked.bytes = checked.bytes.saturating_add(record.size());
                }
                Err(broken) => {
                    let (path, finding) = *broken;
                    checked.broken.insert(path);
                    checked.findings.push(finding.at(&checkee.place).about(&label));
                }
            }
            Ok(())
        },
    );
    let Ok(()) = done;
    unlisted(subjects, checkee, &records, checked);
}

/// Judges the file that the entry leads a client to.
fn package(
    subjects: &Subjects<'_>,
    checkee: &Checkee<'_>,
    entries: &IndexEntries,
    record: &Record<'_>,
    scratch: &mut Scratch,
) -> Result<(), Box<(String, Finding)>> {
    for arch in folders(record, &checkee.architecture) {
        let place = Place { repository: checkee.place.repository.clone(), arch: arch.to_owned() };
        let path = format!("{}/{}", folder(&place), record.file_name());
        // Other tools put `noarch` packages beside their index alone.
        let optional = arch != checkee.architecture.as_str() && arch == Architecture::NOARCH;
        if optional && !subjects.root.join(&path).exists() {
            continue;
        }
        judge(subjects, checkee, entries, record, &path, scratch)
            .map_err(|finding| Box::new((path, finding)))?;
    }
    Ok(())
}

fn judge(
    subjects: &Subjects<'_>,
    checkee: &Checkee<'_>,
    entries: &IndexEntries,
    record: &Record<'_>,
    path: &str,
    scratch: &mut Scratch,
) -> Result<(), Finding> {
    let file = open(&subjects.root, path)?;
    let file_digest = if checkee.waivers.is_empty() { FileDigest::Skip } else { FileDigest::Compute };
    let options = ReadOptions { file_digest, ..options(subjects, checkee.level) };
    let subject = read(file, &options, scratch).map_err(|error| unread(&error))?;
    let scope = scope(checkee, &[checkee.place.arch.as_str(), &record.file_name()]);
    let fault = match subject.at(scope) {
        Subject::Package(package) => {
            let mut judged = verify_package(package, &checkee.packages).within_index(entries, checkee.demand);
            let sha256 = judged.facts().sha256().map(|digest| digest.to_string());
            let waived = |waiver: &&Waiver| {
                waiver.package == record.label() && Some(&waiver.sha256) == sha256.as_ref()
            };
            if let Some(waiver) = checkee.waivers.iter().find(waived) {
                judged = judged.waiving(&waiver.code);
            }
            let identity = judged.facts().identity();
            if judged.verified().is_some() && identity != Some(*record.identity().digest()) {
                let message = "the file is the package of another entry";
                return Err(Finding::error(Class::Refused, "index-identity", message));
            }
            judged.into_verified().err()
        }
        Subject::Unknown(file) => verify_unknown(file, &checkee.packages).into_verified().err(),
        Subject::Index(_) => return Err(not_that("a package")),
    };
    match fault {
        None => Ok(()),
        Some(fault) => Err(Finding { class: Class::Refused, ..Finding::of_fault(&fault) }),
    }
}

/// Packages that no index lists: clients cannot find them, and a mirror has no reason to have them.
fn unlisted(subjects: &Subjects<'_>, checkee: &Checkee<'_>, records: &[Record<'_>], checked: &mut Checked) {
    let below = folder(&checkee.place);
    let listed: BTreeSet<String> = records.iter().map(Record::file_name).collect();
    let Ok(entries) = std::fs::read_dir(subjects.root.join(&below)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}/{name}");
        if name.ends_with(".apk") && !listed.contains(&name) && !subjects.dropped.contains(&path) {
            let finding = Finding::info("unlisted", "lies there, and the index does not list it");
            checked.findings.push(finding.at(&checkee.place).about(&name));
        }
    }
}

fn scope(checkee: &Checkee<'_>, segments: &[&str]) -> Option<crate::keys::Scope> {
    checkee.base.as_ref()?.join(segments).ok()?.scope()
}

fn open(root: &Path, path: &str) -> Result<File, Finding> {
    let whole = root.join(path);
    // A pipe without a writer must not be waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(&whole, flags, Mode::empty()).map_err(std::io::Error::from);
    let file: File = opened.map(File::from).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Finding::error(Class::Refused, "missing", format!("{path} is not there"))
        }
        _ => Finding::error(Class::Local, "io", format!("cannot read {path}: {error}")),
    })?;
    let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if regular {
        Ok(file)
    } else {
        Err(Finding::error(Class::Refused, "not-a-file", format!("{path} is no file")))
    }
}

fn unread(error: &std::io::Error) -> Finding {
    Finding::error(Class::Local, "io", error)
}

fn not_that(expected: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        ..Finding::error(Class::Refused, "kind", format!("expected {expected}"))
    }
}
