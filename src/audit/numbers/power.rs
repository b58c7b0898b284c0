//! Moduli that are powers of one number.

use dashu_int::UBig;
use dashu_int::ops::BitTest;

use super::tables::sieve;

/// The exponent k if the number is a k-th power, k prime.
///
/// The number must have no factor below 2^16, so that k is below the sixteenth part of its bits. Most k are
/// ruled out by residues: where q = 1 mod k is prime, one of k residues is that of a k-th power.
pub(in crate::audit) fn perfect_power(number: &UBig) -> Option<u32> {
    let bits = number.bit_len();
    if bits < 17 {
        return None;
    }
    let exponents = sieve((bits / 16 + 2).min(4096));
    exponents.into_iter().find(|exponent| may_be_power(number, *exponent) && is_power(number, *exponent))
}

fn is_power(number: &UBig, exponent: u32) -> bool {
    let Ok(exponent) = usize::try_from(exponent) else { return false };
    let root = if exponent == 2 {
        use dashu_int::ops::SquareRoot;
        number.sqrt()
    } else {
        number.nth_root(exponent)
    };
    root.pow(exponent) == *number
}

/// Whether four residues allow it.
fn may_be_power(number: &UBig, exponent: u32) -> bool {
    let exponent = u64::from(exponent);
    let candidates = (1..1000_u64).map(|step| step * exponent + 1);
    let primes = candidates.filter(|q| is_prime(*q)).take(if exponent == 2 { 12 } else { 4 });
    primes
        .map(|q| (q, number % q))
        .all(|(q, residue)| residue == 0 || power(residue, (q - 1) / exponent, q) == 1)
}

/// By trial division; the numbers here are below 2^22.
fn is_prime(number: u64) -> bool {
    number > 1 && (2..).take_while(|d| d * d <= number).all(|d| !number.is_multiple_of(d))
}

fn power(mut base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::testing::prime;
    use super::*;

    #[test]
    fn finds_squares_cubes_and_higher_powers() {
        for (bits, exponent) in [(512, 2_u32), (340, 3), (100, 7), (20, 53)] {
            let base = prime(bits, 3);
            let number = base.pow(exponent.try_into().unwrap());
            assert_eq!(perfect_power(&number), Some(exponent));
            assert_eq!(perfect_power(&(number + UBig::from(2_u8))), None);
        }
    }

    #[test]
    fn a_product_of_two_primes_is_no_power() {
        assert_eq!(perfect_power(&(prime(512, 1) * prime(512, 2))), None);
        assert_eq!(perfect_power(&UBig::from(9_u8)), None);
    }
}
