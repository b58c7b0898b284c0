//! Dependency atoms: `D:`, `p:` and `i:` of an index, and what people ask for.

use std::fmt;

use super::version_items::is_grammatical;
use super::{Identity, VersionOperator, escape, version_text};

/// One dependency atom, borrowed from the text that it was read from.
///
/// Shape: `["!"] name ["@" tag] [operator version]`, split at the first of `<>=~`. A name is any printable
/// text without space and `<>=~@` that does not begin with `!`; real names contain `!`
/// (`cmd:kdevelop!`). A version is a safe token; one outside the grammar is read, and
/// [`Dependency::is_grammatical`] says so. With `><` the value is an identity.
///
/// # Examples
/// ```
/// use apkvet::types::Dependency;
/// let atom = Dependency::parse("so:libssl.so.3>=3.0").unwrap();
/// assert_eq!(atom.name(), "so:libssl.so.3");
/// assert!(atom.accepts_version("3.0.8"));
/// assert!(Dependency::parse("foo<>=~").is_err());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Dependency<'a> {
    text: &'a str,
    conflict: bool,
    name: &'a str,
    tag: Option<&'a str>,
    constraint: Option<(VersionOperator, &'a str)>,
}

/// Why a text is not a dependency atom.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DependencyError {
    /// Nothing before the operator.
    #[error("expected a name, found `{found}`")]
    Name {
        /// The atom, escaped and shortened.
        found: String,
    },
    /// A byte that no name has.
    #[error("expected a name of printable characters that does not begin with `!`, found `{found}`")]
    NameCharacter {
        /// The atom, escaped and shortened.
        found: String,
    },
    /// An operator with nothing after it.
    #[error("expected a version after the operator, found `{found}`")]
    NoVersion {
        /// The atom, escaped and shortened.
        found: String,
    },
    /// A version that is no safe token.
    #[error("expected a version of letters, digits and `._+~-` after the operator, found `{found}`")]
    Version {
        /// The atom, escaped and shortened.
        found: String,
    },
    /// An identity that is none.
    #[error("expected an identity (`Q1…=`) after `><`, found `{found}`")]
    Identity {
        /// The atom, escaped and shortened.
        found: String,
    },
    /// A repository tag where only packages speak.
    #[error("expected no repository tag, found `{found}`")]
    Tag {
        /// The atom, escaped and shortened.
        found: String,
    },
    /// A repository tag that is empty, or stands in the wrong place.
    #[error("expected a tag directly after the name, found `{found}`")]
    TagForm {
        /// The atom, escaped and shortened.
        found: String,
    },
}

impl<'a> Dependency<'a> {
    /// Parses an atom of a package or an index, where repository tags are not allowed.
    ///
    /// # Errors
    /// - [`DependencyError::Tag`] for `name@tag`.
    /// - as [`Dependency::parse_requested`] for the rest.
    pub fn parse(text: &'a str) -> Result<Self, DependencyError> {
        let atom = Self::parse_requested(text)?;
        if atom.tag.is_some() {
            Err(DependencyError::Tag { found: escape(text).to_string() })
        } else {
            Ok(atom)
        }
    }

    /// Parses an atom that a person wrote, where `name@tag` is allowed.
    ///
    /// # Errors
    /// - [`DependencyError::Name`] without a name.
    /// - [`DependencyError::NameCharacter`] for a name with a space or a control character, or after `!!`.
    /// - [`DependencyError::TagForm`] for an empty tag.
    /// - [`DependencyError::NoVersion`] for an operator without version.
    /// - [`DependencyError::Version`] for a version that is no safe token.
    /// - [`DependencyError::Identity`] for `><` without an identity.
    pub fn parse_requested(text: &'a str) -> Result<Self, DependencyError> {
        let found = || escape(text).to_string();
        let (conflict, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (subject, value) = split(rest);
        let (name, tag) = match subject.split_once('@') {
            None => (subject, None),
            Some((_, "")) => return Err(DependencyError::TagForm { found: found() }),
            Some((name, tag)) => (name, Some(tag)),
        };
        if name.is_empty() {
            return Err(DependencyError::Name { found: found() });
        }
        let unprintable = |byte: u8| byte <= b' ' || byte == 0x7f;
        if name.starts_with('!') || subject.bytes().any(unprintable) {
            return Err(DependencyError::NameCharacter { found: found() });
        }
        let constraint = if value.is_empty() { None } else { Some(constraint(text, value)?) };
        Ok(Self { text, conflict, name, tag, constraint })
    }

    /// The atom as it was read.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// Whether the atom begins with `!`.
    pub fn is_conflict(&self) -> bool {
        self.conflict
    }

    /// The name that is asked for, provided, or excluded.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The repository tag of a requested atom.
    pub fn tag(&self) -> Option<&'a str> {
        self.tag
    }

    /// The operator, if there is one.
    pub fn operator(&self) -> Option<VersionOperator> {
        self.constraint.map(|(operator, _)| operator)
    }

    /// The version (or identity) after the operator, if there is one.
    pub fn version(&self) -> Option<&'a str> {
        self.constraint.map(|(_, version)| version)
    }

    /// Whether `apk` can read the version; an atom with another version makes a package uninstallable.
    pub fn is_grammatical(&self) -> bool {
        match self.constraint {
            Some((operator, version)) if !operator.is_identity() && !operator.accepts_all() => {
                is_grammatical(version.as_bytes())
            }
            _ => true,
        }
    }

    /// Whether all characters of the name are ones that the format's documentation names.
    pub fn is_plain_name(&self) -> bool {
        self.name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'_' | b'+' | b'-' | b',' | b':' | b'/' | b'[' | b']')
        })
    }

    /// Whether a provider of the name with this version satisfies the atom, its `!` left aside.
    ///
    /// An unversioned provider has the empty version. An identity accepts no version here.
    pub fn accepts_version(&self, candidate: &str) -> bool {
        self.constraint.is_none_or(|(operator, version)| operator.accepts(candidate, version))
    }

    /// Whether a package with this identity satisfies an atom with `><`.
    pub fn accepts_identity(&self, identity: &Identity) -> bool {
        match self.constraint {
            Some((operator, value)) if operator.is_identity() => {
                Identity::parse(value.as_bytes()).is_ok_and(|wanted| wanted == *identity)
            }
            _ => false,
        }
    }
}

/// Splits at the first character of an operator.
fn split(text: &str) -> (&str, &str) {
    let at = text.bytes().position(is_operator).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn is_operator(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'=' | b'~')
}

fn constraint<'a>(text: &str, value: &'a str) -> Result<(VersionOperator, &'a str), DependencyError> {
    let found = || escape(text).to_string();
    let length = value.bytes().position(|byte| !is_operator(byte)).unwrap_or(value.len());
    let (operator, version) = value.split_at_checked(length).unwrap_or((value, ""));
    if version.is_empty() {
        return Err(DependencyError::NoVersion { found: found() });
    }
    let operator =
        VersionOperator::parse(operator).map_err(|_| DependencyError::NoVersion { found: found() })?;
    if operator.is_identity() {
        if Identity::parse(version.as_bytes()).is_err() {
            return Err(DependencyError::Identity { found: found() });
        }
    } else if version.contains('@') {
        return Err(DependencyError::TagForm { found: found() });
    } else if version_text::check(version.as_bytes()).is_err() {
        return Err(DependencyError::Version { found: found() });
    }
    Ok((operator, version))
}

impl fmt::Display for Dependency<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_names_conflicts_and_constraints() {
        let atom = Dependency::parse("!busybox<1.29.0-r0").unwrap();
        assert!(atom.is_conflict());
        assert_eq!((atom.name(), atom.version()), ("busybox", Some("1.29.0-r0")));
        assert_eq!(atom.operator().map(VersionOperator::as_str), Some("<"));
        assert_eq!(Dependency::parse("/bin/sh").unwrap().operator(), None);
    }

    #[test]
    fn exclamation_mark_inside_a_name_belongs_to_it() {
        let atom = Dependency::parse("cmd:kdevelop!=23.04.3-r0").unwrap();
        assert_eq!((atom.name(), atom.is_conflict()), ("cmd:kdevelop!", false));
        assert!(!atom.is_plain_name());
    }

    #[test]
    fn keeps_versions_outside_the_grammar_and_says_so() {
        assert!(!Dependency::parse("pc:jemalloc=5.3.0_").unwrap().is_grammatical());
        assert!(!Dependency::parse("cmd:nodm=f7832d6-r0").unwrap().is_grammatical());
        assert!(Dependency::parse("a=1.0").unwrap().is_grammatical());
    }

    #[test]
    fn refuses_broken_atoms_with_their_reason() {
        let found = |text: &str| escape(text).to_string();
        for text in ["foo<>=~", "foo=", "!foo>"] {
            assert_eq!(Dependency::parse(text), Err(DependencyError::NoVersion { found: found(text) }));
        }
        for text in ["foo=1.0/../x", "foo=-r1", "foo=1:2", "foo=1\t"] {
            assert_eq!(Dependency::parse(text), Err(DependencyError::Version { found: found(text) }));
        }
        for text in ["", "!", "=1.0", "!=1.0"] {
            assert_eq!(Dependency::parse(text), Err(DependencyError::Name { found: found(text) }), "{text}");
        }
        for text in ["!!foo", "a\tb", "a b", "a\x7f"] {
            assert_eq!(Dependency::parse(text), Err(DependencyError::NameCharacter { found: found(text) }));
        }
        assert_eq!(Dependency::parse("foo@edge"), Err(DependencyError::Tag { found: "foo@edge".into() }));
        assert_eq!(Dependency::parse("a=2@x"), Err(DependencyError::TagForm { found: "a=2@x".into() }));
        assert_eq!(Dependency::parse("a><1.0"), Err(DependencyError::Identity { found: "a><1.0".into() }));
    }

    #[test]
    fn people_may_ask_with_a_tag() {
        let atom = Dependency::parse_requested("a@edge>=2").unwrap();
        assert_eq!((atom.name(), atom.tag(), atom.version()), ("a", Some("edge"), Some("2")));
        assert_eq!(Dependency::parse_requested("a@"), Err(DependencyError::TagForm { found: "a@".into() }));
    }

    #[test]
    fn identity_operator_compares_identities_only() {
        let identity = Identity::parse(b"Q1R2BIvfiF748uM/EcZjiP75/C3WM=").unwrap();
        let text = format!("foo><{identity}");
        let atom = Dependency::parse(&text).unwrap();
        assert!(atom.accepts_identity(&identity));
        assert!(!atom.accepts_version("1.0"));
    }

    #[test]
    fn any_revision_needs_the_fuzzy_operator() {
        let accepts = |text, version| Dependency::parse(text).unwrap().accepts_version(version);
        assert!(!accepts("nginx=1.22.1", "1.22.1-r0") && !accepts("nginx<=1.22.1", "1.22.1-r0"));
        assert!(accepts("nginx~1.22.1", "1.22.1-r0") && accepts("nginx>1.22.1", "1.22.1-r0"));
    }

    proptest! {
        #[test]
        fn prints_exactly_what_it_read(text in "!?[a-z0-9:.]{1,6}([<>=~]{1,3}[0-9.]{0,4})?") {
            if let Ok(atom) = Dependency::parse(&text) {
                prop_assert_eq!(atom.to_string(), text);
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = Dependency::parse_requested(&text);
        }
    }
}
