use std::sync::Arc;

use apkvet::publish::{Depth, Mode, Pooled, Store, StorePath, Tree};

use crate::harness::store::{NOTHING, SOON, SimStore, Syncs, Turns, admit, package, prove, spare};

fn path(text: &str) -> StorePath {
    StorePath::parse(text).unwrap()
}

/// What lies in the pool when two threads begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Before {
    Nothing,
    /// What a run that died has left there, whole, or with other bytes under the same name.
    Left,
    Rotten,
}

impl Before {
    fn store(self, syncs: Syncs, bytes: &[u8]) -> Arc<SimStore> {
        let store = SimStore::new(syncs);
        if self == Self::Nothing {
            return store;
        }
        let tree = Tree::open(store.shared(), SOON).unwrap();
        let sha256 = admit(&tree, bytes).unwrap().sha256().to_string();
        drop(tree);
        if self == Self::Rotten {
            let at = path(&format!("pool/{}/{sha256}", &sha256[..2]));
            store.remove_file(&at).unwrap();
            store.create(&at, Mode::Immutable).unwrap().append(&vec![0; bytes.len()]).unwrap();
        }
        store
    }
}

/// Publishes what two threads have brought, each for an architecture of its own.
fn publish(tree: &Tree, brought: &[Pooled; 2]) {
    let mut staging = tree.generation(1).unwrap();
    for (pooled, architecture) in brought.iter().zip(["x86_64", "aarch64"]) {
        staging.add(path(&format!("v1/main/{architecture}/a-1-r0.apk")), pooled, "").unwrap();
    }
    tree.switch(staging.finish().unwrap()).unwrap();
}

/// Has two threads bring a package each in one order of their operations; returns how many there were.
fn bring(before: Before, syncs: Syncs, packages: [&[u8]; 2], switches: &[usize]) -> usize {
    let inner = before.store(syncs, packages[0]);
    let store = Turns::new(inner.shared(), switches);
    let tree = Tree::open(store.shared(), SOON).unwrap();
    let told = format!("{before:?}, {syncs:?}, turns after {switches:?}");
    let (brought, operations) = store.run(|hand| admit(&tree, packages[hand]));
    let brought = brought.map(|brought| brought.unwrap_or_else(|error| panic!("{told}: {error:?}")));
    publish(&tree, &brought);
    drop(tree);
    // Whatever was not made durable is gone.
    let lost = SimStore::of(inner.state().after_full_loss(), syncs).shared();
    for store in [inner.shared(), lost] {
        let defects = Tree::look(Arc::clone(&store)).check(1, Depth::Digests).unwrap();
        assert!(defects.is_empty(), "{told}: {defects:?}");
        assert_eq!(spare(&store), NOTHING, "{told}");
    }
    operations
}

/// Tries every order in which one thread is held up at most once for any part of what the other one does.
fn every_order(before: Before, syncs: Syncs, packages: [&[u8]; 2]) {
    // One after the other there are fewer: the second one finds what it would bring.
    let operations = bring(before, syncs, packages, &[]);
    for first in 1..operations {
        for second in first + 1..=operations + 2 {
            bring(before, syncs, packages, &[first, second]);
        }
    }
}

#[test]
fn one_package_that_two_threads_bring_is_kept_once_in_every_order_of_what_they_do() {
    let bytes = package("a", "1-r0");
    every_order(Before::Nothing, Syncs::EachFile, [&bytes, &bytes]);
    for before in [Before::Nothing, Before::Left, Before::Rotten] {
        every_order(before, Syncs::Together, [&bytes, &bytes]);
    }
}

#[test]
fn two_packages_in_one_folder_of_the_pool_are_kept_in_every_order_of_what_two_threads_do() {
    let first = package("a", "1-r0");
    let folder = |bytes: &[u8]| prove(bytes).unwrap().value().sha256().to_string()[..2].to_owned();
    let mut others = (0..).map(|number| package("a", &format!("2-r{number}")));
    let second = others.find(|bytes| folder(bytes) == folder(&first)).unwrap();
    every_order(Before::Nothing, Syncs::Together, [&first, &second]);
}
