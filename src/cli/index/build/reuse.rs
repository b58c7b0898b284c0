//! Entries of an older index, for packages that have not changed since it was made.

use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;

use crate::cli::failure::Failure;
use crate::cli::index::signing::Signer;
use crate::cli::index::source::{Judge, JudgedIndex, subject};
use crate::cli::output::Output;
use crate::cli::subjects::shown;
use crate::types::Architecture;

/// The entries of an older index by the names of their files.
#[derive(Debug, Default)]
pub(super) struct Older {
    entries: HashMap<String, Entry>,
    made: Option<SystemTime>,
}

#[derive(Debug)]
struct Entry {
    text: String,
    size: u64,
    architecture: Option<String>,
}

/// Whether what nobody signed is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unsigned {
    /// No: the entries stand for packages that were verified.
    Refuse,
    /// Yes: packages are not verified either.
    Accept,
}

impl Older {
    /// Reads an older index; one that does not prove anything is told of and not used.
    pub(super) fn read(
        path: &Path,
        judge: &Judge,
        signer: Option<&Signer>,
        unsigned: Unsigned,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        if !path.exists() {
            output
                .warning(&format!("there is no {} to take entries from: all packages are read", shown(path)));
            return Ok(Self::default());
        }
        let made = path.metadata().and_then(|metadata| metadata.modified());
        let made = made.with_context(|| format!("cannot read {}", shown(path))).map_err(Failure::local)?;
        // What our own key signed is what this command made before.
        let judged = signer
            .map(|signer| judge.index_signed_by(&signer.keyring(), &subject(path)))
            .filter(|judged| judged.record.holds())
            .unwrap_or_else(|| judge.index(&subject(path)));
        let usable = judged.record.holds() || unsigned == Unsigned::Accept && judged.lacks_only_signature;
        match judged {
            JudgedIndex { content: Some(content), .. } if usable => {
                let entry = |record: crate::index::Record<'_>| {
                    let architecture = record.architecture().map(str::to_owned);
                    let entry = Entry { text: record.as_str().to_owned(), size: record.size(), architecture };
                    (record.file_name(), entry)
                };
                Ok(Self { entries: content.index.records().map(entry).collect(), made: Some(made) })
            }
            JudgedIndex { record, .. } => {
                let code = record.reason.map(|reason| format!(" [{}]", reason.code)).unwrap_or_default();
                let path = record.path;
                output.warning(&format!(
                    "{path} is not verified{code}: no entry is taken from it, all packages are read"
                ));
                Ok(Self::default())
            }
        }
    }

    /// The entry of a file, if it speaks of the file as it lies there: the same name and size, and not touched since.
    pub(super) fn entry(&self, file: &Path, rewritten: Option<&Architecture>) -> Option<&str> {
        let entry = self.entries.get(file.file_name()?.to_str()?)?;
        let metadata = file.metadata().ok()?;
        let fits = entry.size == metadata.len()
            && metadata.modified().ok()? < self.made?
            && rewritten
                .is_none_or(|architecture| entry.architecture.as_deref() == Some(architecture.as_str()));
        fits.then_some(entry.text.as_str())
    }
}
