//! SHA-256 in lanes (FIPS 180-4, section 6.2).

use super::level::Level;
use super::{Blocks, LANES, Words, Work};
use crate::types::digest::{Digest, Sha256};

/// Eight texts under way.
#[derive(Debug)]
pub(crate) struct Sha256Lanes {
    level: Level,
    state: [[u32; LANES]; 8],
}

impl Sha256Lanes {
    pub(crate) fn new() -> Self {
        Self::with(Level::new())
    }

    fn with(level: Level) -> Self {
        Self { level, state: [[0; LANES]; 8] }
    }

    /// Whether eight lanes are faster than one text after another on this processor.
    pub(crate) fn pay() -> bool {
        Level::new().pays()
    }

    /// Whether the processor has instructions that hash one text; x86-64 alone is asked, as lanes pay nowhere else.
    pub(crate) fn has_instructions() -> bool {
        #[cfg(target_arch = "x86_64")]
        return std::arch::is_x86_feature_detected!("sha");
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
    pub(crate) fn update(&mut self, blocks: Blocks<'_>) -> usize {
        let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or_default();
        self.level.run(Update { state: &mut self.state, blocks: &blocks, count });
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

struct Update<'a> {
    state: &'a mut [[u32; LANES]; 8],
    blocks: &'a Blocks<'a>,
    count: usize,
}

impl Work for Update<'_> {
    #[inline(always)]
    fn run<W: Words>(self, simd: W) {
        let mut sums = [simd.splat(0); 8];
        sums.iter_mut().zip(&*self.state).for_each(|(sum, words)| *sum = simd.load(*words));
        for at in 0..self.count {
            sums = block(simd, sums, simd.schedule(self.blocks, at));
        }
        self.state.iter_mut().zip(sums).for_each(|(words, sum)| *words = simd.store(sum));
    }
}

/// Does something with each number below sixteen, as one straight line: in a loop, the words would have to lie in
/// memory.
macro_rules! sixteen {
    ($step:ident) => {
        $step!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    };
}

/// The rounds over one block of each text.
#[inline(always)]
fn block<W: Words>(simd: W, sums: [W::Word; 8], mut words: [W::Word; 16]) -> [W::Word; 8] {
    let mut now = sums;
    let [constants, later @ ..] = &ROUNDS;
    macro_rules! first {
        ($($at:literal)*) => { $( now = round(simd, now, constants[$at], words[$at]); )* };
    }
    sixteen!(first);
    for constants in later {
        macro_rules! next {
            ($($at:literal)*) => { $(
                let early = [words[($at + 1) % 16], words[($at + 9) % 16]];
                words[$at] = word(simd, words[$at], early, words[($at + 14) % 16]);
                now = round(simd, now, constants[$at], words[$at]);
            )* };
        }
        sixteen!(next);
    }
    now.iter_mut().zip(sums).for_each(|(now, before)| *now = simd.add(*now, before));
    now
}

/// The word sixteen after `word`, of that, those one and nine after it, and the one fourteen after it.
#[inline(always)]
fn word<W: Words>(simd: W, word: W::Word, [one, nine]: [W::Word; 2], fourteen: W::Word) -> W::Word {
    let turned = simd.xor(simd.turn::<7, 25>(one), simd.turn::<18, 14>(one));
    let sigma0 = simd.xor(turned, simd.shift::<3>(one));
    let turned = simd.xor(simd.turn::<17, 15>(fourteen), simd.turn::<19, 13>(fourteen));
    let sigma1 = simd.xor(turned, simd.shift::<10>(fourteen));
    simd.add(simd.add(word, sigma0), simd.add(nine, sigma1))
}

#[inline(always)]
fn round<W: Words>(
    simd: W,
    [a, b, c, d, e, f, g, h]: [W::Word; 8],
    constant: u32,
    word: W::Word,
) -> [W::Word; 8] {
    let sum1 = simd.xor(simd.xor(simd.turn::<6, 26>(e), simd.turn::<11, 21>(e)), simd.turn::<25, 7>(e));
    let choice = simd.xor(g, simd.and(e, simd.xor(f, g)));
    let known = simd.add(h, simd.add(word, simd.splat(constant)));
    let first = simd.add(simd.add(known, sum1), choice);
    let sum0 = simd.xor(simd.xor(simd.turn::<2, 30>(a), simd.turn::<13, 19>(a)), simd.turn::<22, 10>(a));
    let majority = simd.xor(b, simd.and(simd.xor(a, b), simd.xor(b, c)));
    [simd.add(simd.add(first, sum0), majority), a, b, c, simd.add(d, first), e, f, g]
}

/// First 32 bits of the fractional parts of the square roots of the first 8 primes.
const FIRST: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// First 32 bits of the fractional parts of the cube roots of the first 64 primes.
#[rustfmt::skip]
const ROUNDS: [[u32; 16]; 4] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
     0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
     0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
     0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
     0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;
    use crate::types::lanes::{BLOCK, padding};

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
        for level in Level::all() {
            let mut lanes = Sha256Lanes::with(level);
            for length in (0..260).chain([1000, 4095, 65_536]) {
                let texts: [Vec<u8>; LANES] = std::array::from_fn(|lane| text(lane * 977, length));
                let blocks: [Vec<[u8; BLOCK]>; LANES] = std::array::from_fn(|lane| padded(&texts[lane]));
                (0..LANES).for_each(|lane| lanes.begin(lane));
                lanes.update(std::array::from_fn(|lane| blocks[lane].as_slice()));
                for (lane, text) in texts.iter().enumerate() {
                    let expected = Digest::new(sha2::Sha256::digest(text).into());
                    assert_eq!(lanes.digest(lane), expected, "{level:?}, lane {lane}, {length} bytes");
                }
            }
        }
    }

    #[test]
    fn a_text_may_end_in_one_lane_while_the_others_go_on() {
        Level::all().into_iter().for_each(one_lane_ends);
    }

    fn one_lane_ends(level: Level) {
        let mut lanes = Sha256Lanes::with(level);
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
