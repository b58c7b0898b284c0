//! Which moduli have a prime in common: over all keys at once, apart from the rest since it takes a while.

use std::collections::BTreeMap;

use dashu_int::UBig;

use super::examine::{LARGEST, moduli_to_examine};
use super::numbers::shared_factors;
use crate::keys::{KeyDirectory, KnownKeys, PublicKey};

/// For each modulus that shares a prime with another one: such another.
#[derive(Clone, Debug)]
pub struct SharedPrimes(BTreeMap<Box<[u8]>, Box<[u8]>>);

impl SharedPrimes {
    /// Compares the keys of some directories with each other and with the known ones.
    ///
    /// Pins hold no keys; those that they name are among the files or the known ones. About a second for 1,000 keys.
    pub fn find(directories: &[KeyDirectory], known: &KnownKeys) -> Self {
        let known = known.keys().iter().filter_map(|known| known.key().and_then(PublicKey::as_rsa));
        let keys = moduli_to_examine(directories).into_iter().chain(known);
        let sensible = keys.filter(|key| (2..=LARGEST).contains(&key.bits()));
        let mut moduli: Vec<&[u8]> = sensible.map(|key| key.modulus()).collect();
        moduli.sort_unstable();
        moduli.dedup();
        let numbers: Vec<UBig> = moduli.iter().map(|modulus| UBig::from_be_bytes(modulus)).collect();
        let pair =
            |one: usize, other: usize| Some(((*moduli.get(one)?).into(), (*moduli.get(other)?).into()));
        let pairs = shared_factors(&numbers).into_iter();
        Self(pairs.filter_map(|shared| pair(shared.one, shared.other)).collect())
    }

    pub(super) fn with(&self, modulus: &[u8]) -> Option<&[u8]> {
        self.0.get(modulus).map(|other| &**other)
    }
}
