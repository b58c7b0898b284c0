//! Variables of a Dockerfile or a script, as far as the file itself gives them a value.

use std::collections::BTreeMap;

/// How many bytes a word may grow to: values may hold other values.
const LONGEST: usize = 4096;

/// What is known so far, from the top of the file.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Takes over what a line sets: `ARG A=1`, `ENV A=1 B=2`, `ENV A 1`, `export A=1`, `A=1`.
    pub(super) fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { return };
        if ["arg", "env", "export"].iter().any(|word| first.eq_ignore_ascii_case(word)) {
            let rest: Vec<&str> = words.collect();
            match rest.as_slice() {
                [name, value @ ..] if !name.contains('=') && !value.is_empty() => {
                    self.set(name, &value.join(" "));
                }
                assignments => assignments.iter().for_each(|word| self.assign(word)),
            }
        } else if words.next().is_none() {
            self.assign(first);
        }
    }

    /// A word with `$NAME`, `${NAME}` and `${NAME:-default}` replaced where the value is known.
    pub(super) fn replace(&self, word: &str) -> String {
        let mut replaced = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('$') {
            replaced.push_str(before);
            let (reference, tail) = reference(after);
            match self.value(reference) {
                Some(value) if replaced.len().saturating_add(value.len()) <= LONGEST => {
                    replaced.push_str(value)
                }
                _ => {
                    replaced.push('$');
                    replaced.push_str(reference);
                }
            }
            rest = tail;
        }
        replaced + rest
    }

    fn value<'v>(&'v self, reference: &'v str) -> Option<&'v str> {
        let inner =
            reference.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(reference);
        let (name, default) = match inner.split_once(":-").or_else(|| inner.split_once('-')) {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        self.0.get(name).map(String::as_str).or(default)
    }

    fn assign(&mut self, word: &str) {
        if let Some((name, value)) = word.split_once('=') {
            self.set(name, value);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.is_empty() && name.chars().all(is_name) {
            let value = self.replace(value.trim_matches(['"', '\'']));
            // A value that rests on an unknown one is unknown as well.
            if value.contains('$') {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value);
            }
        }
    }
}

/// Splits what follows a `$` into the reference and the rest.
fn reference(after: &str) -> (&str, &str) {
    let end = if after.starts_with('{') {
        after.find('}').map_or(after.len(), |at| at.saturating_add(1))
    } else {
        after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())
    };
    after.split_at_checked(end).unwrap_or((after, ""))
}
