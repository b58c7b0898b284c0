//! Names that look like those of Alpine's keys and are none of them.

use super::{Audit, Entry};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::settings::Settings;

const ALPINE: &str = "alpine-devel@lists.alpinelinux.org";
/// So many characters may differ in a name that still passes for the other at a glance.
const NEAR: usize = 2;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, |entry| lookalike(entry, audit.settings));
}

fn lookalike(entry: &Entry<'_>, settings: &Settings<'_>) -> Option<Finding> {
    entry.key?;
    let name = entry.name();
    // A known key under another name is said to be that.
    if entry.known.is_some() || settings.known.by_name(&name).next().is_some() {
        return None;
    }
    let (stem, _) = name.rsplit_once('-')?;
    if distance(&skeleton(stem), &skeleton(ALPINE)) > NEAR {
        return None;
    }
    let message = if stem == ALPINE {
        "named like an Alpine key, but none that this list of known keys has: newer than the list, or fake"
    } else {
        "named so that it passes for an Alpine key"
    };
    let remedy = "compare the fingerprint through another channel, for example an alpine-keys package that you verified";
    Some(Finding::new(Id::IdLookalike, Severity::Warn, message, remedy))
}

/// The name with everything alike that looks alike.
fn skeleton(name: &str) -> Vec<char> {
    let alike = |c: char| match c {
        '0' | 'о' | 'ο' => 'o',
        '1' | 'i' | 'í' | 'і' | 'ı' => 'l',
        'а' | 'α' | 'á' | 'à' | 'ä' => 'a',
        'е' | 'é' | '3' => 'e',
        'р' | 'ρ' => 'p',
        'ѕ' | '5' => 's',
        'х' => 'x',
        'υ' | 'ü' | 'v' => 'u',
        '_' | '–' | '‐' | '‑' => '-',
        c => c,
    };
    name.to_lowercase().chars().take(64).map(alike).collect()
}

/// How many characters have to be put in, taken out or exchanged (Levenshtein).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.iter().enumerate() {
        let mut before = at + 1;
        let mut next = vec![before];
        for (pair, d) in row.windows(2).zip(other) {
            let [diagonal, above] = pair else { continue };
            before = (diagonal + usize::from(c != d)).min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(name: &str) -> bool {
        distance(&skeleton(name), &skeleton(ALPINE)) <= NEAR
    }

    #[test]
    fn what_looks_alike_is_near_and_other_projects_are_not() {
        for name in [
            ALPINE,
            "alpine-devel@lists.alpineIinux.org",
            "aIpine-deve1@lists.alpine1inux.org",
            "аlpine-devel@lists.alpinelinux.org",
            "alpine_devel@list.alpinelinux.org",
            "alpine-devel@lists.alpinelinux.orq",
        ] {
            assert!(near(name), "{name}");
        }
        for name in
            ["packages@adelielinux.org", "alpine-devel@example.org", "x86_64@chimera-linux.org", "a", ""]
        {
            assert!(!near(name), "{name}");
        }
    }

    #[test]
    fn counts_insertions_deletions_and_exchanges() {
        let distance =
            |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!((distance("", "abc"), distance("abc", ""), distance("abc", "abc")), (3, 3, 0));
        assert_eq!(
            (distance("abcd", "abd"), distance("abcd", "axcd"), distance("kitten", "sitting")),
            (1, 1, 3)
        );
    }
}
