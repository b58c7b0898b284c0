//! What is to be installed together.

use std::fmt;

use super::plan_error::PlanError;
use super::request::{Request, RequestError};
use super::roots::matching;
use super::universe::Universe;

/// What is to be installed together on one machine: a world file, or the words of one command.
///
/// Shape: words separated by spaces or newlines. There are no comments: `apk` takes the words of one for
/// names. All words count, also several of one name. Patterns are for mirrors, not for worlds.
///
/// # Examples
/// ```
/// use apkvet::plan::World;
/// let world = World::parse(b"alpine-base\nnginx~1.22\n").unwrap();
/// assert_eq!(world.requests().len(), 2);
/// assert!(World::parse(b"# web servers\nnginx\n").is_err());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct World {
    requests: Vec<Request>,
}

/// Why a text is no world.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// Bytes that are no UTF-8.
    #[error("line {line}: expected UTF-8")]
    Encoding {
        /// Counted from 1.
        line: usize,
    },
    /// A `#`: `apk` would ask for packages by the words of the comment.
    #[error("line {line}: a world file has no comments, `apk` takes the words for names of packages")]
    Comment {
        /// Counted from 1.
        line: usize,
    },
    /// A pattern.
    #[error("line {line}: expected a name, found the pattern `{found}`")]
    Pattern {
        /// Counted from 1.
        line: usize,
        /// The word.
        found: String,
    },
    /// A word that is no request.
    #[error("line {line}: {error}")]
    Request {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        error: RequestError,
    },
}

impl World {
    /// Parses the text of a world file.
    ///
    /// # Errors
    /// - [`WorldError`] for the first line that is none.
    pub fn parse(text: &[u8]) -> Result<Self, WorldError> {
        let mut requests = Vec::new();
        for (line, bytes) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let text = str::from_utf8(bytes).map_err(|_| WorldError::Encoding { line })?;
            for word in text.split(' ').filter(|word| !word.is_empty()) {
                requests.push(parse_word(word, line)?);
            }
        }
        Ok(Self { requests })
    }

    /// What is asked for.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The pattern, if the world is nothing else.
    pub(super) fn pattern(&self) -> Option<&Request> {
        match self.requests.as_slice() {
            [request] if request.is_pattern() => Some(request),
            _ => None,
        }
    }

    /// The world itself, or one for each package that its pattern stands for.
    pub(super) fn each(&self, universe: &Universe<'_>) -> Result<Vec<Self>, PlanError> {
        let Some(pattern) = self.pattern() else { return Ok(vec![self.clone()]) };
        let names = matching(universe, pattern)?.into_iter();
        Ok(names.filter_map(|name| Request::parse(name).ok()).map(Self::from).collect())
    }
}

fn parse_word(word: &str, line: usize) -> Result<Request, WorldError> {
    if word.starts_with('#') {
        return Err(WorldError::Comment { line });
    }
    match Request::parse(word) {
        Ok(request) if request.is_pattern() => Err(WorldError::Pattern { line, found: request.to_string() }),
        Ok(request) => Ok(request),
        Err(error) => Err(WorldError::Request { line, error }),
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, request) in self.requests.iter().enumerate() {
            write!(f, "{}{request}", if number == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl From<Vec<Request>> for World {
    fn from(requests: Vec<Request>) -> Self {
        Self { requests }
    }
}

impl From<Request> for World {
    fn from(request: Request) -> Self {
        Self { requests: vec![request] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_between_spaces_and_newlines() {
        let world = World::parse(b"bash  nginx~1.22\n\n!busybox a@edge\nbash>5").unwrap();
        assert_eq!(world.to_string(), "bash nginx~1.22 !busybox a@edge bash>5");
        assert_eq!(World::parse(b"").unwrap().requests().len(), 0);
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        assert_eq!(World::parse(b"bash\n# web"), Err(WorldError::Comment { line: 2 }));
        assert_eq!(World::parse(b"\n\xff"), Err(WorldError::Encoding { line: 2 }));
        assert_eq!(World::parse(b"py3-*"), Err(WorldError::Pattern { line: 1, found: "py3-*".into() }));
        let error = RequestError::Version { found: "a=x".into() };
        assert_eq!(World::parse(b"a=x"), Err(WorldError::Request { line: 1, error }));
        let tab = World::parse(b"a\tb").unwrap_err();
        assert!(matches!(tab, WorldError::Request { line: 1, error: RequestError::Atom(_) }), "{tab}");
    }
}
