//! Reading what is published, for runs that build on it.

use std::io::Read;

use super::offer::{INDEX_CAP, digest};
use crate::container::Scratch;
use crate::index::Index;
use crate::limits::Limits;
use crate::publish::{Look, Manifest, StorePath};
use crate::unverified::{Keep, ReadOptions, Subject, read};

/// The entries of a published index; none if it cannot be read.
///
/// Trust: none beyond that of the tree; what comes out is believed only where the trust state agrees with it.
pub(super) fn entries(look: &Look, number: u64, path: &StorePath, limits: &Limits) -> Option<Index> {
    parsed(&bytes(look, number, path)?, limits)
}

/// Whether a published file is the one of the list, which nobody else may write.
pub(super) fn is_as_listed(look: &Look, published: &Manifest, path: &StorePath) -> bool {
    let expected = published.entry(path).map(|entry| entry.sha256().to_string());
    bytes(look, published.number(), path).map(|bytes| digest(&bytes)) == expected
}

fn bytes(look: &Look, number: u64, path: &StorePath) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    look.open(number, path).ok()?.take(INDEX_CAP).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn parsed(bytes: &[u8], limits: &Limits) -> Option<Index> {
    let options = ReadOptions { limits: limits.clone(), index_text: Keep::Text, ..ReadOptions::default() };
    match read(bytes, &options, &mut Scratch::default()).ok()? {
        Subject::Index(index) => {
            let (_, claims) = index.into_claims_without_proof();
            Some(Index::read_leniently(claims?.text()?.to_vec()))
        }
        _ => None,
    }
}
