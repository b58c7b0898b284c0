//! Holds an entry against the package that it speaks of.

use super::Record;
use super::rule::{self, Rule};
use crate::types::{Architecture, Identity, escape};

/// What was measured of a package, and what it says about itself.
#[derive(Clone, Copy, Debug)]
pub struct PackageFacts<'a> {
    /// SHA-1 of the control member.
    pub identity: Identity,
    /// Size of the file. Units: bytes.
    pub size: u64,
    /// `pkgname`.
    pub name: &'a str,
    /// `pkgver`.
    pub version: &'a str,
    /// `arch`.
    pub architecture: &'a str,
}

/// Every way in which a package differs from its entry.
///
/// Shape: name, version, identity and size must be the same, and the architecture as well, unless the
/// package says `noarch` (indexes write their own architecture then) or the entry says none.
pub fn differences(record: &Record<'_>, facts: &PackageFacts<'_>) -> Vec<(Rule, String)> {
    let mut found = Vec::new();
    let mut compare = |rule: Rule, what: &str, package: &str, index: &str| {
        if checked!("index-check-package") && package != index {
            let (package, index) = (escape(package), escape(index));
            found.push((rule, format!("the {what} of the package is {package}, the entry says {index}")));
        }
    };
    compare(rule::PACKAGE_NAME, "name", facts.name, record.name());
    compare(rule::PACKAGE_VERSION, "version", facts.version, record.version());
    if let Some(architecture) = record.architecture().filter(|_| facts.architecture != Architecture::NOARCH) {
        compare(rule::PACKAGE_ARCHITECTURE, "architecture", facts.architecture, architecture);
    }
    let identities = (facts.identity.to_string(), record.identity().to_string());
    compare(rule::PACKAGE_IDENTITY, "identity", &identities.0, &identities.1);
    let sizes = (facts.size.to_string(), record.size().to_string());
    compare(rule::PACKAGE_SIZE, "size", &sizes.0, &sizes.1);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::testing::index;

    #[test]
    fn tells_each_difference_and_forgives_noarch() {
        let index = index(&["a 1"]);
        let record = index.records().next().unwrap();
        let same = PackageFacts {
            identity: record.identity(),
            size: 1000,
            name: "a",
            version: "1",
            architecture: "x86_64",
        };
        assert_eq!(differences(&record, &same), []);
        assert_eq!(differences(&record, &PackageFacts { architecture: "noarch", ..same }), []);
        let identity = Identity::parse(b"Q1R2BIvfiF748uM/EcZjiP75/C3WM=").unwrap();
        let other = PackageFacts { identity, size: 999, name: "b", version: "01", architecture: "x86" };
        let ids: Vec<&str> = differences(&record, &other).iter().map(|(rule, _)| rule.id).collect();
        let all =
            ["package-name", "package-version", "package-architecture", "package-identity", "package-size"];
        assert_eq!(ids, all);
        assert_eq!(
            differences(&record, &PackageFacts { size: 999, ..same })[0].1,
            "the size of the package is 999, the entry says 1000"
        );
    }
}
