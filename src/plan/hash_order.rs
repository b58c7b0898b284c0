//! The order in which `apk` walks through names.
//!
//! `apk` keeps names in a hash table and walks through it bucket by bucket, the name that was met last
//! first. What depends on what is found in that order, and so the order becomes part of its choice.

/// Buckets of the table; it never grows.
const BUCKETS: u32 = 20_000;
/// What the hash begins with.
const SEED: u32 = 5381;

/// The bucket of a name.
pub(super) fn bucket(name: &str) -> u32 {
    murmur3(name.as_bytes(), SEED) % BUCKETS
}

/// `MurmurHash3` with 32 bits, by Austin Appleby, in the public domain.
fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for block in blocks {
        hash ^= scramble(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = tail.iter().rev().fold(0, |rest, byte| (rest << 8) | u32::from(*byte));
    hash ^= scramble(rest);
    // invariant: names are shorter than a line of an index; the hash wraps like the length.
    hash ^= u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn scramble(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_published_vectors_say() {
        for (text, seed, hash) in [
            ("", 0, 0),
            ("", 1, 0x514e_28b7),
            ("test", 0x9747_b28c, 0x704b_81dc),
            ("Hello, world!", 0x9747_b28c, 0x2488_4cba),
            ("The quick brown fox jumps over the lazy dog", 0x9747_b28c, 0x2fa8_26cd),
        ] {
            assert_eq!(murmur3(text.as_bytes(), seed), hash, "{text}");
        }
    }
}
