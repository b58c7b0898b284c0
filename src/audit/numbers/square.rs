//! Squarings modulo an odd number, which is most of the work of an audit.

use dashu_int::UBig;

/// Arithmetic modulo an odd number in Montgomery's form, on 64-bit limbs, for one purpose: powers of two.
#[derive(Debug)]
pub(super) struct Squares {
    modulus: Vec<u64>,
    /// Minus the inverse of the modulus, modulo 2^64.
    negated_inverse: u64,
}

impl Squares {
    /// Takes an odd modulus of at least 3; `None` for others.
    pub(super) fn new(modulus: &UBig) -> Option<Self> {
        let mut limbs = limbs(modulus);
        let lowest = *limbs.first()?;
        if lowest & 1 == 0 || modulus.is_one() {
            return None;
        }
        // Newton: each step doubles the number of right bits, from the 3 that an odd number is its own inverse in.
        let mut inverse = lowest;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(inverse)));
        }
        // Limbs are taken in pairs.
        limbs.resize(limbs.len().next_multiple_of(2), 0);
        Some(Self { modulus: limbs, negated_inverse: inverse.wrapping_neg() })
    }

    /// 2 to the power of a number, times the constant R of the form, modulo the modulus.
    fn power_of_two(&self, exponent: &UBig, one: &[u64]) -> Vec<u64> {
        use dashu_int::ops::BitTest;
        let mut value = one.to_vec();
        let mut double = vec![0; 2 * self.modulus.len()];
        for bit in (0..exponent.bit_len()).rev() {
            self.square(&mut value, &mut double);
            if exponent.bit(bit) {
                self.double(&mut value);
            }
        }
        value
    }

    /// 2 to the power of `exponent` minus 1, modulo the modulus.
    pub(super) fn power_of_two_minus_one(&self, exponent: &UBig) -> UBig {
        let modulus = number(&self.modulus);
        let one = (UBig::ONE << (64 * self.modulus.len())) % &modulus;
        let mut form = limbs(&one);
        form.resize(self.modulus.len(), 0);
        let power = number(&self.power_of_two(exponent, &form));
        // Both carry the factor R, which is prime to the modulus.
        if power >= one { power - one } else { power + modulus - one }
    }

    /// value = value * value / R.
    fn square(&self, value: &mut [u64], double: &mut [u64]) {
        multiply_by_itself(value, double);
        let length = self.modulus.len();
        let mut carry = 0;
        for at in (0..length).step_by(2) {
            let Some(window) = double.get_mut(at..=at + length) else { return };
            let (first, second) = self.factors(window);
            let over = add_two_products(window, &self.modulus, first, second);
            carry += carry_into(double, at + length + 1, over);
        }
        if let Some(high) = double.get(length..) {
            value.copy_from_slice(high);
        }
        self.reduce(value, carry);
    }

    /// The two multiples of the modulus that make the two lowest limbs zero.
    fn factors(&self, low: &[u64]) -> (u64, u64) {
        let (&[low, next, ..], &[least, more, ..]) = (low, self.modulus.as_slice()) else { return (0, 0) };
        let first = low.wrapping_mul(self.negated_inverse);
        let carry = high_half(u128::from(first) * u128::from(least) + u128::from(low));
        let next = next.wrapping_add(first.wrapping_mul(more)).wrapping_add(carry);
        (first, next.wrapping_mul(self.negated_inverse))
    }

    fn double(&self, value: &mut [u64]) {
        let mut carry = 0;
        for limb in value.iter_mut() {
            (*limb, carry) = (*limb << 1 | carry, *limb >> 63);
        }
        self.reduce(value, carry);
    }

    /// Subtracts the modulus once if the value, with a carry above it, is not below it.
    fn reduce(&self, value: &mut [u64], carry: u64) {
        let below = value.iter().rev().cmp(self.modulus.iter().rev()).is_lt();
        if carry == 0 && below {
            return;
        }
        let mut borrow = false;
        for (limb, less) in value.iter_mut().zip(&self.modulus) {
            let (first, one) = limb.overflowing_sub(*less);
            let (second, two) = first.overflowing_sub(u64::from(borrow));
            *limb = second;
            borrow = one || two;
        }
    }
}

/// double = value * value: the mixed products once, doubled, then the squares.
fn multiply_by_itself(value: &[u64], double: &mut [u64]) {
    double.fill(0);
    let length = value.len();
    for (at, pair) in (0..).step_by(2).zip(value.as_chunks::<2>().0) {
        let [first, second] = *pair;
        let product = u128::from(first) * u128::from(second);
        if let Some([low, high]) = double.get_mut(2 * at + 1..2 * at + 3) {
            let sum = u128::from(*low) + u128::from(low_half(product));
            *low = low_half(sum);
            let sum = u128::from(*high) + u128::from(high_half(product)) + u128::from(high_half(sum));
            *high = low_half(sum);
            carry_into(double, 2 * at + 3, high_half(sum));
        }
        let (Some(window), Some(rest)) = (double.get_mut(2 * at + 2..=at + length), value.get(at + 2..))
        else {
            break;
        };
        let over = add_two_products(window, rest, first, second);
        carry_into(double, at + length + 1, over);
    }
    let (mut shifted, mut carry) = (0, 0);
    for (pair, limb) in double.chunks_exact_mut(2).zip(value) {
        let [low, high] = pair else { break };
        let square = u128::from(*limb) * u128::from(*limb);
        let (low_twice, high_twice) = (*low << 1 | shifted, *high << 1 | *low >> 63);
        shifted = *high >> 63;
        let sum = u128::from(low_twice) + u128::from(low_half(square)) + u128::from(carry);
        *low = low_half(sum);
        let sum = u128::from(high_twice) + u128::from(high_half(square)) + u128::from(high_half(sum));
        *high = low_half(sum);
        carry = high_half(sum);
    }
}

/// sum += numbers * (first + 2^64 second); the sum is one limb longer than the numbers, and its carry comes back.
///
/// Two chains of carries at once: one alone would keep the multiplier waiting.
fn add_two_products(sum: &mut [u64], numbers: &[u64], first: u64, second: u64) -> u64 {
    let (mut carry, mut other_carry, mut last) = (0, 0, 0);
    let mut step = |place: &mut u64, number: u64| {
        let value = u128::from(number) * u128::from(first) + u128::from(*place) + u128::from(carry);
        carry = high_half(value);
        let below = u128::from(low_half(value));
        let value = u128::from(last) * u128::from(second) + below + u128::from(other_carry);
        *place = low_half(value);
        other_carry = high_half(value);
        last = number;
    };
    // By fours, which the compiler does not do by itself: a tenth of the time.
    let (fours, few) = numbers.as_chunks::<4>();
    let Some((low, high)) = sum.split_at_mut_checked(fours.len() * 4) else { return 0 };
    for ([w, x, y, z], [a, b, c, d]) in low.as_chunks_mut::<4>().0.iter_mut().zip(fours) {
        step(w, *a);
        step(x, *b);
        step(y, *c);
        step(z, *d);
    }
    let mut places = high.iter_mut();
    few.iter().zip(&mut places).for_each(|(number, place)| step(place, *number));
    let Some(place) = places.next() else { return 0 };
    let (value, over) = place.overflowing_add(carry);
    let value = u128::from(last) * u128::from(second) + u128::from(value) + u128::from(other_carry);
    *place = low_half(value);
    high_half(value) + u64::from(over)
}

/// Adds a carry, and what it carries on; what is left at the end comes back.
fn carry_into(number: &mut [u64], place: usize, mut carry: u64) -> u64 {
    for limb in number.iter_mut().skip(place) {
        if carry == 0 {
            break;
        }
        let (value, over) = limb.overflowing_add(carry);
        *limb = value;
        carry = u64::from(over);
    }
    carry
}

#[expect(clippy::as_conversions, reason = "the low half is meant; this is the innermost loop")]
const fn low_half(value: u128) -> u64 {
    value as u64
}

#[expect(clippy::as_conversions, reason = "the high half fits; this is the innermost loop")]
const fn high_half(value: u128) -> u64 {
    (value >> 64) as u64
}

fn limbs(number: &UBig) -> Vec<u64> {
    let limb = |bytes: &[u8]| bytes.iter().rev().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    number.to_le_bytes().chunks(8).map(limb).collect()
}

fn number(limbs: &[u64]) -> UBig {
    UBig::from_le_bytes(&limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::super::testing::large;
    use super::*;

    #[test]
    fn agrees_with_division_on_numbers_of_many_sizes() {
        for seed in 1..40_u64 {
            let modulus = (large(seed) >> usize::try_from(seed * 49).unwrap()) | UBig::ONE;
            let exponent = large(seed + 100) >> 1500;
            let ring = dashu_int::fast_div::ConstDivisor::new(modulus.clone());
            let expected = ring.reduce(UBig::from(2_u8)).pow(&exponent).residue();
            let minus_one = Squares::new(&modulus).unwrap().power_of_two_minus_one(&exponent);
            // What comes back carries R: take it out again.
            let r = UBig::ONE << (64 * limbs(&modulus).len().next_multiple_of(2));
            let wanted = ((expected + &modulus - UBig::ONE) * r) % &modulus;
            assert_eq!(minus_one, wanted, "{seed}");
        }
    }

    #[test]
    fn carries_run_to_the_end_of_moduli_of_ones_and_of_zeros() {
        for bits in [64_usize, 65, 127, 128, 129, 192, 1000, 1024] {
            let power = UBig::ONE << bits;
            for modulus in [&power - UBig::ONE, &power + UBig::ONE, &power - UBig::from(3_u8)] {
                let exponent = large(7) >> 1900;
                let ring = dashu_int::fast_div::ConstDivisor::new(modulus.clone());
                let expected = ring.reduce(UBig::from(2_u8)).pow(&exponent).residue();
                let r = UBig::ONE << (64 * limbs(&modulus).len().next_multiple_of(2));
                let wanted = ((expected + &modulus - UBig::ONE) * r) % &modulus;
                assert_eq!(
                    Squares::new(&modulus).unwrap().power_of_two_minus_one(&exponent),
                    wanted,
                    "{modulus}"
                );
            }
        }
    }

    #[test]
    fn takes_odd_moduli_only() {
        for number in [0_u8, 1, 2, 100] {
            assert!(Squares::new(&UBig::from(number)).is_none(), "{number}");
        }
        assert!(Squares::new(&UBig::from(3_u8)).is_some());
    }
}
