//! SHA-256 of eight texts at once, each in its lane of a vector (FIPS 180-4, section 6.2).
//!
//! One text cannot be hashed faster than its blocks follow from one another; eight that have nothing to do with each
//! other can. Where the processor has SHA instructions one text alone is faster, and this is not used.
//!
//! What comes out is compared with a signed digest: if the rounds were wrong, honest files would be refused, and no
//! others let pass. That all blocks of a text come here is the business of the caller.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u32x8};

use super::digest::{Digest, Sha256};

/// How many texts are hashed at once.
pub(crate) const LANES: usize = 8;
/// What is hashed in one step. Units: bytes.
pub(crate) const BLOCK: usize = 64;

/// A word of each text.
type Words = [u32; LANES];

/// Eight texts under way.
#[derive(Debug)]
pub(crate) struct Sha256Lanes {
    level: Level,
    state: [Words; 8],
}

impl Sha256Lanes {
    pub(crate) fn new() -> Self {
        Self { level: Level::new(), state: [[0; LANES]; 8] }
    }

    /// Whether eight lanes are faster than one text after another on this processor.
    pub(crate) fn pay() -> bool {
        #[cfg(target_arch = "x86_64")]
        return Level::new().as_avx2().is_some() && !std::arch::is_x86_feature_detected!("sha");
        #[cfg(not(target_arch = "x86_64"))]
        return false;
    }

    /// Begins a new text.
    pub(crate) fn begin(&mut self, lane: usize) {
        for (words, first) in self.state.iter_mut().zip(FIRST) {
            words.iter_mut().skip(lane).take(1).for_each(|word| *word = first);
        }
    }

    /// Takes the next blocks of each text, as many of each as the shortest has, and tells how many that were.
    pub(crate) fn update(&mut self, blocks: [&[[u8; BLOCK]]; LANES]) -> usize {
        let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or_default();
        let blocks = blocks.map(|blocks| blocks.get(..count).unwrap_or_default());
        dispatch!(self.level, simd => update(simd, &mut self.state, blocks));
        count
    }

    /// What was made of a text, once its padding was taken.
    pub(crate) fn digest(&self, lane: usize) -> Digest<Sha256> {
        let mut bytes = [0; 32];
        for (to, words) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(&self.state) {
            *to = words.get(lane).copied().unwrap_or_default().to_be_bytes();
        }
        Digest::new(bytes)
    }
}

/// What ends a text: with it the text fills whole blocks.
///
/// Units: bytes, of the text and of what is returned, at most 72.
pub(crate) fn padding(length: u64) -> impl Iterator<Item = u8> {
    let used = usize::try_from(length % 64).unwrap_or_default();
    let zeros = (BLOCK + 55 - used) % BLOCK;
    let bits = length.wrapping_mul(8).to_be_bytes();
    std::iter::once(0x80).chain(std::iter::repeat_n(0, zeros)).chain(bits)
}

#[inline(always)]
fn update<S: Simd>(simd: S, state: &mut [Words; 8], blocks: [&[[u8; BLOCK]]; LANES]) {
    // What is inlined into the closure is compiled for the instructions of `simd`.
    simd.vectorize(
        #[inline(always)]
        || {
            let count = blocks.first().map_or(0, |blocks| blocks.len());
            let mut sums = state.map(|words| u32x8::from_slice(simd, &words));
            for at in 0..count {
                sums = block(simd, sums, schedule(simd, &blocks, at));
            }
            for (words, sum) in state.iter_mut().zip(sums) {
                sum.store_slice(words);
            }
        },
    );
}

/// The sixteen words of the block of each text.
#[inline(always)]
fn schedule<S: Simd>(simd: S, blocks: &[&[[u8; BLOCK]]; LANES], at: usize) -> [u32x8<S>; 16] {
    let mut words = [[0; LANES]; 16];
    for (lane, blocks) in blocks.iter().enumerate() {
        let Some(block) = blocks.get(at) else { continue };
        for (words, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
            words.iter_mut().skip(lane).take(1).for_each(|word| *word = u32::from_be_bytes(*bytes));
        }
    }
    words.map(|words| u32x8::from_slice(simd, &words))
}

/// The rounds over one block of each text.
#[expect(
    clippy::indexing_slicing,
    reason = "each index is taken modulo the length; this is the innermost loop"
)]
#[inline(always)]
fn block<S: Simd>(simd: S, sums: [u32x8<S>; 8], mut words: [u32x8<S>; 16]) -> [u32x8<S>; 8] {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = sums;
    for (part, constants) in ROUNDS.as_chunks::<16>().0.iter().enumerate() {
        for (at, constant) in constants.iter().enumerate() {
            if part > 0 {
                let (early, late) = (words[(at + 1) % 16], words[(at + 14) % 16]);
                let sigma0 = turn(early, 7) ^ turn(early, 18) ^ (early >> 3);
                let sigma1 = turn(late, 17) ^ turn(late, 19) ^ (late >> 10);
                words[at] = words[at] + sigma0 + words[(at + 9) % 16] + sigma1;
            }
            let sum1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
            let choice = g ^ (e & (f ^ g));
            let first = h + sum1 + choice + u32x8::splat(simd, *constant) + words[at];
            let sum0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
            let majority = (a & b) | (c & (a | b));
            (h, g, f, e) = (g, f, e, d + first);
            (d, c, b, a) = (c, b, a, first + sum0 + majority);
        }
    }
    let [sa, sb, sc, sd, se, sf, sg, sh] = sums;
    [sa + a, sb + b, sc + c, sd + d, se + e, sf + f, sg + g, sh + h]
}

/// Turns each word to the right.
#[inline(always)]
fn turn<S: Simd>(words: u32x8<S>, bits: u32) -> u32x8<S> {
    (words >> bits) | (words << (32 - bits))
}

/// First 32 bits of the fractional parts of the square roots of the first 8 primes.
const FIRST: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// First 32 bits of the fractional parts of the cube roots of the first 64 primes.
#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    /// The text with its padding, as blocks.
    fn padded(text: &[u8]) -> Vec<[u8; BLOCK]> {
        let length = u64::try_from(text.len()).unwrap();
        let bytes: Vec<u8> = text.iter().copied().chain(padding(length)).collect();
        let (blocks, rest) = bytes.as_chunks();
        assert!(rest.is_empty() && bytes.len() <= text.len() + 72, "{length}");
        blocks.to_vec()
    }

    fn text(seed: usize, length: usize) -> Vec<u8> {
        (0..length).map(|at| (seed + at).wrapping_mul(0x9e37_79b9).to_le_bytes()[2]).collect()
    }

    #[test]
    fn each_lane_has_the_digest_of_its_own_text() {
        let mut lanes = Sha256Lanes::new();
        for length in (0..260).chain([1000, 4095, 65_536]) {
            let texts: [Vec<u8>; LANES] = std::array::from_fn(|lane| text(lane * 977, length));
            let blocks: [Vec<[u8; BLOCK]>; LANES] = std::array::from_fn(|lane| padded(&texts[lane]));
            (0..LANES).for_each(|lane| lanes.begin(lane));
            lanes.update(std::array::from_fn(|lane| blocks[lane].as_slice()));
            for (lane, text) in texts.iter().enumerate() {
                let expected = Digest::new(sha2::Sha256::digest(text).into());
                assert_eq!(lanes.digest(lane), expected, "lane {lane}, {length} bytes");
            }
        }
    }

    #[test]
    fn a_text_may_end_in_one_lane_while_the_others_go_on() {
        let mut lanes = Sha256Lanes::new();
        (0..LANES).for_each(|lane| lanes.begin(lane));
        let long = padded(&text(1, 64 * 40));
        let mut taken = 0;
        for length in [0, 1, 55, 56, 64, 700] {
            let short = padded(&text(9, length));
            lanes.begin(3);
            let from_here = |lane| if lane == 3 { short.as_slice() } else { &long[taken..] };
            lanes.update(std::array::from_fn(from_here));
            taken += short.len();
            assert_eq!(
                lanes.digest(3),
                Digest::new(sha2::Sha256::digest(text(9, length)).into()),
                "{length}"
            );
        }
        lanes.update([&long[taken..]; LANES]);
        let expected = Digest::new(sha2::Sha256::digest(text(1, 64 * 40)).into());
        (0..LANES).filter(|lane| *lane != 3).for_each(|lane| assert_eq!(lanes.digest(lane), expected));
    }
}
