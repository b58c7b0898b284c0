use std::path::Path;
use std::sync::Arc;

use apkvet::limits::Limits;
use apkvet::mirror::{Finding, RolledBack, history_defects, rollback};
use apkvet::publish::{DiskStore, Durability, Store, Tree};

use super::rig::{DAY, NOW, Rig, Upstream, files_in, package, published};
use crate::harness::store::{Fault, Faulty, SOON};
use crate::harness::trace::copy;

const INDEX: &str = "v3.17/main/x86_64/APKINDEX.tar.gz";
const OLD: &str = "v3.17/main/x86_64/tool-1.0-r0.apk";
const NEW: &str = "v3.17/main/x86_64/tool-1.1-r0.apk";

fn upstreams() -> (Upstream, Upstream) {
    let first = Upstream::of(&[package("tool", "1.0-r0", &[]), package("rest", "1-r0", &[])]);
    let second = first.next(&[package("tool", "1.1-r0", &[]), package("rest", "1-r0", &[])]);
    (first, second)
}

/// A mirror of two generations.
fn moved(rig: Rig) -> Rig {
    let (first, second) = upstreams();
    first.write(&rig.path("upstream"));
    rig.sync().unwrap();
    second.write(&rig.path("upstream"));
    let rig = Rig { now: NOW + DAY, ..rig };
    rig.sync().unwrap();
    rig
}

fn store(to: &Path) -> Arc<dyn Store> {
    Arc::new(DiskStore::open(to, Durability::Together).unwrap())
}

fn back(store: Arc<dyn Store>, number: Option<u64>) -> Result<RolledBack, Vec<Finding>> {
    let tree = Tree::open(store, SOON).map_err(|_| Vec::new())?;
    rollback(&tree, number, &Limits::default(), NOW + DAY)
}

fn time(rig: &Rig) -> i64 {
    std::os::unix::fs::MetadataExt::mtime(&rig.path("srv/current").join(INDEX).metadata().unwrap())
}

#[test]
fn an_older_generation_is_served_again_and_the_next_sync_goes_forward() {
    for rig in [Rig::subset("\"tool\""), Rig::whole()] {
        let rig = moved(rig);
        let (newer, seen) = (published(&rig.path("srv")), time(&rig));
        let done = back(store(&rig.path("srv")), None).unwrap();
        assert_eq!((done.from, done.to, done.generation, done.published), (2, 1, 3, true));
        assert_eq!(done.findings, []);
        assert!(rig.listed("v3.17/main").contains(&"tool-1.0-r0".to_owned()));
        // The log of what was published goes on.
        let look = Tree::look(store(&rig.path("srv")));
        assert_eq!(history_defects(&look, &Limits::default()), []);
        // Clients notice, and those with the newer index can still fetch what it lists.
        assert!(time(&rig) > seen);
        let served = published(&rig.path("srv"));
        assert!(served.contains_key(OLD) && served.contains_key(NEW));
        let rig = Rig { now: NOW + 2 * DAY, ..rig };
        let outcome = rig.sync().unwrap();
        assert_eq!((outcome.generation, outcome.published), (Some(4), true));
        assert_eq!(published(&rig.path("srv")).get(INDEX), newer.get(INDEX));
    }
}

#[test]
fn what_was_seen_of_upstream_is_not_forgotten() {
    let rig = moved(Rig::subset("\"tool\""));
    back(store(&rig.path("srv")), Some(1)).unwrap();
    upstreams().0.write(&rig.path("upstream"));
    assert_eq!(rig.refused(), ["rollback"]);
}

#[test]
fn a_generation_that_is_not_there_is_refused() {
    let rig = moved(Rig::subset("\"tool\""));
    for number in [0, 2, 3, u64::MAX] {
        let findings = back(store(&rig.path("srv")), Some(number)).unwrap_err();
        assert_eq!(findings[0].code, "no-generation", "{number}");
    }
    let single = Rig::subset("\"tool\"");
    upstreams().0.write(&single.path("upstream"));
    single.sync().unwrap();
    assert_eq!(back(store(&single.path("srv")), None).unwrap_err()[0].code, "no-generation");
}

#[test]
fn a_generation_with_damaged_files_is_not_served_again() {
    let rig = moved(Rig::subset("\"tool\""));
    let file = rig.path("srv/gens/1").join(OLD);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let mode = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&file, permissions).unwrap();
    };
    mode(0o644);
    std::fs::write(&file, bytes).unwrap();
    mode(0o444);
    let before = published(&rig.path("srv"));
    let findings = back(store(&rig.path("srv")), None).unwrap_err();
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["generation-broken"]);
    assert_eq!(published(&rig.path("srv")), before);
    std::fs::remove_file(&file).unwrap();
    let findings = back(store(&rig.path("srv")), None).unwrap_err();
    assert_eq!(findings[0].code, "generation-broken");
    assert_eq!(published(&rig.path("srv")), before);
}

#[test]
fn going_back_twice_to_the_same_changes_nothing_more() {
    let rig = moved(Rig::subset("\"tool\""));
    back(store(&rig.path("srv")), Some(1)).unwrap();
    let again = back(store(&rig.path("srv")), Some(1)).unwrap();
    assert_eq!((again.generation, again.published), (3, false));
}

#[test]
fn a_rollback_that_dies_or_fails_at_any_operation_leaves_a_whole_state_and_ends_well_again() {
    let rig = moved(Rig::subset("\"tool\""));
    let base = rig.path("srv");
    let newer = published(&base);
    let older = {
        let root = copy(&base);
        back(store(root.path()), None).unwrap();
        published(root.path())
    };
    let counted = copy(&base);
    let faulty = Faulty::new(store(counted.path()), Fault::None);
    back(faulty.shared(), None).unwrap();
    let changes = faulty.changes();
    assert!(changes > 20, "{changes}");
    for at in 0..changes {
        for fault in [Fault::Kill(at), Fault::Error(at, 5), Fault::Full(at)] {
            let root = copy(&base);
            let ended_well = back(Faulty::new(store(root.path()), fault), None).is_ok();
            let served = published(root.path());
            assert!(served == newer || served == older, "{fault:?}: {:?}", served.keys());
            assert!(!ended_well || served == older, "{fault:?}: reported as done");
            back(store(root.path()), Some(1)).unwrap();
            assert!(published(root.path()) == older, "{fault:?}");
            assert_eq!(files_in(&root.path().join("spool")), 0, "{fault:?}");
        }
    }
}
