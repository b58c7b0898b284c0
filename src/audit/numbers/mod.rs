//! The mathematics: what the numbers of an RSA key give away. Pure functions, each written small.

mod curve;
mod fermat;
mod pattern;
mod power;
mod prime;
mod roca;
mod shared;
mod small;
mod smooth;
mod square;
mod tables;
#[cfg(test)]
pub(super) mod testing;
mod wiener;

pub(super) use curve::is_on_curve;
pub(super) use fermat::{ClosePrimes, close_primes};
pub(super) use pattern::{Pattern, pattern};
pub(super) use power::perfect_power;
pub(super) use prime::is_probably_prime;
pub(super) use shared::shared_factors;
pub(super) use small::small_factor;
pub(super) use smooth::{BOUND as SMOOTH_BOUND, smooth_factor};
pub use tables::Tables;
pub(super) use wiener::has_small_private_exponent;
