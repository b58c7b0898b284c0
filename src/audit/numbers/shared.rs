//! Moduli that have a prime in common: a batch gcd over all of them.

use dashu_int::UBig;
use dashu_int::ops::Gcd;

/// Two moduli with a common factor, by their places in the list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::audit) struct Shared {
    pub(in crate::audit) one: usize,
    pub(in crate::audit) other: usize,
}

/// Pairs are looked at one by one only among moduli that share a factor with something; so many at most.
const PAIRS: usize = 2_000_000;

/// A product of moduli, and the sum of all products that leave one of them out.
struct Node {
    product: UBig,
    sum: UBig,
}

/// For each modulus that shares a factor with another: one such other.
///
/// Let P be the product of all, and S the sum of all P/n. Modulo n every term of S vanishes but P/n itself, so
/// gcd(n, S mod n) is what n shares with the rest. P and S grow in a tree, S is taken modulo the products on the
/// way down: half the size of the usual tree of P modulo squares. The moduli must differ and be above 1.
pub(in crate::audit) fn shared_factors(moduli: &[UBig]) -> Vec<Shared> {
    let suspects: Vec<(usize, &UBig)> = moduli
        .iter()
        .enumerate()
        .zip(rests(moduli))
        .filter(|((_, modulus), rest)| !rest.gcd(*modulus).is_one())
        .map(|(suspect, _)| suspect)
        .collect();
    let mut pairs = 0;
    suspects.iter().filter_map(|suspect| partner(*suspect, &suspects, &mut pairs)).collect()
}

/// S modulo each of the moduli.
fn rests(moduli: &[UBig]) -> Vec<UBig> {
    let leaf = |modulus: &UBig| Node { product: modulus.clone(), sum: UBig::ONE };
    let mut levels: Vec<Vec<Node>> = vec![moduli.iter().map(leaf).collect()];
    while let Some(level) = levels.last().filter(|level| level.len() > 1) {
        let parents = level.chunks(2).map(parent).collect();
        levels.push(parents);
    }
    let mut rests: Vec<UBig> = levels.pop().unwrap_or_default().into_iter().map(|node| node.sum).collect();
    for level in levels.into_iter().rev() {
        // Each parent has two children, the last one perhaps a single one.
        let parents = rests.iter().flat_map(|rest| [rest, rest]);
        rests = level.iter().zip(parents).map(|(node, rest)| rest % &node.product).collect();
    }
    rests
}

fn parent(children: &[Node]) -> Node {
    match children {
        [left, right] => Node {
            product: &left.product * &right.product,
            sum: &left.sum * &right.product + &right.sum * &left.product,
        },
        [single] => Node { product: single.product.clone(), sum: single.sum.clone() },
        _ => Node { product: UBig::ONE, sum: UBig::ZERO },
    }
}

fn partner(suspect: (usize, &UBig), suspects: &[(usize, &UBig)], pairs: &mut usize) -> Option<Shared> {
    let (one, modulus) = suspect;
    let others = suspects.iter().filter(|(other, _)| *other != one);
    let mut others = others.take(PAIRS.saturating_sub(*pairs)).inspect(|_| *pairs += 1);
    others
        .find(|(_, candidate)| !(*candidate).gcd(modulus).is_one())
        .map(|(other, _)| Shared { one, other: *other })
}

#[cfg(test)]
mod tests {
    use super::super::testing::prime;
    use super::*;

    fn pairs(moduli: &[UBig]) -> Vec<(usize, usize)> {
        shared_factors(moduli).into_iter().map(|shared| (shared.one, shared.other)).collect()
    }

    #[test]
    fn finds_both_keys_of_a_shared_prime_among_many() {
        let p: Vec<UBig> = (0..22).map(|seed| prime(256, seed)).collect();
        let mut moduli: Vec<UBig> = p.chunks(2).map(|pair| &pair[0] * &pair[1]).collect();
        assert_eq!(pairs(&moduli), []);
        moduli[3] = &p[6] * &p[20];
        assert_eq!(pairs(&moduli), [(3, 10), (10, 3)]);
    }

    #[test]
    fn one_modulus_or_none_shares_nothing() {
        assert_eq!(pairs(&[]), []);
        assert_eq!(pairs(&[UBig::from(15_u8)]), []);
        assert_eq!(pairs(&[UBig::from(15_u8), UBig::from(77_u8)]), []);
        assert_eq!(pairs(&[UBig::from(15_u8), UBig::from(77_u8), UBig::from(21_u8)]).len(), 3);
    }

    #[test]
    fn a_modulus_that_divides_another_is_found() {
        assert_eq!(pairs(&[UBig::from(15_u8), UBig::from(105_u8)]), [(0, 1), (1, 0)]);
    }
}
