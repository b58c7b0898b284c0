//! From flags and the environment to what a run is told.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, anyhow};

use super::check::{Check, FileNames, Signed, Suspect};
use super::named::Repositories;
use super::session::{Record, Session, Source, Wanted};
use super::{CaMode, FetchArgs, NetworkArgs};
use crate::cli::failure::Failure;
use crate::cli::known::read;
use crate::cli::open::Opened;
use crate::cli::subjects::shown;
use crate::cli::verify::{DigestArg, set_limit};
use crate::keys::Scope;
use crate::limits::{Limits, parse_size};
use crate::transport::{Authorities, Cancel, Credentials, Demand, Location, Proxies, Retries, Settings};
use crate::verify::{IndexEntries, MinDigest, SignatureDemand};

/// Bytes as people write them.
pub(super) fn size(text: &str) -> Result<u64, String> {
    parse_size(text).ok_or_else(|| "expected a number from 1, perhaps with K, M or G".to_owned())
}

/// How files are fetched.
pub(super) fn settings(
    args: &NetworkArgs,
    repositories: Option<&Repositories>,
    cancel: Cancel,
) -> Result<Settings, Failure> {
    let configured = repositories.and_then(Repositories::ca_file);
    let authorities = match (args.ca_file.as_deref().or(configured), args.ca_mode) {
        (None, _) => Authorities::System,
        (Some(path), CaMode::Add) => Authorities::Add(read(path)?),
        (Some(path), CaMode::Only) => Authorities::Only(read(path)?),
    };
    let proxies = Proxies::from_environment(|name| std::env::var(name).ok());
    let retries = Retries { tries: args.tries, ..Retries::default() };
    Ok(Settings { authorities, proxies, retries, cancel, ..Settings::default() })
}

/// Credentials that the environment gives, for what lies at or below certain URLs.
pub(super) fn scoped() -> Result<Vec<Location>, Failure> {
    let text = std::env::var("APKVET_AUTH").unwrap_or_default();
    Credentials::parse_scoped(&text).context("APKVET_AUTH in the environment").map_err(Failure::usage)
}

/// What the flags say of signatures; or the index, if that does not hold.
pub(super) fn signed(args: &FetchArgs, session: &mut Session<'_>) -> Result<Result<Signed, Record>, Failure> {
    let mut limits = Limits::default();
    for limit in &args.limits {
        set_limit(&mut limits, limit)?;
    }
    let min_digest = match args.min_digest {
        None | Some(DigestArg::Sha1) => MinDigest::AcceptSha1,
        Some(DigestArg::Sha256) => MinDigest::Sha256,
    };
    let signed = Signed::load(&args.trust, min_digest, limits, session.output)?;
    match &args.index {
        None => Ok(Ok(signed)),
        Some(path) => {
            Ok(index(&signed, path, session)?
                .map(|entries| signed.within(entries, SignatureDemand::Required)))
        }
    }
}

fn index(
    signed: &Signed,
    path: &Path,
    session: &Session<'_>,
) -> Result<Result<IndexEntries, Record>, Failure> {
    let label = shown(path);
    let unread = |error: &dyn std::fmt::Display| anyhow!("cannot read {label}: {error}");
    let opened = Opened::new(path).map_err(|error| Failure::local(unread(&error)))?;
    let suspect = Suspect {
        label: &label,
        file_name: "APKINDEX.tar.gz",
        file_names: FileNames::Any,
        place: std::path::absolute(path).ok().and_then(|path| Scope::of_path(&path).ok()),
        size: opened.size().unwrap_or_default(),
    };
    let (record, judged) = signed
        .judge_index(&suspect, &opened, session.signals.cancel())
        .map_err(|error| Failure::local(unread(&error)))?;
    session.signals.check()?;
    opened.unchanged(opened.size()).map_err(|error| Failure::local(unread(&error)))?;
    let entries = judged.and_then(|judged| judged.into_verified().ok()).and_then(IndexEntries::new);
    Ok(entries.ok_or_else(|| Record::of(record)))
}

/// The file behind a URL.
pub(super) fn wanted(args: &FetchArgs, location: Location, check: Rc<Check>) -> Result<Wanted, Failure> {
    let label = location.to_string();
    let own = args.output.as_ref().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let file_name = location.file_name().or(own).ok_or_else(|| {
        Failure::usage(anyhow!("{label} does not end in the name of a file: give one by -o FILE"))
    })?;
    let file_names = if args.any_file_name { FileNames::Any } else { FileNames::AsPackaged };
    let demand = Demand::new(&[], args.network.max_size);
    let indexed = check.indexed();
    let source = Source { label, upstreams: vec![location], demand, file_name, file_names, indexed };
    Ok(Wanted { source, check })
}
