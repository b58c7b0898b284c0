//! Private keys sign what is made here: indexes, so far.
//!
//! The only room that sees a private key. It never prints one, never keeps its text, and lets `aws-lc-rs` do the
//! arithmetic; where a key lies in hardware, or SHA-1 is wanted, a command makes the signature ([`SignCommand`]).

mod command;
mod digest;
mod error;
mod index;
mod key;
mod private_pem;

pub use command::SignCommand;
pub use digest::{SignDigest, SignDigests};
pub use error::SignError;
pub use index::sign_index;
pub use key::SigningKey;
