//! The mathematics of single keys, apart from the rest so that callers may spread it over threads.

use std::collections::BTreeMap;

use dashu_int::UBig;

use super::numbers::{
    ClosePrimes, Pattern, Tables, close_primes, has_small_private_exponent, is_probably_prime, pattern,
    perfect_power, small_factor, smooth_factor,
};
use super::settings::Depth;
use super::shared_primes::SharedPrimes;
use crate::keys::{KeyDirectory, PublicKey, RsaPublicKey};

/// Numbers beyond this are not computed with: OpenSSL refuses them too. Units: bits.
pub(super) const LARGEST: usize = 16_384;
/// Rounds of Fermat's method.
const ROUNDS: u32 = 100;
/// The same with [`Depth::Deep`].
const DEEP_ROUNDS: u32 = 100_000;

/// What the numbers of a key give away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weakness(pub(super) Kind);

/// Which weakness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Zero or one.
    Nothing,
    /// A factor below 2^16.
    SmallFactor(u32),
    /// A prime.
    Prime,
    /// A power.
    Power(u32),
    /// Primes close together.
    Close(ClosePrimes),
    /// CVE-2017-15361.
    Roca,
    /// p - 1 is smooth.
    Smooth,
    /// The private exponent is small.
    SmallPrivateExponent,
    /// Bits that do not look random.
    Pattern(Pattern),
}

/// What was found of each key, and of all together.
#[derive(Clone, Debug)]
pub struct Examined {
    keys: BTreeMap<RsaPublicKey, Vec<Weakness>>,
    pub(super) shared: SharedPrimes,
}

impl Examined {
    /// Begins with what the keys have in common.
    pub const fn new(shared: SharedPrimes) -> Self {
        Self { keys: BTreeMap::new(), shared }
    }

    /// Takes over what another part found.
    pub fn add(&mut self, key: RsaPublicKey, found: Vec<Weakness>) {
        self.keys.insert(key, found);
    }

    pub(super) fn of(&self, key: &RsaPublicKey) -> &[Weakness] {
        self.keys.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The RSA keys of some directories, each once: what [`examine`] is to be asked about.
pub fn moduli_to_examine(directories: &[KeyDirectory]) -> Vec<&RsaPublicKey> {
    let files = directories.iter().flat_map(KeyDirectory::files);
    let keys = files.filter_map(|file| file.content().ok().or_else(|| file.form().mbedtls_key()));
    let mut keys: Vec<&RsaPublicKey> = keys.filter_map(PublicKey::as_rsa).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Examines one key. Pure; some milliseconds, or with [`Depth::Deep`] some seconds.
pub fn examine(key: &RsaPublicKey, tables: &Tables, depth: Depth) -> Vec<Weakness> {
    if key.bits() > LARGEST {
        return Vec::new();
    }
    let modulus = UBig::from_be_bytes(key.modulus());
    let mut found: Vec<Kind> = pattern(key.modulus()).map(Kind::Pattern).into_iter().collect();
    if modulus <= UBig::ONE {
        found.push(Kind::Nothing);
    } else if let Some(factor) = small_factor(&modulus, tables) {
        // Whatever else holds of it: it is no product of two large primes.
        found.push(Kind::SmallFactor(factor));
    } else if let Some(exponent) = perfect_power(&modulus) {
        found.push(Kind::Power(exponent));
    } else if is_probably_prime(&modulus) {
        found.push(Kind::Prime);
    } else {
        found.extend(of_product(&modulus, key, tables, depth));
    }
    found.into_iter().map(Weakness).collect()
}

/// A modulus that is odd, composite and without small factors.
fn of_product(modulus: &UBig, key: &RsaPublicKey, tables: &Tables, depth: Depth) -> Vec<Kind> {
    let mut found = Vec::new();
    let rounds = if depth == Depth::Deep { DEEP_ROUNDS } else { ROUNDS };
    found.extend(close_primes(modulus, rounds).map(Kind::Close));
    if tables.roca.fits(modulus) {
        found.push(Kind::Roca);
    }
    let large = key.small_exponent().is_none_or(|exponent| exponent > u64::from(u32::MAX));
    let exponent = UBig::from_be_bytes(key.exponent());
    if large && exponent < *modulus && has_small_private_exponent(modulus, &exponent) {
        found.push(Kind::SmallPrivateExponent);
    }
    if depth == Depth::Deep && smooth_factor(modulus) {
        found.push(Kind::Smooth);
    }
    found
}
