//! Where a pinned key counts: prefixes of repository addresses.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The address of a repository or a file, in one spelling, or a prefix of such addresses.
///
/// Shape: `https://host[:port]/path`, `http://…`, or `file:/absolute/path`. Scheme and host are lower case, the
/// default port is left out, the path has no `.`, `..` or empty segments, and is percent-encoded only where
/// needed. Queries, fragments and user names are refused: two spellings of one place must not differ.
///
/// # Examples
/// ```
/// use apkvet::keys::Scope;
/// let scope = Scope::parse("https://Dl-Cdn.AlpineLinux.org:443/alpine").unwrap();
/// assert!(scope.covers(&Scope::parse("https://dl-cdn.alpinelinux.org/alpine/v3.17/main").unwrap()));
/// assert!(!scope.covers(&Scope::parse("https://dl-cdn.alpinelinux.org/alpine-evil/").unwrap()));
/// assert!(!scope.covers(&Scope::parse("https://dl-cdn.alpinelinux.org/alpine/../evil").unwrap()));
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scope {
    /// `https://host:port`, or `file:`.
    origin: String,
    segments: Vec<String>,
}

/// Why a text is not the address of a repository.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Neither `https://`, `http://` nor `file:/`.
    #[error("expected `https://`, `http://` or `file:/`")]
    Scheme,
    /// A host name or port that is none, or a user name before it.
    #[error("expected a host name and perhaps a port, without a user name")]
    Host,
    /// Blanks, control bytes, `?`, `#`, a backslash, or a byte that must be percent-encoded.
    #[error("unexpected byte 0x{found:02x} in the path")]
    Byte {
        /// The byte.
        found: u8,
    },
    /// A percent sign without two hexadecimal digits, or an encoded slash or NUL.
    #[error("bad percent-encoding in the path")]
    Percent,
    /// More `..` than there are segments before.
    #[error("the path climbs above its root")]
    Climbs,
    /// A local path that is not absolute.
    #[error("expected an absolute path")]
    Relative,
}

impl Scope {
    /// Parses an address and brings it into its one spelling.
    ///
    /// # Errors
    /// - [`ScopeError`], one variant per rule.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let (scheme, rest) = text.split_once(':').ok_or(ScopeError::Scheme)?;
        let (origin, path) = match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if !path.starts_with('/') {
                    return Err(ScopeError::Scheme);
                }
                ("file:".to_owned(), path)
            }
            scheme @ ("http" | "https") => {
                let rest = rest.strip_prefix("//").ok_or(ScopeError::Scheme)?;
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at_checked(end).ok_or(ScopeError::Host)?;
                (format!("{scheme}://{}", host(scheme, authority)?), path)
            }
            _ => return Err(ScopeError::Scheme),
        };
        let mut segments = Vec::new();
        for segment in path.split('/') {
            push(&mut segments, decode(segment)?)?;
        }
        Ok(Self { origin, segments })
    }

    /// The address of a local file: `file:` and its absolute path.
    ///
    /// # Errors
    /// - [`ScopeError::Relative`] for a relative path.
    /// - [`ScopeError::Climbs`] if it climbs above the root.
    pub fn of_path(path: &Path) -> Result<Self, ScopeError> {
        if !path.is_absolute() {
            return Err(ScopeError::Relative);
        }
        let mut segments = Vec::new();
        for segment in path.as_os_str().as_bytes().split(|byte| *byte == b'/') {
            push(&mut segments, segment.to_vec())?;
        }
        Ok(Self { origin: "file:".to_owned(), segments })
    }

    /// Whether the other address lies at or below this one.
    pub fn covers(&self, other: &Self) -> bool {
        (self.origin == other.origin || !checked!("scope-origin"))
            && other.segments.starts_with(&self.segments)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        self.segments.iter().try_for_each(|segment| write!(f, "/{segment}"))?;
        if self.segments.is_empty() { f.write_str("/") } else { Ok(()) }
    }
}

/// The host in lower case, with its port unless that is the default one.
fn host(scheme: &str, authority: &str) -> Result<String, ScopeError> {
    let default = if scheme == "http" { "80" } else { "443" };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, default),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let allowed = |byte: u8| match bare {
        Some(_) => byte.is_ascii_hexdigit() || byte == b':' || byte == b'.',
        None => byte.is_ascii_alphanumeric() || b"-._".contains(&byte),
    };
    let name = bare.unwrap_or(host);
    let number = port.parse::<u16>().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()));
    let number = if port.is_empty() { default.parse().ok() } else { number };
    if name.is_empty() || name.ends_with('.') || !name.bytes().all(allowed) {
        return Err(ScopeError::Host);
    }
    let number = number.ok_or(ScopeError::Host)?.to_string();
    let host = host.to_ascii_lowercase();
    Ok(if number == default { host } else { format!("{host}:{number}") })
}

/// The bytes of one segment.
fn decode(segment: &str) -> Result<Vec<u8>, ScopeError> {
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                let (Some(high), Some(low)) = (high, low) else { return Err(ScopeError::Percent) };
                let value = u8::try_from(high * 16 + low).map_err(|_| ScopeError::Percent)?;
                // An encoded slash is no separator to us and may be one to a server.
                if checked!("scope-percent") && (value == b'/' || value == 0) {
                    return Err(ScopeError::Percent);
                }
                out.push(value);
            }
            0x21..0x7f if !b"?#\\\"<>^`{|}".contains(&byte) => out.push(byte),
            found => return Err(ScopeError::Byte { found }),
        }
    }
    Ok(out)
}

fn push(segments: &mut Vec<String>, segment: Vec<u8>) -> Result<(), ScopeError> {
    match segment.as_slice() {
        b"" | b"." => {}
        b".." => drop(segments.pop().ok_or(ScopeError::Climbs)?),
        bytes => segments.push(encode(bytes)),
    }
    Ok(())
}

/// Percent-encodes all but the bytes that never need it, so that one segment has one spelling.
fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(text: &str) -> String {
        Scope::parse(text).unwrap().to_string()
    }

    #[test]
    fn one_place_has_one_spelling() {
        for text in [
            "https://example.org/a/b",
            "HTTPS://Example.ORG:443//a/./b/",
            "https://example.org/x/../a/b",
            "https://example.org/%61/b",
            "https://example.org:/a/b",
        ] {
            assert_eq!(spelling(text), "https://example.org/a/b");
        }
        assert_eq!(spelling("http://[::1]:8080/"), "http://[::1]:8080/");
        assert_eq!(spelling("file:///srv//glibc/"), "file:/srv/glibc");
        assert_eq!(Scope::of_path(Path::new("/srv/my files")), Scope::parse("file:/srv/my%20files"));
    }

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        let scope = Scope::parse("file:/srv/glibc/").unwrap();
        for (path, inside) in
            [("/srv/glibc/a.apk", true), ("/srv/glibc", true), ("/srv/glibc2/a.apk", false), ("/srv", false)]
        {
            assert_eq!(scope.covers(&Scope::of_path(Path::new(path)).unwrap()), inside, "{path}");
        }
        let http = Scope::parse("http://example.org/").unwrap();
        assert!(!http.covers(&Scope::parse("https://example.org/a").unwrap()));
        assert!(!http.covers(&Scope::parse("http://example.org:81/a").unwrap()));
        assert!(!http.covers(&Scope::parse("http://example.org.evil/a").unwrap()));
    }

    #[test]
    fn refuses_what_could_mean_another_place() {
        for (text, error) in [
            ("ftp://example.org/", ScopeError::Scheme),
            ("file:srv", ScopeError::Scheme),
            ("https:/example.org", ScopeError::Scheme),
            ("https://user@example.org/", ScopeError::Host),
            ("https://example.org:port/", ScopeError::Host),
            ("https://example.org:+80/", ScopeError::Host),
            ("https:///a", ScopeError::Host),
            ("https://example.org./a", ScopeError::Host),
            ("https://example.org/a?b", ScopeError::Byte { found: b'?' }),
            ("https://example.org\\@evil/", ScopeError::Host),
            ("https://example.org/a\\..\\b", ScopeError::Byte { found: b'\\' }),
            ("https://example.org/%2e%2e/a", ScopeError::Climbs),
            ("https://example.org/a%2fb", ScopeError::Percent),
            ("https://example.org/a%0", ScopeError::Percent),
        ] {
            assert_eq!(Scope::parse(text), Err(error), "{text}");
        }
        assert_eq!(Scope::of_path(Path::new("a/b")), Err(ScopeError::Relative));
    }
}
