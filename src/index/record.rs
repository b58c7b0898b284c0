//! One entry of a parsed index, without copying any of it.

use crate::types::{Architecture, Dependency, Identity};

use super::span::Span;

/// One entry of an index, borrowed from its text.
///
/// Trust: what the index says, and as true as the index is.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    text: &'a str,
    span: &'a Span,
}

/// Entries are equal when their bytes are.
impl PartialEq for Record<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Record<'_> {}

impl<'a> Record<'a> {
    pub(super) const fn new(text: &'a str, span: &'a Span) -> Self {
        Self { text, span }
    }

    /// The lines of the entry as they were read, each with its newline, without the empty line.
    pub fn as_str(&self) -> &'a str {
        self.text.get(self.span.lines.clone()).unwrap_or_default()
    }

    /// The number of the first line in the text, counted from 1.
    pub fn line(&self) -> u64 {
        self.span.line
    }

    /// The number of the line on which a field stands, or of the entry's first line.
    pub fn line_of(&self, letter: u8) -> u64 {
        let lines = self.as_str().lines().zip(self.span.line..);
        lines
            .into_iter()
            .find(|(line, _)| is_field(line, letter))
            .map_or(self.span.line, |(_, number)| number)
    }

    /// `C:`, the identity.
    pub fn identity(&self) -> Identity {
        self.span.identity
    }

    /// `P:`, a [`PackageName`](crate::types::PackageName).
    pub fn name(&self) -> &'a str {
        self.text.get(self.span.name.clone()).unwrap_or_default()
    }

    /// `V:`, a [`VersionText`](crate::types::VersionText).
    pub fn version(&self) -> &'a str {
        self.text.get(self.span.version.clone()).unwrap_or_default()
    }

    /// `A:`, if there is one.
    pub fn architecture(&self) -> Option<&'a str> {
        self.field(b'A')
    }

    /// Name and version as people write them: `foo-1.0-r0`.
    pub fn label(&self) -> String {
        format!("{}-{}", self.name(), self.version())
    }

    /// The name that the file of the package has in a repository: `foo-1.0-r0.apk`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.apk", self.name(), self.version())
    }

    /// `S:`, the size of the file. Units: bytes.
    pub fn size(&self) -> u64 {
        self.number(b'S').unwrap_or_default()
    }

    /// `I:`, the installed size. Units: bytes.
    pub fn installed_size(&self) -> Option<u64> {
        self.number(b'I')
    }

    /// `t:`, the time of the build. Units: seconds since 1970.
    pub fn build_time(&self) -> Option<u64> {
        self.number(b't')
    }

    /// `k:`, which provider of an unversioned name is taken; 0 and none at all mean the same.
    pub fn provider_priority(&self) -> u64 {
        self.number(b'k').unwrap_or_default()
    }

    /// `o:`, the name of the source package.
    pub fn origin(&self) -> Option<&'a str> {
        self.field(b'o')
    }

    /// `L:`, the licence.
    pub fn license(&self) -> Option<&'a str> {
        self.field(b'L')
    }

    /// `D:`, what the package needs.
    pub fn dependencies(&self) -> impl Iterator<Item = Dependency<'a>> + use<'a> {
        self.atoms(b'D')
    }

    /// `p:`, what the package provides beside its own name.
    pub fn provides(&self) -> impl Iterator<Item = Dependency<'a>> + use<'a> {
        self.atoms(b'p')
    }

    /// `i:`, what pulls the package in.
    pub fn install_if(&self) -> impl Iterator<Item = Dependency<'a>> + use<'a> {
        self.atoms(b'i')
    }

    /// The value of a field, if it is there; of a repeated one the last, as `apk` takes it.
    pub fn field(&self, letter: u8) -> Option<&'a str> {
        self.values(letter).last()
    }

    /// Whether packages of this entry run on an architecture: the same, `noarch`, or none stated.
    pub fn fits(&self, architecture: &Architecture) -> bool {
        self.architecture().is_none_or(|own| own == architecture.as_str() || own == Architecture::NOARCH)
    }

    fn values(&self, letter: u8) -> impl Iterator<Item = &'a str> + use<'a> {
        let lines = self.as_str().lines().filter(move |line| is_field(line, letter));
        lines.filter_map(|line| line.get(2..))
    }

    fn number(&self, letter: u8) -> Option<u64> {
        self.field(letter)?.parse().ok()
    }

    /// The atoms of all lines of a list that `apk` can read.
    fn atoms(&self, letter: u8) -> impl Iterator<Item = Dependency<'a>> + use<'a> {
        let texts = self.values(letter).flat_map(|list| list.split(' ')).filter(|text| !text.is_empty());
        texts.filter_map(|text| Dependency::parse(text).ok())
    }
}

fn is_field(line: &str, letter: u8) -> bool {
    matches!(line.as_bytes(), [first, b':', ..] if *first == letter)
}
