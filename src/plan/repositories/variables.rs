//! `set KEY=VALUE` and `${KEY}`.

use std::collections::BTreeMap;

use crate::types::{Architecture, escape};

/// The longest text that comes out of an expansion, with its end. Units: bytes.
const LONGEST: usize = 4096;

/// What is wrong with a variable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VariableFault {
    /// `set` with an option that does not exist.
    #[error("expected `-default` or a key, found the option `{found}`")]
    Option {
        /// The option, escaped.
        found: String,
    },
    /// `set` without `=`, or with a bad key.
    #[error(
        "expected `set KEY=VALUE` with a key of letters, digits and `_` that does not begin with `APK_`, found `{found}`"
    )]
    Definition {
        /// The text, escaped.
        found: String,
    },
    /// A variable that is not set.
    #[error("no variable is called `{found}`")]
    Undefined {
        /// The name, escaped.
        found: String,
    },
    /// `${` without `}`, or with a length that is no number.
    #[error("expected `${{KEY}}` or `${{KEY:LENGTH}}`, found `{found}`")]
    Form {
        /// The text, escaped.
        found: String,
    },
    /// Longer than what `apk` takes.
    #[error("expected less than {LONGEST} bytes after `${{…}}` is replaced")]
    TooLong,
}

/// The variables of a file.
#[derive(Debug)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn new(architecture: &Architecture) -> Self {
        let values = BTreeMap::from([("APK_ARCH".to_owned(), architecture.as_str().to_owned())]);
        Self { values }
    }

    /// Follows what stands after `set`.
    pub(super) fn set(&mut self, text: &str) -> Result<(), VariableFault> {
        let mut text = text;
        let mut keep = false;
        while text.starts_with('-') {
            let (option, rest) = super::split(text);
            if option != "-default" {
                return Err(VariableFault::Option { found: escape(option).to_string() });
            }
            (keep, text) = (true, rest);
        }
        let definition = text.split_once('=').filter(|(key, _)| is_key(key));
        let Some((key, value)) = definition else {
            return Err(VariableFault::Definition { found: escape(text).to_string() });
        };
        let value = self.expand(value)?;
        if !(keep && self.values.contains_key(key)) {
            self.values.insert(key.to_owned(), value);
        }
        Ok(())
    }

    /// Replaces every `${KEY}`, and `${KEY:LENGTH}` by so many bytes of the value at most.
    pub(super) fn expand(&self, text: &str) -> Result<String, VariableFault> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once("${") {
            let form = || VariableFault::Form { found: escape(text).to_string() };
            let (key, after) = inside.split_once('}').ok_or_else(form)?;
            let (key, length) = match key.split_once(':') {
                Some((key, length)) => (key, length.parse().map_err(|_| form())?),
                None => (key, usize::MAX),
            };
            let value = self.values.get(key);
            let value = value.ok_or_else(|| VariableFault::Undefined { found: escape(key).to_string() })?;
            expanded.push_str(before);
            expanded.push_str(value.get(..length).unwrap_or(value));
            short(&expanded)?;
            rest = after;
        }
        expanded.push_str(rest);
        short(&expanded)?;
        Ok(expanded)
    }
}

fn short(text: &str) -> Result<(), VariableFault> {
    if text.len() < LONGEST { Ok(()) } else { Err(VariableFault::TooLong) }
}

fn is_key(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !key.starts_with("APK_")
}
