//! The entry that an index has for a package.

use std::cmp::Ordering;

use super::Record;
use crate::package::PkgInfo;
use crate::types::{Architecture, Identity, compare_versions};

/// What an entry says beside the package's own words.
#[derive(Clone, Copy, Debug)]
pub struct EntryFacts<'a> {
    /// SHA-1 of the control member.
    pub identity: Identity,
    /// Size of the file. Units: bytes.
    pub size: u64,
    /// What to write as `A:` instead of the package's own architecture: packages that say `noarch` lie in the
    /// folder of an architecture, and clients look for them in the folder that `A:` names.
    pub architecture: Option<&'a Architecture>,
}

/// Writes the entry of a package, line by line as `apk index` and abuild do.
///
/// Shape: `C P V A S I T U L o m t c k D p i`. `T`, `U` and `L` stand there even if they are empty, the others do not;
/// of a description of several lines the first is taken, of several licences the last.
pub fn compose(info: &PkgInfo, facts: &EntryFacts<'_>) -> String {
    let mut text = String::new();
    let mut line = |letter: char, value: &str| {
        text.push(letter);
        text.push(':');
        text.push_str(value);
        text.push('\n');
    };
    let value = |key: &str| info.values(key).last().unwrap_or_default();
    line('C', &facts.identity.to_string());
    line('P', info.name());
    line('V', info.version());
    line('A', facts.architecture.map_or_else(|| info.architecture(), Architecture::as_str));
    line('S', &facts.size.to_string());
    line('I', &info.installed_size().to_string());
    line('T', value("pkgdesc").lines().next().unwrap_or_default());
    line('U', value("url"));
    line('L', value("license"));
    let number = |key: &str| value(key).parse::<u64>().ok().filter(|number| *number > 0);
    let number = |key: &str| number(key).map(|number| number.to_string()).unwrap_or_default();
    let list = |key: &str| {
        let atoms = info.values(key).flat_map(|list| list.split(' ')).filter(|atom| !atom.is_empty());
        atoms.collect::<Vec<_>>().join(" ")
    };
    let optional = [
        ('o', value("origin").to_owned()),
        ('m', value("maintainer").to_owned()),
        ('t', number("builddate")),
        ('c', value("commit").to_owned()),
        ('k', number("provider_priority")),
        ('D', list("depend")),
        ('p', list("provides")),
        ('i', list("install_if")),
    ];
    for (letter, value) in optional.iter().filter(|(_, value)| !value.is_empty()) {
        line(*letter, value);
    }
    text
}

/// The order of entries in an index that `apk index` makes: by name without regard to case, then by name, then by
/// version upwards.
pub fn entry_order(a: &Record<'_>, b: &Record<'_>) -> Ordering {
    let lower =
        |record: &Record<'_>| record.name().bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    lower(a)
        .cmp(&lower(b))
        .then_with(|| a.name().cmp(b.name()))
        .then_with(|| compare_versions(a.version(), b.version()))
        // Versions that only look different, and architectures: anything, as long as it is always the same.
        .then_with(|| a.as_str().cmp(b.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::testing::index;
    use crate::limits::Limits;
    use crate::types::Digest;

    const HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn entry(lines: &str, architecture: Option<&str>) -> String {
        let text =
            format!("pkgname = foo\npkgver = 1.0-r0\narch = noarch\nsize = 5\ndatahash = {HASH}\n{lines}");
        let info = PkgInfo::parse(text.as_bytes(), &Limits::default()).unwrap();
        let architecture = architecture.map(|name| Architecture::parse(name.as_bytes()).unwrap());
        let identity = Identity::new(Digest::new([0; 20]));
        compose(&info, &EntryFacts { identity, size: 99, architecture: architecture.as_ref() })
    }

    const HEAD: &str = "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:foo\nV:1.0-r0\n";

    #[test]
    fn a_package_of_few_words_has_a_short_entry() {
        assert_eq!(entry("", None), format!("{HEAD}A:noarch\nS:99\nI:5\nT:\nU:\nL:\n"));
        let zero = "builddate = 0\nprovider_priority = 0\ncommit = \n";
        assert_eq!(entry(zero, Some("x86_64")), format!("{HEAD}A:x86_64\nS:99\nI:5\nT:\nU:\nL:\n"));
    }

    #[test]
    fn every_field_has_its_place() {
        let lines = "install_if = a b=1\nprovides = so:x=1\nprovides = cmd:y\ndepend = so:z !q  r>=2\ndepend = s\n\
                     provider_priority = 10\ncommit = abc\nbuilddate = 1700000000\nmaintainer = M <m@example.org>\n\
                     origin = foo-src\nlicense = MIT\nurl = https://example.org/\npkgdesc = A thing = good\n  more\n\
                     packager = P\nlicense = Zlib\n";
        let expected = format!(
            "{HEAD}A:noarch\nS:99\nI:5\nT:A thing = good\nU:https://example.org/\nL:Zlib\no:foo-src\n\
             m:M <m@example.org>\nt:1700000000\nc:abc\nk:10\nD:so:z !q r>=2 s\np:so:x=1 cmd:y\ni:a b=1\n"
        );
        assert_eq!(entry(lines, None), expected);
    }

    #[test]
    fn entries_sort_by_name_without_case_then_by_version() {
        let index = index(&["b 1", "B 1", "a 1.10", "a 1.9", "A 1", "c 1"]);
        let mut records: Vec<Record<'_>> = index.records().collect();
        records.sort_by(entry_order);
        let labels: Vec<String> = records.iter().map(Record::label).collect();
        assert_eq!(labels, ["A-1", "a-1.9", "a-1.10", "B-1", "b-1", "c-1"]);
    }
}
