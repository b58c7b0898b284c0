//! One thing that people ask for.

use std::fmt;

use crate::types::{Dependency, DependencyError, escape_all};

/// One thing that people ask for: an atom, a pattern, or everything.
///
/// Shape: an atom as `bash`, `nginx~1.22`, `!mdocml` or `a@edge>=2`, whose version must be within the
/// grammar, as `apk` demands of people; or a pattern of package names with `*` (any text) and `?` (any
/// character), as `py3-*`; or `*`.
///
/// # Examples
/// ```
/// use apkvet::plan::Request;
/// assert!(Request::parse("py3-*").unwrap().is_pattern());
/// assert_eq!(Request::parse("nginx~1.22").unwrap().atom().unwrap().name(), "nginx");
/// assert!(Request::parse("nginx=latest").is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Request {
    text: String,
    pattern: bool,
    repository: Option<usize>,
}

/// Why a text is no request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No atom.
    #[error(transparent)]
    Atom(#[from] DependencyError),
    /// A version outside the grammar, which `apk` refuses from people.
    #[error("expected a version as `1.2.3_rc4-r5`, found `{found}`")]
    Version {
        /// The atom, escaped.
        found: String,
    },
    /// A pattern with a version, a tag or a `!`, or with a byte that no package name has.
    #[error(
        "expected a pattern of `*`, `?` and the characters of package names, without version and tag, found `{found}`"
    )]
    Pattern {
        /// The text, escaped.
        found: String,
    },
}

impl Request {
    /// Parses one word.
    ///
    /// # Errors
    /// - [`RequestError::Atom`] for a word that is no atom.
    /// - [`RequestError::Version`] for a version outside the grammar.
    /// - [`RequestError::Pattern`] for a pattern with anything but a package name around `*` and `?`.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let found = || escape_all(text).to_string();
        let pattern = text.contains(['*', '?']);
        if pattern {
            let belongs = |c: char| c.is_ascii_alphanumeric() || "*?._+-".contains(c);
            if !text.chars().all(belongs) {
                return Err(RequestError::Pattern { found: found() });
            }
        } else if !Dependency::parse_requested(text)?.is_grammatical() {
            return Err(RequestError::Version { found: found() });
        }
        Ok(Self { text: text.to_owned(), pattern, repository: None })
    }

    /// The same request; as a pattern it then matches only names that this repository has.
    ///
    /// An atom is answered by all repositories: that is how clients ask.
    #[must_use]
    pub fn within(self, repository: usize) -> Self {
        Self { repository: self.pattern.then_some(repository), ..self }
    }

    pub(super) const fn repository(&self) -> Option<usize> {
        self.repository
    }

    /// The request as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is a pattern: it asks for every package whose name matches, each for itself.
    pub fn is_pattern(&self) -> bool {
        self.pattern
    }

    /// The atom, if it is one.
    pub fn atom(&self) -> Option<Dependency<'_>> {
        if self.pattern { None } else { Dependency::parse_requested(&self.text).ok() }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", escape_all(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_atoms_with_tags_and_patterns() {
        for text in ["bash", "nginx~1.22", "!mdocml", "a@edge>=2", "so:libssl.so.3", "/bin/sh"] {
            let request = Request::parse(text).unwrap();
            assert_eq!((request.as_str(), request.is_pattern()), (text, false));
        }
        for text in ["*", "py3-*", "lib??"] {
            let request = Request::parse(text).unwrap();
            assert_eq!((request.is_pattern(), request.atom()), (true, None), "{text}");
        }
    }

    #[test]
    fn refuses_what_apk_refuses_from_people() {
        let found = "nginx=latest".to_owned();
        assert_eq!(Request::parse(&found), Err(RequestError::Version { found: found.clone() }));
        let error = DependencyError::TagForm { found: "a=2@x".into() };
        assert_eq!(Request::parse("a=2@x"), Err(RequestError::Atom(error)));
        assert!(matches!(Request::parse(""), Err(RequestError::Atom(DependencyError::Name { .. }))));
    }

    #[test]
    fn patterns_are_made_of_package_names_alone() {
        for text in ["py3-*=1", "!lib*", "so:*", "a*@edge", "a* b"] {
            let found = text.to_owned();
            assert_eq!(Request::parse(text), Err(RequestError::Pattern { found }));
        }
    }
}
