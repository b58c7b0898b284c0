//! The words of all texts one after another, where no vectors are used.

use super::{Blocks, LANES, Words};

/// Arrays.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl Words for Plain {
    type Word = [u32; LANES];

    fn splat(self, word: u32) -> Self::Word {
        [word; LANES]
    }

    fn load(self, words: [u32; LANES]) -> Self::Word {
        words
    }

    fn store(self, words: Self::Word) -> [u32; LANES] {
        words
    }

    fn schedule(self, blocks: &Blocks<'_>, at: usize) -> [Self::Word; 16] {
        let mut words = [[0; LANES]; 16];
        for (lane, blocks) in blocks.iter().enumerate() {
            let Some(block) = blocks.get(at) else { continue };
            for (words, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
                words.iter_mut().skip(lane).take(1).for_each(|word| *word = u32::from_be_bytes(*bytes));
            }
        }
        words
    }

    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(a, b, u32::wrapping_add)
    }

    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(a, b, |a, b| a & b)
    }

    fn xor(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(a, b, |a, b| a ^ b)
    }

    fn shift<const BITS: i32>(self, a: Self::Word) -> Self::Word {
        a.map(|word| word >> BITS)
    }

    fn turn<const RIGHT: i32, const LEFT: i32>(self, a: Self::Word) -> Self::Word {
        a.map(|word| (word >> RIGHT) | (word << LEFT))
    }
}

fn each(mut a: [u32; LANES], b: [u32; LANES], combine: impl Fn(u32, u32) -> u32) -> [u32; LANES] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a = combine(*a, b));
    a
}
