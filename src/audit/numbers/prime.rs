//! Moduli that are no products at all.

use dashu_int::UBig;
use dashu_int::monty::MontgomeryRepr;

use super::square::Squares;

/// Bases beyond 2; a number that is composite and passes for all of them is not found by chance.
const BASES: [u8; 8] = [3, 5, 7, 11, 13, 17, 19, 23];

/// Whether an odd number passes for a prime: Fermat's test to base 2, and Miller's to more if it holds.
///
/// The first test costs one exponentiation and ends the matter for every honest modulus.
pub(in crate::audit) fn is_probably_prime(number: &UBig) -> bool {
    let Some(squares) = Squares::new(number) else { return *number == UBig::from(2_u8) };
    let less = number - UBig::ONE;
    squares.power_of_two_minus_one(&less).is_zero() && BASES.iter().all(|base| passes(number, *base))
}

/// Miller's test: the square roots of one that appear on the way must be one and minus one.
fn passes(number: &UBig, base: u8) -> bool {
    let less = number - UBig::ONE;
    let (Some(twos), base) = (less.trailing_zeros(), UBig::from(base) % number) else { return false };
    if base.is_zero() {
        return true;
    }
    let ring = MontgomeryRepr::new(number.clone());
    let mut power = ring.reduce(base).pow(&(&less >> twos));
    if power.residue().is_one() {
        return true;
    }
    for _ in 0..twos {
        if power.residue() == less {
            return true;
        }
        power = power.sqr();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::testing::prime;
    use super::*;

    #[test]
    fn tells_primes_from_products() {
        let (p, q) = (prime(256, 1), prime(256, 2));
        assert!(is_probably_prime(&p) && is_probably_prime(&q));
        assert!(!is_probably_prime(&(&p * &q)));
        let small: Vec<u32> = (0..60).filter(|n| is_probably_prime(&UBig::from(*n))).collect();
        assert_eq!(small, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59]);
    }

    #[test]
    fn is_not_fooled_by_pseudoprimes() {
        // Composite, and yet 2^(n-1) = 1: the first by the base alone, the second for all coprime bases.
        for number in [341_u32, 561, 2047, 3_215_031] {
            assert!(!is_probably_prime(&UBig::from(number)), "{number}");
        }
    }
}
