//! One finding of an audit.

use std::fmt;

use serde_json::{Map, Value};

use super::entry::Entry;
use super::id::Id;
use crate::keys::Fingerprint;

/// How much a finding matters. Greater is graver.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing; found in honest stores.
    Info,
    /// Works for some, or until something changes.
    Warn,
    /// Broken or dangerous.
    Error,
}

impl Severity {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding: what, how grave, about which file and key, and what to do.
///
/// All text is escaped already. Ids and the names in `detail` are stable, messages and remedies are not.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is about.
    pub id: Id,
    /// How much it matters.
    pub severity: Severity,
    /// The file or directory, or what was signed; `None` if it is about none.
    pub file: Option<String>,
    /// The key, if there is one.
    pub fingerprint: Option<Fingerprint>,
    /// One sentence.
    pub message: String,
    /// The facts behind the sentence.
    pub detail: Map<String, Value>,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    pub(super) fn new(
        id: Id,
        severity: Severity,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (message, remedy) = (message.into(), remedy.into());
        Self { id, severity, file: None, fingerprint: None, message, detail: Map::new(), remedy }
    }

    /// Says which file and key it is about.
    pub(super) fn about(mut self, entry: &Entry<'_>) -> Self {
        self.file = Some(entry.shown());
        self.fingerprint = entry.fingerprint();
        self
    }

    /// Says what it is about where that is no key file.
    pub(super) fn at(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Adds a fact.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}
