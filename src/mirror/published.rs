//! Reading what is published, for runs that build on it.

use std::io::Read;

use super::offer::{INDEX_CAP, digest};
use crate::container::Scratch;
use crate::index::Index;
use crate::limits::Limits;
use crate::publish::{Look, Manifest, StorePath};
use crate::unverified::{Keep, ReadOptions, Subject, read};

/// The entries of a published index; none if it cannot be read, or is not the one that was published.
///
/// Trust: that of the list of the generation, which nobody else may write; what comes out is believed only
/// where the trust state agrees with it.
pub(super) fn entries(look: &Look, published: &Manifest, path: &StorePath, limits: &Limits) -> Option<Index> {
    let expected = published.entry(path)?.sha256().to_string();
    let mut bytes = Vec::new();
    look.open(published.number(), path).ok()?.take(INDEX_CAP).read_to_end(&mut bytes).ok()?;
    if digest(&bytes) != expected {
        return None;
    }
    let options = ReadOptions { limits: limits.clone(), index_text: Keep::Text, ..ReadOptions::default() };
    match read(bytes.as_slice(), &options, &mut Scratch::default()).ok()? {
        Subject::Index(index) => {
            let (_, claims) = index.into_claims_without_proof();
            Some(Index::read_leniently(claims?.text()?.to_vec()))
        }
        _ => None,
    }
}
