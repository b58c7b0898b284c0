//! Vectors of 256 bits.
//!
//! The operations are those of AVX2. On a processor with AVX-512 they are compiled for its instructions (which turn
//! words, and do any logic of three words in one), at the same width: wider ones were not faster.

use core::arch::x86_64::__m256i;

use pulp::x86::{V3, V4};
use pulp::{NullaryFnOnce, cast, u32x8};

use super::{Blocks, LANES, Words, Work};

/// Kinds of vectors, by the microarchitecture levels of x86-64.
#[derive(Debug, Clone, Copy)]
pub(super) enum Vectors {
    /// AVX2 and what came with it.
    V3(V3),
    /// AVX-512 as well.
    V4(V4),
}

impl Vectors {
    /// None: the processor has not even the first.
    pub(super) fn best() -> Option<Self> {
        V4::try_new().map(Self::V4).or_else(|| V3::try_new().map(Self::V3))
    }

    /// Those of AVX2 are slower than instructions for the hash, those of AVX-512 faster.
    pub(super) fn pay(self) -> bool {
        match self {
            Self::V3(_) => !super::Sha256Lanes::has_instructions(),
            Self::V4(_) => true,
        }
    }

    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        V3::try_new().map(Self::V3).into_iter().chain(V4::try_new().map(Self::V4)).collect()
    }

    pub(super) fn run(self, work: impl Work) {
        match self {
            Self::V3(level) => level.vectorize(Inlined(level, work)),
            Self::V4(level) => level.vectorize(Inlined(*level, work)),
        }
    }
}

/// What is inlined here is compiled for the instructions of the level that calls it.
struct Inlined<T>(V3, T);

impl<T: Work> NullaryFnOnce for Inlined<T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.1.run(self.0);
    }
}

impl Words for V3 {
    type Word = u32x8;

    #[inline(always)]
    fn splat(self, word: u32) -> u32x8 {
        self.splat_u32x8(word)
    }

    #[inline(always)]
    fn load(self, words: [u32; LANES]) -> u32x8 {
        cast(words)
    }

    #[inline(always)]
    fn store(self, words: u32x8) -> [u32; LANES] {
        cast(words)
    }

    #[inline(always)]
    fn schedule(self, blocks: &Blocks<'_>, at: usize) -> [u32x8; 16] {
        let [a, b, c, d, e, f, g, h] = half_block(self, blocks, at, 0);
        let [i, j, k, l, m, n, o, p] = half_block(self, blocks, at, 1);
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    #[inline(always)]
    fn add(self, a: u32x8, b: u32x8) -> u32x8 {
        self.wrapping_add_u32x8(a, b)
    }

    #[inline(always)]
    fn and(self, a: u32x8, b: u32x8) -> u32x8 {
        self.and_u32x8(a, b)
    }

    #[inline(always)]
    fn xor(self, a: u32x8, b: u32x8) -> u32x8 {
        self.xor_u32x8(a, b)
    }

    #[inline(always)]
    fn shift<const BITS: i32>(self, a: u32x8) -> u32x8 {
        self.shr_const_u32x8::<BITS>(a)
    }

    #[inline(always)]
    fn turn<const RIGHT: i32, const LEFT: i32>(self, a: u32x8) -> u32x8 {
        self.or_u32x8(self.shr_const_u32x8::<RIGHT>(a), self.shl_const_u32x8::<LEFT>(a))
    }
}

/// Half a block of each text: its eight words, each beside those of the others.
#[inline(always)]
fn half_block(simd: V3, blocks: &Blocks<'_>, at: usize, half: usize) -> [u32x8; 8] {
    let mut rows = [simd.splat_u32x8(0); LANES];
    for (row, blocks) in rows.iter_mut().zip(blocks) {
        let bytes = blocks.get(at).and_then(|block| block.as_chunks::<32>().0.get(half));
        *row = bytes.map_or(*row, |bytes| swap_bytes(simd, cast(*bytes)));
    }
    let [a, b, c, d, e, f, g, h] = rows;
    let [i, j, k, l] = quarters(simd, [a, b, c, d]);
    let [m, n, o, p] = quarters(simd, [e, f, g, h]);
    let low = |a, b| cast(simd.avx2._mm256_permute2x128_si256::<0x20>(a, b));
    let high = |a, b| cast(simd.avx2._mm256_permute2x128_si256::<0x31>(a, b));
    [low(i, m), low(j, n), low(k, o), low(l, p), high(i, m), high(j, n), high(k, o), high(l, p)]
}

/// Turns the bytes of each word around.
#[inline(always)]
fn swap_bytes(simd: V3, words: __m256i) -> u32x8 {
    let order = [0x0001_0203_u32, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f];
    cast(simd.avx2._mm256_shuffle_epi8(words, cast([order, order])))
}

/// Of four rows, in each half of a vector: four words with the same number.
#[inline(always)]
fn quarters(simd: V3, rows: [u32x8; 4]) -> [__m256i; 4] {
    let simd = simd.avx2;
    let [a, b, c, d]: [__m256i; 4] = cast(rows);
    let (ab, cd) = (simd._mm256_unpacklo_epi32(a, b), simd._mm256_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (simd._mm256_unpackhi_epi32(a, b), simd._mm256_unpackhi_epi32(c, d));
    [
        simd._mm256_unpacklo_epi64(ab, cd),
        simd._mm256_unpackhi_epi64(ab, cd),
        simd._mm256_unpacklo_epi64(ab_high, cd_high),
        simd._mm256_unpackhi_epi64(ab_high, cd_high),
    ]
}
