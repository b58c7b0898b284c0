//! The data member: the files that would be installed.
//!
//! Source: `docs/formats/apk-v2.md`, section 7.

use crate::container::{Entry, EntryKind, TarReader, TarSink, ZeroBlocks};
use crate::envelope::refused_key;
use crate::fault::{Findings, Note};
use crate::limits::Limits;
use crate::types::{Digest, Sha1, Sha1Hasher, escape, escape_all};

use super::control::CHECKSUM;
use super::data_error::DataError;
use super::data_names::{SeenPaths, check_path, leaves_package};

/// SHA-1 of nothing: what nfpm writes for symbolic links.
const SHA1_OF_NOTHING: [u8; 20] = [
    0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60, 0x18, 0x90, 0xaf,
    0xd8, 0x07, 0x09,
];

/// One entry of the data member, for listings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileFact {
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    pub(crate) mode: u64,
    pub(crate) size: u64,
    pub(crate) owner: (u64, u64),
    pub(crate) link: Option<String>,
    pub(crate) sha1: Option<Digest<Sha1>>,
    pub(crate) xattrs: Vec<String>,
}

impl FileFact {
    /// The path, escaped.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What kind of file it is.
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Permission bits.
    pub const fn mode(&self) -> u64 {
        self.mode
    }

    /// Units: bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Numeric owner and group.
    pub const fn owner(&self) -> (u64, u64) {
        self.owner
    }

    /// The target of a link, escaped.
    pub fn link(&self) -> Option<&str> {
        self.link.as_deref()
    }

    /// The checksum that the entry carries.
    pub const fn sha1(&self) -> Option<Digest<Sha1>> {
        self.sha1
    }

    /// Names of extended attributes, escaped.
    pub fn xattrs(&self) -> &[String] {
        &self.xattrs
    }
}

/// What was seen in the data member.
#[derive(Clone, Debug, Default)]
pub struct DataFacts {
    pub(crate) entries: u64,
    pub(crate) privileged: u64,
    pub(crate) files: Option<Vec<FileFact>>,
}

impl DataFacts {
    /// Number of entries.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Number of files with setuid, setgid or extended attributes.
    pub const fn privileged(&self) -> u64 {
        self.privileged
    }

    /// The entries, if they were asked for.
    pub fn files(&self) -> Option<&[FileFact]> {
        self.files.as_deref()
    }
}

/// Whether the entries are kept for a listing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Listing {
    /// They pass by.
    Skip,
    /// They are kept.
    Keep,
}

/// Reads a data member while it is inflated.
#[derive(Debug)]
pub(crate) struct DataMember {
    tar: TarReader,
    entries: Entries,
    broken: bool,
}

#[derive(Debug)]
struct Entries {
    limit: u64,
    seen: SeenPaths,
    facts: DataFacts,
    findings: Findings,
    /// The regular file whose body passes by: its path, what its checksum must be.
    open: Option<(Vec<u8>, Sha1Hasher, Option<Digest<Sha1>>)>,
}

impl DataMember {
    pub(crate) fn new(limits: &Limits, listing: Listing) -> Self {
        let files = (listing == Listing::Keep).then(Vec::new);
        Self {
            tar: TarReader::new(ZeroBlocks::Allowed, limits.pax_header),
            entries: Entries {
                limit: limits.data_entries,
                seen: SeenPaths::default(),
                facts: DataFacts { files, ..DataFacts::default() },
                findings: Findings::default(),
                open: None,
            },
            broken: false,
        }
    }

    /// The next inflated bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if let Err(error) = self.tar.feed(bytes, &mut self.entries) {
            self.broken = true;
            self.entries.fault(DataError::Tar(error));
        }
    }

    /// What was seen and what is wrong, once the member has ended whole.
    pub(crate) fn finish(mut self) -> (DataFacts, Findings) {
        if !self.broken {
            match self.tar.finish() {
                Err(error) => self.entries.fault(DataError::Tar(error)),
                Ok(_) if checked!("data-nothing") && self.tar.offset() == 0 => {
                    self.entries.fault(DataError::Nothing)
                }
                Ok(1) if checked!("data-one-zero-block") => self.entries.fault(DataError::OneZeroBlock),
                Ok(0) => self
                    .entries
                    .findings
                    .note(Note::new("data-no-end", "the data member ends without zero blocks")),
                Ok(_) => {}
            }
        }
        (self.entries.facts, self.entries.findings)
    }

    /// What was seen and what is wrong, when the member did not end whole.
    pub(crate) fn abandon(self) -> (DataFacts, Findings) {
        (self.entries.facts, self.entries.findings)
    }
}

impl Entries {
    fn fault(&mut self, error: DataError) {
        self.findings.fault(error.into());
    }

    fn check(&mut self, entry: &Entry, path: &[u8]) -> Result<(), DataError> {
        check_path(path)?;
        if checked!("data-control-name") && is_control_name(path) {
            return Err(DataError::ControlName { path: escape(path).to_string() });
        }
        if path.starts_with(b".") {
            let message = format!("apk skips `{}`, since its name begins with a dot", escape(path));
            self.findings.note(Note::new("root-dotfile", message));
        }
        self.check_form(entry, path)?;
        if checked!("data-entries") && self.seen.len() >= self.limit {
            return Err(DataError::Limit(Limits::reached("data-entries", self.limit)));
        }
        self.seen.check_parents(path, entry.kind)?;
        self.seen.insert(path, entry.kind)
    }

    fn check_form(&self, entry: &Entry, path: &[u8]) -> Result<(), DataError> {
        let allowed = |key: &[u8]| {
            !checked!("data-pax-key")
                || matches!(key, b"path" | b"linkpath")
                || key == CHECKSUM
                || key.starts_with(b"SCHILY.xattr.")
        };
        if let Some(key) = refused_key(entry, allowed) {
            let (key, path) = (escape(key).to_string(), escape(path).to_string());
            return Err(DataError::PaxKey { key, path });
        }
        if checked!("data-long-name") && entry.long_name {
            return Err(DataError::LongName { path: escape(path).to_string() });
        }
        if checked!("data-body") && entry.size > 0 && entry.kind != EntryKind::Regular {
            return Err(DataError::Body { kind: entry.kind.name(), path: escape(path).to_string() });
        }
        match entry.kind {
            EntryKind::CharacterDevice | EntryKind::BlockDevice | EntryKind::Fifo
                if checked!("data-device") =>
            {
                Err(DataError::Device { path: escape(path).to_string(), kind: entry.kind.name() })
            }
            _ => Ok(()),
        }
    }

    /// Compares the checksum of everything that has no body; returns that of a regular file.
    fn checksum(&mut self, entry: &Entry, path: &[u8]) -> Result<Option<Digest<Sha1>>, DataError> {
        let expected = match entry.pax.value(CHECKSUM) {
            Some(text) => Some(Digest::parse_hex(text).map_err(|_| DataError::ChecksumForm {
                path: escape(path).to_string(),
                found: escape(text).to_string(),
            })?),
            None => None,
        };
        match entry.kind {
            // What apk skips it cannot miss a checksum of.
            EntryKind::Regular
                if checked!("data-no-checksum") && expected.is_none() && !path.starts_with(b".") =>
            {
                Err(DataError::NoChecksum { path: escape(path).to_string() })
            }
            EntryKind::Symlink => self.check_symlink(entry, path, expected).map(|()| None),
            EntryKind::HardLink => self.check_hard_link(entry, path, expected).map(|()| None),
            _ => Ok(expected),
        }
    }

    fn check_symlink(
        &mut self,
        entry: &Entry,
        path: &[u8],
        expected: Option<Digest<Sha1>>,
    ) -> Result<(), DataError> {
        let found = Sha1Hasher::of(&entry.link);
        match expected {
            Some(expected) if expected.as_bytes() == SHA1_OF_NOTHING && !entry.link.is_empty() => {
                let message = "checksums of symbolic links are those of nothing, as nfpm writes them";
                self.findings.note(Note::new("symlink-checksum-of-nothing", message));
                Ok(())
            }
            Some(expected) if checked!("data-symlink-checksum") && expected != found => {
                Err(DataError::Checksum { path: escape(path).to_string(), expected, found })
            }
            _ => Ok(()),
        }
    }

    fn check_hard_link(
        &mut self,
        entry: &Entry,
        path: &[u8],
        expected: Option<Digest<Sha1>>,
    ) -> Result<(), DataError> {
        let (quoted, target) = (escape(path).to_string(), escape(&entry.link).to_string());
        let Some(found) = self.seen.file(&entry.link) else {
            if !checked!("data-link-target") {
                return Ok(());
            }
            return Err(if leaves_package(&entry.link) {
                DataError::LinkOutside { path: quoted, target }
            } else {
                DataError::LinkForward { path: quoted, target }
            });
        };
        self.seen.set_sha1(path, found);
        match expected {
            Some(expected) if checked!("data-link-checksum") && expected != found => {
                Err(DataError::Checksum { path: quoted, expected, found })
            }
            _ => Ok(()),
        }
    }

    fn list(&mut self, entry: &Entry, path: &[u8]) {
        let xattr = |key: &[u8]| key.strip_prefix(b"SCHILY.xattr.").map(|name| escape(name).to_string());
        let xattrs: Vec<String> = entry.pax.iter().filter_map(|(key, _)| xattr(key)).collect();
        self.facts.entries += 1;
        let set_id = entry.mode & 0o6000 != 0 && entry.kind == EntryKind::Regular;
        if set_id || !xattrs.is_empty() {
            self.facts.privileged += 1;
            let what = if set_id { format!("mode {:04o}", entry.mode) } else { xattrs.join(", ") };
            let message = format!("`{}` has {what}", escape(path));
            self.findings.note(Note::new("privileged-file", message));
        }
        if let Some(files) = &mut self.facts.files {
            files.push(FileFact {
                path: escape_all(path).to_string(),
                kind: entry.kind,
                mode: entry.mode,
                size: entry.size,
                owner: (entry.uid, entry.gid),
                link: (!entry.link.is_empty()).then(|| escape_all(&entry.link).to_string()),
                sha1: entry.pax.value(CHECKSUM).and_then(|text| Digest::parse_hex(text).ok()),
                xattrs,
            });
        }
    }
}

/// Names that mean something in the control member, and would confuse readers here.
fn is_control_name(path: &[u8]) -> bool {
    path == b".PKGINFO"
        || path == b".INSTALL"
        || path == b".trigger"
        || path.starts_with(b".SIGN.")
        || [&b".pre-"[..], b".post-"].iter().any(|prefix| {
            path.strip_prefix(*prefix)
                .is_some_and(|rest| [&b"install"[..], b"upgrade", b"deinstall"].contains(&rest))
        })
}

impl TarSink for Entries {
    fn entry(&mut self, entry: &Entry) {
        self.open = None;
        let mut path = entry.path.as_slice();
        if entry.kind == EntryKind::Directory {
            path = path.strip_suffix(b"/").unwrap_or(path);
        }
        if self.facts.entries < self.limit {
            self.list(entry, path);
        }
        if let Err(error) = self.check(entry, path) {
            self.fault(error);
        }
        match self.checksum(entry, path) {
            Ok(expected) if entry.kind == EntryKind::Regular => {
                self.open = Some((path.to_vec(), Sha1Hasher::new(), expected));
            }
            Ok(_) => {}
            Err(error) => self.fault(error),
        }
    }

    fn body(&mut self, chunk: &[u8]) {
        if let Some((_, sha1, _)) = &mut self.open {
            sha1.update(chunk);
        }
    }

    fn end(&mut self) {
        let Some((path, sha1, expected)) = self.open.take() else { return };
        let found = sha1.finish();
        self.seen.set_sha1(&path, found);
        if let Some(expected) = expected.filter(|expected| checked!("data-checksum") && *expected != found) {
            let path = escape(&path).to_string();
            self.fault(DataError::Checksum { path, expected, found });
        }
    }
}
