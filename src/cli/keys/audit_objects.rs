//! What was signed, for the audit: indexes and packages in local directories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use crate::audit::{AdbError, SignedObject, read_adb};
use crate::cli::failure::Failure;
use crate::cli::open::{Opened, ReadError};
use crate::cli::output::Output;
use crate::cli::subjects::{Subject, expand, shown};
use crate::container::Scratch;
use crate::unverified::{self, Level, ReadOptions};

/// What the keys are held against.
#[derive(Args, Clone, Debug)]
pub(super) struct ObjectArgs {
    /// Hold the keys against the indexes in this directory, or against this index (repeatable)
    #[arg(long = "repo", value_name = "DIR|INDEX")]
    repositories: Vec<PathBuf>,
    /// Hold the keys against the packages in this directory, or against this package (repeatable)
    #[arg(long, value_name = "DIR|PACKAGE")]
    packages: Vec<PathBuf>,
}

/// Reads everything that was named; a file whose signatures cannot be read is told of.
pub(super) fn read_all(args: &ObjectArgs, output: &mut Output) -> Result<Vec<SignedObject>, Failure> {
    let (mut objects, mut skipped) = (Vec::new(), Skipped::new());
    for path in &args.repositories {
        if path.to_str().is_some_and(|text| text.contains("://")) {
            let text = format!(
                "--repo {}: expected a local directory or an index file; the audit uses no network",
                shown(path)
            );
            return Err(Failure::usage(anyhow!(text)));
        }
        read_source(path, |path| !is_package(path), &mut objects, &mut skipped)?;
    }
    for path in &args.packages {
        read_source(path, is_package, &mut objects, &mut skipped)?;
    }
    for (reason, paths) in skipped {
        let first = paths.first().map_or("", String::as_str);
        let text = match paths.len() {
            1 => format!("{first} was not looked at: {reason}"),
            count => format!("{count} files were not looked at ({first} is the first): {reason}"),
        };
        output.warning(&text);
    }
    Ok(objects)
}

/// Files whose signatures cannot be read, by reason.
type Skipped = BTreeMap<String, Vec<String>>;

fn is_package(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b".apk")
}

fn read_source(
    source: &Path,
    wanted: impl Fn(&Path) -> bool,
    objects: &mut Vec<SignedObject>,
    skipped: &mut Skipped,
) -> Result<(), Failure> {
    let mut scratch = Scratch::default();
    let mut found = false;
    for subject in expand(&[source.to_owned()])? {
        let Subject::File { path, .. } = subject else {
            return Err(Failure::usage(anyhow!("the audit does not read standard input")));
        };
        if path != source && !wanted(&path) {
            continue;
        }
        found = true;
        let reason = match read_object(source, &path, &mut scratch) {
            Ok(Some(object)) => {
                objects.push(object);
                continue;
            }
            Ok(None) => "no package and no index".to_owned(),
            Err(error) if path == source => {
                return Err(Failure::local(anyhow!("cannot read {}: {error}", shown(&path))));
            }
            Err(error) => error.to_string(),
        };
        skipped.entry(reason).or_default().push(shown(&path));
    }
    if found {
        return Ok(());
    }
    Err(Failure::usage(anyhow!("nothing of the kind that was asked for lies in {}", shown(source))))
}

/// Why a file was not looked at.
#[derive(Debug, thiserror::Error)]
enum ObjectError {
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Adb(#[from] AdbError),
}

fn read_object(
    source: &Path,
    path: &Path,
    scratch: &mut Scratch,
) -> Result<Option<SignedObject>, ObjectError> {
    let (source, object) = (shown(source), shown(path));
    match read_adb(&Opened::new(path)?) {
        Ok(signatures) => return Ok(Some(SignedObject::adb(&source, &object, signatures))),
        // Too short for a magic number, or another: not v3.
        Err(AdbError::Magic) => {}
        Err(AdbError::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error.into()),
    }
    let options = ReadOptions { level: Level::Identity, ..ReadOptions::default() };
    let opened = Opened::new(path)?;
    let read = unverified::read(&opened, &options, scratch)?;
    opened.unchanged(read.size())?;
    Ok(SignedObject::of(&source, &object, read))
}
