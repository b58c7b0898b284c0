//! Where something lies below the root of a tree.

use std::fmt;

use crate::types::escape;

/// A path below the root of a store that cannot lead out of it.
///
/// Shape: segments of `[A-Za-z0-9@._+~-]`, 1 to 255 bytes each and neither `.` nor `..`, with `/` between;
/// at most 3,000 bytes and 32 segments. [`StorePath::root`] alone has no segment.
///
/// # Examples
/// ```
/// use apkvet::publish::StorePath;
/// let path = StorePath::parse("v3.17/main/aarch64/libstdc++-12.2.1-r14.apk").unwrap();
/// assert_eq!(path.name(), Some("libstdc++-12.2.1-r14.apk"));
/// assert!(StorePath::parse("../etc/passwd").is_err());
/// assert!(StorePath::parse("/etc/passwd").is_err());
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StorePath(Box<str>);

/// Why a text is no path of a store.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StorePathError {
    /// A segment that is empty, `.`, `..`, or has other bytes.
    #[error(
        "expected segments of [A-Za-z0-9@._+~-] with `/` between, none of them `.` or `..`, found `{}`",
        escape(.found)
    )]
    Segment {
        /// The whole text.
        found: String,
    },
    /// Too long, or too deep.
    #[error(
        "expected at most 255 bytes a segment, 3,000 in all and 32 segments, found {bytes} bytes in {segments}"
    )]
    Length {
        /// Bytes of the text.
        bytes: usize,
        /// Segments of the text.
        segments: usize,
    },
}

const MAX_SEGMENT: usize = 255;
// Below PATH_MAX with room for the root, so that the kernel never cuts one.
const MAX_BYTES: usize = 3_000;
const MAX_SEGMENTS: usize = 32;

impl StorePath {
    /// The root itself.
    pub fn root() -> Self {
        Self(Box::default())
    }

    /// Parses a whole text.
    ///
    /// # Errors
    /// - [`StorePathError::Segment`] for anything that is not of the shape.
    /// - [`StorePathError::Length`] for more than a path may have.
    pub fn parse(text: &str) -> Result<Self, StorePathError> {
        let segments = text.split('/').count();
        let longest = text.split('/').map(str::len).max().unwrap_or_default();
        if text.len() > MAX_BYTES || segments > MAX_SEGMENTS || longest > MAX_SEGMENT {
            return Err(StorePathError::Length { bytes: text.len(), segments });
        }
        if !checked!("store-path") || text.split('/').all(is_segment) {
            Ok(Self(text.into()))
        } else {
            Err(StorePathError::Segment { found: text.to_owned() })
        }
    }

    /// This path with more behind it.
    ///
    /// # Errors
    /// - As [`StorePath::parse`].
    pub fn join(&self, rest: &str) -> Result<Self, StorePathError> {
        if self.is_root() { Self::parse(rest) } else { Self::parse(&format!("{}/{rest}", self.0)) }
    }

    /// This path with another path behind it, where both together are short enough.
    ///
    /// # Errors
    /// - [`StorePathError::Length`] if they are not.
    pub fn below(&self, rest: &Self) -> Result<Self, StorePathError> {
        if rest.is_root() { Ok(self.clone()) } else { self.join(&rest.0) }
    }

    /// The folder that it lies in; none of the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(self.0.rsplit_once('/').map_or_else(Self::root, |(parent, _)| Self(parent.into())))
    }

    /// The last segment; none of the root.
    pub fn name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// The segments, in their order.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// Whether it is the root.
    pub const fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// As text; the root is empty.
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_segment(segment: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+~-".contains(&byte);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(allowed)
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorePath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mirror_writes_is_a_path() {
        for text in ["pool/0a/0ab", "a", "v3.17/main/x86_64/gtk+3.0-1~git-r0.apk", "keys/a@b.rsa.pub", ".x"] {
            assert_eq!(StorePath::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_could_lead_out_is_none() {
        for text in
            ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a b", "a\0b", "a\\b", "ä", "a\n"]
        {
            let found = text.to_owned();
            assert_eq!(StorePath::parse(text), Err(StorePathError::Segment { found }), "{text:?}");
        }
    }

    #[test]
    fn what_a_file_system_would_cut_is_refused_here() {
        let long = "x".repeat(256);
        let error = StorePathError::Length { bytes: 256, segments: 1 };
        assert_eq!(StorePath::parse(&long), Err(error));
        assert!(StorePath::parse(&long[1..]).is_ok());
        let deep = ["x"; 33].join("/");
        assert_eq!(StorePath::parse(&deep), Err(StorePathError::Length { bytes: 65, segments: 33 }));
        assert!(StorePath::parse(&deep[2..]).is_ok());
    }

    #[test]
    fn parents_end_at_the_root() {
        let path = StorePath::root().join("a/b").unwrap();
        assert_eq!((path.name(), path.parent()), (Some("b"), Some(StorePath::parse("a").unwrap())));
        assert_eq!(path.parent().unwrap().parent(), Some(StorePath::root()));
        assert_eq!((StorePath::root().parent(), StorePath::root().name()), (None, None));
        assert_eq!(StorePath::root().to_string(), ".");
    }
}
