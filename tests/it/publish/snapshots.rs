use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use apkvet::publish::{
    Depth, Floor, Origin, Prune, PruneMode, PublishError, Roots, SnapshotName, Store, StorePath, Tree, prune,
};

use super::powerloss::{USUAL, every_loss};
use crate::harness::store::{
    Fault, Faulty, NOTHING, SOON, SimStore, State, Syncs, files_below, published, run, spare, steps,
};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

fn name(text: &str) -> SnapshotName {
    SnapshotName::parse(text).unwrap()
}

/// What one run does to the snapshot `s`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Change {
    Make,
    Remove,
}

impl Change {
    fn run(self, store: Arc<dyn Store>) -> Result<(), PublishError> {
        let tree = Tree::open(store, SOON)?;
        match self {
            Self::Make => tree.make_snapshot(&name("s"), 7, Origin::Asked).map(drop),
            Self::Remove => tree.remove_snapshot(&name("s")).map(drop),
        }
    }

    /// The same, if a run before has not done it already.
    fn run_again(self, store: Arc<dyn Store>) -> Result<(), String> {
        match self.run(store) {
            Ok(()) => Ok(()),
            Err(PublishError::SnapshotExists { .. }) if self == Self::Make => Ok(()),
            Err(PublishError::NoSnapshot { .. }) if self == Self::Remove => Ok(()),
            Err(error) => Err(format!("{self:?} afterwards: {error}")),
        }
    }

    /// A tree with two generations, of which the second carries a package that no index names any more.
    fn before(self, syncs: Syncs) -> State {
        let store = SimStore::new(syncs);
        steps().iter().take(2).for_each(|step| run(store.shared(), step).unwrap());
        if self == Self::Remove {
            Self::Make.run(store.shared()).unwrap();
        }
        store.state()
    }
}

/// What a snapshot of the second step holds.
fn expected() -> BTreeMap<String, Vec<u8>> {
    steps()[1].published(None)
}

/// Clients see all of the snapshot or nothing of it; whether they see it.
fn is_there(store: &Arc<dyn Store>) -> Result<bool, String> {
    let root = StorePath::parse("snapshots").unwrap();
    let files: BTreeMap<String, Vec<u8>> =
        files_below(&**store, &root)?.into_iter().map(|(path, (_, bytes))| (path, bytes)).collect();
    let whole: BTreeMap<String, Vec<u8>> =
        expected().into_iter().map(|(path, bytes)| (format!("s/{path}"), bytes)).collect();
    let there = !files.is_empty();
    if there && files != whole {
        return Err(format!("a part of the snapshot is visible: {:?}", files.keys()));
    }
    let look = Tree::look(Arc::clone(store));
    for listed in look.snapshots().map_err(|error| error.to_string())? {
        let defects = look.check_snapshot(&listed, Depth::Digests).map_err(|error| error.to_string())?;
        if let Some(first) = defects.first() {
            return Err(format!("{listed} is listed, and {first}"));
        }
    }
    Ok(there)
}

/// What is published is what was published before; the snapshot is whole or not there, and so after a healthy run.
fn recovers(store: &Arc<dyn Store>, change: Change) -> Result<(), String> {
    is_there(store)?;
    let served: BTreeMap<String, Vec<u8>> =
        published(&**store)?.into_iter().map(|(path, (_, bytes))| (path, bytes)).collect();
    if served != steps()[1].published(Some(&steps()[0])) {
        return Err("what is published has changed".to_owned());
    }
    change.run_again(Arc::clone(store))?;
    if is_there(store)? != (change == Change::Make) {
        return Err(format!("{change:?} has not come about"));
    }
    match spare(store).first() {
        None => Ok(()),
        Some(first) => Err(format!("{first} is left")),
    }
}

fn survives(change: Change, syncs: Syncs, state: &State, fault: Fault) -> bool {
    let sim = SimStore::of(state.clone(), syncs);
    let store = sim.shared();
    let ended_well = change.run(Faulty::new(Arc::clone(&store), fault)).is_ok();
    let there = is_there(&store).unwrap_or_else(|error| panic!("{change:?}, {fault:?}: {error}"));
    assert!(!ended_well || there == (change == Change::Make), "{change:?}, {fault:?}: reported as done");
    recovers(&store, change).unwrap_or_else(|error| panic!("{change:?}, {fault:?}: {error}"));
    let lost: Arc<dyn Store> = SimStore::of(sim.state().after_full_loss(), syncs);
    recovers(&lost, change).unwrap_or_else(|error| panic!("{change:?}, {fault:?}, power loss: {error}"));
    ended_well
}

#[test]
fn a_snapshot_is_whole_or_not_there_whatever_operation_a_run_dies_or_fails_at() {
    for change in [Change::Make, Change::Remove] {
        for syncs in [Syncs::EachFile, Syncs::Together] {
            let state = change.before(syncs);
            let faulty = Faulty::new(SimStore::of(state.clone(), syncs), Fault::None);
            change.run(faulty.shared()).unwrap();
            let changes = faulty.changes();
            assert!(changes > 20, "{changes}");
            for at in 0..changes {
                assert!(!survives(change, syncs, &state, Fault::Kill(at)), "{change:?}: {at} of {changes}");
                for fault in [Fault::Error(at, EIO), Fault::Error(at, ENOSPC), Fault::Full(at)] {
                    survives(change, syncs, &state, fault);
                }
            }
            assert!(survives(change, syncs, &state, Fault::Kill(changes)));
        }
    }
}

#[test]
fn a_snapshot_is_whole_or_not_there_after_a_power_loss_at_any_moment() {
    for change in [Change::Make, Change::Remove] {
        for syncs in [Syncs::EachFile, Syncs::Together] {
            let store = SimStore::of(change.before(syncs), syncs);
            store.take_history();
            change.run(store.shared()).unwrap();
            let mut tried = 0;
            for (operation, state) in store.take_history().into_iter().enumerate() {
                every_loss(&state, USUAL, 0x5eed_0003, |lost| {
                    tried += 1;
                    let store: Arc<dyn Store> = SimStore::of(lost, syncs);
                    recovers(&store, change)
                        .unwrap_or_else(|error| panic!("{change:?}, operation {operation}: {error}"));
                });
            }
            assert!(tried > 100, "{tried}");
        }
    }
}

#[test]
fn leaving_out_any_barrier_of_making_a_snapshot_is_noticed() {
    let before = Change::Make.before(Syncs::Together);
    let holds = |leave_out: Option<u64>| {
        let store = SimStore::of(before.clone(), Syncs::Together);
        let first = store.sync_calls();
        if let Some(sync) = leave_out {
            store.leave_out(first + sync);
        }
        store.take_history();
        Change::Make.run(store.shared()).unwrap();
        let calls = store.sync_calls() - first;
        let mut held = true;
        for state in store.take_history() {
            every_loss(&state, USUAL, 0x5eed_0004, |lost| {
                let store: Arc<dyn Store> = SimStore::of(lost, Syncs::Together);
                held &= recovers(&store, Change::Make).is_ok();
            });
        }
        (held, calls)
    };
    let (held, calls) = holds(None);
    assert!(held && calls > 2, "{calls}");
    let unneeded: Vec<u64> = (0..calls).filter(|sync| holds(Some(*sync)).0).collect();
    assert!(unneeded.is_empty(), "of {calls} barriers these are not missed: {unneeded:?}");
}

fn pruned(store: &Arc<dyn Store>) -> usize {
    let tree = Tree::open(Arc::clone(store), SOON).unwrap();
    let (grace, roots) = (Duration::from_secs(1), Roots::default());
    let rules = Prune { grace, now: u64::MAX, floor: Floor::None, roots: &roots };
    prune(&tree, &rules, PruneMode::Remove).unwrap().len()
}

#[test]
fn what_a_snapshot_lists_stays_until_it_is_removed() {
    let store = SimStore::of(Change::Remove.before(Syncs::Together), Syncs::Together).shared();
    run(Arc::clone(&store), &steps()[2]).unwrap();
    pruned(&store);
    assert_eq!(is_there(&store), Ok(true));
    assert_eq!(spare(&store), NOTHING);
    Change::Remove.run(Arc::clone(&store)).unwrap();
    assert_eq!(is_there(&store), Ok(false));
    // Package `b`, and the index of the second step.
    assert_eq!(pruned(&store), 2);
    assert_eq!(spare(&store), NOTHING);
}

#[test]
fn a_snapshot_never_changes_and_its_name_is_taken() {
    let store = SimStore::of(Change::Remove.before(Syncs::Together), Syncs::Together).shared();
    run(Arc::clone(&store), &steps()[2]).unwrap();
    let refused = Change::Make.run(Arc::clone(&store)).unwrap_err();
    assert!(matches!(&refused, PublishError::SnapshotExists { name } if name.as_str() == "s"), "{refused}");
    assert_eq!(is_there(&store), Ok(true));
    let tree = Tree::open(Arc::clone(&store), SOON).unwrap();
    let refused = tree.remove_snapshot(&name("t")).unwrap_err();
    assert!(matches!(refused, PublishError::NoSnapshot { .. }), "{refused}");
    let other = tree.make_snapshot(&name("t"), 9, Origin::Rule).unwrap();
    let about = other.about();
    assert_eq!((about.generation(), about.created(), about.origin()), (3, 9, Origin::Rule));
    assert_eq!(&tree.as_look().snapshot_head(&name("t")).unwrap(), about);
    let names = tree.as_look().snapshots().unwrap();
    assert_eq!(names, [name("s"), name("t")]);
    assert_eq!(tree.as_look().snapshot(&name("t")).unwrap(), other);
}

#[test]
fn a_snapshot_is_a_directory_below_what_is_published() {
    let root = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(
        apkvet::publish::DiskStore::open(root.path(), apkvet::publish::Durability::Together).unwrap(),
    );
    run(Arc::clone(&store), &steps()[0]).unwrap();
    Change::Make.run(Arc::clone(&store)).unwrap();
    run(Arc::clone(&store), &steps()[1]).unwrap();
    for (path, bytes) in steps()[0].published(None) {
        let served = root.path().join("current/snapshots/s").join(path);
        assert_eq!(std::fs::read(&served).unwrap(), bytes);
        let mode = std::os::unix::fs::MetadataExt::mode(&served.metadata().unwrap());
        assert_eq!(mode & 0o7777, 0o444);
    }
    Change::Remove.run(Arc::clone(&store)).unwrap();
    assert_eq!(std::fs::read_dir(root.path().join("snapshots")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(root.path().join("spool")).unwrap().count(), 0);
}

#[test]
fn a_tree_without_a_generation_has_no_snapshot() {
    let refused = Change::Make.run(SimStore::new(Syncs::Together)).unwrap_err();
    assert!(matches!(refused, PublishError::NothingPublished), "{refused}");
}
