//! Where files come from: an http(s) URL, or a folder of this machine.

use std::fmt;
use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::keys::Scope;
use crate::types::escape_all;

use super::credentials::Credentials;
use super::error::Problem;

/// An http(s) URL, or a folder or file of this machine such as a mounted medium.
///
/// Shape: `http://`, `https://`, or a path. A URL may hold `user:password@` and a query; neither is ever printed.
///
/// # Examples
/// ```
/// use apkvet::transport::Location;
/// let upstream = Location::parse("https://robot:secret@dl.example/alpine/v3.17/main").unwrap();
/// assert_eq!(upstream.to_string(), "https://dl.example/alpine/v3.17/main");
/// let package = upstream.join(&["aarch64", "libstdc++-12.2.1-r0.apk"]).unwrap();
/// assert_eq!(package.to_string(), "https://dl.example/alpine/v3.17/main/aarch64/libstdc%2B%2B-12.2.1-r0.apk");
/// assert!(Location::parse("ftp://dl.example/alpine").is_err());
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Location(Place);

#[derive(Clone, Eq, PartialEq)]
enum Place {
    Http { url: Box<Url>, credentials: Option<Credentials> },
    Folder(PathBuf),
}

/// Why a text is no place to fetch from. The text itself is not told: it may hold a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// Neither a URL of these two kinds nor a path.
    #[error("expected `http://`, `https://`, or a path")]
    Scheme,
    /// No host, or a port that is none.
    #[error("expected a host name and perhaps a port after `//`")]
    Host,
    /// Blanks, control bytes, backslashes, or bytes that must be percent-encoded.
    #[error("expected a URL of ASCII without blanks and backslashes")]
    Byte,
    /// Something before `@` that is not a user name and a password.
    #[error("expected `user:password@` before the host, each percent-encoded, or nothing")]
    UserInfo,
    /// `#`, which no server ever sees.
    #[error("expected a URL without `#`")]
    Fragment,
    /// No path at all.
    #[error("expected a path, found nothing")]
    Empty,
}

impl Location {
    /// Parses what an operator wrote.
    ///
    /// # Errors
    /// - [`LocationError`], one variant per rule.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        let is_path = text.starts_with(['/', '.']);
        if ["http", "https"].contains(&scheme.as_str()) {
            return http(text);
        }
        if !is_path && (text.contains("://") || ["file", "ftp", "data"].contains(&scheme.as_str())) {
            return Err(LocationError::Scheme);
        }
        if text.is_empty() || text.contains('\0') {
            return Err(LocationError::Empty);
        }
        Ok(Self(Place::Folder(text.into())))
    }

    /// What lies below: each segment a plain name, percent-encoded as needed (`+` too, which some servers
    /// take for a blank).
    ///
    /// # Errors
    /// - [`Problem::Name`] for a segment that is empty, `.` or `..`, or holds a slash or a control byte; and
    ///   for a URL with a query, which nothing lies below.
    pub fn join(&self, segments: &[impl AsRef<str>]) -> Result<Self, Problem> {
        let mut joined = self.clone();
        for segment in segments {
            joined.push(segment.as_ref())?;
        }
        Ok(joined)
    }

    fn push(&mut self, segment: &str) -> Result<(), Problem> {
        let refused = || Problem::Name { segment: segment.to_owned() };
        let bad = |c: char| c == '/' || c == '\\' || c.is_control();
        let unsafe_name = matches!(segment, "" | "." | "..") || segment.contains(bad);
        if checked!("location-segment") && unsafe_name {
            return Err(refused());
        }
        match &mut self.0 {
            Place::Folder(path) => path.push(segment),
            Place::Http { url, .. } if url.query().is_some() => return Err(refused()),
            Place::Http { url, .. } => {
                let below = format!("{}/{}", url.path().trim_end_matches('/'), encode(segment));
                url.set_path(&below);
            }
        }
        Ok(())
    }

    /// The last segment, decoded, if it can be the name of a file.
    pub fn file_name(&self) -> Option<String> {
        let name = match &self.0 {
            Place::Folder(path) => path.file_name()?.to_str()?.to_owned(),
            Place::Http { url, .. } => String::from_utf8(decode(url.path_segments()?.next_back()?)?).ok()?,
        };
        let bad = |c: char| c == '/' || c.is_control();
        (!name.is_empty() && !name.starts_with('.') && !name.contains(bad)).then_some(name)
    }

    /// The address as scopes of pins are written; none for what has no such spelling.
    pub fn scope(&self) -> Option<Scope> {
        match &self.0 {
            Place::Folder(path) => Scope::of_path(&std::path::absolute(path).ok()?).ok(),
            Place::Http { url, .. } => {
                let mut bare = url.clone();
                bare.set_query(None);
                Scope::parse(bare.as_str()).ok()
            }
        }
    }

    /// The same place, with credentials that are sent to its origin alone.
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        match self.0 {
            Place::Http { url, .. } => Self(Place::Http { url, credentials: Some(credentials) }),
            folder @ Place::Folder(_) => Self(folder),
        }
    }

    /// The same place with the first credentials that are good for it, unless it has some already.
    pub fn with_scoped(self, scoped: &[Self]) -> Self {
        let covers = |other: &&Self| other.covers(&self);
        match scoped.iter().find(covers).and_then(Self::credentials) {
            Some(credentials) if self.credentials().is_none() => {
                self.clone().with_credentials(credentials.clone())
            }
            _ => self,
        }
    }

    /// Whether this is a folder or file of this machine.
    pub const fn is_local(&self) -> bool {
        matches!(self.0, Place::Folder(_))
    }

    /// The path, if this is a folder or file of this machine.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder(path) => Some(path),
            Place::Http { .. } => None,
        }
    }

    pub(super) fn url(&self) -> Option<&Url> {
        match &self.0 {
            Place::Folder(_) => None,
            Place::Http { url, .. } => Some(url),
        }
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        match &self.0 {
            Place::Http { credentials, .. } => credentials.as_ref(),
            Place::Folder(_) => None,
        }
    }

    fn covers(&self, other: &Self) -> bool {
        let (Some(own), Some(other)) = (self.scope(), other.scope()) else { return false };
        !self.is_local() && own.covers(&other)
    }
}

/// Without credentials, and without the query, which may hold some.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Folder(path) => write!(f, "{}", escape_all(path.as_os_str().as_encoded_bytes())),
            Place::Http { url, .. } => write!(f, "{}", redacted(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// A URL as it may be printed.
pub(super) fn redacted(url: &Url) -> String {
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}{}{query}", url.origin().ascii_serialization(), escape_all(url.path()))
}

fn http(text: &str) -> Result<Location, LocationError> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err(LocationError::Byte);
    }
    let rest = text.split_once("://").map(|(_, rest)| rest).ok_or(LocationError::Scheme)?;
    if rest.contains('#') {
        return Err(LocationError::Fragment);
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let credentials = match authority.split_once('@') {
        None => None,
        Some((user, host)) if !host.contains('@') => Some(userinfo(user)?),
        Some(_) => return Err(LocationError::UserInfo),
    };
    // The parser would take `https:///evil` for a host.
    if authority.is_empty() || authority.ends_with('@') {
        return Err(LocationError::Host);
    }
    let mut url = Url::parse(text).map_err(|_| LocationError::Host)?;
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| LocationError::Host)?;
    Ok(Location(Place::Http { url: Box::new(url), credentials }))
}

fn userinfo(text: &str) -> Result<Credentials, LocationError> {
    let (user, password) = text.split_once(':').ok_or(LocationError::UserInfo)?;
    let decoded = |text| String::from_utf8(decode(text)?).ok();
    let (user, password) = decoded(user).zip(decoded(password)).ok_or(LocationError::UserInfo)?;
    Credentials::new(&user, &password).map_err(|_| LocationError::UserInfo)
}

/// Percent-encodes all but the bytes that no server ever takes for something else.
fn encode(segment: &str) -> String {
    segment.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// The bytes behind percent signs.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests;
