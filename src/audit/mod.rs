//! What is wrong with a directory of keys: findings, each with an id, a severity and a remedy.
//!
//! Everything here is pure. `keys::directory` gathers what the file system says, [`SignedObject`] what was signed;
//! [`examine`] does the mathematics of one key and [`SharedPrimes`] that of all together (callers may spread both over threads), and [`audit`] puts all
//! of it together.

mod adb;
mod blocklist;
mod branch;
mod checks;
mod entry;
mod examine;
mod finding;
mod id;
mod ignore;
mod numbers;
mod report;
mod settings;
mod shared_primes;
mod signed;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod uses;

pub use adb::{AdbError, AdbSignature, read_adb};
pub use blocklist::{Blocklist, BlocklistError};
pub use branch::Branch;
pub use examine::{Examined, Weakness, examine, moduli_to_examine};
pub use finding::{Finding, Severity};
pub use id::Id;
pub use ignore::{Ignore, IgnoreError};
pub use numbers::Tables;
pub use report::{Ignored, Report, audit};
pub use settings::{Depth, Owners, Search, Settings, Strictness};
pub use shared_primes::SharedPrimes;
pub use signed::{SignedObject, Signer};
pub use uses::Use;
