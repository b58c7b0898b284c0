//! `apkvet keys show`: everything about a key file, or its clean PEM.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use super::record::KeyRecord;
use crate::cli::clock::today;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::known::KnownArgs;
use crate::cli::output::{Output, Style};
use crate::keys::{KeyFile, KeyFileError};

/// Shows the fingerprints, size and origin of key files
///
/// Exit code 1 if apk would not load one of them.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// Write the key as clean PEM, and nothing else (one FILE)
    #[arg(long)]
    pem: bool,
    #[command(flatten)]
    known: KnownArgs,
    /// Key files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// The last line, as JSON.
#[derive(Serialize)]
struct Summary {
    files: usize,
    loaded: usize,
    exit: u8,
}

pub(super) fn run(args: &ShowArgs, output: &mut Output) -> Result<Exit, Failure> {
    let files: Vec<KeyFile> = args.files.iter().map(|path| KeyFile::read(path)).collect();
    if args.pem {
        return pem(&files, output);
    }
    let (known, today) = (args.known.load()?, today());
    let (mut exit, mut loaded) = (Exit::Holds, 0);
    for file in &files {
        let record = KeyRecord::of_file("shown", file, &known, today);
        loaded += usize::from(record.loaded);
        exit = exit.worst(match file.content() {
            Ok(_) => Exit::Holds,
            Err(KeyFileError::Unreadable(_)) => Exit::LocalIo,
            Err(_) => Exit::Refused,
        });
        if output.is_json() {
            output.record("key", &record)?;
        } else {
            print(&record, output)?;
        }
    }
    if output.is_json() {
        output.record("summary", &Summary { files: files.len(), loaded, exit: exit.code() })?;
    }
    Ok(exit)
}

/// Two keys in one file would be a trap: apk sees the first only.
fn pem(files: &[KeyFile], output: &mut Output) -> Result<Exit, Failure> {
    let [file] = files else { return Err(Failure::usage(anyhow!("--pem takes one FILE"))) };
    let key = match (file.content(), file.form().mbedtls_key()) {
        (Ok(key), _) => key,
        (Err(error), Some(key)) => {
            output.warning(&format!("apk does not load this file: {error}; compare the fingerprint"));
            key
        }
        (Err(error), None) => {
            let text = anyhow!("no public key in it: {error}; {}", error.remedy());
            let unreadable = matches!(error, KeyFileError::Unreadable(_));
            return Err(if unreadable { Failure::local(text) } else { Failure::usage(text) });
        }
    };
    output.raw(key.to_pem().as_bytes())?;
    Ok(Exit::Holds)
}

fn print(record: &KeyRecord, output: &mut Output) -> Result<(), Failure> {
    output.line(record.file.as_ref().unwrap_or(&record.name))?;
    if let Some(error) = &record.error {
        let words = output.paint(Style::Bad, "NOT LOADED");
        output.line(&format!("  {words}     {}", error.message))?;
        output.line(&format!("  fix            {}", error.remedy))?;
    }
    let exponent = record.exponent.as_ref().map(|exponent| format!(", exponent {exponent}"));
    let bits = record.bits.map(|bits| format!(", {bits} bits")).unwrap_or_default();
    let kind = record.kind.map(|kind| format!("{kind}{bits}{}", exponent.unwrap_or_default()));
    let known = record.known.as_ref().map(|known| format!("{} ({})", record.origin(), known.status));
    let names = record.known.as_ref().map(|known| known.names.join(", "));
    let releases = record.known.as_ref().and_then(|known| {
        let (first, last) = (known.first_release.as_ref()?, known.last_release.as_deref());
        Some(format!("{first} to {}", last.unwrap_or("today")))
    });
    let public = record.known.as_ref().map(|known| known.private_key_public_at.join(", "));
    let name_time = record.name_time.clone().unwrap_or_else(|| "no date".to_owned());
    for (label, value) in [
        ("fingerprint", record.fingerprint.clone()),
        ("type", kind),
        ("apk 3 key id", record.apk3_key_id.clone()),
        ("sha256, pkcs1", record.pkcs1_sha256.clone()),
        ("sha256, file", record.file_sha256.clone()),
        ("time in name", record.kind.map(|_| name_time)),
        ("known as", known),
        ("signs as", names),
        ("releases", releases),
        (
            "private half",
            public.filter(|places| !places.is_empty()).map(|places| format!("PUBLIC: {places}")),
        ),
    ] {
        if let Some(value) = value {
            output.line(&format!("  {label:<13}  {value}"))?;
        }
    }
    Ok(())
}
