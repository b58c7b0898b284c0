use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use apkvet::publish::{DiskStore, Durability, Floor, Prune, PruneMode, Roots, Store, StorePath, Tree, prune};

use super::Stop;
use crate::harness::store::{SOON, admit, index, package};

const PUBLICATIONS: usize = 200;

/// A package of which each publication has another version.
fn version(number: usize) -> String {
    format!("1.{number}-r0")
}

/// Fetches index and package over and over, as a client does; returns how many times.
fn fetch(root: &Path, indexes: &HashMap<Vec<u8>, usize>, packages: &[Vec<u8>], stop: &AtomicBool) -> usize {
    let served = root.join("current/v1/main/x86_64");
    let (mut rounds, mut last, mut time) = (0, 0, SystemTime::UNIX_EPOCH);
    loop {
        let last_round = stop.load(Ordering::SeqCst);
        let mut file = std::fs::File::open(served.join("APKINDEX.tar.gz")).expect("the index is missing");
        let (mut bytes, modified) = (Vec::new(), file.metadata().unwrap().modified().unwrap());
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        let number = indexes[&bytes];
        assert!(number >= last, "the index went back from {last} to {number}");
        assert!(number == last || modified > time, "the index has changed, its time has not");
        (last, time) = (number, modified);
        let name = format!("p-{}.apk", version(number));
        let package = std::fs::read(served.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(package == packages[number], "{name} is not the one that the index names");
        rounds += 1;
        if last_round {
            return rounds;
        }
    }
}

fn publish(store: &Arc<dyn Store>, number: usize, index: &[u8], package: &[u8]) {
    let now = 2_000_000_000;
    let tree = Tree::open(Arc::clone(store), SOON).unwrap();
    let mut staging = tree.generation(now).unwrap();
    let at = |name: &str| StorePath::parse(&format!("v1/main/x86_64/{name}")).unwrap();
    staging.add(at("APKINDEX.tar.gz"), &admit(&tree, index).unwrap(), "").unwrap();
    staging.add(at(&format!("p-{}.apk", version(number))), &admit(&tree, package).unwrap(), "").unwrap();
    // What any index has named can still be fetched, however slow the client is.
    for entry in staging.base().clone().entries() {
        if staging.manifest().entry(entry.path()).is_none() {
            staging.carry(entry.clone().dropped(now)).unwrap();
        }
    }
    let generation = staging.finish().unwrap();
    tree.switch(generation).unwrap();
    if number.is_multiple_of(20) {
        let rules = Prune { grace: Duration::ZERO, now, floor: Floor::None, roots: &Roots::default() };
        prune(&tree, &rules, PruneMode::Remove).unwrap();
    }
}

#[test]
fn a_client_that_fetches_during_200_publications_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(DiskStore::open(dir.path(), Durability::Together).unwrap());
    let packages: Vec<Vec<u8>> = (0..PUBLICATIONS).map(|number| package("p", &version(number))).collect();
    let texts: Vec<Vec<u8>> = (0..PUBLICATIONS).map(|number| index(&[("p", &version(number))])).collect();
    let indexes: HashMap<Vec<u8>, usize> = texts.iter().cloned().zip(0..).collect();
    publish(&store, 0, &texts[0], &packages[0]);
    let stop = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        let client = scope.spawn(|| fetch(dir.path(), &indexes, &packages, &stop));
        let stopping = Stop(&stop);
        for number in 1..PUBLICATIONS {
            publish(&store, number, &texts[number], &packages[number]);
        }
        drop(stopping);
        client.join().unwrap()
    });
    eprintln!("{rounds} times index and package were fetched during {PUBLICATIONS} publications");
    assert!(rounds > PUBLICATIONS / 10, "{rounds}");
}
