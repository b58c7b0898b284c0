//! Directories of keys, read the same way for verifying and for auditing.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::form::Form;
use super::key_file::{KeyFileError, Unreadable, read_key};
use super::open::{self, LinkStep};
use super::public_key::PublicKey;
use crate::types::{Digest, Sha256, Sha256Hasher};

/// How many files of a key directory are read.
pub const MAX_KEY_FILES: usize = 20_000;

/// A key directory: its files by name, and who may change it.
///
/// Shape: every entry counts, whatever its suffix, as apk does; sub-directories are not entered. Trust: none;
/// that a key lies here is the operator's statement.
#[derive(Clone, Debug)]
pub struct KeyDirectory {
    path: PathBuf,
    owners: Vec<Ownership>,
    files: Vec<KeyFile>,
}

/// A file of a key directory, with the key that apk would load from it.
#[derive(Clone)]
pub struct KeyFile {
    name: OsString,
    path: PathBuf,
    content: Result<PublicKey, KeyFileError>,
    form: Form,
    sha256: Option<Digest<Sha256>>,
    size: u64,
    owner: Option<Ownership>,
    links: Vec<LinkStep>,
    way: Vec<Ownership>,
    hard_links: u64,
}

/// A file of a key directory as verifying needs it: its name and its key, and nothing of who may change it.
#[derive(Clone, Debug)]
pub struct NamedKey {
    name: OsString,
    path: PathBuf,
    content: Result<PublicKey, KeyFileError>,
}

/// Who may change a file or a directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ownership {
    /// Which file or directory.
    pub path: PathBuf,
    /// Permission bits, `0o7777`.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
}

/// Why a key directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The system said no.
    #[error("cannot read the key directory `{}`", crate::types::escape_all(.path.as_os_str().as_bytes()))]
    Read {
        /// The directory as named.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A symbolic link to it leads nowhere.
    #[error("cannot follow `{}`: {reason}", crate::types::escape_all(.path.as_os_str().as_bytes()))]
    Link {
        /// The directory as named.
        path: PathBuf,
        /// Where it led.
        reason: Unreadable,
    },
    /// More files than any key directory has.
    #[error(
        "expected at most {MAX_KEY_FILES} files in the key directory `{}`, found more",
        crate::types::escape_all(.path.as_os_str().as_bytes())
    )]
    TooMany {
        /// The directory as named.
        path: PathBuf,
    },
}

impl KeyDirectory {
    /// Reads all keys of a directory, sorted by name.
    ///
    /// # Errors
    /// - [`DirectoryError::Read`] if it is missing, no directory, or may not be read.
    /// - [`DirectoryError::TooMany`] for more than [`MAX_KEY_FILES`] entries.
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        Self::read_resolved(path, path, None)
    }

    /// Reads the keys of a directory that apk would look at, sorted by name, for verifying: hidden files are left
    /// out, and nothing is looked up but the keys.
    ///
    /// # Errors
    /// - the same as [`KeyDirectory::read`].
    pub fn read_keys(path: &Path) -> Result<Vec<NamedKey>, DirectoryError> {
        let mut names = names(path, path)?;
        names.retain(|name| !is_hidden(name));
        Ok(names.into_iter().map(|name| NamedKey::read(path, name)).collect())
    }

    /// Reads a directory of a system that lies under `root`: no link leads out of it.
    ///
    /// # Errors
    /// - [`DirectoryError::Link`] if a link on the way leads nowhere inside the root.
    /// - the same as [`KeyDirectory::read`].
    pub fn read_in(root: &Path, path: &Path) -> Result<Self, DirectoryError> {
        let root =
            root.canonicalize().map_err(|source| DirectoryError::Read { path: root.into(), source })?;
        let walked = open::walk(Some(&root), &root, path).map_err(|reason| match reason {
            Unreadable::Io(kind) => DirectoryError::Read { path: path.into(), source: kind.into() },
            reason => DirectoryError::Link { path: path.into(), reason },
        })?;
        Self::read_resolved(path, &walked.path, Some(&root))
    }

    fn read_resolved(named: &Path, path: &Path, root: Option<&Path>) -> Result<Self, DirectoryError> {
        let failed = |source| DirectoryError::Read { path: named.into(), source };
        let names = names(path, named)?;
        let files = names.iter().map(|name| KeyFile::read_in(root, path, named, name)).collect();
        let owners = owners(path, root).map_err(failed)?;
        Ok(Self { path: named.to_owned(), owners, files })
    }

    /// The directory as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files, sorted by name.
    pub fn files(&self) -> &[KeyFile] {
        &self.files
    }

    /// The directory and its parents up to the root, nearest first.
    pub fn owners(&self) -> &[Ownership] {
        &self.owners
    }
}

impl KeyFile {
    /// Reads one key file by its path; links are followed.
    pub fn read(path: &Path) -> Self {
        let parent = path.parent().unwrap_or(Path::new(""));
        let directory = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        match path.file_name() {
            Some(name) => Self { path: path.to_owned(), ..Self::read_in(None, directory, directory, name) },
            None => Self::failed(path.as_os_str().into(), path.to_owned(), Unreadable::Directory),
        }
    }

    fn read_in(root: Option<&Path>, directory: &Path, named: &Path, name: &OsStr) -> Self {
        let shown = named.join(name);
        let walked = match open::walk(root, directory, Path::new(name)) {
            Ok(walked) => walked,
            Err(reason) => return Self::failed(name.into(), shown, reason),
        };
        let (bytes, metadata) = match open::read(&walked.path) {
            Ok(read) => read,
            Err(reason) => {
                let mut file = Self::failed(name.into(), shown, reason);
                if let Ok(metadata) = fs::symlink_metadata(&walked.path) {
                    file.size = metadata.len();
                    file.hard_links = metadata.nlink();
                    file.owner = Some(Ownership::of(walked.path, &metadata));
                }
                file.way = way(root, &walked.links, directory);
                file.links = walked.links;
                return file;
            }
        };
        let content = read_key(&bytes);
        let whole = !matches!(content, Err(KeyFileError::TooLarge { .. }));
        Self {
            name: name.into(),
            path: shown,
            content,
            form: if whole { Form::of(&bytes) } else { Form::default() },
            sha256: whole.then(|| Sha256Hasher::of(&bytes)),
            size: metadata.len(),
            hard_links: metadata.nlink(),
            way: way(root, &walked.links, &walked.path),
            owner: Some(Ownership::of(walked.path, &metadata)),
            links: walked.links,
        }
    }

    fn failed(name: OsString, path: PathBuf, reason: Unreadable) -> Self {
        let content = Err(KeyFileError::Unreadable(reason));
        let (form, owner, links) = (Form::default(), None, Vec::new());
        Self {
            name,
            path,
            content,
            form,
            sha256: None,
            size: 0,
            owner,
            links,
            way: Vec::new(),
            hard_links: 1,
        }
    }

    /// The name in its directory.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The path, below the directory as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key that apk would load, or why it would not.
    ///
    /// # Errors
    /// - what [`read_key`] says, and [`KeyFileError::Unreadable`] for what is no regular file.
    pub const fn content(&self) -> Result<&PublicKey, &KeyFileError> {
        self.content.as_ref()
    }

    /// How the file is written.
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// SHA-256 of the bytes of the file; `None` if it was not read whole.
    pub const fn sha256(&self) -> Option<Digest<Sha256>> {
        self.sha256
    }

    /// Units: bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Who may change the file that was read; `None` if there is none.
    pub const fn owner(&self) -> Option<&Ownership> {
        self.owner.as_ref()
    }

    /// The symbolic links that led to the file, in order.
    pub fn links(&self) -> &[LinkStep] {
        &self.links
    }

    /// The directories that the links lead through, apart from the key directory: who may exchange what they find.
    ///
    /// Empty without links. Those above the file come up to the root, nearest first.
    pub fn way(&self) -> &[Ownership] {
        &self.way
    }

    /// Under how many names the file exists.
    pub const fn hard_links(&self) -> u64 {
        self.hard_links
    }

    /// Whether the name begins with a dot: apk 3 does not load such a file.
    pub fn is_hidden(&self) -> bool {
        is_hidden(&self.name)
    }
}

impl NamedKey {
    fn read(directory: &Path, name: OsString) -> Self {
        let path = directory.join(&name);
        let content = match open::read(&path) {
            Ok((bytes, _)) => read_key(&bytes),
            // Why it cannot be read is worth a second look.
            Err(_) => KeyFile::read_in(None, directory, directory, &name).content,
        };
        Self { name, path, content }
    }

    /// The name in its directory.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The path, below the directory as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key that apk would load, or why it would not.
    ///
    /// # Errors
    /// - the same as [`KeyFile::content`].
    pub const fn content(&self) -> Result<&PublicKey, &KeyFileError> {
        self.content.as_ref()
    }
}

/// The names of all files in a directory, sorted, but for hidden folders.
fn names(path: &Path, named: &Path) -> Result<Vec<OsString>, DirectoryError> {
    let failed = |source| DirectoryError::Read { path: named.into(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        if names.len() == MAX_KEY_FILES {
            return Err(DirectoryError::TooMany { path: named.into() });
        }
        let entry = entry.map_err(failed)?;
        if !(is_hidden(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}

/// apk 3 does not load files whose names begin with a dot.
fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

/// Prints no content, since that may be a private key.
impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("path", &self.path)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl Ownership {
    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        Self { path, mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() }
    }
}

/// The directories in which further links and the file at their end lie, with their parents up to the root.
fn way(root: Option<&Path>, links: &[LinkStep], file: &Path) -> Vec<Ownership> {
    let further = links.iter().skip(1).map(|link| link.path.as_path());
    let ends = further.chain((!links.is_empty()).then_some(file));
    let directories = ends.filter_map(Path::parent).filter_map(|directory| owners(directory, root).ok());
    let mut way: Vec<Ownership> = Vec::new();
    for owned in directories.flatten() {
        if !way.contains(&owned) {
            way.push(owned);
        }
    }
    way
}

/// The directory and its parents up to the root, nearest first.
fn owners(path: &Path, root: Option<&Path>) -> io::Result<Vec<Ownership>> {
    let path = path.canonicalize()?;
    let mut owners = Vec::new();
    for directory in path.ancestors() {
        owners.push(Ownership::of(directory.to_owned(), &fs::metadata(directory)?));
        if root == Some(directory) {
            break;
        }
    }
    Ok(owners)
}

#[cfg(test)]
mod tests;
