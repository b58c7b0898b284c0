//! Finds entries that mean the same package, in 44 bytes per entry.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use super::report::{FaultClass, Sink};
use crate::index::rule;

/// What is remembered of one entry.
///
/// Equal names always have equal hashes, so nothing is missed. Different names with the same 128 bits
/// have to be sought on purpose, and whoever does that gets their own index refused.
#[derive(Clone, Copy, Debug)]
struct Seen {
    identity: [u8; 20],
    coordinates: [u8; 16],
    entry: u32,
    line: u32,
}

/// The entries seen so far.
#[derive(Debug, Default)]
pub(super) struct Uniqueness {
    seen: Vec<Seen>,
    /// One run of bytes is hashed faster than three; used again for each entry.
    scratch: Vec<u8>,
}

impl Uniqueness {
    /// Remembers an entry by its identity, and by name, version and architecture.
    pub(super) fn remember(&mut self, identity: [u8; 20], coordinates: [&[u8]; 3], entry: u64, line: u64) {
        if self.seen.len() == self.seen.capacity() {
            // Growth by a quarter instead of by doubling keeps the promise of 64 bytes per entry.
            self.seen.reserve_exact(self.seen.len() / 4 + 1024);
        }
        self.scratch.clear();
        for part in coordinates {
            self.scratch.extend_from_slice(part);
            // No part holds a control character.
            self.scratch.push(0);
        }
        let coordinates = hash(&self.scratch);
        let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        self.seen.push(Seen { identity, coordinates, entry: number(entry), line: number(line) });
    }

    /// Reports every entry whose identity, or whose coordinates, an earlier one has.
    pub(super) fn report(mut self, sink: &mut Sink) {
        self.seen.sort_unstable_by_key(|seen| (seen.identity, seen.entry));
        for pair in self.seen.windows(2) {
            if let [first, second] = pair
                && checked!("index-duplicate-identity")
                && first.identity == second.identity
            {
                let message = format!("{} has the same `C:`", other(first));
                sink.fault(FaultClass::Malformed, &rule::DUPLICATE_IDENTITY, second.line.into(), message);
            }
        }
        self.seen.sort_unstable_by_key(|seen| (seen.coordinates, seen.entry));
        for pair in self.seen.windows(2) {
            if let [first, second] = pair
                && checked!("index-duplicate-version")
                && first.coordinates == second.coordinates
            {
                let message = format!("{} has the same name, version and architecture", other(first));
                sink.fault(FaultClass::Malformed, &rule::DUPLICATE_VERSION, second.line.into(), message);
            }
        }
    }
}

fn other(first: &Seen) -> String {
    format!("entry {} (line {})", first.entry, first.line)
}

fn hash(coordinates: &[u8]) -> [u8; 16] {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(coordinates);
        u128::from(hasher.finish())
    };
    (half(0) << 64 | half(1)).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_costs_less_than_sixty_four_bytes_whatever_their_number() {
        let mut unique = Uniqueness::default();
        for n in 0..100_000_u64 {
            unique.remember([0; 20], [&n.to_be_bytes(), b"1", b"x"], n, n);
            let reserved = unique.seen.capacity() * size_of::<Seen>();
            assert!(reserved <= 64 * (unique.seen.len() + 1024), "{n}");
        }
    }
}
