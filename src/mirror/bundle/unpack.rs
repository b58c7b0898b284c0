//! What a bundle holds, laid out as an upstream in a private folder.

use std::collections::BTreeMap;

use super::error::BundleError;
use super::list::{Bundle, BundleFile, BundleKind};
use super::read::BundleReader;
use crate::mirror::fetch::local;
use crate::mirror::finding::{Class, Finding, chain};
use crate::publish::{PublishError, StorePath, Tree, UnpackFolder, Unpacking};
use crate::types::{Digest, Sha256};

/// A bundle that was read to its end, every byte of it as its list says.
pub(super) struct Unpacked<'t> {
    pub(super) folder: UnpackFolder<'t>,
    pub(super) bundle: Bundle,
    /// SHA-256 of the list, in hexadecimal.
    pub(super) sha256: String,
    /// Packages that neither the bundle nor the pool has.
    pub(super) missing: usize,
}

/// Why nothing was unpacked.
enum Failed {
    Bundle(BundleError),
    Tree(PublishError),
    Io(std::io::Error),
}

impl From<BundleError> for Failed {
    fn from(error: BundleError) -> Self {
        Self::Bundle(error)
    }
}

/// Reads a whole bundle, and lays out what it holds and what of the rest the pool has.
///
/// Trust: none; every index and package is proven when a run takes it from there.
pub(super) fn unpack<'t>(tree: &'t Tree, reader: impl std::io::Read) -> Result<Unpacked<'t>, Finding> {
    let reader = BundleReader::new(reader).map_err(|error| refused(Failed::Bundle(error)))?;
    let sha256 = reader.sha256().to_owned();
    let folder = tree.unpack_folder().map_err(|error| local(&error))?;
    let mut open: Option<(String, Unpacking)> = None;
    let read = reader.read(|file, part| {
        if file.kind == BundleKind::Key {
            // A fact for people, and nothing that is used here.
            return Ok(());
        }
        if open.as_ref().is_none_or(|(path, _)| *path != file.path) {
            let made = folder.create(&path(file)?).map_err(Failed::Tree)?;
            open = Some((file.path.clone(), made));
        }
        open.as_mut().map_or(Ok(()), |(_, to)| to.write(part).map_err(Failed::Io))
    });
    drop(open);
    let bundle = read.map_err(refused)?;
    let missing = lay_out(&folder, &bundle).map_err(refused)?;
    Ok(Unpacked { folder, bundle, sha256, missing })
}

/// Gives files their other names, and those that are not in the bundle one in the pool.
fn lay_out(folder: &UnpackFolder<'_>, bundle: &Bundle) -> Result<usize, Failed> {
    let first: BTreeMap<&str, &BundleFile> =
        bundle.contents().into_iter().map(|file| (file.sha256.as_str(), file)).collect();
    let mut missing = 0_usize;
    for file in bundle.files.iter().filter(|file| file.kind != BundleKind::Key) {
        match first.get(file.sha256.as_str()) {
            Some(there) if there.path == file.path => {}
            Some(there) if there.kind != BundleKind::Key => {
                folder.link(&path(there)?, &path(file)?).map_err(Failed::Tree)?;
            }
            _ => {
                let sha256 = Digest::<Sha256>::parse_hex(file.sha256.as_bytes())
                    .map_err(|error| BundleError::List(error.to_string()))?;
                let found = folder.link_pooled(sha256, file.size, &path(file)?).map_err(Failed::Tree)?;
                missing = missing.saturating_add(usize::from(!found));
            }
        }
    }
    Ok(missing)
}

fn path(file: &BundleFile) -> Result<StorePath, Failed> {
    StorePath::parse(&file.path).map_err(|error| Failed::Bundle(BundleError::List(error.to_string())))
}

fn refused(failed: Failed) -> Finding {
    match failed {
        Failed::Bundle(error @ BundleError::Read(_)) => {
            Finding::error(Class::Local, error.code(), chain(&error))
        }
        Failed::Bundle(error) => {
            let remedy = "carry it over again, and compare the SHA-256 of both copies";
            Finding::error(Class::Refused, error.code(), &error).remedied(Some(remedy))
        }
        Failed::Tree(error) => local(&error),
        Failed::Io(error) => Finding::error(Class::Local, "io", format!("cannot write the spool: {error}")),
    }
}
