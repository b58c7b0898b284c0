//! Finds a package by its name in the repositories of a configuration, through their verified indexes.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, anyhow};

use super::FetchArgs;
use super::check::{Check, FileNames, Signed};
use super::session::{Indexed, Record, Session, Source, Wanted};
use super::spool::Folder;
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::known::read;
use crate::cli::subjects::shown;
use crate::cli::trust::TrustArgs;
use crate::index::Record as Entry;
use crate::mirror::{Config, IndexKind, Offered, Overrides, PackageSignatures, Repository, Rules, assess};
use crate::transport::{Credentials, Demand, Location};
use crate::types::{Architecture, Dependency, compare_versions, escape};
use crate::unverified::IndexClaims;
use crate::verify::{IndexEntries, Judgement, SignatureDemand};

/// Longest index as stored; that of the largest distribution has some 3 MiB. Units: bytes.
const MAX_INDEX: u64 = 64 << 20;

/// The configuration, as far as it is needed here.
pub(super) struct Repositories {
    config: Config,
    architecture: Architecture,
}

/// A repository whose index holds.
struct Open<'a> {
    repository: &'a Repository,
    upstreams: Vec<Location>,
    check: Rc<Check>,
}

/// What came of an index.
enum Read {
    /// With the number of the upstream that has it.
    Good(Box<IndexEntries>, usize),
    Bad(Box<Record>),
}

impl Repositories {
    /// Reads the configuration.
    pub(super) fn load(path: &Path, architecture: Option<&str>) -> Result<Self, Failure> {
        let text = String::from_utf8(read(path)?)
            .map_err(|_| Failure::usage(anyhow!("expected UTF-8 in {}", shown(path))))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let config = Config::parse(&text, folder)
            .with_context(|| format!("cannot use {}", shown(path)))
            .map_err(Failure::usage)?;
        let architecture = chosen(&config, architecture)?;
        Ok(Self { config, architecture })
    }

    /// The certificate authorities that the configuration adds.
    pub(super) fn ca_file(&self) -> Option<&Path> {
        self.config.mirror().ca_file.as_deref()
    }

    /// Finds each name; the records are those of indexes that do not hold, and nothing is found then.
    pub(super) fn find(
        &self,
        names: &[String],
        args: &FetchArgs,
        scoped: &[Location],
        folder: &Folder,
        session: &mut Session<'_>,
    ) -> Result<Result<Vec<Wanted>, Vec<Record>>, Failure> {
        let (mut open, mut bad) = (Vec::new(), Vec::new());
        for repository in self.config.repositories() {
            if !repository.architectures.contains(&self.architecture) {
                continue;
            }
            let mut upstreams = upstreams(repository, scoped)?;
            let signed = trusted(repository, args, self.config.limits().clone(), session)?;
            match self.index(repository, &upstreams, &signed, folder, session)? {
                Read::Good(index, from) => {
                    // The upstream of the index first: the others may be of another day, or down.
                    upstreams.rotate_left(from);
                    let signed = signed
                        .within(*index, demanded(repository.package_signatures))
                        .waiving(&repository.waivers);
                    let check = Rc::new(Check::Signed(Box::new(signed)));
                    open.push(Open { repository, upstreams, check });
                }
                Read::Bad(record) => bad.push(*record),
            }
        }
        if !bad.is_empty() {
            return Ok(Err(bad));
        }
        names.iter().map(|name| self.one(name, &open)).collect::<Result<_, _>>().map(Ok)
    }

    fn index(
        &self,
        repository: &Repository,
        upstreams: &[Location],
        signed: &Signed,
        folder: &Folder,
        session: &mut Session<'_>,
    ) -> Result<Read, Failure> {
        let name = "APKINDEX.tar.gz";
        let source = Source {
            label: format!("{}/{}/{name}", repository.name, self.architecture.as_str()),
            upstreams: upstreams.to_vec(),
            demand: Demand::new(&[self.architecture.as_str(), name], MAX_INDEX),
            file_name: name.to_owned(),
            file_names: FileNames::Any,
            indexed: Indexed::No,
        };
        let mut spool = folder.spool().map_err(Failure::local)?;
        let cancel = session.signals.cancel().clone();
        let (record, judged) = session.obtain(&source, &mut spool, |suspect, spool| {
            signed.judge_index(suspect, spool.reader()?, &cancel)
        })?;
        let Some(judged) = judged.flatten().filter(|_| record.file.holds()) else {
            return Ok(Read::Bad(Box::new(record)));
        };
        Ok(self.assessed(repository, &source.label, judged, record.upstream))
    }

    /// A validly signed index may still be of another branch, or of long ago.
    fn assessed(
        &self,
        repository: &Repository,
        label: &str,
        judged: Judgement<IndexClaims>,
        from: usize,
    ) -> Read {
        let bad = |code, message, exit| Read::Bad(Box::new(Record::failed(label, code, message, exit)));
        let sha256 = judged.facts().sha256().map(|digest| digest.to_string()).unwrap_or_default();
        let time = judged.claims().and_then(IndexClaims::time);
        let description = judged.claims().and_then(IndexClaims::description).map(str::to_owned);
        let entries = judged.into_verified().ok().and_then(IndexEntries::new);
        let Some(entries) = entries else {
            return bad("index", "the text of the index was not kept".to_owned(), Exit::Refused);
        };
        let offered =
            Offered { sha256: &sha256, time, description: description.as_deref(), index: entries.index() };
        let rules = Rules {
            description: repository.description.as_ref(),
            max_age: repository.max_age,
            shrink_percent: self.config.mirror().shrink_percent,
            now: now(),
        };
        match assess(&offered, None, &rules, &Overrides::default()) {
            Ok(_) => Read::Good(Box::new(entries), from),
            Err(refused) => bad(refused.code(), refused.to_string(), Exit::State),
        }
    }

    /// The highest version of a name, as `apk fetch` takes it; of one repository, if several have the name.
    fn one(&self, text: &str, open: &[Open<'_>]) -> Result<Wanted, Failure> {
        let atom = Dependency::parse(text)
            .with_context(|| format!("expected a URL, or the name of a package, found `{}`", escape(text)))
            .map_err(Failure::usage)?;
        if atom.is_conflict() {
            return Err(Failure::usage(anyhow!("`{}` asks for nothing", escape(text))));
        }
        let owner = self.config.mirror().owners.get(atom.name());
        let asked = |open: &&Open<'_>| owner.is_none_or(|owner| *owner == open.repository.name);
        let mut best: Option<(&Open<'_>, Entry<'_>)> = None;
        let mut holders: Vec<&Open<'_>> = Vec::new();
        for open in open.iter().filter(asked) {
            let Check::Signed(signed) = &*open.check else { continue };
            let named = signed.index().into_iter().flat_map(|index| index.index().named(atom.name()));
            let fits = |entry: &Entry<'_>| {
                entry.fits(&self.architecture)
                    && (atom.accepts_version(entry.version()) || atom.accepts_identity(&entry.identity()))
            };
            for entry in named.filter(fits) {
                if !holders.last().is_some_and(|last| std::ptr::eq(*last, open)) {
                    holders.push(open);
                }
                let higher = |(_, best): &(&Open<'_>, Entry<'_>)| {
                    compare_versions(entry.version(), best.version()).is_gt()
                };
                if best.as_ref().is_none_or(higher) {
                    best = Some((open, entry));
                }
            }
        }
        let (open, entry) = best.ok_or_else(|| missing(text, &self.architecture))?;
        one_source(atom.name(), &holders)?;
        Ok(self.wanted(text, open, &entry))
    }

    fn wanted(&self, text: &str, open: &Open<'_>, entry: &Entry<'_>) -> Wanted {
        let file_name = entry.file_name();
        let source = Source {
            label: escape(text).to_string(),
            upstreams: open.upstreams.clone(),
            demand: Demand::new(&[self.architecture.as_str(), &file_name], u64::MAX).sized(entry.size()),
            file_name,
            file_names: FileNames::AsPackaged,
            indexed: Indexed::Yes,
        };
        Wanted { source, check: Rc::clone(&open.check) }
    }
}

/// Two upstreams with one name: who can put a higher version into either would decide what is installed.
fn one_source(name: &str, holders: &[&Open<'_>]) -> Result<(), Failure> {
    let whole = |open: &&Open<'_>| open.repository.index_kind == IndexKind::Upstream;
    if holders.len() < 2 || holders.iter().all(whole) {
        return Ok(());
    }
    let names: Vec<&str> = holders.iter().map(|open| open.repository.name.as_str()).collect();
    let first = names.first().copied().unwrap_or_default();
    let text = "several repositories have";
    let remedy = format!("say whose it is: [mirror] owners = {{ \"{}\" = \"{first}\" }}", escape(name));
    Err(Failure::state(anyhow!("{text} {}: {}; {remedy}", escape(name), names.join(", "))))
}

fn missing(text: &str, architecture: &Architecture) -> Failure {
    let architecture = architecture.as_str();
    Failure::usage(anyhow!("no repository of the configuration has {} for {architecture}", escape(text)))
}

fn chosen(config: &Config, named: Option<&str>) -> Result<Architecture, Failure> {
    let mut all: Vec<&Architecture> =
        config.repositories().iter().flat_map(|one| &one.architectures).collect();
    all.sort();
    all.dedup();
    let list = || all.iter().map(|architecture| architecture.as_str()).collect::<Vec<_>>().join(", ");
    match (named, all.as_slice()) {
        (None, [only]) => Ok((*only).clone()),
        (None, _) => Err(Failure::usage(anyhow!("expected --arch, one of {}", list()))),
        (Some(named), _) => {
            let found = all.iter().find(|architecture| architecture.as_str() == named);
            let found = found.map(|architecture| (*architecture).clone());
            found.ok_or_else(|| {
                Failure::usage(anyhow!("no repository has the architecture {}: {}", escape(named), list()))
            })
        }
    }
}

fn upstreams(repository: &Repository, scoped: &[Location]) -> Result<Vec<Location>, Failure> {
    let told = |what: &str| format!("repository {}, {what}", escape(&repository.name));
    let credentials = repository.auth_file.as_deref().map(credentials).transpose()?;
    let parse = |text: &String| {
        let location = Location::parse(text).with_context(|| told("upstream")).map_err(Failure::usage)?;
        Ok(match &credentials {
            Some(credentials) => location.with_credentials(credentials.clone()),
            None => location.with_scoped(scoped),
        })
    };
    repository.upstreams.texts().iter().map(parse).collect()
}

/// The credentials in a file.
pub(super) fn credentials(path: &Path) -> Result<Credentials, Failure> {
    let text = String::from_utf8(read(path)?).unwrap_or_default();
    Credentials::parse(&text).with_context(|| format!("cannot use {}", shown(path))).map_err(Failure::usage)
}

/// The keys of the repository alone; what the flags demand beyond that is demanded as well.
fn trusted(
    repository: &Repository,
    args: &FetchArgs,
    limits: crate::limits::Limits,
    session: &mut Session<'_>,
) -> Result<Signed, Failure> {
    let trust = TrustArgs {
        keys: repository.keys.clone(),
        directories: Vec::new(),
        any_key_name: args.trust.any_key_name,
        fingerprints: args.trust.fingerprints.clone(),
        pins: repository.key_pins.clone(),
        known: args.trust.known.clone(),
    };
    Signed::load(&trust, repository.min_digest, limits, session.output)
}

const fn demanded(signatures: PackageSignatures) -> SignatureDemand {
    match signatures {
        PackageSignatures::Required => SignatureDemand::Required,
        PackageSignatures::Known => SignatureDemand::Known,
        PackageSignatures::Index => SignatureDemand::IndexAlone,
    }
}
