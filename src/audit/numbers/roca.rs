//! Keys of the generator that CVE-2017-15361 is about.

use dashu_int::UBig;

/// The primes modulo which such a modulus is a power of 65537.
const PRIMES: std::ops::RangeInclusive<u64> = 3..=167;

/// For each prime, which residues are powers of 65537. Derived, not copied.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Roca(Vec<(u64, Vec<bool>)>);

impl Default for Roca {
    fn default() -> Self {
        let prime = |number: &u64| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
        Self(PRIMES.filter(prime).map(|prime| (prime, powers(prime))).collect())
    }
}

impl Roca {
    /// Whether every residue is one that the generator makes. By chance: one number in 2^27.8.
    pub(in crate::audit) fn fits(&self, number: &UBig) -> bool {
        let index = |residue: u64| usize::try_from(residue).unwrap_or(usize::MAX);
        self.0.iter().all(|(prime, powers)| powers.get(index(number % *prime)).is_some_and(|fits| *fits))
    }

    /// Number of the primes that tell anything.
    #[cfg(test)]
    fn telling(&self) -> usize {
        self.0.iter().filter(|(_, powers)| powers.iter().skip(1).any(|fits| !fits)).count()
    }
}

fn powers(prime: u64) -> Vec<bool> {
    let mut fits: Vec<bool> = (0..prime).map(|_| false).collect();
    let mut power = 1;
    while let Some(place @ false) = usize::try_from(power).ok().and_then(|power| fits.get_mut(power)) {
        *place = true;
        power = power * 65_537 % prime;
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::super::testing::{prime, roca_prime};
    use super::*;

    #[test]
    fn seventeen_of_thirty_eight_primes_have_a_proper_subgroup() {
        let roca = Roca::default();
        assert_eq!((roca.0.len(), roca.telling()), (38, 17));
    }

    #[test]
    fn finds_primes_of_the_form_and_not_a_number_that_differs_in_one_residue() {
        let roca = Roca::default();
        let number = roca_prime(512, 1) * roca_prime(512, 2);
        assert!(roca.fits(&number));
        assert!(!roca.fits(&(prime(512, 1) * prime(512, 2))));
        // The same modulo every prime but 11, where 65537 is -1 and so has two powers.
        let others: UBig = roca.0.iter().map(|(p, _)| *p).filter(|p| *p != 11).fold(UBig::ONE, |m, p| m * p);
        let differs = |steps: u32| &number + &others * steps;
        let missing = (1..11).filter(|steps| !roca.fits(&differs(*steps))).count();
        assert_eq!(missing, 9);
    }
}
