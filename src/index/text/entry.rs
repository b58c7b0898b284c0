//! One entry while its lines come in: every field is checked as it is read.

use std::ops::Range;

use super::atoms;
use super::report::{FaultClass, Sink};
use super::uniqueness::Uniqueness;
use crate::index::rule::{self, Rule};
use crate::index::span::Span;
use crate::types::{
    Identity, IdentityError, Version, architecture, escape, escape_all, package_name, version_text,
};

/// The fields that an entry cannot do without.
const COMPULSORY: &[u8] = b"CPVS";

/// The state of one entry. Its buffers are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// A bit for each letter that was seen.
    seen: u64,
    lines: u64,
    first_line: u64,
    /// Where in the text the first line begins, and where the values of `P:` and `V:` are.
    first_at: usize,
    name_at: Option<Range<usize>>,
    version_at: Option<Range<usize>>,
    faults_before: u64,
    identity: Option<Identity>,
    name: Vec<u8>,
    version: Vec<u8>,
    architecture: Vec<u8>,
    newest_build_time: Option<u64>,
}

impl Entry {
    pub(super) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The newest `t:` of all entries so far.
    pub(super) fn newest_build_time(&self) -> Option<u64> {
        self.newest_build_time
    }

    /// Begins an entry at its first line.
    pub(super) fn begin(&mut self, line: u64, at: usize, sink: &Sink) {
        (self.seen, self.lines, self.first_line, self.first_at, self.identity) = (0, 0, line, at, None);
        (self.name_at, self.version_at) = (None, None);
        self.faults_before = sink.faults();
        self.name.clear();
        self.version.clear();
        self.architecture.clear();
    }

    /// Notes that a field is there although its value is refused already.
    pub(super) fn refused_field(&mut self, letter: u8, line: u64, sink: &mut Sink) {
        self.lines += 1;
        self.see(letter, line, sink);
    }

    /// Notes a line that is no field.
    pub(super) fn refused_line(&mut self) {
        self.lines += 1;
    }

    /// Checks one field, whose value begins at this place in the text.
    pub(super) fn field(&mut self, letter: u8, value: &str, line: u64, at: usize, sink: &mut Sink) {
        self.lines += 1;
        self.see(letter, line, sink);
        match letter {
            b'C' => self.read_identity(value, line, sink),
            b'P' => {
                self.name_at = Some(at..at + value.len());
                self.name.extend_from_slice(value.as_bytes());
                check(package_name::check(value.as_bytes()), &rule::NAME, line, sink);
            }
            b'V' => {
                self.version_at = Some(at..at + value.len());
                self.read_version(value, line, sink);
            }
            b'A' => {
                self.architecture.extend_from_slice(value.as_bytes());
                check(architecture::check(value.as_bytes()), &rule::ARCHITECTURE, line, sink);
            }
            b'S' | b'I' => {
                number(letter, value, u64::MAX, line, sink);
            }
            b'k' => {
                number(letter, value, u16::MAX.into(), line, sink);
            }
            b't' => {
                self.newest_build_time =
                    self.newest_build_time.max(number(letter, value, u64::MAX, line, sink))
            }
            b'T' | b'U' | b'L' | b'o' | b'm' | b'c' => {}
            b'D' | b'p' | b'i' => atoms::check(letter, value, line, sink),
            _ => unknown(letter, line, sink),
        }
    }

    /// Ends the entry: what must be there is, and it is remembered by what must be unique.
    ///
    /// Says where it lies, up to the given end, if it has no fault.
    pub(super) fn end(
        &mut self,
        number: u64,
        end: usize,
        unique: &mut Uniqueness,
        sink: &mut Sink,
    ) -> Option<Span> {
        for letter in COMPULSORY
            .iter()
            .copied()
            .filter(|letter| checked!("entry-missing-field") && self.seen & bit(*letter) == 0)
        {
            let message = format!("expected the field `{}:`, found none in the entry", char::from(letter));
            sink.fault(FaultClass::Malformed, &rule::MISSING_FIELD, self.first_line, message);
        }
        if self.seen & bit(b'A') == 0 {
            sink.note(&rule::NO_ARCHITECTURE, self.first_line, || "the entry has no architecture".into());
        }
        let identity = self.identity.filter(|_| sink.faults() == self.faults_before);
        if let Some(digest) = identity.and_then(|identity| identity.digest().as_bytes().try_into().ok()) {
            let coordinates = [&*self.name, &*self.version, &*self.architecture];
            unique.remember(digest, coordinates, number, self.first_line);
        }
        sink.name(|| label(&self.name, &self.version));
        self.lines = 0;
        Some(Span {
            lines: self.first_at..end,
            line: self.first_line,
            identity: identity?,
            name: self.name_at.take()?,
            version: self.version_at.take()?,
        })
    }

    fn see(&mut self, letter: u8, line: u64, sink: &mut Sink) {
        let bit = bit(letter);
        if checked!("entry-repeated-field") && self.seen & bit != 0 {
            repeated(letter, line, sink);
        }
        self.seen |= bit;
    }

    fn read_identity(&mut self, value: &str, line: u64, sink: &mut Sink) {
        match Identity::parse(value.as_bytes()) {
            Ok(identity) => self.identity = Some(identity),
            Err(error @ IdentityError::Kind { .. }) if checked!("entry-identity-kind") => {
                sink.fault(FaultClass::Policy, &rule::IDENTITY_KIND, line, error.to_string());
            }
            Err(error) => check(Err(error), &rule::IDENTITY, line, sink),
        }
    }

    fn read_version(&mut self, value: &str, line: u64, sink: &mut Sink) {
        self.version.extend_from_slice(value.as_bytes());
        match version_text::check(value.as_bytes()) {
            Err(error) => check(Err(error), &rule::VERSION, line, sink),
            Ok(()) => {
                if let Err(error) = Version::check(value.as_bytes()) {
                    sink.note(&rule::VERSION_GRAMMAR, line, || error.to_string());
                }
            }
        }
    }
}

/// Name and version as people write them.
pub(super) fn label(name: &[u8], version: &[u8]) -> String {
    match (name, version) {
        ([], _) => String::new(),
        (name, []) => escape(name).to_string(),
        (name, version) => format!("{}-{}", escape(name), escape(version)),
    }
}

fn check<E: ToString>(result: Result<(), E>, rule: &Rule, line: u64, sink: &mut Sink) {
    if let (true, Err(error)) = (checked!("entry-value"), result) {
        sink.fault(FaultClass::Malformed, rule, line, error.to_string());
    }
}

fn number(letter: u8, value: &str, limit: u64, line: u64, sink: &mut Sink) -> Option<u64> {
    let field = char::from(letter);
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if checked!("entry-number") && !digits {
        let message = format!("expected decimal digits in `{field}:`, found `{}`", escape(value));
        sink.fault(FaultClass::Malformed, &rule::NUMBER, line, message);
        return None;
    }
    let number = value.parse().ok().filter(|number| *number <= limit);
    if checked!("entry-number-range") && number.is_none() {
        let message = format!("expected a number up to {limit} in `{field}:`, found `{}`", escape(value));
        sink.fault(FaultClass::Malformed, &rule::NUMBER_RANGE, line, message);
    }
    number
}

/// A letter's place in the set of seen ones; all that is no letter shares none.
fn bit(letter: u8) -> u64 {
    match letter {
        b'A'..=b'Z' => 1 << (letter - b'A'),
        b'a'..=b'z' => 1 << (letter - b'a' + 26),
        _ => 0,
    }
}

fn repeated(letter: u8, line: u64, sink: &mut Sink) {
    let message = || format!("the field `{}:` stands more than once in the entry", char::from(letter));
    match letter {
        b'D' | b'p' | b'i' => sink.note(&rule::REPEATED_LIST, line, message),
        b'C' | b'P' | b'V' | b'A' | b'S' | b'I' | b'T' | b'U' | b'L' | b'o' | b'm' | b't' | b'c' | b'k' => {
            sink.fault(FaultClass::Malformed, &rule::REPEATED_FIELD, line, message());
        }
        _ => {}
    }
}

fn unknown(letter: u8, line: u64, sink: &mut Sink) {
    let field = format!("{}:", escape_all(&[letter]));
    match letter {
        b'F' | b'M' | b'R' | b'a' | b'Z' | b'r' | b'q' | b's' | b'f' | b'g'
            if checked!("entry-installed-field") =>
        {
            let message = format!("the field `{field}` belongs to an installed database");
            sink.fault(FaultClass::Malformed, &rule::INSTALLED_FIELD, line, message);
        }
        b'a'..=b'z' => {
            sink.note(&rule::UNKNOWN_LOWER_FIELD, line, || format!("the field `{field}` is unknown"));
        }
        _ if !checked!("entry-unknown-field") => {}
        _ => {
            let message = format!("the field `{field}` is unknown and makes the package uninstallable");
            sink.fault(FaultClass::Policy, &rule::UNKNOWN_FIELD, line, message);
        }
    }
}
