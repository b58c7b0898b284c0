//! What is to be done: fetched, kept, dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::chosen::Chosen;
use crate::types::escape_all;

/// What happens to a package.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is fetched and verified.
    Fetch,
    /// It is there and stays.
    Keep,
    /// It leaves the index.
    Drop,
}

impl Action {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Keep => "keep",
            Self::Drop => "drop",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A package that the next generation is to hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted<'a> {
    /// The name of the repository.
    pub repository: &'a str,
    /// The folder of the repository that it lies in.
    pub arch: &'a str,
    /// The package.
    pub chosen: &'a Chosen<'a>,
}

/// A package that the published generation holds.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Held {
    /// The name of the repository.
    pub repository: String,
    /// The folder of the repository that it lies in.
    pub arch: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its identity, as `C:` has it.
    pub identity: String,
    /// Units: bytes.
    pub size: u64,
}

/// One line of a plan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PlanItem {
    /// What happens.
    pub action: Action,
    /// The name of the repository.
    pub repository: String,
    /// The folder of the repository that it lies in.
    pub arch: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Units: bytes.
    pub size: u64,
    /// Its identity, as `C:` has it.
    pub identity: String,
    /// Names from the request to the package; empty for what is dropped.
    pub why: Vec<String>,
}

impl fmt::Display for PlanItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:5} {}/{} {}-{} {}",
            self.action,
            escape_all(&self.repository),
            escape_all(&self.arch),
            escape_all(&self.name),
            escape_all(&self.version),
            self.size
        )?;
        let why: Vec<String> = self.why.iter().map(|name| escape_all(name).to_string()).collect();
        if why.is_empty() { Ok(()) } else { write!(f, " ({})", why.join(" -> ")) }
    }
}

/// What is to be done to get from the published generation to what is wanted.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Plan {
    items: Vec<PlanItem>,
}

impl Plan {
    /// Compares what is wanted with what is held.
    ///
    /// The wanted packages come in their order, then what is dropped, sorted. The same package (repository,
    /// folder, name, version, identity and size) twice is one. A package that was built again under the
    /// same version is both dropped and fetched.
    pub fn new<'a>(
        wanted: impl IntoIterator<Item = Wanted<'a>>,
        held: impl IntoIterator<Item = Held>,
    ) -> Self {
        let mut held: BTreeMap<Held, bool> = held.into_iter().map(|held| (held, false)).collect();
        let mut seen = BTreeSet::new();
        let mut items = Vec::new();
        for Wanted { repository, arch, chosen } in wanted {
            let key = key(repository, arch, chosen);
            if !seen.insert(key.clone()) {
                continue;
            }
            let action = match held.get_mut(&key) {
                Some(kept) => {
                    *kept = true;
                    Action::Keep
                }
                None => Action::Fetch,
            };
            items.push(item(action, key, chosen.why.clone()));
        }
        let dropped = held.into_iter().filter(|(_, kept)| !kept);
        items.extend(dropped.map(|(held, _)| item(Action::Drop, held, Vec::new())));
        Self { items }
    }

    /// What is to be done, in order.
    pub fn items(&self) -> &[PlanItem] {
        &self.items
    }

    /// Whether something is to be fetched or dropped.
    pub fn has_changes(&self) -> bool {
        self.items.iter().any(|item| item.action != Action::Keep)
    }

    /// How many packages an action concerns.
    pub fn count(&self, action: Action) -> usize {
        self.with(action).count()
    }

    /// The size of all packages that an action concerns. Units: bytes.
    pub fn size(&self, action: Action) -> u64 {
        self.with(action).fold(0, |sum, item| sum.saturating_add(item.size))
    }

    fn with(&self, action: Action) -> impl Iterator<Item = &PlanItem> {
        self.items.iter().filter(move |item| item.action == action)
    }
}

fn key(repository: &str, arch: &str, chosen: &Chosen<'_>) -> Held {
    let record = chosen.candidate.record;
    Held {
        repository: repository.to_owned(),
        arch: arch.to_owned(),
        name: record.name().to_owned(),
        version: record.version().to_owned(),
        identity: record.identity().to_string(),
        size: record.size(),
    }
}

fn item(action: Action, held: Held, why: Vec<String>) -> PlanItem {
    let Held { repository, arch, name, version, identity, size } = held;
    PlanItem { action, repository, arch, name, version, size, identity, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::testing::index;
    use crate::limits::Limits;
    use crate::plan::{Request, Source, Universe, solve};
    use crate::types::Architecture;

    fn held(name: &str, identity: &str) -> Held {
        let text = |text: &str| text.to_owned();
        let (repository, arch) = (text("main"), text("x86_64"));
        Held { repository, arch, name: text(name), version: text("1"), identity: text(identity), size: 1000 }
    }

    fn plan(held: impl Fn(&str) -> Vec<Held>) -> Plan {
        let index = index(&["a 1|D:b", "b 1"]);
        let architecture = Architecture::parse(b"x86_64").unwrap();
        let source = Source { repository: 0, index: &index, tag: None };
        let universe = Universe::new(&architecture, [source], &Limits::default()).unwrap();
        let solution = solve(&universe, &[Request::parse("a").unwrap()], &Limits::default()).unwrap();
        let identity = index.records().next_back().unwrap().identity().to_string();
        let wanted = |chosen| Wanted { repository: "main", arch: "x86_64", chosen };
        Plan::new(solution.chosen.iter().chain(&solution.chosen).map(wanted), held(&identity))
    }

    fn lines(plan: &Plan) -> Vec<String> {
        plan.items().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fetches_keeps_and_drops_with_the_reasons() {
        let plan = plan(|identity| vec![held("c", "Q1"), held("b", identity)]);
        assert_eq!(
            lines(&plan),
            [
                "fetch main/x86_64 a-1 1000 (a)",
                "keep  main/x86_64 b-1 1000 (a -> b)",
                "drop  main/x86_64 c-1 1000",
            ]
        );
        assert!(plan.has_changes());
        assert_eq!((plan.count(Action::Fetch), plan.size(Action::Fetch)), (1, 1000));
    }

    #[test]
    fn what_was_built_again_is_dropped_and_fetched() {
        let plan = plan(|_| vec![held("b", "Q1")]);
        assert_eq!(
            lines(&plan),
            [
                "fetch main/x86_64 a-1 1000 (a)",
                "fetch main/x86_64 b-1 1000 (a -> b)",
                "drop  main/x86_64 b-1 1000",
            ]
        );
    }

    #[test]
    fn nothing_changes_where_all_is_held() {
        let first = plan(|_| Vec::new());
        let held = first.items().iter().map(|item| Held {
            repository: item.repository.clone(),
            arch: item.arch.clone(),
            name: item.name.clone(),
            version: item.version.clone(),
            identity: item.identity.clone(),
            size: item.size,
        });
        let held: Vec<Held> = held.collect();
        let again = plan(|_| held.clone());
        assert!(!again.has_changes());
        assert_eq!(again.count(Action::Keep), 2);
    }

    #[test]
    fn serializes_with_the_fields_of_the_documentation() {
        let plan = plan(|_| Vec::new());
        let item = serde_json::to_value(plan.items().last()).unwrap();
        assert_eq!(
            item,
            serde_json::json!({
                "action": "fetch", "repository": "main", "arch": "x86_64", "name": "b", "version": "1",
                "size": 1000, "identity": item["identity"], "why": ["a", "b"],
            })
        );
    }
}
