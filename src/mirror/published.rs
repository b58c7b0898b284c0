//! Reading what is published, for runs that build on it.

use std::io::Read;

use super::offer::INDEX_CAP;
use crate::container::Scratch;
use crate::index::Index;
use crate::limits::Limits;
use crate::publish::{Look, StorePath};
use crate::unverified::{Keep, ReadOptions, Subject, read};

/// The entries of a published index; none if it cannot be read.
///
/// Trust: none beyond that of the tree; what comes out is believed only where the trust state agrees with it.
pub(super) fn entries(look: &Look, number: u64, path: &StorePath, limits: &Limits) -> Option<Index> {
    let opened = look.open(number, path).ok()?;
    let options = ReadOptions { limits: limits.clone(), index_text: Keep::Text, ..ReadOptions::default() };
    match read(opened.take(INDEX_CAP), &options, &mut Scratch::default()).ok()? {
        Subject::Index(index) => {
            let (_, claims) = index.into_claims_without_proof();
            Some(Index::read_leniently(claims?.text()?.to_vec()))
        }
        _ => None,
    }
}
