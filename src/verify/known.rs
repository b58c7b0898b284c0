//! Facts about keys, read when a cause is searched and not before.

use std::sync::OnceLock;

use crate::keys::{KnownKey, KnownKeys};

/// Facts about keys that many people meet; they name causes, and are not trusted.
///
/// The built-in list is read when it is first needed: a run in which everything holds never needs it.
#[derive(Debug)]
pub struct Known(OnceLock<KnownKeys>);

impl Known {
    /// The built-in list.
    pub const fn builtin() -> Self {
        Self(OnceLock::new())
    }

    /// All keys.
    pub fn keys(&self) -> &[KnownKey] {
        self.0.get_or_init(KnownKeys::builtin).keys()
    }
}

impl From<KnownKeys> for Known {
    fn from(keys: KnownKeys) -> Self {
        Self(OnceLock::from(keys))
    }
}
