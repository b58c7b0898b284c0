//! What is computed once for all keys: small primes, their product, the subgroups of ROCA.

use dashu_int::UBig;

use super::roca::Roca;

/// Primes below this are tried as factors.
pub(super) const SMALL: usize = 1 << 16;

/// Numbers that every examination needs; made once, shared by all threads.
#[derive(Debug)]
pub struct Tables {
    pub(super) primes: Vec<u32>,
    /// The product of all of them.
    pub(super) primorial: UBig,
    pub(in crate::audit) roca: Roca,
}

impl Default for Tables {
    fn default() -> Self {
        let primes = sieve(SMALL);
        let primorial = product(&primes);
        Self { primes, primorial, roca: Roca::default() }
    }
}

/// All primes below a bound.
pub(super) fn sieve(bound: usize) -> Vec<u32> {
    let mut composite = vec![false; bound];
    let mut primes = Vec::new();
    for number in 2..bound {
        if composite.get(number).is_some_and(|composite| *composite) {
            continue;
        }
        primes.extend(u32::try_from(number));
        for multiple in (number * number..bound).step_by(number) {
            if let Some(place) = composite.get_mut(multiple) {
                *place = true;
            }
        }
    }
    primes
}

/// The product of all, by halves, so that the factors grow evenly.
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
    use super::*;

    #[test]
    fn the_sieve_finds_exactly_the_primes() {
        assert_eq!(sieve(30), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert_eq!((sieve(SMALL).len(), sieve(2).len()), (6542, 0));
        assert_eq!(product(&sieve(14)), UBig::from(30_030_u32));
    }
}
