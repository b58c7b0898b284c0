//! Numbers for tests, weak on purpose; the same ones in every run.

use dashu_int::UBig;
use dashu_int::ops::ExtendedGcd;
use sha2::Digest as _;

use super::prime::is_probably_prime;
use super::tables::Tables;

/// Bytes that look random, from a seed.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let block =
        |n: u64| <[u8; 32]>::from(sha2::Sha256::digest([seed.to_be_bytes(), n.to_be_bytes()].concat()));
    (0..).flat_map(block).take(length).collect()
}

/// A number of 2048 bits that looks random.
pub(in crate::audit) fn large(seed: u64) -> UBig {
    UBig::from_be_bytes(&bytes(256, seed)) | (UBig::ONE << 2047)
}

/// A prime of so many bits, its two highest set.
pub(in crate::audit) fn prime(bits: usize, seed: u64) -> UBig {
    let start = UBig::from_be_bytes(&bytes(bits.div_ceil(8), seed ^ 0x5eed)) % (UBig::ONE << (bits - 2));
    next_prime(&(start | (UBig::from(3_u8) << (bits - 2))))
}

/// The least prime above a number.
pub(in crate::audit) fn next_prime(number: &UBig) -> UBig {
    let tables = small();
    let mut candidate = (number + UBig::ONE) | UBig::ONE;
    while tables.iter().any(|p| &candidate % *p == 0 && candidate != UBig::from(*p))
        || !is_probably_prime(&candidate)
    {
        candidate += UBig::from(2_u8);
    }
    candidate
}

/// A prime k M + (65537^a mod M), M the product of the primes that the check looks at.
pub(in crate::audit) fn roca_prime(bits: usize, seed: u64) -> UBig {
    let primes = (3..=167_u64).filter(|n| (2..*n).all(|d| !n.is_multiple_of(d)));
    let product = primes.fold(UBig::ONE, |product, prime| product * prime);
    let mut power = UBig::from(65_537_u32).pow(usize::try_from(seed + 5).unwrap()) % &product;
    let mut factor = prime(bits, seed) / &product;
    loop {
        let candidate = &factor * &product + &power;
        if is_probably_prime(&candidate) {
            return candidate;
        }
        factor += UBig::ONE;
        power = power * 65_537_u32 % &product;
    }
}

/// A prime whose predecessor has small factors only, the largest of them given.
pub(in crate::audit) fn smooth_prime(bits: usize, largest: u32) -> UBig {
    use dashu_int::ops::BitTest;
    let mut product = UBig::from(2 * largest);
    for prime in Tables::default().primes.iter().skip(1000) {
        if product.bit_len() + 16 > bits {
            break;
        }
        product *= *prime;
    }
    let mut factor = 1_u32;
    while !is_probably_prime(&(&product * factor + UBig::ONE)) {
        factor += 1;
    }
    product * factor + UBig::ONE
}

/// The inverse of a number, if it has one.
pub(in crate::audit) fn inverse(number: &UBig, modulus: &UBig) -> Option<UBig> {
    let (gcd, x, _) = number.gcd_ext(modulus);
    let modulus = dashu_int::IBig::from(modulus.clone());
    let positive = ((x % &modulus) + &modulus) % &modulus;
    gcd.is_one().then(|| positive.try_into().ok()).flatten()
}

fn small() -> Vec<u32> {
    super::tables::sieve(2000)
}
