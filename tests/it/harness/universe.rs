//! Small universes, and the real one.

use std::io::Read;

use apkvet::index::Index;
use apkvet::limits::Limits;
use apkvet::plan::{Candidate, PlanError, Request, Source, Universe, solve};
use apkvet::types::{Architecture, Digest, Identity};

use super::shared;

/// The text of an index of small entries: `name version`, then further lines, separated by `|`.
///
/// The same entry has the same identity in every text; `I:0` stands where a test says so.
pub(crate) fn index_text<T: AsRef<str>>(entries: &[T]) -> String {
    let mut text = String::new();
    for entry in entries {
        let mut fields = entry.as_ref().split('|');
        let (name, version) = fields.next().unwrap().split_once(' ').unwrap();
        let fields: Vec<&str> = fields.collect();
        text += &format!("C:{}\nP:{name}\nV:{version}\n", identity(entry.as_ref()));
        for (letter, usual) in [("A:", "A:x86_64"), ("S:", "S:1000"), ("I:", "I:4096")] {
            if !fields.iter().any(|field| field.starts_with(letter)) {
                text += &format!("{usual}\n");
            }
        }
        fields.iter().for_each(|field| text += &format!("{field}\n"));
        text += "\n";
    }
    text
}

/// An identity that only this entry has: two sums over its bytes.
fn identity(entry: &str) -> Identity {
    let mut digest = [0; 20];
    for (place, seed) in [(0, 0xcbf2_9ce4_8422_2325_u64), (8, 0x9e37_79b9_7f4a_7c15)] {
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        digest[place..place + 8].copy_from_slice(&entry.bytes().fold(seed, mix).to_be_bytes());
    }
    Identity::new(Digest::new(digest))
}

pub(crate) fn index<T: AsRef<str>>(entries: &[T]) -> Index {
    Index::parse(index_text(entries).into(), &Limits::default()).unwrap()
}

pub(crate) fn architecture(name: &str) -> Architecture {
    Architecture::parse(name.as_bytes()).unwrap()
}

/// A universe of untagged repositories for `x86_64`.
pub(crate) fn universe<'a>(indexes: impl IntoIterator<Item = &'a Index>) -> Universe<'a> {
    tagged(indexes.into_iter().map(|index| (index, None)))
}

/// A universe of repositories with tags for `x86_64`.
pub(crate) fn tagged<'a>(indexes: impl IntoIterator<Item = (&'a Index, Option<&'a str>)>) -> Universe<'a> {
    let source = |(repository, (index, tag))| Source { repository, index, tag };
    let sources = indexes.into_iter().enumerate().map(source);
    Universe::new(&architecture("x86_64"), sources, &Limits::default()).unwrap()
}

pub(crate) fn requests(words: &str) -> Vec<Request> {
    words.split(' ').map(|word| Request::parse(word).unwrap()).collect()
}

/// Name and version of each package that is chosen, sorted.
pub(crate) fn labels<'c, 'a: 'c>(candidates: impl IntoIterator<Item = &'c Candidate<'a>>) -> Vec<String> {
    let mut labels: Vec<String> = candidates.into_iter().map(|candidate| candidate.record.label()).collect();
    labels.sort_unstable();
    labels
}

/// What is chosen for words separated by spaces, or why nothing is.
pub(crate) fn solved(universe: &Universe<'_>, words: &str) -> Result<Vec<String>, PlanError> {
    let solution = solve(universe, &requests(words), &Limits::default())?;
    Ok(labels(solution.chosen.iter().map(|chosen| &chosen.candidate)))
}

/// The real index of Alpine 3.17 main for `aarch64`; says loudly if it is missing.
pub(crate) fn real_index() -> Option<Index> {
    let file = shared("real/alpine/v3.17/main/aarch64/APKINDEX.tar.gz")?;
    let mut tar = Vec::new();
    let bytes = std::fs::read(file).unwrap();
    flate2::bufread::MultiGzDecoder::new(&*bytes).read_to_end(&mut tar).unwrap();
    let at = tar.windows(10).position(|bytes| bytes == b"APKINDEX\0\0").unwrap();
    let size = std::str::from_utf8(&tar[at + 124..at + 136]).unwrap().trim_matches(['\0', ' ']);
    let end = at + 512 + usize::from_str_radix(size, 8).unwrap();
    Some(Index::parse(tar[at + 512..end].to_vec(), &Limits::default()).unwrap())
}

/// The universe of [`real_index`].
pub(crate) fn real_universe(index: &Index) -> Universe<'_> {
    let source = Source { repository: 0, index, tag: None };
    Universe::new(&architecture("aarch64"), [source], &Limits::default()).unwrap()
}
