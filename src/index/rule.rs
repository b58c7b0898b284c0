//! The rules that an index is held to: stable ids, severities and remedies.

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing; real indexes have it.
    Info,
    /// Works today, or for some clients.
    Warn,
    /// Refused, or broken for every client.
    Error,
}

impl Severity {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One rule; `docs/findings.md` explains each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// The stable name, in lower case with hyphens.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What to do about it.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $severity:ident, $remedy:literal;)*) => {
        $($(#[$doc])* pub const $name: Rule =
            Rule { id: $id, severity: Severity::$severity, remedy: $remedy };)*
        /// Every rule, in the order of the documentation.
        pub const ALL: &[Rule] = &[$($name),*];
    };
}

rules! {
    /// A control character in a line.
    CONTROL_CHARACTER = "text-control-character", Error, "write the index anew with a tool that drops control characters";
    /// Lines that end with CR LF.
    CRLF = "text-crlf", Error, "write the index with LF alone; CR becomes part of every name";
    /// A line that is not UTF-8.
    NOT_UTF8 = "text-not-utf8", Error, "write the index in UTF-8";
    /// A line of one byte.
    SHORT_LINE = "text-short-line", Error, "remove the line; apk takes it for the end of the entry";
    /// A line without a colon as its second byte.
    NO_COLON = "text-no-colon", Error, "remove the line; apk refuses the whole index";
    /// The last line lacks its newline.
    NO_FINAL_NEWLINE = "text-no-final-newline", Warn, "end the index with a newline and an empty line; apk may lose the last entry";
    /// No entry at all.
    NO_ENTRY = "text-no-entry", Info, "nothing to do if the repository is meant to be empty";
    /// A field that may stand once stands twice.
    REPEATED_FIELD = "entry-repeated-field", Error, "keep one of the lines; apk takes the last, other tools the first";
    /// `D:`, `p:` or `i:` in several lines.
    REPEATED_LIST = "entry-repeated-list", Info, "nothing to do: apk adds the lines up";
    /// One of `C:`, `P:`, `V:`, `S:` is not there.
    MISSING_FIELD = "entry-missing-field", Error, "write the entry anew from its package";
    /// No `A:`.
    NO_ARCHITECTURE = "entry-no-architecture", Warn, "write the architecture; apk installs the package on every one, from a broken address";
    /// A field of the installed database.
    INSTALLED_FIELD = "entry-installed-field", Error, "write the entry anew from its package; this one comes from an installed database";
    /// A field that makes the package uninstallable.
    UNKNOWN_FIELD = "entry-unknown-field", Error, "remove the field; apk does not install the package";
    /// A lower-case field that nobody knows.
    UNKNOWN_LOWER_FIELD = "entry-unknown-lower-field", Info, "nothing to do: apk warns and ignores it";
    /// `C:` is not in its canonical form.
    IDENTITY = "entry-identity", Error, "write `C:` anew: `Q1` and the base64 of the SHA-1 of the control member";
    /// `C:` of another algorithm or in hexadecimal.
    IDENTITY_KIND = "entry-identity-kind", Error, "write `C:` as `Q1…=`; with another kind installing fails, or depends on the client";
    /// `P:` is no name.
    NAME = "entry-name", Error, "name the package by letters, digits and `._+-`; the name becomes part of addresses";
    /// `V:` is no safe token.
    VERSION = "entry-version", Error, "write the version by letters, digits and `._+~-`; it becomes part of addresses";
    /// `V:` is outside the grammar.
    VERSION_GRAMMAR = "entry-version-grammar", Info, "nothing to do in the index; no dependency can name such a version exactly";
    /// `A:` is not one safe path component.
    ARCHITECTURE = "entry-architecture", Error, "write one architecture; it becomes part of addresses";
    /// A number is not made of digits.
    NUMBER = "entry-number", Error, "write the number in decimal digits";
    /// A number is too large.
    NUMBER_RANGE = "entry-number-range", Error, "write the number anew; apk keeps its lowest bits only";
    /// Name, version and architecture of two entries are the same.
    DUPLICATE_VERSION = "entry-duplicate-version", Error, "keep one of the entries: there is one file of that name";
    /// Identity of two entries is the same.
    DUPLICATE_IDENTITY = "entry-duplicate-identity", Error, "keep one of the entries: apk drops the second";
    /// An atom that apk cannot read.
    ATOM_BROKEN = "atom-broken", Error, "correct the dependency in the package";
    /// An atom with a repository tag.
    ATOM_TAG = "atom-tag", Error, "remove the tag: only people may write `name@tag`";
    /// A provided version is outside the grammar.
    ATOM_VERSION_GRAMMAR = "atom-version-grammar", Info, "correct the version in the package; apk keeps the name and warns";
    /// A version outside the grammar in `D:` or `i:`.
    ATOM_UNUSABLE = "atom-unusable", Warn, "correct the version in the package: apk does not install it, or drops its `i:`";
    /// A name with characters that the documentation does not name.
    ATOM_NAME = "atom-name", Info, "nothing to do: the name is probably that of a file";
    /// Entries are for another architecture than the folder.
    ARCHITECTURE_FOLDER = "architecture-folder", Error, "put the index of this architecture into the folder; clients install none of these packages";
    /// Entries of several architectures.
    ARCHITECTURE_MIXED = "architecture-mixed", Info, "nothing to do if that is meant; apk asks for one index per architecture";
    /// Entries that say `noarch`.
    ARCHITECTURE_NOARCH = "architecture-noarch", Info, "serve the files under `noarch` as well, or build the index with `--rewrite-arch`";
    /// A file name that no file system takes.
    FILE_NAME_LONG = "file-name-long", Warn, "shorten the name or the version of the package";
    /// A `!` where something is provided.
    PROVIDES_MARK = "provides-mark", Warn, "write the name without `!`; to exclude other providers, add `!name` to the dependencies";
    /// Something is provided with another operator than `=`.
    PROVIDES_OPERATOR = "provides-operator", Warn, "write `name` or `name=version`";
    /// A package provides its own name.
    PROVIDES_ITSELF = "provides-itself", Error, "remove the package's own name from its provides; apk cannot install it";
    /// A name is provided twice, once with a version.
    PROVIDES_TWICE = "provides-twice", Error, "provide the name once; apk cannot install the package";
    /// Nothing answers to the name of a dependency.
    DEPENDENCY_MISSING = "dependency-missing", Warn, "give the index that has it with `--with`, or drop the package: apk does not fall back to an older version";
    /// No version satisfies a dependency.
    DEPENDENCY_VERSION = "dependency-version", Warn, "build the package anew, or give the index that has the version with `--with`";
    /// A package that is pulled in by itself lacks what it needs.
    INSTALL_IF_TRAP = "install-if-trap", Warn, "leave the package out: requests that pull it in can fail; leaving it out is always safe";
    /// A package waits for a version that is not there.
    INSTALL_IF_STALE = "install-if-stale", Warn, "build the package anew, or leave it out: nothing pulls it in";
    /// One atom pulls a package in.
    INSTALL_IF_SINGLE = "install-if-single", Info, "name at least two packages, one of them by `=`, as Alpine's policy has it";
    /// The file of an entry is not there.
    PACKAGE_MISSING = "package-missing", Error, "fetch the package, or take its entry out";
    /// The file of an entry is not verified, or could not be read.
    PACKAGE_NOT_VERIFIED = "package-not-verified", Error, "look at it with `apkvet verify`";
    /// Another name than the entry has.
    PACKAGE_NAME = "package-name", Error, "the file lies under a wrong name: fetch the right one";
    /// Another version than the entry has.
    PACKAGE_VERSION = "package-version", Error, "the file lies under a wrong name: fetch the right one";
    /// Another architecture than the entry has.
    PACKAGE_ARCHITECTURE = "package-architecture", Error, "the file is for another architecture: fetch the right one";
    /// Another identity than the entry has.
    PACKAGE_IDENTITY = "package-identity", Error, "the package was built again under the same version, or exchanged: fetch index and package together";
    /// Another size than the entry has.
    PACKAGE_SIZE = "package-size", Error, "something outside the signed parts was changed, perhaps the package was signed again: fetch index and package together";
    /// A file that no entry names.
    PACKAGE_UNLISTED = "package-unlisted", Warn, "build the index anew, or remove the file";
}

/// Finds a rule by its id.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_one_form() {
        for (at, rule) in ALL.iter().enumerate() {
            assert!(
                rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'0'..=b'9' | b'-'))
            );
            assert!(ALL.iter().skip(at + 1).all(|other| other.id != rule.id), "{}", rule.id);
        }
    }

    #[test]
    fn documentation_explains_every_rule_with_its_severity() {
        let documentation = include_str!("../../docs/findings.md");
        for rule in ALL {
            let row = format!("| `{}` | {} |", rule.id, rule.severity);
            assert!(documentation.contains(&row), "{row}");
        }
    }
}
