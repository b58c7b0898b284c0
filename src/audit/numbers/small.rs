//! Factors that trial division finds.

use dashu_int::UBig;
use dashu_int::ops::Gcd;

use super::tables::Tables;

/// The least prime factor below 2^16, if there is one.
///
/// One gcd with the product of all small primes says whether there is any.
pub(in crate::audit) fn small_factor(number: &UBig, tables: &Tables) -> Option<u32> {
    if number.is_zero() {
        return None;
    }
    let common = (&tables.primorial % number).gcd(number);
    if common.is_one() {
        return None;
    }
    tables.primes.iter().copied().find(|prime| number % *prime == 0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::prime;
    use super::*;

    #[test]
    fn finds_the_largest_small_prime_and_not_the_next_one() {
        let tables = Tables::default();
        let rest = prime(1024, 1);
        assert_eq!(small_factor(&(&rest * 65_521_u32), &tables), Some(65_521));
        assert_eq!(small_factor(&(&rest * 65_537_u32), &tables), None);
        assert_eq!(small_factor(&(&rest * 6_u32), &tables), Some(2));
        assert_eq!(small_factor(&UBig::from(9_u32), &tables), Some(3));
        assert_eq!(small_factor(&UBig::ONE, &tables), None);
    }
}
