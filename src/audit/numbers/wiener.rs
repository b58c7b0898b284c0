//! Private exponents that are small enough to be read off the public key.

use dashu_int::UBig;
use dashu_int::ops::{BitTest, SquareRootRem};

/// Whether the private exponent is below the fourth root of the modulus, roughly (Wiener's method).
///
/// Each convergent k/d of e/n is tried; if it is the right one, (ed - 1)/k is the order of the group, from which
/// the primes follow. No key with a public exponent of 32 bits or fewer has such a private one.
pub(in crate::audit) fn has_small_private_exponent(modulus: &UBig, exponent: &UBig) -> bool {
    let bound = modulus.bit_len() / 4 + 2;
    let (mut above, mut below) = (exponent.clone(), modulus.clone());
    let (mut k, mut last_k) = (UBig::ONE, UBig::ZERO);
    let (mut d, mut last_d) = (UBig::ZERO, UBig::ONE);
    while !below.is_zero() && d.bit_len() <= bound {
        let quotient = &above / &below;
        (above, below) = (below.clone(), &above % &below);
        (k, last_k) = (&quotient * &k + last_k, k);
        (d, last_d) = (&quotient * &d + last_d, d);
        if !k.is_zero() && !d.is_zero() && fits(modulus, exponent, &k, &d) {
            return true;
        }
    }
    false
}

fn fits(modulus: &UBig, exponent: &UBig, k: &UBig, d: &UBig) -> bool {
    let order = exponent * d - UBig::ONE;
    if !(&order % k).is_zero() {
        return false;
    }
    let order = order / k;
    let next = modulus + UBig::ONE;
    if order.is_zero() || order >= next {
        return false;
    }
    // p + q, from which (p - q)^2 = (p + q)^2 - 4n.
    let sum = next - order;
    let (square, product) = (&sum * &sum, modulus << 2);
    square > product && (square - product).sqrt_rem().1.is_zero()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{inverse, prime};
    use super::*;

    fn exponent(p: &UBig, q: &UBig, private: &UBig) -> UBig {
        inverse(private, &((p - UBig::ONE) * (q - UBig::ONE))).unwrap()
    }

    #[test]
    fn finds_a_private_exponent_of_a_quarter_of_the_bits_and_not_a_longer_one() {
        let (p, q) = (prime(512, 1), prime(512, 2));
        let n = &p * &q;
        for (bits, found) in [(200, true), (250, true), (300, false), (1000, false)] {
            let private = prime(bits, 9);
            assert_eq!(has_small_private_exponent(&n, &exponent(&p, &q, &private)), found, "{bits}");
        }
        assert!(!has_small_private_exponent(&n, &UBig::from(65_537_u32)));
    }
}
