//! A user name and a password, which nothing prints.

use std::fmt;

use super::location::Location;

/// What a server asks for by basic authentication.
///
/// Trust: sent to the origin that it was given for, and never to where a redirect leads. Not printed anywhere.
#[derive(Clone, Eq, PartialEq)]
pub struct Credentials {
    user: String,
    password: String,
}

/// Why a text holds no credentials. The text itself is not told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// No colon, no user name, more than one line, or control characters.
    #[error("expected one line `user:password`")]
    Shape,
    /// Longer than any server takes.
    #[error("expected at most 4096 bytes")]
    TooLong,
    /// A word of the environment that is no URL with a user name and a password.
    #[error("expected URLs with a user name and a password, such as https://user:password@host/path")]
    Url,
}

impl Credentials {
    /// Parses `user:password`, one line; everything after the first colon is the password.
    ///
    /// # Errors
    /// - [`CredentialsError::Shape`], [`CredentialsError::TooLong`].
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (user, password) = line.split_once(':').ok_or(CredentialsError::Shape)?;
        Self::new(user, password)
    }

    pub(super) fn new(user: &str, password: &str) -> Result<Self, CredentialsError> {
        if user.len().saturating_add(password.len()) > MAX {
            return Err(CredentialsError::TooLong);
        }
        let control = user.chars().chain(password.chars()).any(char::is_control);
        if user.is_empty() || user.contains(':') || control {
            return Err(CredentialsError::Shape);
        }
        Ok(Self { user: user.to_owned(), password: password.to_owned() })
    }

    /// Parses what the environment says: URLs with credentials, with blanks between them.
    ///
    /// Each is good for what lies at or below it. The text is handed in: the library reads no environment.
    ///
    /// # Errors
    /// - [`CredentialsError::Url`] for a word that is no such URL.
    pub fn parse_scoped(text: &str) -> Result<Vec<Location>, CredentialsError> {
        let parse = |word| {
            let location = Location::parse(word).map_err(|_| CredentialsError::Url)?;
            if location.credentials().is_some() { Ok(location) } else { Err(CredentialsError::Url) }
        };
        text.split_ascii_whitespace().map(parse).collect()
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// Units: bytes. Tokens in the place of passwords have some hundred.
const MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_everything_after_the_first_colon() {
        let parsed = Credentials::parse("robot:a:b@c \n").unwrap();
        assert_eq!((parsed.user(), parsed.password()), ("robot", "a:b@c "));
        assert_eq!(Credentials::parse("robot:a\r\n").unwrap().password(), "a");
    }

    #[test]
    fn what_is_no_pair_on_one_line_is_refused() {
        for text in ["", "robot", ":a", "robot:a\nother:b", "ro\u{0}bot:a", "robot:a\n\n"] {
            assert_eq!(Credentials::parse(text), Err(CredentialsError::Shape), "{text:?}");
        }
        let long = format!("robot:{}", "a".repeat(MAX));
        assert_eq!(Credentials::parse(&long), Err(CredentialsError::TooLong));
    }

    #[test]
    fn nothing_of_them_is_in_what_is_printed() {
        assert_eq!(format!("{:?}", Credentials::parse("robot:canary").unwrap()), "Credentials");
    }

    #[test]
    fn the_environment_names_urls_with_credentials() {
        let scoped =
            Credentials::parse_scoped(" https://a:b@one.example/x  http://c:d@two.example ").unwrap();
        assert_eq!(scoped.len(), 2);
        for text in ["https://one.example/", "a:b", "/srv/apk", "https://a@one.example/"] {
            assert_eq!(Credentials::parse_scoped(text), Err(CredentialsError::Url), "{text}");
        }
    }
}
