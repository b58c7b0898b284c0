//! Checks the lists of dependency atoms.

use memchr::memchr;

use super::report::{FaultClass, Sink};
use crate::index::rule;
use crate::types::{Dependency, DependencyError, Version, escape};

/// Checks every atom of `D:`, `p:` or `i:`.
pub(super) fn check(letter: u8, list: &str, line: u64, sink: &mut Sink) {
    let mut rest = list;
    while let Some(begin) = rest.bytes().position(|byte| byte != b' ') {
        rest = rest.get(begin..).unwrap_or_default();
        let length = match plain_atom(rest.as_bytes()) {
            Some(length) => length,
            None => {
                let length = memchr(b' ', rest.as_bytes()).unwrap_or(rest.len());
                read(letter, rest.get(..length).unwrap_or_default(), line, sink);
                length
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The length of an atom at the beginning of a list that nothing at all can be said about.
///
/// These are 999 of 1,000, and two thirds of all text: one pass over them doubles the speed of the whole.
fn plain_atom(list: &[u8]) -> Option<usize> {
    let list = list.strip_prefix(b"!").map_or((0, list), |rest| (1, rest));
    let (sign, rest) = list;
    let name = rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len());
    let value = rest.get(name..).filter(|_| name > 0)?;
    let operator = match value {
        [] | [b' ', ..] => return Some(sign + name),
        [b'<' | b'>', b'=' | b'~', ..] => 2,
        [b'=' | b'<' | b'>' | b'~', ..] => 1,
        _ => return None,
    };
    let version = value.get(operator..)?;
    let length = memchr(b' ', version).unwrap_or(version.len());
    Version::check(version.get(..length)?).is_ok().then_some(sign + name + operator + length)
}

/// The characters that the documentation of the format allows in names.
fn is_plain(byte: u8) -> bool {
    const SET: [u64; 4] = {
        let mut set = [0_u64; 4];
        let [low, high, ..] = &mut set;
        let mut byte = 0_u8;
        while byte < 128 {
            if byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'_' | b'+' | b'-' | b',' | b':' | b'/' | b'[' | b']')
            {
                if byte < 64 { *low |= 1 << byte } else { *high |= 1 << (byte - 64) }
            }
            byte += 1;
        }
        set
    };
    SET.get(usize::from(byte >> 6)).is_some_and(|set| set >> (byte & 63) & 1 == 1)
}

fn read(letter: u8, text: &str, line: u64, sink: &mut Sink) {
    match Dependency::parse(text) {
        Ok(atom) => odd(letter, &atom, line, sink),
        Err(_) if !checked!("entry-atom") => {}
        Err(error) => {
            let rule = match error {
                DependencyError::Tag { .. } | DependencyError::TagForm { .. } => &rule::ATOM_TAG,
                _ => &rule::ATOM_BROKEN,
            };
            let message = format!("`{}:`: {error}", char::from(letter));
            sink.fault(FaultClass::Policy, rule, line, message);
        }
    }
}

fn odd(letter: u8, atom: &Dependency<'_>, line: u64, sink: &mut Sink) {
    let field = char::from(letter);
    if !atom.is_grammatical() {
        let (rule, effect) = match letter {
            b'D' => (&rule::ATOM_UNUSABLE, "apk does not install the package"),
            b'i' => (&rule::ATOM_UNUSABLE, "apk drops the whole list"),
            _ => (&rule::ATOM_VERSION_GRAMMAR, "apk warns and keeps the name"),
        };
        sink.note(rule, line, || {
            format!(
                "`{field}:` has `{}`, whose version is outside the grammar: {effect}",
                escape(atom.as_str())
            )
        });
    }
    if !atom.is_plain_name() {
        sink.note(&rule::ATOM_NAME, line, || {
            format!("`{field}:` has the unusual name `{}`", escape(atom.name()))
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quick_way_passes_only_what_the_parser_reads_without_remark(
            text in "!{0,2}[a-c!:\u{fc}]{0,3}[<>=~@]{0,3}[0-9a./_-]{0,5}",
            more in "( [a-z]{0,3})?",
        ) {
            if let Some(length) = plain_atom(format!("{text}{more}").as_bytes()) {
                prop_assert_eq!(length, text.len());
                let atom = Dependency::parse(&text).unwrap();
                prop_assert!(atom.is_grammatical() && atom.is_plain_name());
            }
        }
    }
}
