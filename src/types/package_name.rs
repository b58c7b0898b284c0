//! Names of packages.

use std::fmt;

use super::escape;

/// Name of a package: `pkgname` of a package, `P:` of an index.
///
/// Shape: `[a-zA-Z0-9][a-zA-Z0-9._+-]*`. It becomes part of file names and addresses, where `apk` itself
/// puts any bytes.
///
/// # Examples
/// ```
/// use apkvet::types::PackageName;
/// assert_eq!(PackageName::parse(b"gtk+3.0").unwrap().as_str(), "gtk+3.0");
/// assert!(PackageName::parse(b"../../x/foo").is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PackageName(Box<str>);

/// Why a text is not the name of a package.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageNameError {
    /// No byte at all.
    #[error("expected the name of a package, found nothing")]
    Empty,
    /// A byte that no name has, or a first byte that is no letter or digit.
    #[error(
        "expected a name of letters, digits and `._+-` that begins with a letter or digit, found `{found}`"
    )]
    Character {
        /// The text, escaped and shortened.
        found: String,
    },
}

impl PackageName {
    /// Parses a whole text.
    ///
    /// # Errors
    /// - [`PackageNameError::Empty`] for an empty text.
    /// - [`PackageNameError::Character`] for any other text that is no name.
    pub fn parse(raw: &[u8]) -> Result<Self, PackageNameError> {
        check(raw)?;
        Ok(Self(String::from_utf8_lossy(raw).into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks a name without keeping it.
pub(crate) fn check(raw: &[u8]) -> Result<(), PackageNameError> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-');
    match raw.first() {
        None => Err(PackageNameError::Empty),
        Some(first) if first.is_ascii_alphanumeric() && raw.iter().all(allowed) => Ok(()),
        Some(_) => Err(PackageNameError::Character { found: escape(raw).to_string() }),
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_of_real_packages() {
        for name in ["a", "gtk+3.0", "libstdc++", "py3-Foo_bar", "7zip"] {
            assert_eq!(PackageName::parse(name.as_bytes()).map(|name| name.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn refuses_paths_spaces_and_leading_marks() {
        assert_eq!(PackageName::parse(b""), Err(PackageNameError::Empty));
        for name in [".", "..", ".hidden", "-rf", "a/b", "a b", "a\0", "so:libc.so", "a\u{e9}"] {
            let found = escape(name).to_string();
            assert_eq!(PackageName::parse(name.as_bytes()), Err(PackageNameError::Character { found }));
        }
    }
}
