//! The control member: `.PKGINFO` and scripts.

use std::collections::BTreeSet;

use crate::container::{Entry, EntryKind, TarError, TarReader, TarSink, ZeroBlocks};
use crate::envelope::refused_key;
use crate::limits::{LimitReached, Limits};
use crate::types::{Digest, Sha1, Sha1Hasher, escape};

use super::pkginfo::PkgInfo;
use super::pkginfo_error::PkginfoError;

/// The scripts that `apk` runs.
const SCRIPTS: &[&[u8]] = &[
    b".pre-install",
    b".post-install",
    b".pre-upgrade",
    b".post-upgrade",
    b".pre-deinstall",
    b".post-deinstall",
    b".trigger",
];

/// The pax key that carries the SHA-1 of a file.
pub(super) const CHECKSUM: &[u8] = b"APK-TOOLS.checksum.SHA1";

/// What the control member of a package holds.
///
/// Trust: claims; they are proven only inside a `Verified<Package>`.
#[derive(Clone, Debug)]
pub struct Control {
    pub(crate) info: PkgInfo,
    pub(crate) scripts: Vec<Script>,
    pub(crate) others: Vec<String>,
}

impl Control {
    /// The metadata.
    pub const fn info(&self) -> &PkgInfo {
        &self.info
    }

    /// The scripts, in the order of the member.
    pub fn scripts(&self) -> &[Script] {
        &self.scripts
    }

    /// Names of other dot files, which `apk` ignores; escaped.
    pub fn others(&self) -> &[String] {
        &self.others
    }
}

/// One script.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Script {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha1: Digest<Sha1>,
}

impl Script {
    /// The name of the entry, for example `.post-install`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Units: bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// SHA-1 of the content.
    pub const fn sha1(&self) -> Digest<Sha1> {
        self.sha1
    }
}

/// Why a control member is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The archive is refused.
    #[error("control member: {0}")]
    Tar(TarError),
    /// A name without a leading dot.
    #[error("control member: expected names that begin with a dot, found `{found}`")]
    PlainName {
        /// The name, escaped and shortened.
        found: String,
    },
    /// A dot name that may not stand there.
    #[error("control member: the entry `{found}` may not stand here")]
    Name {
        /// The name, escaped and shortened.
        found: String,
    },
    /// An entry is not a regular file.
    #[error("control member: expected a regular file, found the {kind} `{name}`")]
    Kind {
        /// The name, escaped and shortened.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// A pax key other than times and the checksum.
    #[error("control member: the pax key `{key}` is not allowed here")]
    PaxKey {
        /// The key, escaped.
        key: String,
    },
    /// An entry stands twice.
    #[error("control member: the entry `{name}` is there twice")]
    Repeated {
        /// The name, escaped and shortened.
        name: String,
    },
    /// An entry is larger than allowed.
    #[error("control member: {0}")]
    Limit(LimitReached),
    /// There is no `.PKGINFO`.
    #[error("control member: there is no .PKGINFO")]
    NoPkginfo,
    /// `.PKGINFO` is refused.
    #[error("{0}")]
    Pkginfo(PkginfoError),
    /// A checksum in a pax header differs from the content.
    #[error("control member: the checksum of `{name}` is {expected}, its content has {found}")]
    Checksum {
        /// The name, escaped and shortened.
        name: String,
        /// What the pax header says, escaped and shortened.
        expected: String,
        /// What the content has.
        found: Digest<Sha1>,
    },
}

impl ControlError {
    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Tar(error) => error.code(),
            Self::PlainName { .. } => "control-plain-name",
            Self::Name { .. } => "control-name",
            Self::Kind { .. } => "control-kind",
            Self::PaxKey { .. } => "control-pax-key",
            Self::Repeated { .. } => "control-repeated",
            Self::Limit(_) => "limit-control-entry",
            Self::NoPkginfo => "pkginfo-missing-file",
            Self::Pkginfo(error) => error.code(),
            Self::Checksum { .. } => "control-checksum",
        }
    }
}

/// Reads a control member while it is inflated.
#[derive(Debug)]
pub(crate) struct ControlMember<'l> {
    tar: TarReader,
    entries: Entries<'l>,
}

#[derive(Debug)]
struct Entries<'l> {
    limits: &'l Limits,
    names: BTreeSet<Vec<u8>>,
    pkginfo: Option<Vec<u8>>,
    scripts: Vec<Script>,
    others: Vec<String>,
    open: Option<Open>,
    error: Option<ControlError>,
}

/// The entry whose body passes by.
#[derive(Debug)]
struct Open {
    name: Vec<u8>,
    size: u64,
    sha1: Sha1Hasher,
    expected: Option<Vec<u8>>,
}

impl<'l> ControlMember<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            tar: TarReader::new(ZeroBlocks::Forbidden, limits.pax_header),
            entries: Entries {
                limits,
                names: BTreeSet::new(),
                pkginfo: None,
                scripts: Vec::new(),
                others: Vec::new(),
                open: None,
                error: None,
            },
        }
    }

    /// The next inflated bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.entries.error.is_none() {
            let fed = self.tar.feed(bytes, &mut self.entries);
            self.entries.fail(fed.map_err(ControlError::Tar));
        }
    }

    /// What the member holds, once it has ended.
    pub(crate) fn finish(mut self) -> Result<Control, ControlError> {
        if self.entries.error.is_none() {
            let ended = self.tar.finish().map(|_| ()).map_err(ControlError::Tar);
            self.entries.fail(ended);
        }
        let Entries { limits, pkginfo, scripts, others, error, .. } = self.entries;
        if let Some(error) = error {
            return Err(error);
        }
        let text = pkginfo.ok_or(ControlError::NoPkginfo)?;
        let info = PkgInfo::parse(&text, limits).map_err(ControlError::Pkginfo)?;
        Ok(Control { info, scripts, others })
    }
}

impl Entries<'_> {
    /// Keeps the first error.
    fn fail(&mut self, result: Result<(), ControlError>) {
        if let (Err(error), None) = (result, &self.error) {
            self.error = Some(error);
        }
    }

    fn begin(&mut self, entry: &Entry) -> Result<(), ControlError> {
        let quoted = || escape(&entry.path).to_string();
        if checked!("control-plain-name") && !entry.path.starts_with(b".") {
            return Err(ControlError::PlainName { found: quoted() });
        }
        let is_word = |path: &[u8]| path.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/');
        let is_refused = entry.path.starts_with(b".SIGN.") || entry.path == b".INSTALL";
        let is_dots = entry.path == b"." || entry.path == b"..";
        let is_odd = !is_word(&entry.path) || is_refused || is_dots || entry.prefixed || entry.long_name;
        if checked!("control-name") && is_odd {
            return Err(ControlError::Name { found: quoted() });
        }
        if checked!("control-kind") && entry.kind != EntryKind::Regular {
            return Err(ControlError::Kind { name: quoted(), kind: entry.kind.name() });
        }
        if let Some(key) = refused_key(entry, |key| key == CHECKSUM || !checked!("control-pax-key")) {
            return Err(ControlError::PaxKey { key: escape(key).to_string() });
        }
        self.check_size(entry)?;
        if !self.names.insert(entry.path.clone()) && checked!("control-repeated") {
            return Err(ControlError::Repeated { name: quoted() });
        }
        Ok(())
    }

    fn check_size(&self, entry: &Entry) -> Result<(), ControlError> {
        let (name, limit) = match entry.path.as_slice() {
            b".PKGINFO" => ("pkginfo", self.limits.pkginfo),
            path if SCRIPTS.contains(&path) => ("script", self.limits.script),
            _ => return Ok(()),
        };
        if checked!("control-size") && entry.size > limit {
            return Err(ControlError::Limit(Limits::reached(name, limit)));
        }
        Ok(())
    }

    fn complete(&mut self, open: Open) -> Result<(), ControlError> {
        let sha1 = open.sha1.finish();
        if let Some(expected) = open
            .expected
            .filter(|text| checked!("control-checksum") && Digest::<Sha1>::parse_hex(text) != Ok(sha1))
        {
            return Err(ControlError::Checksum {
                name: escape(&open.name).to_string(),
                expected: escape(&expected).to_string(),
                found: sha1,
            });
        }
        let name = escape(&open.name).to_string();
        if SCRIPTS.contains(&open.name.as_slice()) {
            self.scripts.push(Script { name, size: open.size, sha1 });
        } else if open.name != b".PKGINFO" {
            self.others.push(name);
        }
        Ok(())
    }
}

impl TarSink for Entries<'_> {
    fn entry(&mut self, entry: &Entry) {
        if self.error.is_some() {
            return;
        }
        let begun = self.begin(entry);
        if begun.is_ok() {
            if entry.path == b".PKGINFO" {
                self.pkginfo = Some(Vec::new());
            }
            self.open = Some(Open {
                name: entry.path.clone(),
                size: entry.size,
                sha1: Sha1Hasher::new(),
                expected: entry.pax.value(CHECKSUM).map(<[u8]>::to_vec),
            });
        }
        self.fail(begun);
    }

    fn body(&mut self, chunk: &[u8]) {
        if let Some(open) = &mut self.open {
            open.sha1.update(chunk);
            if let (b".PKGINFO", Some(text)) = (open.name.as_slice(), &mut self.pkginfo) {
                text.extend_from_slice(chunk);
            }
        }
    }

    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            let completed = self.complete(open);
            self.fail(completed);
        }
    }
}
