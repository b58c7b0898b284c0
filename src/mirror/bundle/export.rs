//! Writing a bundle: the same bytes for the same generation and base.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use sha2::Digest as _;

use super::list::{Bundle, BundleFile, BundleKind};
use super::{MAX_LIST, file_name, list_name, padding};
use crate::container::tar_header;
use crate::limits::length;
use crate::mirror::fetch::local;
use crate::mirror::finding::{Class, Finding, chain};
use crate::publish::{Entry, EntryKind, Look, StorePath, tree_hash};
use crate::types::{Digest, Sha256};

/// What was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exported {
    /// The list.
    pub bundle: Bundle,
    /// SHA-256 of the list, in hexadecimal.
    pub sha256: String,
    /// Units: bytes.
    pub size: u64,
}

/// Writes what the published generation lists, without the packages that another one lists, too.
///
/// # Errors
/// - Nothing published, no such generation, a file that is not what it was, or a sink that fails.
pub fn export(look: &Look, since: Option<u64>, sink: &mut dyn Write) -> Result<Exported, Finding> {
    let of_tree = |error| local(&error);
    let Some(published) = look.published().map_err(of_tree)? else {
        return Err(Finding::error(Class::Usage, "nothing-published", "nothing is published here"));
    };
    let known: BTreeSet<Digest<Sha256>> = match since {
        None => BTreeSet::new(),
        Some(number) if look.generations().map_err(of_tree)?.contains(&number) => {
            // What no index of it lists may be gone on the other side.
            let base = look.manifest(number).map_err(of_tree)?;
            base.entries().filter(|entry| is_listed(entry)).map(Entry::sha256).collect()
        }
        Some(number) => {
            let text = format!("there is no generation {number} any more");
            let remedy = "export since another one, or everything without --since";
            return Err(Finding::error(Class::Usage, "no-generation", text).remedied(Some(remedy)));
        }
    };
    let files =
        published.entries().filter(|entry| is_listed(entry)).map(|entry| file(entry, &known)).collect();
    let tree = tree_hash(published.entries()).to_string();
    let bundle = Bundle::new(published.number(), published.created(), since, tree, files);
    let mut writer = Writer { sink, size: 0 };
    let sha256 = writer.list(&bundle)?;
    for file in bundle.contents() {
        writer.file(look, bundle.generation, file)?;
    }
    writer.put(&[0; 1024])?;
    let size = writer.size;
    Ok(Exported { bundle, sha256, size })
}

fn is_listed(entry: &Entry) -> bool {
    entry.dropped_at().is_none()
}

fn file(entry: &Entry, known: &BTreeSet<Digest<Sha256>>) -> BundleFile {
    let kind = match entry.kind() {
        EntryKind::Package => BundleKind::Package,
        EntryKind::Index => BundleKind::Index,
        EntryKind::Key => BundleKind::Key,
    };
    BundleFile {
        path: entry.path().as_str().to_owned(),
        kind,
        size: entry.size(),
        sha256: entry.sha256().to_string(),
        here: kind != BundleKind::Package || !known.contains(&entry.sha256()),
    }
}

struct Writer<'a> {
    sink: &'a mut dyn Write,
    size: u64,
}

impl Writer<'_> {
    fn list(&mut self, bundle: &Bundle) -> Result<String, Finding> {
        let failed = |text: String| Finding::error(Class::Local, "bundle", text);
        let bytes = bundle.encode().map_err(|error| failed(error.to_string()))?;
        if length(&bytes) > MAX_LIST {
            return Err(failed(format!(
                "the list has {} bytes, at most {MAX_LIST} are written",
                bytes.len()
            )));
        }
        let sha256 = Digest::<Sha256>::new(sha2::Sha256::digest(&bytes).into()).to_string();
        self.header(&list_name(&sha256), length(&bytes))?;
        self.put(&bytes)?;
        self.pad(length(&bytes))?;
        Ok(sha256)
    }

    /// Copies a file as clients can fetch it, and demands that it is what was published.
    fn file(&mut self, look: &Look, generation: u64, file: &BundleFile) -> Result<(), Finding> {
        let changed =
            |text: String| Finding::error(Class::Local, "generation-broken", text).about(&file.path);
        let path = StorePath::parse(&file.path).map_err(|error| changed(error.to_string()))?;
        let opened = look.open(generation, &path).map_err(|error| local(&error))?;
        if opened.size() != file.size {
            return Err(changed(format!(
                "has {} bytes, and was published with {}",
                opened.size(),
                file.size
            )));
        }
        self.header(&file_name(&file.sha256), file.size)?;
        let mut reader = opened.take(file.size);
        let (mut hasher, mut copied) = (sha2::Sha256::new(), 0_u64);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = reader.read(&mut buffer).map_err(|error| changed(chain(&error)))?;
            if count == 0 {
                break;
            }
            let part = buffer.get(..count).unwrap_or_default();
            hasher.update(part);
            copied = copied.saturating_add(length(part));
            self.put(part)?;
        }
        let found = Digest::<Sha256>::new(hasher.finalize().into()).to_string();
        if (copied, &found) != (file.size, &file.sha256) {
            return Err(changed(format!("has the SHA-256 {found}, and was published with {}", file.sha256)));
        }
        self.pad(file.size)
    }

    fn header(&mut self, name: &str, size: u64) -> Result<(), Finding> {
        let header = tar_header(name, size, 0);
        let header = header.map_err(|error| Finding::error(Class::Local, "bundle", error))?;
        self.put(&header)
    }

    fn pad(&mut self, size: u64) -> Result<(), Finding> {
        self.put([0; 512].get(..padding(size)).unwrap_or_default())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Finding> {
        let written: io::Result<()> = self.sink.write_all(bytes);
        written.map_err(|error| {
            Finding::error(Class::Local, "io", format!("cannot write the bundle: {error}"))
        })?;
        self.size = self.size.saturating_add(length(bytes));
        Ok(())
    }
}
