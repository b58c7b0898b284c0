//! The list of a snapshot: as small as it can be, since there may be one for each day of years.
//!
//! What a generation spends three hundred bytes on costs twenty here: the text is deflated, and a digest is only as
//! long as it takes to find the file in the pool, whose names are whole digests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::types::{Digest, Sha256, escape};

use super::error::PublishError;
use super::look::Look;
use super::manifest::{Entry, EntryKind, Manifest};
use super::path::StorePath;
use super::prune::pool_files;
use super::snapshot_name::SnapshotName;

const SCHEMA: &str = "apkvet-snapshot/1";

/// How much of a digest a list holds; whoever could make two packages alike in it gained nothing: both stay in the
/// pool. Units: bytes.
const PART: usize = 10;

/// Texts are smaller than this: a million files. Units: bytes.
const MAX_TEXT: u64 = 512 << 20;

/// What is known of a snapshot without reading all of its list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    schema: String,
    name: String,
    pub(super) generation: u64,
    pub(super) created: u64,
    pub(super) origin: Origin,
    pub(super) packages: usize,
    pub(super) bytes: u64,
    pub(super) tree: String,
    /// How long the deflated text is; the beginnings of digests follow it. Units: bytes.
    text: usize,
    /// SHA-256 of all that follows the head, in hexadecimal.
    sha256: String,
}

/// Why there is a snapshot.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Somebody asked for it; it stays until somebody removes it.
    Asked,
    /// A rule of the configuration made it; the same rule may remove it.
    Rule,
}

impl Head {
    /// The head of a snapshot of these entries, and the whole list.
    pub(super) fn write(
        name: &SnapshotName,
        origin: Origin,
        manifest: &Manifest,
        (packages, bytes): (usize, u64),
        tree: String,
    ) -> std::io::Result<(Self, Vec<u8>)> {
        let (mut text, mut parts) = (String::new(), Vec::new());
        for entry in manifest.entries() {
            parts.extend_from_slice(part(entry.sha256).as_slice());
            let mtime = entry.mtime.map_or_else(String::new, |mtime| format!(" {mtime}"));
            // invariant: writing to a text does not fail.
            let _ = writeln!(text, "{} {} {}{mtime}", letter(entry.kind), entry.path.as_str(), entry.size);
        }
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(text.as_bytes())?;
        let mut rest = deflate.finish()?;
        let text = rest.len();
        rest.extend_from_slice(&parts);
        let head = Self {
            schema: SCHEMA.to_owned(),
            name: name.as_str().to_owned(),
            generation: manifest.number,
            created: manifest.created,
            origin,
            packages,
            bytes,
            tree,
            text,
            sha256: digest(&rest),
        };
        let mut list = serde_json::to_vec(&head)?;
        list.push(b'\n');
        list.extend_from_slice(&rest);
        Ok((head, list))
    }

    /// Reads the first line of a list; what follows it is the text.
    pub(super) fn read<'l>(
        list: &'l [u8],
        name: &SnapshotName,
        at: &StorePath,
    ) -> Result<(Self, &'l [u8]), PublishError> {
        let damaged = |problem: String| PublishError::Damaged { path: at.clone(), problem };
        let end = memchr::memchr(b'\n', list).ok_or_else(|| damaged("it has no first line".to_owned()))?;
        let (line, rest) = list.split_at_checked(end).unwrap_or_default();
        let head: Self =
            serde_json::from_slice(line).map_err(|error| damaged(escape(&error.to_string()).to_string()))?;
        if head.schema != SCHEMA {
            return Err(damaged(format!("expected schema `{SCHEMA}`, found `{}`", escape(&head.schema))));
        }
        if head.name != name.as_str() {
            return Err(damaged(format!("expected snapshot {name}, found {}", escape(&head.name))));
        }
        Ok((head, rest.get(1..).unwrap_or_default()))
    }

    /// Reads the text behind the head.
    pub(super) fn entries(
        &self,
        rest: &[u8],
        pool: &PoolNames,
        at: &StorePath,
    ) -> Result<Manifest, PublishError> {
        let damaged = |problem: &str| PublishError::Damaged { path: at.clone(), problem: problem.to_owned() };
        if digest(rest) != self.sha256 {
            return Err(damaged("it has not the SHA-256 that its first line says"));
        }
        let (deflated, parts) = rest.split_at_checked(self.text).ok_or_else(|| damaged("it is too short"))?;
        let mut text = String::new();
        let read = DeflateDecoder::new(deflated).take(MAX_TEXT).read_to_string(&mut text);
        read.map_err(|_| damaged("it cannot be inflated"))?;
        let (mut entries, mut parts) = (BTreeMap::new(), parts.chunks(PART));
        for line in text.lines() {
            let part = parts.next().and_then(|part| part.try_into().ok());
            let entry = part.and_then(|part| entry(line, part, pool));
            let entry = entry.ok_or_else(|| damaged("a line cannot be read"))?;
            if entries.insert(entry.path.clone(), entry).is_some() {
                return Err(damaged("a path stands there twice"));
            }
        }
        if parts.next().is_some() {
            return Err(damaged("it has more digests than lines"));
        }
        Ok(Manifest { number: self.generation, created: self.created, entries })
    }
}

/// The beginning of a digest.
type Part = [u8; PART];

fn part(sha256: Digest<Sha256>) -> Part {
    let mut part = [0; PART];
    part.iter_mut().zip(sha256.as_bytes()).for_each(|(to, from)| *to = *from);
    part
}

/// The files of the pool, by the beginning of their digest.
#[derive(Debug, Default)]
pub(super) struct PoolNames(BTreeMap<Part, Vec<Digest<Sha256>>>);

impl PoolNames {
    pub(super) fn read(look: &Look) -> Result<Self, PublishError> {
        Ok(Self::of(pool_files(look)?.into_iter().map(|(_, sha256)| sha256)))
    }

    fn of(digests: impl Iterator<Item = Digest<Sha256>>) -> Self {
        let mut names: BTreeMap<Part, Vec<Digest<Sha256>>> = BTreeMap::new();
        digests.for_each(|sha256| names.entry(part(sha256)).or_default().push(sha256));
        Self(names)
    }

    /// Every file whose digest begins like this one as far as a list says.
    pub(super) fn like(&self, sha256: Digest<Sha256>) -> &[Digest<Sha256>] {
        self.0.get(&part(sha256)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The file whose digest begins like this; what the pool has lost has no whole digest, and is told to be missing.
    fn whole(&self, part: Part) -> Digest<Sha256> {
        let mut padded = [0; 32];
        padded.iter_mut().zip(part).for_each(|(to, from)| *to = from);
        self.0.get(&part).and_then(|all| all.first()).copied().unwrap_or(Digest::new(padded))
    }
}

fn entry(line: &str, part: Part, pool: &PoolNames) -> Option<Entry> {
    let mut words = line.split(' ');
    let kind = match words.next()? {
        "p" => EntryKind::Package,
        "i" => EntryKind::Index,
        "k" => EntryKind::Key,
        _ => return None,
    };
    let path = StorePath::parse(words.next()?).ok()?;
    let size = words.next()?.parse().ok()?;
    let mtime = words.next().map(str::parse).transpose().ok()?;
    let (sha256, done) = (pool.whole(part), words.next().is_none());
    done.then(|| Entry { path, kind, sha256, size, mtime, dropped_at: None, label: String::new() })
}

const fn letter(kind: EntryKind) -> char {
    match kind {
        EntryKind::Package => 'p',
        EntryKind::Index => 'i',
        EntryKind::Key => 'k',
    }
}

fn digest(bytes: &[u8]) -> String {
    Digest::<Sha256>::new(sha2::Sha256::digest(bytes).into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (Head, Vec<u8>) {
        let entry = |text: &str, kind, byte: u8, mtime| Entry {
            path: StorePath::parse(text).unwrap(),
            kind,
            sha256: Digest::new([byte; 32]),
            size: 3,
            mtime,
            dropped_at: None,
            label: "some words".to_owned(),
        };
        let entries = [
            entry("keys/m.rsa.pub", EntryKind::Key, 1, None),
            entry("r/x/APKINDEX.tar.gz", EntryKind::Index, 2, Some(7)),
            entry("r/x/a-1-r0.apk", EntryKind::Package, 3, None),
        ];
        let entries = entries.map(|entry| (entry.path.clone(), entry)).into_iter().collect();
        let manifest = Manifest { number: 4, created: 5, entries };
        Head::write(&name(), Origin::Rule, &manifest, (1, 3), "ab".repeat(32)).unwrap()
    }

    fn name() -> SnapshotName {
        SnapshotName::parse("s").unwrap()
    }

    fn at() -> StorePath {
        StorePath::parse("state/snapshots/s.list").unwrap()
    }

    fn pool() -> PoolNames {
        PoolNames::of((1..=3).map(|byte| Digest::new([byte; 32])))
    }

    fn read(list: &[u8], pool: &PoolNames) -> Result<Manifest, PublishError> {
        let (head, rest) = Head::read(list, &name(), &at())?;
        head.entries(rest, pool, &at())
    }

    #[test]
    fn what_is_written_is_read_back_but_for_labels() {
        let (head, list) = written();
        assert_eq!(Head::read(&list, &name(), &at()).unwrap().0, head);
        let manifest = read(&list, &pool()).unwrap();
        let told: Vec<_> = manifest
            .entries()
            .map(|entry| (entry.path.as_str(), entry.kind, entry.sha256 == Digest::new([0; 32]), entry.mtime))
            .collect();
        assert_eq!(
            told,
            [
                ("keys/m.rsa.pub", EntryKind::Key, false, None),
                ("r/x/APKINDEX.tar.gz", EntryKind::Index, false, Some(7)),
                ("r/x/a-1-r0.apk", EntryKind::Package, false, None),
            ]
        );
        assert!(manifest.entries().zip(1..).all(|(entry, byte)| entry.sha256 == Digest::new([byte; 32])));
    }

    #[test]
    fn a_file_that_the_pool_has_lost_has_a_digest_that_no_file_has() {
        let manifest = read(&written().1, &PoolNames::default()).unwrap();
        let lost = manifest.entries().last().unwrap().sha256.to_string();
        assert_eq!(lost, format!("{}{}", "03".repeat(10), "00".repeat(22)));
    }

    #[test]
    fn a_damaged_list_is_none() {
        let (_, list) = written();
        let text = list.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for position in text..list.len() {
            let mut wrong = list.clone();
            wrong[position] ^= 1;
            assert!(matches!(read(&wrong, &pool()), Err(PublishError::Damaged { .. })), "{position}");
        }
        for end in 0..list.len() {
            assert!(matches!(read(&list[..end], &pool()), Err(PublishError::Damaged { .. })), "{end}");
        }
        let other = SnapshotName::parse("other").unwrap();
        assert!(matches!(Head::read(&list, &other, &at()), Err(PublishError::Damaged { .. })));
    }
}
