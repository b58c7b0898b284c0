//! Moduli that do not look random.

/// What is conspicuous about the bits of a modulus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::audit) enum Pattern {
    /// Two blocks of eight bytes are equal.
    EqualBlocks,
    /// So many equal bits in a row.
    Run(usize),
    /// So many of a thousand bits are ones.
    Share(usize),
}

/// Longer runs of equal bits do not happen by chance; real keys have at most 18.
const LONGEST_RUN: usize = 96;
/// Where the share of ones lies, of a thousand; real keys have 473 to 527.
const SHARE: std::ops::RangeInclusive<usize> = 440..=560;

/// What is conspicuous, if anything. The number is big-endian and at least 1024 bits long.
pub(in crate::audit) fn pattern(number: &[u8]) -> Option<Pattern> {
    if number.len() < 128 {
        return None;
    }
    let mut blocks: Vec<&[u8]> = number.rchunks_exact(8).collect();
    blocks.sort_unstable();
    let run = longest_run(number);
    let ones: usize = number.iter().filter_map(|byte| usize::try_from(byte.count_ones()).ok()).sum();
    let share = ones * 1000 / (number.len() * 8);
    if run > LONGEST_RUN {
        Some(Pattern::Run(run))
    } else if blocks.windows(2).any(|pair| pair.first() == pair.last()) {
        Some(Pattern::EqualBlocks)
    } else {
        (!SHARE.contains(&share)).then_some(Pattern::Share(share))
    }
}

fn longest_run(number: &[u8]) -> usize {
    let bits = number.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let (mut longest, mut run, mut last) = (0, 0, 2);
    for bit in bits {
        run = if bit == last { run + 1 } else { 1 };
        last = bit;
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::super::testing::large;
    use super::*;

    fn random() -> Vec<u8> {
        large(7).to_be_bytes().to_vec()
    }

    #[test]
    fn random_bits_are_not_conspicuous() {
        assert_eq!(pattern(&random()), None);
        assert_eq!(pattern(&[0; 127]), None);
    }

    #[test]
    fn a_run_of_97_bits_is_conspicuous_and_one_of_96_is_not() {
        let mut number = random();
        number[64..76].fill(0);
        number[63] = 0xff;
        number[76] = 0xff;
        assert_eq!(longest_run(&number), 96);
        // Two of its blocks are not equal: the run covers one and a half.
        assert_eq!(pattern(&number), None);
        number[76] = 0x7f;
        assert_eq!(pattern(&number), Some(Pattern::Run(97)));
    }

    #[test]
    fn a_repeated_block_is_conspicuous_and_a_repeated_half_is_not() {
        let mut number = random();
        number.copy_within(8..16, 80);
        assert_eq!(pattern(&number), Some(Pattern::EqualBlocks));
        number[80] ^= 1;
        assert_eq!(pattern(&number), None);
    }

    #[test]
    fn a_lack_of_ones_is_conspicuous() {
        let thin: Vec<u8> = random().iter().zip(random().iter().rev()).map(|(a, b)| a & b).collect();
        assert!(matches!(pattern(&thin), Some(Pattern::Share(200..300))), "{:?}", pattern(&thin));
    }
}
