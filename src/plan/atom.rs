//! Dependency atoms with their names resolved.

use std::cmp::Ordering;

use super::table::{Name, Package};
use crate::types::{Dependency, Identity, VersionOperator, compare_versions};

/// An atom of a package, or of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Atom<'a> {
    pub(super) name: Name,
    /// Whether it begins with `!`.
    pub(super) conflict: bool,
    constraint: Option<(VersionOperator, &'a str)>,
}

/// A package under one of the names that it answers to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Provider<'a> {
    pub(super) package: Package,
    /// Empty for a virtual name.
    pub(super) version: &'a str,
}

impl Provider<'_> {
    /// Whether the package owns the name: then it is the only one of its answerers to be installed.
    pub(super) const fn owns(&self) -> bool {
        !self.version.is_empty()
    }
}

impl<'a> Atom<'a> {
    pub(super) fn new(name: Name, atom: &Dependency<'a>) -> Self {
        Self { name, conflict: atom.is_conflict(), constraint: atom.operator().zip(atom.version()) }
    }

    /// The atom that a name alone is.
    pub(super) const fn of_name(name: Name) -> Self {
        Self { name, conflict: false, constraint: None }
    }

    /// The atom as text.
    pub(super) fn text(&self, name: &str) -> String {
        let mark = if self.conflict { "!" } else { "" };
        self.constraint.map_or_else(
            || format!("{mark}{name}"),
            |(operator, version)| format!("{mark}{name}{operator}{version}"),
        )
    }

    /// Whether the atom holds with this answerer to its name; `identity` is that of the answerer.
    ///
    /// A conflict holds if the answerer is not what it excludes.
    pub(super) fn holds_with(&self, version: &str, identity: impl FnOnce() -> Option<Identity>) -> bool {
        match self.constraint {
            None => !self.conflict,
            Some((operator, value)) if operator.is_identity() && self.conflict => {
                // `apk` takes the identity in a conflict for a version, which is below all others.
                compare_versions(version, value) == Ordering::Equal
            }
            Some((operator, value)) if operator.is_identity() => {
                Identity::parse(value.as_bytes()).ok().is_some_and(|wanted| identity() == Some(wanted))
            }
            Some((operator, value)) => operator.accepts(version, value) != self.conflict,
        }
    }
}
