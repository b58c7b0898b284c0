//! Primes that lie close together, or whose ratio is close to a small fraction.

use dashu_int::UBig;
use dashu_int::ops::{Gcd, SquareRootRem};

/// How the factors were found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::audit) struct ClosePrimes {
    /// p/q is close to u/v.
    pub(in crate::audit) ratio: (u8, u8),
}

/// The largest number in a ratio.
const LARGEST: u8 = 8;

/// Fermat's method on n, and on 4uvn for all u < v up to 8 that have no common factor.
///
/// It finds p and q of n within `rounds` steps if up and vq lie close together. The number must be odd.
pub(in crate::audit) fn close_primes(number: &UBig, rounds: u32) -> Option<ClosePrimes> {
    if search(number, number, rounds) {
        return Some(ClosePrimes { ratio: (1, 1) });
    }
    let ratios = (2..=LARGEST).flat_map(|v| (1..v).map(move |u| (u, v)));
    let mut coprime = ratios.filter(|(u, v)| (2..=*u).all(|d| u % d > 0 || v % d > 0));
    let found = coprime.find(|(u, v)| {
        let multiple = number * (4 * u32::from(*u) * u32::from(*v));
        search(number, &multiple, rounds)
    });
    found.map(|ratio| ClosePrimes { ratio })
}

/// Looks for a and b with a^2 - b^2 = multiple such that a + b splits the number.
fn search(number: &UBig, multiple: &UBig, rounds: u32) -> bool {
    let (root, rest) = multiple.sqrt_rem();
    let mut sum = if rest.is_zero() { root } else { root + UBig::ONE };
    let mut square = &sum * &sum - multiple;
    for _ in 0..rounds {
        if may_be_square(&square) {
            let (difference, rest) = square.sqrt_rem();
            let factor = (&sum + difference).gcd(number);
            if rest.is_zero() && !factor.is_one() && factor != *number {
                return true;
            }
        }
        square += (&sum << 1) + UBig::ONE;
        sum += UBig::ONE;
    }
    false
}

/// Rules out all but one in some hundred numbers.
fn may_be_square(number: &UBig) -> bool {
    let residue = |value: u64, modulus: u64| {
        let value = value % modulus;
        (0..modulus).any(|root| root * root % modulus == value)
    };
    let low = number.as_words().first().map_or(0, |word| word % 64);
    matches!(low, 0 | 1 | 4 | 9 | 16 | 17 | 25 | 33 | 36 | 41 | 49 | 57) && {
        let value = number % (63_u64 * 65 * 11 * 17 * 19 * 23);
        [63, 65, 11, 17, 19, 23].into_iter().all(|modulus| residue(value, modulus))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{next_prime, prime};
    use super::*;

    #[test]
    fn finds_a_prime_and_the_next_one() {
        let p = prime(1024, 1);
        let q = next_prime(&p);
        assert_eq!(close_primes(&(&p * &q), 1), Some(ClosePrimes { ratio: (1, 1) }));
    }

    #[test]
    fn finds_primes_at_small_ratios() {
        let p = prime(1000, 2);
        for (u, v) in [(1_u8, 2_u8), (3, 4), (5, 8), (7, 8)] {
            let q = next_prime(&((&p * u) / v));
            let found = close_primes(&(&p * &q), 100).unwrap();
            assert_eq!(found.ratio, (u, v));
        }
        let q = next_prime(&((&p * 8_u32) / 9_u32));
        assert_eq!(close_primes(&(&p * q), 100), None);
    }

    #[test]
    fn the_hundredth_round_is_looked_at_and_the_next_is_not() {
        // n = a^2 - b^2 with a at a chosen distance above the root: small enough to place by search.
        let round_of = |n: &UBig| (1..400).find(|rounds| search(n, n, *rounds));
        let p = prime(64, 3);
        let mut q = next_prime(&(&p + (UBig::ONE << 36)));
        let mut seen = Vec::new();
        for _ in 0..4000 {
            let n = &p * &q;
            seen.extend(round_of(&n));
            if let Some(round @ 90..=110) = seen.last() {
                assert_eq!(close_primes(&n, *round).map(|found| found.ratio), Some((1, 1)));
                assert_eq!(close_primes(&n, *round - 1), None);
                return;
            }
            q = next_prime(&(&q + (UBig::ONE << 32)));
        }
        panic!("no key at that distance: {seen:?}");
    }

    #[test]
    fn an_honest_key_is_left_alone() {
        assert_eq!(close_primes(&(prime(512, 5) * prime(512, 6)), 100), None);
    }
}
