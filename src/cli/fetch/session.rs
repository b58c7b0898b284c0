//! Brings one file here, and lets it appear if it is what it must be.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::rc::Rc;

use serde::Serialize;

use super::check::{Check, FileNames, Suspect};
use super::spool::{Folder, Spool};
use super::watch::{Manner, Watched};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::record::FileRecord;
use crate::cli::signals::Signals;
use crate::cli::subjects::shown;
use crate::transport::{Class, Demand, FetchError, Fetched, Location, Sink, Worker};
use crate::unverified::Level;

/// One file that is asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Where it comes from.
    pub(super) source: Source,
    /// What proves it.
    pub(super) check: Rc<Check>,
}

/// Where a file comes from, and how it is told of.
#[derive(Debug)]
pub(super) struct Source {
    /// How it is told of, escaped and without credentials.
    pub(super) label: String,
    /// Where it can be found, tried in order.
    pub(super) upstreams: Vec<Location>,
    /// Below each of these.
    pub(super) demand: Demand,
    /// The name that it has there.
    pub(super) file_name: String,
    /// What that name promises.
    pub(super) file_names: FileNames,
    /// Whether an index says what it must be: then a second look, past all caches, is worth it.
    pub(super) indexed: Indexed,
}

/// Whether an index says what a file must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Indexed {
    /// One does.
    Yes,
    /// It is on its own.
    No,
}

/// What became of it: a `file` line of `docs/json.md`.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    #[serde(flatten)]
    pub(super) file: FileRecord,
    /// Where it came from, without credentials.
    pub(super) from: Option<String>,
    /// Where it lies now.
    pub(super) saved: Option<String>,
    /// Which of the upstreams brought it, counted from 0.
    #[serde(skip)]
    pub(super) upstream: usize,
    #[serde(skip)]
    pub(super) exit: Exit,
}

impl Record {
    /// A judged file that lies nowhere.
    pub(super) fn of(file: FileRecord) -> Self {
        let exit = if file.holds() { Exit::Holds } else { Exit::Refused };
        Self { file, from: None, saved: None, upstream: 0, exit }
    }

    /// A file that did not arrive.
    pub(super) fn failed(label: &str, code: &'static str, message: String, exit: Exit) -> Self {
        let file = FileRecord::failed(label.to_owned(), Level::Full, code, message);
        Self { file, from: None, saved: None, upstream: 0, exit }
    }

    fn local(label: &str, what: &str, error: &io::Error) -> Self {
        Self::failed(label, "io", format!("{what}: {error}"), Exit::LocalIo)
    }

    fn of_transport(label: &str, error: &FetchError) -> Self {
        let exit = match error.class() {
            Class::Network => Exit::Network,
            Class::Upstream => Exit::Upstream,
            Class::Local => Exit::LocalIo,
        };
        let text = match error {
            FetchError::Failed(failures) if failures.len() == 1 => {
                failures.iter().map(|failure| failure.told_without_place()).collect()
            }
            FetchError::Sink(source) => format!("{error}: {source}"),
            error => error.to_string(),
        };
        let remedy = error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        Self::failed(label, error.code(), text + &remedy, exit)
    }
}

/// What all files of a run share.
pub(super) struct Session<'a> {
    pub(super) worker: Worker,
    pub(super) signals: Signals,
    pub(super) output: &'a mut Output,
    pub(super) manner: Manner,
}

impl Session<'_> {
    /// Fetches and checks a file; it appears under its name only if it holds.
    pub(super) fn file(
        &mut self,
        wanted: &Wanted,
        folder: &Folder,
        destination: &Path,
    ) -> Result<Record, Failure> {
        let mut spool = match folder.spool() {
            Ok(spool) => spool,
            Err(error) => {
                return Ok(Record::local(&wanted.source.label, "cannot make a file beside it", &error));
            }
        };
        let cancel = self.signals.cancel().clone();
        let judge = |suspect: &Suspect<'_>, spool: &Spool<'_>| {
            Ok((wanted.check.run(suspect, spool.reader()?, &cancel)?, ()))
        };
        let (mut record, _) = self.obtain(&wanted.source, &mut spool, judge)?;
        let Some(name) = destination.file_name().filter(|_| record.file.holds()) else { return Ok(record) };
        match spool.publish(&OsString::from(name)) {
            Ok(()) => record.saved = Some(shown(destination)),
            Err(error) => return Ok(Record::local(&wanted.source.label, "cannot give it its name", &error)),
        }
        Ok(record)
    }

    /// Fetches until an upstream brings a file that holds; the record is else of the last one that came.
    ///
    /// A file that was put together, or that an index knows, is asked for once more past all caches.
    pub(super) fn obtain<T>(
        &mut self,
        source: &Source,
        spool: &mut Spool<'_>,
        mut judge: impl FnMut(&Suspect<'_>, &Spool<'_>) -> io::Result<(FileRecord, T)>,
    ) -> Result<(Record, Option<T>), Failure> {
        let (mut upstreams, mut demand) = (source.upstreams.as_slice(), source.demand.clone());
        let mut refused = None;
        loop {
            let fetched = match self.transfer(source, upstreams, &demand, spool)? {
                Ok(fetched) => fetched,
                // A file that was refused weighs more than one that did not come.
                Err(error) => {
                    let failed = || Record::of_transport(&source.label, &error);
                    return Ok((refused.unwrap_or_else(failed), None));
                }
            };
            let Some(from) = upstreams.get(fetched.from) else { return Err(lost()) };
            let from = from.join(&demand.path).map_err(Failure::usage)?;
            let suspect = Suspect {
                label: &source.label,
                file_name: &source.file_name,
                file_names: source.file_names,
                place: from.scope(),
                size: fetched.bytes,
            };
            let judged = judge(&suspect, spool);
            self.signals.check()?;
            let (file, more) = match judged {
                Ok(judged) => judged,
                Err(error) => {
                    return Ok((Record::local(&source.label, "cannot read it again", &error), None));
                }
            };
            let holds = file.holds();
            let mut record = Record::of(file);
            record.from = Some(from.to_string());
            record.upstream = source.upstreams.len().saturating_sub(upstreams.len()) + fetched.from;
            let (rest, next) = next(source, upstreams, &demand, &fetched);
            if holds || rest.is_empty() {
                return Ok((record, Some(more)));
            }
            let code = record.file.reason.as_ref().map_or("refused", |reason| reason.code);
            self.output.warning(&format!("{from} is refused [{code}]: trying again"));
            refused = Some(record);
            spool.restart().map_err(Failure::local)?;
            (upstreams, demand) = (rest, next);
        }
    }

    fn transfer(
        &mut self,
        source: &Source,
        upstreams: &[Location],
        demand: &Demand,
        spool: &mut Spool<'_>,
    ) -> Result<Result<Fetched, FetchError>, Failure> {
        let mut watched = Watched::new(spool, self.output, self.manner, &source.label);
        let fetched = self.worker.fetch(upstreams, demand, &mut watched);
        watched.finish();
        self.signals.check()?;
        Ok(fetched)
    }
}

/// What is worth a try after a file that did not hold: nothing, if no upstream is given.
fn next<'a>(
    source: &Source,
    upstreams: &'a [Location],
    demand: &Demand,
    fetched: &Fetched,
) -> (&'a [Location], Demand) {
    let fresh = source.demand.clone().revalidated();
    if *demand != fresh && (fetched.resumed || source.indexed == Indexed::Yes) {
        return (upstreams.get(fetched.from..).unwrap_or_default(), fresh);
    }
    (upstreams.get(fetched.from + 1..).unwrap_or_default(), source.demand.clone())
}

fn lost() -> Failure {
    Failure::usage(anyhow::anyhow!("expected one of the upstreams"))
}
