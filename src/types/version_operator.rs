//! Operators between a name and a version.

use std::cmp::Ordering;
use std::fmt;

use super::escape;
use super::version_items::{begins_with, compare_versions};

/// A set of accepted outcomes of comparing a candidate's version with an atom's.
///
/// Shape: a run of `<`, `>`, `=` and `~`, in any order and repetition: `=<` means `<=`, `~=` means `~`.
/// `~` accepts every version that begins with the items of the atom's. `<` and `>` together, without `=`
/// and `~`, compare identities and not versions; with one of those they accept every version.
///
/// # Examples
/// ```
/// use apkvet::types::VersionOperator;
/// let fuzzy = VersionOperator::parse("~").unwrap();
/// assert!(fuzzy.accepts("1.6.5-r2", "1.6"));
/// assert!(!fuzzy.accepts("1.60", "1.6"));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct VersionOperator {
    less: bool,
    equal: bool,
    greater: bool,
    fuzzy: bool,
}

/// Why a text is not an operator.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an operator of `<`, `>`, `=` and `~`, found `{found}`")]
pub struct VersionOperatorError {
    /// The text, escaped and shortened.
    found: String,
}

impl VersionOperator {
    /// Parses a whole text.
    ///
    /// # Errors
    /// - [`VersionOperatorError`] for an empty text, or one with any other character.
    pub fn parse(text: &str) -> Result<Self, VersionOperatorError> {
        let mut operator = Self { less: false, equal: false, greater: false, fuzzy: false };
        for byte in text.bytes() {
            match byte {
                b'<' => operator.less = true,
                b'>' => operator.greater = true,
                b'=' => operator.equal = true,
                b'~' => (operator.equal, operator.fuzzy) = (true, true),
                _ => return Err(VersionOperatorError { found: escape(text).to_string() }),
            }
        }
        if text.is_empty() { Err(VersionOperatorError { found: String::new() }) } else { Ok(operator) }
    }

    /// Whether a candidate of this version satisfies the operator with the atom's version.
    ///
    /// An identity is not a version: [`VersionOperator::is_identity`] accepts none here.
    pub fn accepts(self, candidate: &str, wanted: &str) -> bool {
        if self.is_identity() {
            return false;
        }
        if self.accepts_all() || (self.fuzzy && begins_with(candidate, wanted)) {
            return true;
        }
        match compare_versions(candidate, wanted) {
            Ordering::Less => self.less,
            Ordering::Equal => self.equal,
            Ordering::Greater => self.greater,
        }
    }

    /// Whether the value is an identity (`C:`) and not a version: `><` or `<>`.
    pub fn is_identity(self) -> bool {
        self.less && self.greater && !self.equal
    }

    /// Whether every version is accepted, whatever the atom's is.
    pub fn accepts_all(self) -> bool {
        self.less && self.greater && self.equal
    }

    /// The usual spelling.
    pub fn as_str(self) -> &'static str {
        match (self.less, self.equal, self.greater, self.fuzzy) {
            (true, false, false, _) => "<",
            (true, true, false, false) => "<=",
            (true, true, false, true) => "<~",
            (false, true, false, false) => "=",
            (false, true, false, true) => "~",
            (false, true, true, false) => ">=",
            (false, true, true, true) => ">~",
            (true, false, true, _) => "><",
            (true, true, true, _) => "<=>",
            (false, false, _, _) => ">",
        }
    }
}

impl fmt::Display for VersionOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling() {
        for (text, usual) in [
            ("=<", "<="),
            ("=>", ">="),
            ("==", "="),
            ("=~", "~"),
            ("~=", "~"),
            ("~~", "~"),
            ("<>", "><"),
            ("~>", ">~"),
            ("<>=", "<=>"),
            ("<>~", "<=>"),
            ("<", "<"),
            (">", ">"),
            ("<~", "<~"),
        ] {
            assert_eq!(VersionOperator::parse(text).map(VersionOperator::as_str), Ok(usual), "{text}");
        }
    }

    #[test]
    fn refuses_other_characters_and_nothing() {
        for text in ["", "!", "<1", "≤"] {
            let found = text.to_owned();
            assert_eq!(VersionOperator::parse(text), Err(VersionOperatorError { found }));
        }
    }

    #[test]
    fn identity_compares_no_versions_and_the_full_set_accepts_any() {
        assert!(!VersionOperator::parse("><").unwrap().accepts("1.0", "1.0"));
        assert!(VersionOperator::parse("<=>").unwrap().accepts("1.0", "nonsense"));
    }

    #[test]
    fn missing_version_of_a_provider_sorts_below_every_version() {
        let accepts = |operator: &str| VersionOperator::parse(operator).unwrap().accepts("", "2");
        assert!(accepts("<") && accepts("<=") && accepts("<~"));
        assert!(!accepts(">=") && !accepts("=") && !accepts("~") && !accepts(">"));
    }
}
