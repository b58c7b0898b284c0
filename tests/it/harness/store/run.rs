//! Small runs that publish, one after the other, as a sync does.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use apkvet::publish::{
    AdmitError, EntryKind, Floor, Prune, PruneMode, PublishError, Roots, Store, StorePath, Tree, Wait, prune,
};

use super::files::{admit, index, key, package};

/// A program that another test starts holds our locks too, until it has become what it is to be.
pub(crate) const SOON: Wait = Wait::AtMost(Duration::from_secs(20));

/// What one run publishes.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// From 1.
    pub(crate) number: u64,
    /// What the clock says.
    pub(crate) now: u64,
    /// Path and content of packages and indexes.
    pub(crate) files: BTreeMap<&'static str, Vec<u8>>,
    /// Whether what is no longer listed can still be fetched.
    pub(crate) carry: bool,
}

impl Step {
    /// What clients can fetch afterwards, if `before` was published.
    pub(crate) fn published(&self, before: Option<&Self>) -> BTreeMap<String, Vec<u8>> {
        let own = |step: &Self| -> Vec<(String, Vec<u8>)> {
            step.files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone())).collect()
        };
        let mut files = BTreeMap::new();
        if let Some(before) = before.filter(|_| self.carry) {
            files.extend(own(before));
        }
        files.extend(own(self));
        files.insert(format!("keys/{}", key().0), key().1.to_vec());
        files
    }
}

static STEPS: LazyLock<Vec<Step>> = LazyLock::new(|| {
    let step = |number, now, names: &[(&'static str, &'static str)], carry| {
        let mut files: BTreeMap<&'static str, Vec<u8>> = names
            .iter()
            .map(|(name, version)| {
                let path: &'static str = format!("v1/main/x86_64/{name}-{version}.apk").leak();
                (path, package(name, version))
            })
            .collect();
        files.insert("v1/main/x86_64/APKINDEX.tar.gz", index(names));
        Step { number, now, files, carry }
    };
    vec![
        step(1, 2_000_000_000, &[("a", "1-r0"), ("b", "1-r0")], false),
        // The clock went back meanwhile.
        step(2, 1_900_000_000, &[("b", "1-r0"), ("c", "1-r0")], true),
        step(3, 2_000_000_100, &[("c", "1-r0")], false),
    ]
});

/// Three runs: a first one, one that drops a package and carries it on, one after the grace period.
pub(crate) fn steps() -> &'static [Step] {
    &STEPS
}

/// Publishes what a step says, and deletes what is not needed any more; or says why not.
pub(crate) fn run(store: Arc<dyn Store>, step: &Step) -> Result<(), String> {
    try_run(store, step, SOON).map_err(|error| format!("{}: {error}", error.code()))
}

/// The same, unless another run works.
pub(crate) fn run_at_once(store: Arc<dyn Store>, step: &Step) -> Result<(), String> {
    try_run(store, step, Wait::Never).map_err(|error| format!("{}: {error}", error.code()))
}

fn try_run(store: Arc<dyn Store>, step: &Step, wait: Wait) -> Result<(), PublishError> {
    let tree = Tree::open(store, wait)?;
    let mut staging = tree.generation(step.now)?;
    for (path, bytes) in &step.files {
        let pooled = match admit(&tree, bytes) {
            Ok(pooled) => pooled,
            Err(AdmitError::Publish(error)) => return Err(error),
            Err(AdmitError::Refused(fault)) => panic!("{fault:?}"),
        };
        staging.add(StorePath::parse(path).unwrap(), &pooled, "")?;
    }
    staging.public_key(key().0, key().1)?;
    if step.carry {
        let base = staging.base().clone();
        for entry in base.entries().filter(|entry| entry.kind() == EntryKind::Package) {
            if staging.manifest().entry(entry.path()).is_none() {
                staging.carry(entry.clone().dropped(step.now))?;
            }
        }
    }
    if !staging.is_published()? {
        let generation = staging.finish()?;
        tree.write_document("trust", step.number.to_string().as_bytes())?;
        tree.switch(generation)?;
    }
    // Files on the simulated disk are of 1970: each is old enough.
    let rules =
        Prune { grace: Duration::from_secs(50), now: step.now, floor: Floor::None, roots: &Roots::default() };
    prune(&tree, &rules, PruneMode::Remove)?;
    Ok(())
}
