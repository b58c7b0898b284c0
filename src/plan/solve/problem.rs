//! Why `apk` would give up.

use std::fmt;

use crate::types::escape_all;

/// One thing that stands in the way, with the names that lead to it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing answers to a name that is asked for.
    #[error("{}: no such package", arrows(.chain))]
    NoSuchPackage {
        /// The request.
        chain: Vec<String>,
    },
    /// Nothing answers to a name that a package needs.
    #[error("{}: nothing provides this", arrows(.chain))]
    MissingDependency {
        /// From the request through packages to the dependency.
        chain: Vec<String>,
    },
    /// Only packages answer to the name that have to be selected by their own names.
    #[error("{}: virtual, select one of {}", arrows(.chain), listed(.providers))]
    VirtualUnselected {
        /// From the request through packages to the name.
        chain: Vec<String>,
        /// The names of the packages.
        providers: Vec<String>,
    },
    /// The package that answers to a name does not have the version that is asked for.
    #[error("{}: satisfied by none of {}", arrows(.chain), listed(.found))]
    VersionUnsatisfied {
        /// From the request through packages to the atom.
        chain: Vec<String>,
        /// What there is.
        found: Vec<String>,
    },
    /// Packages exclude each other.
    #[error("{}: conflicts with {}", arrows(.chain), listed(.with))]
    Conflict {
        /// From the request to one of the packages, or to the atom that excludes the other.
        chain: Vec<String>,
        /// The other.
        with: Vec<String>,
    },
    /// `apk` can install none of these packages: of another architecture, or a dependency that it cannot read.
    #[error("{}: cannot be installed", arrows(.chain))]
    Uninstallable {
        /// From the request to the package.
        chain: Vec<String>,
    },
    /// A package lies only in a repository with a tag that nothing allows.
    #[error("{}: only in {}, which the request does not name", arrows(.chain), listed(.tags))]
    Masked {
        /// From the request to the package.
        chain: Vec<String>,
        /// The tags, each with its `@`.
        tags: Vec<String>,
    },
    /// A package would be chosen, but what else is asked for has ruled it out.
    #[error("{}: ruled out by what else is asked for", arrows(.chain))]
    RuledOut {
        /// From the request to the package.
        chain: Vec<String>,
    },
    /// A request names a tag that no repository has.
    #[error("{}: no repository has this tag", arrows(.chain))]
    UnknownTag {
        /// The request.
        chain: Vec<String>,
    },
}

impl Problem {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPackage { .. } => "no-such-package",
            Self::MissingDependency { .. } => "missing-dependency",
            Self::VirtualUnselected { .. } => "virtual-unselected",
            Self::VersionUnsatisfied { .. } => "version-unsatisfied",
            Self::Conflict { .. } => "conflict",
            Self::Uninstallable { .. } => "uninstallable",
            Self::Masked { .. } => "masked",
            Self::RuledOut { .. } => "ruled-out",
            Self::UnknownTag { .. } => "unknown-tag",
        }
    }

    /// The names from the request to what stands in the way.
    pub fn chain(&self) -> &[String] {
        match self {
            Self::NoSuchPackage { chain }
            | Self::MissingDependency { chain }
            | Self::VirtualUnselected { chain, .. }
            | Self::VersionUnsatisfied { chain, .. }
            | Self::Conflict { chain, .. }
            | Self::Uninstallable { chain }
            | Self::Masked { chain, .. }
            | Self::RuledOut { chain }
            | Self::UnknownTag { chain } => chain,
        }
    }
}

/// Everything that stands in the way of a request, in a deterministic order; never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SolveErrors(pub(in crate::plan) Vec<Problem>);

impl SolveErrors {
    /// What stands in the way.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for SolveErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if number == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for SolveErrors {}

/// How many names a message lists.
const LISTED: usize = 5;

fn arrows(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| escape_all(name).to_string()).collect();
    names.join(" -> ")
}

fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(LISTED).map(|name| escape_all(name).to_string()).collect();
    if names.len() > LISTED {
        shown.push(format!("{} more", names.len() - LISTED));
    }
    shown.join(", ")
}
