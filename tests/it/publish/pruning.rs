use std::sync::Arc;
use std::time::Duration;

use apkvet::publish::{
    Depth, EntryKind, Floor, Mode, Origin, Prune, PruneMode, Pruned, PublishError, Roots, SnapshotName,
    Store, StorePath, Tree, WhyPruned, kept, prune,
};

use crate::harness::store::{SOON, SimStore, Syncs, admit, package};

fn path(text: &str) -> StorePath {
    StorePath::parse(text).unwrap()
}

/// Publishes packages as one generation each, at times 100, 200 and so on.
fn published(generations: &[&[&str]]) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = SimStore::new(Syncs::Together);
    for (number, names) in (1_u64..).zip(generations) {
        let tree = Tree::open(Arc::clone(&store), SOON).unwrap();
        let mut staging = tree.generation(number * 100).unwrap();
        for name in *names {
            let pooled = admit(&tree, &package(name, "1-r0")).unwrap();
            staging.add(path(&format!("r/{name}.apk")), &pooled, "").unwrap();
        }
        let generation = staging.finish().unwrap();
        tree.switch(generation).unwrap();
    }
    store
}

fn rules(roots: &Roots, now: u64) -> Prune<'_> {
    Prune { grace: Duration::from_secs(50), now, floor: Floor::None, roots }
}

fn prune_at(store: &Arc<dyn Store>, now: u64, mode: PruneMode) -> Vec<Pruned> {
    let tree = Tree::open(Arc::clone(store), SOON).unwrap();
    prune(&tree, &rules(&Roots::default(), now), mode).unwrap()
}

fn whole(store: &Arc<dyn Store>) -> Vec<u64> {
    let look = Tree::look(Arc::clone(store));
    let generations = look.generations().unwrap();
    for number in &generations {
        assert_eq!(look.check(*number, Depth::Digests).unwrap(), vec![]);
    }
    generations
}

#[test]
fn what_nothing_names_goes_when_its_grace_is_over() {
    let store = published(&[&["a", "b"], &["b", "c"], &["c"]]);
    assert_eq!(prune_at(&store, 249, PruneMode::Remove), []);
    let pruned = prune_at(&store, 250, PruneMode::Remove);
    let seen: Vec<(&str, &str)> =
        pruned.iter().map(|pruned| (pruned.path.as_str(), pruned.why.code())).collect();
    assert_eq!(seen[0], ("gens/1", "superseded"));
    assert_eq!((seen.len(), seen[1].1), (2, "unnamed"));
    assert_eq!(pruned[1].size, u64::try_from(package("a", "1-r0").len()).unwrap());
    assert_eq!(whole(&store), [2, 3]);
    assert_eq!(prune_at(&store, 1000, PruneMode::Remove).len(), 2);
    assert_eq!(whole(&store), [3]);
    assert_eq!(prune_at(&store, 1000, PruneMode::Remove), []);
}

#[test]
fn a_dry_run_says_the_same_and_deletes_nothing() {
    let store = published(&[&["a"], &["b"]]);
    let said = prune_at(&store, 1000, PruneMode::DryRun);
    assert_eq!(whole(&store), [1, 2]);
    assert_eq!(said[0].why, WhyPruned::Superseded { at: 200 });
    assert!(said[0].why.to_string().contains("grace period"));
    assert_eq!(prune_at(&store, 1000, PruneMode::Remove), said);
    assert_eq!(whole(&store), [2]);
}

#[test]
fn what_something_else_needs_stays() {
    let store = published(&[&["a"], &["b"], &["c"]]);
    let kept = Tree::look(Arc::clone(&store)).manifest(1).unwrap().entries().next().unwrap().clone();
    let mut roots = Roots::default();
    roots.keep_file(kept.sha256());
    roots.keep_generation(2);
    let tree = Tree::open(Arc::clone(&store), SOON).unwrap();
    let pruned = prune(&tree, &rules(&roots, 1000), PruneMode::Remove).unwrap();
    assert_eq!(pruned.iter().map(|pruned| pruned.path.as_str()).collect::<Vec<_>>(), ["gens/1"]);
    assert_eq!(whole(&store), [2, 3]);
    // What was kept can still be published.
    let mut staging = tree.generation(5).unwrap();
    staging.carry(kept).unwrap();
    staging.finish().unwrap();
}

#[test]
fn much_is_never_deleted_at_once() {
    let names: Vec<String> = (0..30).map(|number| format!("p{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let store = published(&[&names, &["p0"]]);
    let tree = Tree::open(Arc::clone(&store), SOON).unwrap();
    let roots = Roots::default();
    let floor = |percent| Prune { floor: Floor::Percent(percent), ..rules(&roots, 1000) };
    let refused = prune(&tree, &floor(50), PruneMode::Remove).unwrap_err();
    assert!(matches!(refused, PublishError::Floor { doomed: 29, all: 30, percent: 50 }), "{refused}");
    assert_eq!(whole(&store), [1, 2]);
    assert_eq!(prune(&tree, &floor(50), PruneMode::DryRun).unwrap().len(), 30);
    assert_eq!(prune(&tree, &floor(97), PruneMode::Remove).unwrap().len(), 30);
    assert_eq!(whole(&store), [2]);
}

#[test]
fn each_file_that_stays_has_something_that_keeps_it() {
    let store = published(&[&["a", "b"], &["b", "c"], &["c"]]);
    let tree = Tree::open(Arc::clone(&store), SOON).unwrap();
    let name = SnapshotName::parse("s").unwrap();
    tree.make_snapshot(&name, 300, Origin::Asked).unwrap();
    let mut roots = Roots::default();
    let manifest = tree.as_look().manifest(1).unwrap();
    roots.keep_file(manifest.entry(&path("r/a.apk")).unwrap().sha256());
    let told = |now, roots: &Roots| -> Vec<String> {
        let mut told: Vec<String> = kept(&tree, &rules(roots, now))
            .unwrap()
            .iter()
            .map(|kept| kept.by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            .collect();
        told.sort();
        told
    };
    // Nothing is over yet.
    assert_eq!(
        told(20, &Roots::default()),
        ["generation 1", "generation 1, generation 2", "generation 2, generation 3, snapshot s"]
    );
    assert_eq!(told(1000, &roots), ["a lock or pin", "generation 3, snapshot s"]);
    let goes = prune(&tree, &rules(&roots, 1000), PruneMode::DryRun).unwrap();
    let was: Vec<_> = goes.iter().filter_map(|pruned| pruned.was.as_ref()).map(StorePath::as_str).collect();
    assert_eq!(was, ["r/b.apk"]);
    // A file that nothing ever named stays as long as it is young.
    admit(&tree, &package("new", "1-r0")).unwrap();
    assert!(told(20, &Roots::default()).contains(&"its grace period".to_owned()));
}

#[test]
fn what_is_not_ours_survives() {
    let store = published(&[&["a"], &["b"]]);
    let foreign =
        ["pool/notes", "pool/ab/short", "gens/1/r/foreign", "gens/readme", "state/gens/x.json", "mine"];
    store.make_dir(&path("pool/ab"), Mode::ServedDir).ok();
    for text in foreign {
        store.create(&path(text), Mode::Immutable).unwrap().append(b"mine").unwrap();
    }
    prune_at(&store, 1000, PruneMode::Remove);
    assert_eq!(whole(&store), [2]);
    for text in foreign {
        assert_eq!(store.stat(&path(text)).unwrap().size, 4, "{text}");
    }
    // A number that somebody else's files take is not used.
    let tree = Tree::open(Arc::clone(&store), SOON).unwrap();
    store.make_dir(&path("gens/7"), Mode::ServedDir).unwrap();
    assert_eq!(tree.generation(1).unwrap().manifest().number(), 8);
}

#[test]
fn a_dropped_file_is_carried_with_the_time_that_it_was_dropped() {
    let store = published(&[&["a", "b"]]);
    let tree = Tree::open(Arc::clone(&store), SOON).unwrap();
    let mut staging = tree.generation(200).unwrap();
    for entry in staging.base().clone().entries() {
        let entry = entry.clone().labelled("retained");
        staging.carry(if entry.path().as_str() == "r/a.apk" { entry.dropped(200) } else { entry }).unwrap();
    }
    assert!(!staging.is_published().unwrap());
    let generation = staging.finish().unwrap();
    tree.switch(generation).unwrap();
    let manifest = tree.as_look().published().unwrap().unwrap();
    let dropped: Vec<_> = manifest.entries().map(|entry| (entry.dropped_at(), entry.label())).collect();
    assert_eq!(dropped, [(Some(200), "retained"), (None, "retained")]);
    assert!(manifest.entries().all(|entry| entry.kind() == EntryKind::Package));
    assert_eq!(whole(&store), [1, 2]);
}
