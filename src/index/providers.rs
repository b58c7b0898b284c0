//! Who provides a name, over several indexes at once.

use std::collections::HashMap;

use super::{Index, Record};
use crate::limits::{LimitReached, Limits};
use crate::types::Dependency;

/// A package that answers to a name, under a version or none.
#[derive(Clone, Copy, Debug)]
pub struct Provider<'a> {
    record: Record<'a>,
    version: Option<&'a str>,
}

impl<'a> Provider<'a> {
    /// The package.
    pub const fn record(&self) -> Record<'a> {
        self.record
    }

    /// The version that is provided; none for a virtual name.
    pub const fn version(&self) -> Option<&'a str> {
        self.version
    }

    /// Whether this provider satisfies an atom of the same name, its `!` left aside.
    pub fn satisfies(&self, atom: &Dependency<'_>) -> bool {
        // A missing version is the empty one, which sorts below all others.
        atom.accepts_version(self.version.unwrap_or_default())
            || atom.accepts_identity(&self.record.identity())
    }
}

/// Every name of some indexes with its providers: the packages themselves, and `p:`.
#[derive(Debug, Default)]
pub struct Providers<'a> {
    by_name: HashMap<&'a str, Vec<Provider<'a>>>,
}

impl<'a> Providers<'a> {
    /// Collects the providers of all names, in the order of the indexes.
    ///
    /// # Errors
    /// - [`LimitReached`] `index-atoms` if there are too many.
    pub fn of(indexes: impl IntoIterator<Item = &'a Index>, limits: &Limits) -> Result<Self, LimitReached> {
        Self::of_records(indexes.into_iter().flat_map(Index::records), limits)
    }

    /// Collects what some entries provide.
    ///
    /// # Errors
    /// - [`LimitReached`] `index-atoms` if it is too much.
    pub fn of_records(
        records: impl IntoIterator<Item = Record<'a>>,
        limits: &Limits,
    ) -> Result<Self, LimitReached> {
        let mut by_name: HashMap<&'a str, Vec<Provider<'a>>> = HashMap::new();
        let mut left = limits.index_atoms;
        for record in records {
            let own = (record.name(), Some(record.version()));
            let provides = record.provides().map(|atom| (atom.name(), atom.version()));
            for (name, version) in std::iter::once(own).chain(provides) {
                let Some(less) = left.checked_sub(1) else {
                    return Err(Limits::reached("index-atoms", limits.index_atoms));
                };
                left = less;
                by_name.entry(name).or_default().push(Provider { record, version });
            }
        }
        Ok(Self { by_name })
    }

    /// All providers of a name.
    pub fn named(&self, name: &str) -> &[Provider<'a>] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The providers that satisfy an atom.
    pub fn satisfying<'s>(
        &'s self,
        atom: Dependency<'s>,
    ) -> impl Iterator<Item = &'s Provider<'a>> + use<'a, 's> {
        self.named(atom.name()).iter().filter(move |provider| provider.satisfies(&atom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::testing::index;

    fn satisfying(entries: &[&str], atom: &str) -> Vec<String> {
        let index = index(entries);
        let providers = Providers::of([&index], &Limits::default()).unwrap();
        let atom = Dependency::parse(atom).unwrap();
        providers.satisfying(atom).map(|provider| provider.record().label()).collect()
    }

    #[test]
    fn packages_and_provides_answer_to_names() {
        let entries = ["a 1", "a 2", "b 1|p:a=3 so:x=1.5 /bin/a", "c 1|p:/bin/a"];
        assert_eq!(satisfying(&entries, "a"), ["a-1", "a-2", "b-1"]);
        assert_eq!(satisfying(&entries, "a>=2"), ["a-2", "b-1"]);
        assert_eq!(satisfying(&entries, "/bin/a"), ["b-1", "c-1"]);
        assert_eq!(satisfying(&entries, "so:x~1"), ["b-1"]);
        assert_eq!(satisfying(&entries, "x"), [""; 0]);
    }

    #[test]
    fn unversioned_provider_satisfies_only_what_lies_below_a_version() {
        assert_eq!(satisfying(&["a 1|p:v"], "v>=0"), [""; 0]);
        assert_eq!(satisfying(&["a 1|p:v"], "v<2"), ["a-1"]);
    }

    #[test]
    fn identity_of_the_package_counts() {
        let index = index(&["a 1"]);
        let identity = index.records().next().unwrap().identity();
        assert_eq!(satisfying(&["a 1"], &format!("a><{identity}")), ["a-1"]);
    }

    #[test]
    fn names_the_limit_of_atoms() {
        let index = index(&["a 1|p:b c"]);
        let limits = Limits { index_atoms: 2, ..Limits::default() };
        assert_eq!(Providers::of([&index], &limits).unwrap_err(), Limits::reached("index-atoms", 2));
    }
}
