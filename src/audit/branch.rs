//! Branches of a distribution, as far as keys depend on them.

use std::fmt;

/// A stable branch by its two numbers, such as 3.17, or the moving head of all branches.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Branch {
    /// `v3.17`
    Stable(u16, u16),
    /// `edge`
    Edge,
}

impl Branch {
    /// Reads a branch out of an address, a path or a description: the first part that is one.
    ///
    /// # Examples
    /// ```
    /// use apkvet::audit::Branch;
    /// assert_eq!(Branch::find("https://dl-cdn.alpinelinux.org/alpine/v3.17/main"), Some(Branch::Stable(3, 17)));
    /// assert_eq!(Branch::find("v3.16.0-105-g1234567890"), Some(Branch::Stable(3, 16)));
    /// assert_eq!(Branch::find("main"), None);
    /// ```
    pub fn find(text: &str) -> Option<Self> {
        text.split(['/', ' ']).find_map(|word| match word {
            "edge" => Some(Self::Edge),
            word => Self::numbers(word.strip_prefix('v')?),
        })
    }

    /// Reads `3.17`; `2.x` is before everything that has numbers.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_suffix(".x")
            .and_then(|major| Some(Self::Stable(major.parse().ok()?, 0)))
            .or_else(|| Self::numbers(text))
    }

    fn numbers(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let follows = rest.as_bytes().get(end);
        let number =
            |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
        if follows.is_some_and(|byte| !b".-_".contains(byte)) {
            return None;
        }
        Some(Self::Stable(number(major)?, number(rest.get(..end)?)?))
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stable(major, minor) => write!(f, "v{major}.{minor}"),
            Self::Edge => f.write_str("edge"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_comes_after_every_branch() {
        assert!(Branch::Stable(3, 9) < Branch::Stable(3, 14) && Branch::Stable(99, 0) < Branch::Edge);
        assert_eq!(Branch::parse("2.x"), Some(Branch::Stable(2, 0)));
        assert_eq!(Branch::find("/srv/edge/main"), Some(Branch::Edge));
    }

    #[test]
    fn words_that_only_begin_like_branches_are_none() {
        for text in ["v3", "v3.x", "3.17", "v3.17beta", "version 3.17", "", "v.1", "v+3.1"] {
            assert_eq!(Branch::find(text), None, "{text}");
        }
    }
}
