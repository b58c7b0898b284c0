//! Primes p for which p - 1 has small factors only.

use dashu_int::UBig;
use dashu_int::ops::Gcd;

use super::square::Squares;
use super::tables::sieve;

/// The bound of Pollard's method.
pub(in crate::audit) const BOUND: u32 = 200_000;

/// Whether Pollard's p-1 method, with all prime powers up to the bound, splits the number.
///
/// Costs some hundred thousand squarings: only for `--deep`.
pub(in crate::audit) fn smooth_factor(number: &UBig) -> bool {
    let Some(squares) = Squares::new(number) else { return false };
    let exponent = product(&powers());
    let factor = squares.power_of_two_minus_one(&exponent).gcd(number);
    !factor.is_one() && factor != *number
}

/// The largest power of each prime that is not above the bound.
fn powers() -> Vec<u32> {
    let bound = usize::try_from(BOUND).unwrap_or(0);
    let largest = |prime: u32| {
        let mut power = prime;
        while let Some(next) = power.checked_mul(prime).filter(|next| *next <= BOUND) {
            power = next;
        }
        power
    };
    sieve(bound + 1).into_iter().map(largest).collect()
}

fn product(numbers: &[u32]) -> UBig {
    match numbers {
        [] => UBig::ONE,
        [one] => UBig::from(*one),
        _ => {
            let (left, right) = numbers.split_at(numbers.len() / 2);
            product(left) * product(right)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{prime, smooth_prime};
    use super::*;

    #[test]
    fn finds_a_smooth_prime_and_leaves_an_honest_one() {
        let q = prime(256, 2);
        assert!(smooth_factor(&(smooth_prime(256, 199_999) * &q)));
        // One factor of p - 1 just above the bound is enough to escape.
        assert!(!smooth_factor(&(smooth_prime(256, 200_003) * &q)));
        assert!(!smooth_factor(&(prime(256, 1) * &q)));
    }
}
