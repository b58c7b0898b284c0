//! The index of a folder of packages of one's own, made anew when the packages changed: a step of a mirror's run.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::entry::{Made, Reader};
use super::reuse::{Older, Unsigned};
use super::{in_order, refusal};
use crate::cli::failure::Failure;
use crate::cli::index::packages::packages;
use crate::cli::index::signing::Signer;
use crate::cli::index::source::{Judge, subject};
use crate::cli::output::Output;
use crate::cli::record::FileRecord;
use crate::cli::replace::replace;
use crate::cli::subjects::shown;
use crate::cli::threads::cores;
use crate::cli::trust::TrustArgs;
use crate::index::{Index, IndexDraft};
use crate::limits::Limits;
use crate::types::Architecture;
use crate::unverified::Level;
use crate::verify::MinDigest;

/// A folder that holds the packages of one architecture, and nothing but the operator's own.
#[derive(Debug)]
pub(in crate::cli) struct Folder<'a> {
    /// Where the packages lie; the index is written beside them.
    pub(in crate::cli) directory: &'a Path,
    /// What `A:` says of every entry.
    pub(in crate::cli) architecture: &'a Architecture,
    /// The keys that packages have to be signed by, and what narrows them.
    pub(in crate::cli) keys: &'a [PathBuf],
    pub(in crate::cli) pins: Option<&'a Path>,
    pub(in crate::cli) min_digest: MinDigest,
    /// The private key that signs the index.
    pub(in crate::cli) sign_key: &'a Path,
    pub(in crate::cli) limits: &'a Limits,
    /// The time that the index gets. Units: seconds since 1970.
    pub(in crate::cli) time: u64,
}

/// What became of it.
#[derive(Debug)]
pub(in crate::cli) enum Refreshed {
    /// The index says what the packages say already.
    Unchanged,
    /// A new index, of so many entries.
    Written(usize),
    /// Packages that no index may name; nothing was written.
    Refused(Vec<FileRecord>),
}

/// Makes the index of a folder anew, unless it says just that already.
pub(in crate::cli) fn refresh(folder: &Folder<'_>, output: &mut Output) -> Result<Refreshed, Failure> {
    let files = packages(folder.directory)?;
    if files.is_empty() {
        return Err(Failure::usage(anyhow!("no packages (*.apk) in {}", shown(folder.directory))));
    }
    let signer = Signer::read(folder.sign_key)?;
    let pins = folder.pins.map(Path::to_owned);
    let trust = TrustArgs { keys: folder.keys.to_vec(), pins, ..TrustArgs::default() };
    let judge = Judge::of(&trust, folder.min_digest, folder.limits.clone(), output)?;
    let path = folder.directory.join("APKINDEX.tar.gz");
    let older = match path.exists() {
        true => Older::read(&path, &judge, Some(&signer), Unsigned::Refuse, output)?,
        false => Older::default(),
    };
    let reader = Reader {
        judge: &judge,
        older: &older,
        rewritten: Some(folder.architecture),
        level: Level::Full,
        unsigned: Unsigned::Refuse,
    };
    let (mut text, mut refused) = (String::new(), Vec::new());
    reader.read_all(&files, cores(), |made| {
        match made {
            Made::Reused(entry) => push(&mut text, &entry),
            Made::Read { text: entry, warning, .. } => {
                push(&mut text, &entry);
                warning.iter().for_each(|warning| output.warning(warning));
            }
            Made::Refused(record) => refused.push(*record),
        }
        Ok::<_, Failure>(())
    })?;
    if !refused.is_empty() {
        return Ok(Refreshed::Refused(refused));
    }
    let index = Index::read_leniently(text.into_bytes());
    let records = in_order(&index);
    if is_told(&path, &judge, &signer, &records) {
        return Ok(Refreshed::Unchanged);
    }
    let mut draft = IndexDraft::new(folder.time);
    records.iter().for_each(|record| draft.copy(record));
    let body = draft.body(folder.limits).map_err(|error| {
        Failure::refused(anyhow!(
            "the index of {} would be refused: {}",
            shown(folder.directory),
            refusal(&error)
        ))
    })?;
    replace(&path, &signer.sign(&body)?)?;
    Ok(Refreshed::Written(records.len()))
}

fn push(text: &mut String, entry: &str) {
    text.push_str(entry);
    text.push('\n');
}

/// Whether an index that our own key signed holds just these entries.
fn is_told(path: &Path, judge: &Judge, signer: &Signer, records: &[crate::index::Record<'_>]) -> bool {
    let judged = judge.index_signed_by(&signer.keyring(), &subject(path));
    let Some(content) = judged.content.filter(|_| judged.record.holds()) else { return false };
    let told = content.index.records().map(|record| record.as_str().trim_end().to_owned());
    told.eq(records.iter().map(|record| record.as_str().trim_end().to_owned()))
}
