//! Hashing several texts at once, each in its lane of a vector.
//!
//! One text cannot be hashed faster than its blocks follow from one another; eight that have nothing to do with each
//! other can. Where the processor has instructions for the hash, this is used beside AVX-512 alone.
//!
//! What comes out is compared with a signed digest: if the rounds were wrong, honest files would be refused, and no
//! others let pass. That all blocks of a text come here is the business of the caller.

mod level;
mod plain;
mod sha256;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use sha256::Sha256Lanes;

/// How many texts are hashed at once.
pub(crate) const LANES: usize = 8;
/// What is hashed in one step. Units: bytes.
pub(crate) const BLOCK: usize = 64;

/// The blocks of each text that are hashed now.
pub(crate) type Blocks<'a> = [&'a [[u8; BLOCK]]; LANES];

/// Arithmetic on a word of each text.
trait Words: Copy {
    /// Words of 32 bits, one of each text.
    type Word: Copy;

    fn splat(self, word: u32) -> Self::Word;
    fn load(self, words: [u32; LANES]) -> Self::Word;
    fn store(self, words: Self::Word) -> [u32; LANES];
    /// The sixteen words (big-endian) of the block of each text; zeros where there is none.
    fn schedule(self, blocks: &Blocks<'_>, at: usize) -> [Self::Word; 16];

    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn xor(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Shifts to the right.
    fn shift<const BITS: i32>(self, a: Self::Word) -> Self::Word;
    /// Turns to the right by `RIGHT`, that is to the left by `LEFT`: together they are 32.
    fn turn<const RIGHT: i32, const LEFT: i32>(self, a: Self::Word) -> Self::Word;
}

/// Work on words that is compiled for each kind of processor.
trait Work {
    fn run<W: Words>(self, words: W);
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
