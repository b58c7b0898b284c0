//! Names of architectures.

use std::fmt;

use super::escape;

/// Name of an architecture: `arch` of a package, `A:` of an index, and a folder of a repository.
///
/// Shape: 1 to 64 bytes of `[A-Za-z0-9][A-Za-z0-9._-]*`, one path component. Any such name is an
/// architecture: distributions have their own.
///
/// # Examples
/// ```
/// use apkvet::types::Architecture;
/// assert!(!Architecture::parse(b"x86_64").unwrap().is_noarch());
/// assert!(Architecture::parse(b"../x").is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Architecture(Box<str>);

/// Why a text is not the name of an architecture.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// No byte, or more than 64.
    #[error("expected an architecture of 1 to 64 bytes, found {found}")]
    Length {
        /// Number of bytes.
        found: usize,
    },
    /// A byte that no architecture has, or a first byte that is no letter or digit.
    #[error(
        "expected an architecture of letters, digits and `._-` that begins with a letter or digit, found `{found}`"
    )]
    Character {
        /// The text, escaped and shortened.
        found: String,
    },
}

impl Architecture {
    /// The longest name that is accepted. Units: bytes.
    pub const MAX: usize = 64;
    /// What packages say that run on every architecture.
    pub const NOARCH: &'static str = "noarch";

    /// Parses a whole text.
    ///
    /// # Errors
    /// - [`ArchitectureError::Length`] if empty or longer than [`Architecture::MAX`].
    /// - [`ArchitectureError::Character`] for a text that is not one safe path component.
    pub fn parse(raw: &[u8]) -> Result<Self, ArchitectureError> {
        check(raw)?;
        Ok(Self(String::from_utf8_lossy(raw).into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `apk` knows the architecture; others are as good, but a folder of such a name need not be one.
    pub fn is_known(&self) -> bool {
        KNOWN.contains(&&*self.0)
    }

    /// Whether packages of this architecture run on every other.
    pub fn is_noarch(&self) -> bool {
        &*self.0 == Self::NOARCH
    }
}

/// What `apk` 3 itself knows, and `noarch`.
const KNOWN: &[&str] = &[
    "noarch",
    "aarch64",
    "aarch64_be",
    "arc700",
    "archs",
    "armeb",
    "armel",
    "armhf",
    "armv7",
    "loongarch32",
    "loongarchx32",
    "loongarch64",
    "mips",
    "mipsel",
    "mips64",
    "mips64el",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv32",
    "riscv64",
    "s390x",
    "sh2eb",
    "sh3",
    "sh4",
    "wasi32",
    "x86",
    "x86_64",
];

/// Checks a name without keeping it.
pub(crate) fn check(raw: &[u8]) -> Result<(), ArchitectureError> {
    if raw.is_empty() || raw.len() > Architecture::MAX {
        return Err(ArchitectureError::Length { found: raw.len() });
    }
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if raw.first().is_some_and(u8::is_ascii_alphanumeric) && raw.iter().all(allowed) {
        Ok(())
    } else {
        Err(ArchitectureError::Character { found: escape(raw).to_string() })
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_known_and_unknown_names() {
        for name in ["x86_64", "noarch", "aarch64_be", "loongarch64", "mips64.el-x"] {
            assert_eq!(
                Architecture::parse(name.as_bytes()).map(|arch| arch.to_string()),
                Ok(name.to_owned())
            );
        }
    }

    #[test]
    fn refuses_all_that_is_not_one_path_component() {
        assert_eq!(Architecture::parse(b""), Err(ArchitectureError::Length { found: 0 }));
        assert_eq!(Architecture::parse(&[b'a'; 65]), Err(ArchitectureError::Length { found: 65 }));
        for name in [".", "..", "../x", "x/y", "x86_64\r", "-x"] {
            let found = escape(name).to_string();
            assert_eq!(Architecture::parse(name.as_bytes()), Err(ArchitectureError::Character { found }));
        }
    }
}
