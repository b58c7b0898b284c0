//! Key files become public keys, read as OpenSSL reads them.

mod content;
mod der;
mod directory;
mod fingerprint;
mod form;
mod key_file;
mod known;
mod mbedtls;
mod name_time;
mod open;
mod pem;
mod pins;
mod pins_error;
mod public_key;
mod rsa_public_key;
mod scope;
#[cfg(test)]
pub(crate) mod testing;

pub use content::Content;
pub use der::DerError;
pub use directory::{DirectoryError, KeyDirectory, KeyFile, MAX_KEY_FILES, NamedKey, Ownership};
pub use fingerprint::{Apk3KeyId, Fingerprint, FingerprintError};
pub use form::{Deviation, Form};
pub use key_file::{Damage, KeyFileError, MAX_KEY_FILE, Unreadable, read_key};
pub use known::{KnownKey, KnownKeys, KnownKeysError, KnownStatus, NameOnly};
pub use mbedtls::MBEDTLS_MAX_KEY_FILE;
pub use name_time::NameTime;
pub use open::LinkStep;
#[cfg(feature = "aws-lc")]
pub(crate) use open::read as read_key_file;
#[cfg(feature = "aws-lc")]
pub(crate) use pem::{PemError, blocks};
pub use pins::{Pin, PinnedUse, Pins};
pub use pins_error::{NotPinned, PinProblem, PinsError};
pub use public_key::{Curve, EcPublicKey, OtherAlgorithm, OtherPublicKey, PublicKey, PublicKeyError};
pub use rsa_public_key::RsaPublicKey;
pub use scope::{Scope, ScopeError};
