//! What must hold after every run, whatever became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apkvet::publish::{Depth, Kind, Store, StorePath, Tree};

use super::run::{Step, steps};

/// What clients have seen up to now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The last step that was reported as done.
    pub(crate) done: u64,
    /// Time and content of each index.
    pub(crate) indexes: BTreeMap<String, (u64, Vec<u8>)>,
}

fn path(text: &str) -> StorePath {
    StorePath::parse(text).unwrap()
}

/// Every file that clients can fetch now, and its time; `snapshots` apart.
pub(crate) fn published(store: &dyn Store) -> Result<BTreeMap<String, (u64, Vec<u8>)>, String> {
    let Ok(target) = store.read_link(&path("current")) else { return Ok(BTreeMap::new()) };
    let root = StorePath::parse(&target).map_err(|error| error.to_string())?;
    files_below(store, &root)
}

/// Every file below a directory, by its path there, with its time.
pub(crate) fn files_below(
    store: &dyn Store,
    root: &StorePath,
) -> Result<BTreeMap<String, (u64, Vec<u8>)>, String> {
    let mut files = BTreeMap::new();
    walk(store, root, root, &mut files)?;
    Ok(files)
}

fn walk(
    store: &dyn Store,
    root: &StorePath,
    dir: &StorePath,
    files: &mut BTreeMap<String, (u64, Vec<u8>)>,
) -> Result<(), String> {
    for listed in store.list(dir).map_err(|error| format!("{dir}: {error}"))? {
        let at = listed.path.ok_or_else(|| format!("foreign name {} in {dir}", listed.name))?;
        let below = at.as_str().strip_prefix(&format!("{root}/")).unwrap().to_owned();
        match listed.kind {
            Kind::Dir => walk(store, root, &at, files)?,
            Kind::Link if below == "snapshots" => {}
            Kind::File => {
                let mtime = store.stat(&at).map_err(|error| error.to_string())?.mtime;
                files.insert(below, (mtime, bytes(store, &at)?));
            }
            kind => return Err(format!("{at} is a {kind:?}")),
        }
    }
    Ok(())
}

fn bytes(store: &dyn Store, at: &StorePath) -> Result<Vec<u8>, String> {
    let file = store.open(at).map_err(|error| format!("{at}: {error}"))?;
    let size = usize::try_from(file.stat().map_err(|error| error.to_string())?.size).unwrap();
    let mut bytes = vec![0; size];
    let count = file.read_at(&mut bytes, 0).map_err(|error| error.to_string())?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Checks I1 to I4 and I7 while or after step `now` runs: what is published is all of this step, or all of the
/// one before. Returns the number of the step that is published, 0 for none.
pub(crate) fn fsck(store: &Arc<dyn Store>, running: &Step, seen: &Seen) -> Result<u64, String> {
    let files = published(&**store)?;
    let before = steps().iter().find(|step| step.number + 1 == running.number);
    let held = [Some(running), before].into_iter().flatten().find(|step| {
        let earlier = steps().iter().find(|earlier| earlier.number + 1 == step.number);
        let expected = step.published(earlier);
        expected.len() == files.len()
            && expected.iter().all(|(path, bytes)| files.get(path).is_some_and(|file| file.1 == *bytes))
    });
    let held = match held {
        Some(step) => step.number,
        None if files.is_empty() && before.is_none() => 0,
        None => return Err(format!("neither the old nor the new state is published: {:?}", files.keys())),
    };
    if held < seen.done {
        return Err(format!("step {} was reported as done, but step {held} is published", seen.done));
    }
    times(&files, seen)?;
    trust(store, held, running)?;
    whole(store)?;
    Ok(held)
}

/// I4: a changed index has a later time.
fn times(files: &BTreeMap<String, (u64, Vec<u8>)>, seen: &Seen) -> Result<(), String> {
    for (path, (mtime, content)) in &seen.indexes {
        match files.get(path) {
            Some((now, bytes)) if bytes != content && now <= mtime => {
                return Err(format!("{path} has changed, but its time went from {mtime} to {now}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// I7: what is remembered is never older than what is published.
fn trust(store: &Arc<dyn Store>, held: u64, running: &Step) -> Result<(), String> {
    let document = Tree::look(Arc::clone(store)).read_document("trust").map_err(|error| error.to_string())?;
    let text = document.map(|bytes| String::from_utf8(bytes).unwrap());
    let remembered = match &text {
        None => 0,
        Some(text) => text.parse().map_err(|_| format!("the trust state is torn: {text:?}"))?,
    };
    if remembered < held || remembered > running.number {
        return Err(format!("step {held} is published, and step {remembered} is remembered"));
    }
    Ok(())
}

/// Every generation that has a list is whole, in the pool too.
fn whole(store: &Arc<dyn Store>) -> Result<(), String> {
    let look = Tree::look(Arc::clone(store));
    for number in look.generations().map_err(|error| error.to_string())? {
        let defects = look.check(number, Depth::Digests).map_err(|error| error.to_string())?;
        if let Some(first) = defects.first() {
            return Err(format!("generation {number}: {first}"));
        }
    }
    Ok(())
}

/// What a run that ends well leaves.
pub(crate) const NOTHING: [String; 0] = [];

/// What lies there though nothing names it; a run that ends well leaves none.
pub(crate) fn spare(store: &Arc<dyn Store>) -> Vec<String> {
    let look = Tree::look(Arc::clone(store));
    let list = |path: &StorePath| store.list(path).unwrap();
    let generations = look.generations().unwrap();
    let mut named = BTreeSet::new();
    for number in &generations {
        named.extend(look.manifest(*number).unwrap().entries().map(|entry| entry.sha256().to_string()));
    }
    for name in look.snapshots().unwrap() {
        named.extend(look.snapshot(&name).unwrap().entries().map(|entry| entry.sha256().to_string()));
    }
    let mut spare: Vec<String> =
        list(&path("spool")).into_iter().map(|listed| format!("spool/{}", listed.name)).collect();
    for listed in list(&path("gens")) {
        if !listed.name.parse().is_ok_and(|number| generations.contains(&number)) {
            spare.push(format!("gens/{}", listed.name));
        }
    }
    for listed in list(&path("state/gens")) {
        let number = listed.name.strip_suffix(".json").and_then(|number| number.parse().ok());
        if !number.is_some_and(|number| generations.contains(&number)) {
            spare.push(format!("state/gens/{}", listed.name));
        }
    }
    let lists = list(&path("state/snapshots")).into_iter().filter(|listed| !listed.name.ends_with(".list"));
    spare.extend(lists.map(|listed| format!("state/snapshots/{}", listed.name)));
    for dir in list(&path("pool")) {
        for listed in list(&dir.path.unwrap()) {
            if !named.contains(listed.path.as_ref().and_then(StorePath::name).unwrap()) {
                spare.push(format!("pool/{}", listed.name));
            }
        }
    }
    spare
}

impl Seen {
    /// Looks at what is published, as clients do.
    pub(crate) fn look(&mut self, store: &dyn Store, done: u64) {
        self.done = done;
        for (path, file) in published(store).unwrap() {
            if path.ends_with("APKINDEX.tar.gz") {
                self.indexes.insert(path, file);
            }
        }
    }
}
