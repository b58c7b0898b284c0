//! Questions that people ask an index.

use super::providers::Providers;
use super::resolver::Resolver;
use super::{Index, Record};
use crate::limits::{LimitReached, Limits};
use crate::types::Dependency;

/// A condition on entries; all that are given must hold.
#[derive(Clone, Debug, Default)]
pub struct Query<'q> {
    /// The name matches this pattern, in which `*` is any text and `?` any character.
    pub pattern: Option<&'q str>,
    /// The package answers to this atom, by its own name or by `p:`.
    pub provides: Option<Dependency<'q>>,
    /// `D:` has an atom of exactly this name.
    pub depends_on: Option<&'q str>,
    /// The package needs one of this name, whatever it calls it: by its name, or by anything it provides.
    pub who_needs: Option<&'q str>,
}

/// The entries of an index that a query holds for, in the order of the text.
///
/// # Errors
/// - [`LimitReached`] `index-atoms` if `who_needs` would be too much work.
pub fn select<'a>(
    index: &'a Index,
    query: &Query<'a>,
    limits: &Limits,
) -> Result<Vec<Record<'a>>, LimitReached> {
    let mut records: Vec<Record<'a>> = index.records().collect();
    records.retain(|record| {
        query.pattern.is_none_or(|pattern| matches(pattern, record.name()))
            && query.provides.is_none_or(|atom| provides(record, &atom))
            && query.depends_on.is_none_or(|name| needs(record).any(|atom| atom.name() == name))
    });
    match query.who_needs {
        Some(name) => who_needs(index, name, records, limits),
        None => Ok(records),
    }
}

/// Whether a name matches a pattern of `*` and `?`.
///
/// Units: at most the product of both lengths in steps, whatever the pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut position) = (0, 0);
    // Where to go on after the last `*`: the place behind it, and how much it has taken so far.
    let mut retry = None;
    while let Some(byte) = name.get(position) {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, position));
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => (at, position) = (at + 1, position + 1),
            _ => match &mut retry {
                Some((after, taken)) => {
                    *taken += 1;
                    (at, position) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

fn provides(record: &Record<'_>, atom: &Dependency<'_>) -> bool {
    let own = std::iter::once((record.name(), Some(record.version())));
    let names = own.chain(record.provides().map(|provided| (provided.name(), provided.version())));
    names.into_iter().any(|(name, version)| {
        name == atom.name()
            && (atom.accepts_version(version.unwrap_or_default())
                || atom.accepts_identity(&record.identity()))
    })
}

fn needs<'a>(record: &Record<'a>) -> impl Iterator<Item = Dependency<'a>> + use<'a> {
    record.dependencies().filter(|atom| !atom.is_conflict())
}

/// Keeps the entries that need what packages of one name provide.
fn who_needs<'a>(
    index: &'a Index,
    name: &str,
    records: Vec<Record<'a>>,
    limits: &Limits,
) -> Result<Vec<Record<'a>>, LimitReached> {
    let providers = Providers::of_records(index.named(name), limits)?;
    let mut resolver = Resolver::new(&providers, limits);
    let mut selected = Vec::new();
    for record in records {
        for atom in needs(&record) {
            if resolver.is_satisfied(atom)? {
                selected.push(record);
                break;
            }
        }
    }
    Ok(selected)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::testing::index;

    fn selected(query: &Query<'static>) -> Vec<String> {
        let index = index(&[
            "openssl 3.0.8|p:cmd:openssl=3.0.8",
            "libssl3 3.0.8|p:so:libssl.so.3=3",
            "curl 8|D:so:libssl.so.3 ca-certificates",
            "old 1|D:so:libssl.so.3<2",
            "tool 1|D:cmd:openssl",
            "foe 1|D:!openssl",
        ]);
        select(&index, query, &Limits::default())
            .unwrap()
            .iter()
            .map(|record| record.name().to_owned())
            .collect()
    }

    #[test]
    fn patterns_and_conditions_add_up() {
        assert_eq!(selected(&Query::default()).len(), 6);
        assert_eq!(selected(&Query { pattern: Some("*ssl*"), ..Query::default() }), ["openssl", "libssl3"]);
        let query = Query { pattern: Some("c*"), depends_on: Some("so:libssl.so.3"), ..Query::default() };
        assert_eq!(selected(&query), ["curl"]);
    }

    #[test]
    fn providers_answer_by_name_and_by_version() {
        let provides = |atom| Query { provides: Some(Dependency::parse(atom).unwrap()), ..Query::default() };
        assert_eq!(selected(&provides("so:libssl.so.3")), ["libssl3"]);
        assert_eq!(selected(&provides("so:libssl.so.3>3")), [""; 0]);
        assert_eq!(selected(&provides("openssl=3.0.8")), ["openssl"]);
    }

    #[test]
    fn who_needs_a_package_asks_for_anything_that_it_provides() {
        let query = |name| Query { who_needs: Some(name), ..Query::default() };
        assert_eq!(selected(&query("libssl3")), ["curl"]);
        assert_eq!(selected(&query("openssl")), ["tool"]);
        assert_eq!(selected(&Query { depends_on: Some("openssl"), ..Query::default() }), [""; 0]);
    }

    #[test]
    fn stars_take_any_text_and_question_marks_one_character() {
        for (pattern, name) in
            [("*", ""), ("a*", "a"), ("a*c*e", "abcde"), ("?b", "ab"), ("**a", "ba"), ("a", "a")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("", "a"), ("?", ""), ("a*b", "abc"), ("*aab", "aaab_"), ("ab", "a")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    fn slowly(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], name) => name.is_empty(),
            ([b'*', rest @ ..], name) => (0..=name.len()).any(|taken| slowly(rest, &name[taken..])),
            ([first, pattern @ ..], [byte, name @ ..]) => {
                (*first == b'?' || first == byte) && slowly(pattern, name)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_the_definition_says(pattern in "[ab*?]{0,6}", name in "[ab]{0,8}") {
            prop_assert_eq!(matches(&pattern, &name), slowly(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
