//! Pin files: which key counts where, for what, and until when.

use std::fmt;

use jiff::civil::Date;

use super::fingerprint::Fingerprint;
use super::pins_error::{MAX_LINES, NotPinned, PinProblem, PinsError};
use super::scope::Scope;
use crate::types::{KeyName, escape};

/// A pin file: the only keys that count, each within its bounds.
///
/// Shape: one key per line, in words: `sha256:HEX NAME [scope=URL]… [until=YYYY-MM-DD] [arch=A,…]
/// [packages=GLOB,…] [sha1=allow|deny] [ignore=ID,…]`, in any order; `#` begins a comment. A line with `ignore=`
/// must have a comment, the reason. Trust: a pin holds no key; it narrows keys that come from elsewhere.
///
/// # Examples
/// ```
/// use apkvet::keys::Pins;
/// let line = "sha256:ba1a4a4bd6e619104222aef2544c48b63911d2ea95a00703358862d4c892da9c \
///             sgerrand.rsa.pub scope=file:/srv/glibc/ until=2027-01-01 sha1=allow";
/// assert_eq!(Pins::parse(line.as_bytes()).unwrap().pins().len(), 1);
/// assert!(Pins::parse(b"sha256:00 sgerrand.rsa.pub").is_err());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pins(Vec<Pin>);

/// One line of a pin file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pin {
    line: usize,
    fingerprint: Fingerprint,
    name: KeyName,
    scopes: Vec<Scope>,
    until: Option<Date>,
    architectures: Vec<String>,
    packages: Vec<String>,
    sha1: bool,
    ignored: Vec<String>,
    reason: Option<String>,
}

/// What a key is about to vouch for.
#[derive(Clone, Debug)]
pub struct PinnedUse<'a> {
    /// The key.
    pub fingerprint: Fingerprint,
    /// The name under which the signature asks for it.
    pub name: &'a KeyName,
    /// Where the file came from; `None` if it has no place, such as standard input.
    pub location: Option<&'a Scope>,
    /// The architecture that the file states, if it states one.
    pub architecture: Option<&'a str>,
    /// The name of the package; `None` for an index.
    pub package: Option<&'a str>,
    /// Whether the signature is over SHA-1.
    pub sha1: bool,
}

impl Pins {
    /// Parses a pin file.
    ///
    /// # Errors
    /// - [`PinsError`] for the first line that is not understood: a pin that is half understood is none.
    pub fn parse(text: &[u8]) -> Result<Self, PinsError> {
        let text = std::str::from_utf8(text).map_err(|_| PinsError { line: 1, problem: PinProblem::Text })?;
        let mut pins = Vec::new();
        for (line, words) in (1..).zip(text.lines()) {
            let failed = |problem| PinsError { line, problem };
            if line > MAX_LINES {
                return Err(failed(PinProblem::Text));
            }
            pins.extend(Pin::parse(words, line).map_err(failed)?);
        }
        Ok(Self(pins))
    }

    /// The lines, in order.
    pub fn pins(&self) -> &[Pin] {
        &self.0
    }

    /// The line that admits this use of a key on this day, or why none does.
    ///
    /// # Errors
    /// - [`NotPinned`], from the line that comes nearest.
    pub fn admit(&self, subject: &PinnedUse<'_>, today: Date) -> Result<&Pin, NotPinned> {
        let mut nearest = NotPinned::Fingerprint;
        for pin in &self.0 {
            match pin.admits(subject, today) {
                Ok(()) => return Ok(pin),
                Err(reason) if reason.rank() > nearest.rank() => nearest = reason,
                Err(_) => {}
            }
        }
        Err(nearest)
    }
}

impl Pin {
    fn parse(line: &str, number: usize) -> Result<Option<Self>, PinProblem> {
        let (words, comment) = split_comment(line);
        if words.trim().is_empty() {
            return Ok(None);
        }
        let (mut fingerprint, mut name, mut sha1) = (None, None, None);
        let mut pin = Words::default();
        for word in words.split_whitespace() {
            if word.len() > 7 && word.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sha256:")) {
                once(&mut fingerprint, Fingerprint::parse(word)?, "sha256:")?;
            } else if let Some((key, value)) = word.split_once('=') {
                match key {
                    "scope" => pin.scopes.push(Scope::parse(value)?),
                    "until" => {
                        once(&mut pin.until, parse_day(value).ok_or(PinProblem::Until)?, "until")?;
                    }
                    "arch" => pin.architectures.extend(list(value, "arch", b"_")?),
                    "packages" => pin.packages.extend(list(value, "packages", b"_-+.*?")?),
                    "ignore" => pin.ignored.extend(list(value, "ignore", b"-")?),
                    "sha1" => once(&mut sha1, sha1_allowed(value)?, "sha1")?,
                    _ => return Err(PinProblem::Unknown { word: escape(word).to_string() }),
                }
            } else {
                once(&mut name, KeyName::parse(word.as_bytes())?, "NAME")?;
            }
        }
        if !pin.ignored.is_empty() && comment.trim().is_empty() {
            return Err(PinProblem::Reason);
        }
        Ok(Some(Self {
            line: number,
            fingerprint: fingerprint.ok_or(PinProblem::NoFingerprint)?,
            name: name.ok_or(PinProblem::NoName)?,
            scopes: pin.scopes,
            until: pin.until,
            architectures: pin.architectures,
            packages: pin.packages,
            sha1: sha1.unwrap_or(true),
            ignored: pin.ignored,
            reason: Some(comment.trim().to_owned()).filter(|reason| !reason.is_empty()),
        }))
    }

    fn admits(&self, subject: &PinnedUse<'_>, today: Date) -> Result<(), NotPinned> {
        let line = self.line;
        if checked!("pin-fingerprint") && self.fingerprint != subject.fingerprint {
            return Err(NotPinned::Fingerprint);
        }
        if checked!("pin-name") && self.name != *subject.name {
            return Err(NotPinned::Name { expected: self.name.clone() });
        }
        if let Some(until) = self.until.filter(|until| checked!("pin-until") && today > *until) {
            return Err(NotPinned::Expired { line, until });
        }
        let within = |place: &Scope| self.scopes.iter().any(|scope| scope.covers(place));
        if checked!("pin-scope") && !self.scopes.is_empty() && !subject.location.is_some_and(within) {
            return Err(NotPinned::Scope { line });
        }
        // A package for every architecture lies in the folder of each of them.
        let fits = |found: &str| found == "noarch" || self.architectures.iter().any(|wanted| wanted == found);
        if checked!("pin-architecture")
            && !self.architectures.is_empty()
            && !subject.architecture.is_none_or(fits)
        {
            return Err(NotPinned::Architecture { line });
        }
        let named = |found: &str| self.packages.iter().any(|glob| matches_glob(glob, found));
        if checked!("pin-package") && !self.packages.is_empty() && !subject.package.is_none_or(named) {
            return Err(NotPinned::Package { line });
        }
        if checked!("pin-sha1") && subject.sha1 && !self.sha1 {
            return Err(NotPinned::Sha1 { line });
        }
        Ok(())
    }

    /// Number of the line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Which key.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The name under which it counts.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Where it counts; empty for everywhere.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The last day on which it counts.
    pub const fn until(&self) -> Option<Date> {
        self.until
    }

    /// Whether it counts for some places, architectures or packages only.
    pub fn is_narrow(&self) -> bool {
        !(self.scopes.is_empty() && self.architectures.is_empty() && self.packages.is_empty())
    }

    /// The findings that are silent for this key, for the reason that the line gives.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The comment on the line; where something is ignored there is one, the reason.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

#[derive(Default)]
struct Words {
    scopes: Vec<Scope>,
    until: Option<Date>,
    architectures: Vec<String>,
    packages: Vec<String>,
    ignored: Vec<String>,
}

/// What stands before `#` and what after it; the sign counts where a word could begin.
fn split_comment(line: &str) -> (&str, &str) {
    let begins = |at: &usize| *at == 0 || line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t']));
    let at = line.match_indices('#').map(|(at, _)| at).find(begins);
    let (words, comment) = at.and_then(|at| line.split_at_checked(at)).unwrap_or((line, ""));
    (words, comment.trim_start_matches('#'))
}

fn once<T>(place: &mut Option<T>, value: T, word: &'static str) -> Result<(), PinProblem> {
    match place.replace(value) {
        Some(_) if checked!("pin-twice") => Err(PinProblem::Twice { word }),
        _ => Ok(()),
    }
}

/// A day written `YYYY-MM-DD`, and in no other of the many ways.
fn parse_day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| day.to_string() == text)
}

fn sha1_allowed(value: &str) -> Result<bool, PinProblem> {
    match value {
        "allow" => Ok(true),
        "deny" => Ok(false),
        _ => Err(PinProblem::Sha1),
    }
}

fn list(value: &str, word: &'static str, extra: &[u8]) -> Result<Vec<String>, PinProblem> {
    let good = |item: &str| {
        !item.is_empty() && item.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let items: Vec<String> = value.split(',').map(str::to_owned).collect();
    if items.iter().all(|item| good(item)) { Ok(items) } else { Err(PinProblem::List { word }) }
}

/// Matches a name against a pattern in which `*` is any text and `?` any one character.
fn matches_glob(glob: &str, name: &str) -> bool {
    let (glob, name) = (glob.as_bytes(), name.as_bytes());
    let (mut g, mut n, mut retry) = (0, 0, None);
    while n < name.len() {
        match glob.get(g) {
            Some(b'*') => {
                retry = Some((g + 1, n));
                g += 1;
            }
            Some(wanted) if *wanted == b'?' || Some(wanted) == name.get(n) => {
                g += 1;
                n += 1;
            }
            // Let the last star take one character more.
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    g = after;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    glob.get(g..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// A line that reads back as the same pin.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.fingerprint, self.name)?;
        self.scopes.iter().try_for_each(|scope| write!(f, "  scope={scope}"))?;
        if let Some(until) = self.until {
            write!(f, "  until={until}")?;
        }
        for (word, list) in [("arch", &self.architectures), ("packages", &self.packages)] {
            if !list.is_empty() {
                write!(f, "  {word}={}", list.join(","))?;
            }
        }
        if !self.sha1 {
            f.write_str("  sha1=deny")?;
        }
        if !self.ignored.is_empty() {
            write!(f, "  ignore={}", self.ignored.join(","))?;
        }
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, "  # {reason}"))
    }
}

#[cfg(test)]
mod tests;
