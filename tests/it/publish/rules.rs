use std::sync::Arc;

use apkvet::publish::{AdmitError, Defect, Depth, EntryKind, PublishError, Store, StorePath, Tree, Wait};

use crate::harness::store::{
    Fault, Faulty, NOTHING, SOON, SimStore, Syncs, admit, index, judge, keep, key, package, prove, published,
    run, spare, steps,
};

fn path(text: &str) -> StorePath {
    StorePath::parse(text).unwrap()
}

fn empty() -> Arc<dyn Store> {
    SimStore::new(Syncs::Together)
}

fn open(store: &Arc<dyn Store>) -> Tree {
    Tree::open(Arc::clone(store), SOON).unwrap()
}

/// A tree in which the first step is published.
fn first() -> Arc<dyn Store> {
    let store = empty();
    run(Arc::clone(&store), &steps()[0]).unwrap();
    store
}

#[test]
fn the_proof_of_another_file_lets_nothing_in() {
    let store = empty();
    let tree = open(&store);
    let mut spooled = tree.spool().unwrap();
    spooled.write(&package("a", "1-r0")).unwrap();
    let other = package("b", "1-r0");
    let admitted = keep(&tree, spooled, |_| prove(&*other));
    let other_file = |admitted: &Result<_, AdmitError<_>>, read: bool| matches!(admitted, Err(AdmitError::Publish(PublishError::OtherFile { expected, .. })) if expected.is_some() == read);
    assert!(other_file(&admitted, true), "{admitted:?}");
    // What is not even read to its end.
    let mut spooled = tree.spool().unwrap();
    spooled.write(b"<!DOCTYPE html><html>a page of errors</html>").unwrap();
    let admitted = keep(&tree, spooled, |_| prove(&*other));
    assert!(other_file(&admitted, false), "{admitted:?}");
    drop(tree);
    assert_eq!(spare(&store), NOTHING);
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let store = empty();
    let tree = open(&store);
    let mut bytes = package("a", "1-r0");
    *bytes.last_mut().unwrap() ^= 1;
    let admitted = admit(&tree, &bytes);
    assert!(matches!(admitted, Err(AdmitError::Refused(_))), "{admitted:?}");
    assert_eq!(spare(&store), NOTHING);
}

#[test]
fn a_file_that_begins_again_is_the_second_one_alone() {
    let store = empty();
    let tree = open(&store);
    let mut spooled = tree.spool().unwrap();
    spooled.write(b"a page of errors").unwrap();
    assert_eq!(spooled.position(), 16);
    spooled.restart().unwrap();
    spooled.write(&package("a", "1-r0")).unwrap();
    let pooled = keep(&tree, spooled, judge).unwrap();
    assert_eq!(pooled.size(), u64::try_from(package("a", "1-r0").len()).unwrap());
    assert_eq!(pooled.evidence().keys()[0].name(), "FAKE-apkvet-test-a.rsa.pub");
}

#[test]
fn a_published_path_keeps_its_content_unless_that_is_allowed() {
    let store = first();
    let tree = open(&store);
    let at = path("v1/main/x86_64/a-1-r0.apk");
    let other = admit(&tree, &package("a", "2-r0")).unwrap();
    let mut staging = tree.generation(1).unwrap();
    let refused = staging.add(at.clone(), &other, "").unwrap_err();
    assert!(matches!(&refused, PublishError::Replaced { path, .. } if *path == at), "{refused}");
    staging.allow_replaced(at.clone());
    staging.add(at, &other, "").unwrap();
    // An index changes as it must.
    let other = admit(&tree, &index(&[("z", "1-r0")])).unwrap();
    staging.add(path("v1/main/x86_64/APKINDEX.tar.gz"), &other, "").unwrap();
}

#[test]
fn one_path_is_one_thing() {
    let store = empty();
    let tree = open(&store);
    let pooled = admit(&tree, &package("a", "1-r0")).unwrap();
    let mut staging = tree.generation(1).unwrap();
    staging.add(path("v1/a/b"), &pooled, "").unwrap();
    staging.add(path("v1/a-b"), &pooled, "").unwrap();
    for taken in ["v1/a/b", "v1/a", "v1", "v1/a/b/c"] {
        let refused = staging.add(path(taken), &pooled, "").unwrap_err();
        assert!(matches!(&refused, PublishError::Twice { path } if path.as_str() == taken), "{refused}");
    }
    for reserved in ["keys/a", "keys", "snapshots", "snapshots/a"] {
        let refused = staging.add(path(reserved), &pooled, "").unwrap_err();
        assert!(
            matches!(&refused, PublishError::Reserved { path } if path.as_str() == reserved),
            "{refused}"
        );
    }
}

#[test]
fn only_a_public_key_is_published_as_one() {
    let store = empty();
    let tree = open(&store);
    let mut staging = tree.generation(1).unwrap();
    let private = apkvet_fixtures::FakeKey::mirror().private_pem();
    let both = [key().1, private.as_bytes()].concat();
    for bytes in [private.as_bytes(), &both, b"", b"<html>"] {
        let refused = staging.public_key("m.rsa.pub", bytes).unwrap_err();
        assert!(matches!(refused, PublishError::NoPublicKey { .. }), "{refused}");
    }
    assert!(matches!(staging.public_key("a/../b", key().1), Err(PublishError::Reserved { .. })));
    staging.public_key("m.rsa.pub", key().1).unwrap();
    let generation = staging.finish().unwrap();
    let entry = generation.manifest().entry(&path("keys/m.rsa.pub")).unwrap();
    assert_eq!(entry.kind(), EntryKind::Key);
}

#[test]
fn a_second_run_without_changes_switches_nothing() {
    let store = first();
    let before = published(&*store).unwrap();
    run(Arc::clone(&store), &steps()[0]).unwrap();
    assert_eq!(published(&*store).unwrap(), before);
    assert_eq!(Tree::look(store).generations().unwrap(), [1]);
}

#[test]
fn looking_changes_nothing_even_where_there_is_no_tree() {
    let store = Faulty::new(empty(), Fault::None);
    let look = Tree::look(store.shared());
    assert_eq!(look.current().unwrap(), None);
    assert_eq!(look.published().unwrap(), None);
    assert_eq!(look.generations().unwrap(), [0; 0]);
    assert_eq!(look.read_document("trust").unwrap(), None);
    assert!(matches!(look.manifest(3), Err(PublishError::NoGeneration { number: 3 })));
    assert_eq!(store.changes(), 0);
}

#[test]
fn a_generation_that_is_dropped_leaves_nothing() {
    let store = first();
    let before = published(&*store).unwrap();
    let tree = open(&store);
    let mut staging = tree.generation(5).unwrap();
    let entry = staging.base().entries().next().unwrap().clone();
    staging.carry(entry).unwrap();
    let generation = staging.finish().unwrap();
    assert_eq!((generation.number(), generation.check(Depth::Digests).unwrap()), (2, vec![]));
    drop(generation);
    drop(tree);
    assert_eq!(published(&*store).unwrap(), before);
    assert_eq!(spare(&store), NOTHING);
}

#[test]
fn a_file_that_the_pool_has_lost_stops_the_generation() {
    let store = first();
    let tree = open(&store);
    let mut staging = tree.generation(5).unwrap();
    let entry = staging.base().entries().next().unwrap().clone();
    let text = entry.sha256().to_string();
    store.remove_file(&path(&format!("pool/{}/{text}", &text[..2]))).unwrap();
    staging.carry(entry).unwrap();
    let refused = staging.finish().unwrap_err();
    assert!(matches!(refused, PublishError::NotInPool { .. }), "{refused}");
}

#[test]
fn what_is_wrong_with_a_generation_is_named() {
    let store = first();
    let look = Tree::look(Arc::clone(&store));
    let at = |below: &str| path(&format!("gens/1/v1/main/x86_64/{below}"));
    assert_eq!(look.check(1, Depth::Digests).unwrap(), vec![]);
    store.remove_file(&at("a-1-r0.apk")).unwrap();
    let mut planted = store.create(&at(".tmp"), apkvet::publish::Mode::Immutable).unwrap();
    planted.append(b"half").unwrap();
    store.symlink("/etc/passwd", &path("gens/1/v1/link")).unwrap();
    store.make_dir(&path("gens/1/v1/other"), apkvet::publish::Mode::ServedDir).unwrap();
    let index = look.manifest(1).unwrap().entry(&path("v1/main/x86_64/APKINDEX.tar.gz")).unwrap().clone();
    let mut file = store.open(&at("APKINDEX.tar.gz")).unwrap();
    file.set_mtime(index.mtime().unwrap() - 1).unwrap();
    let defects = look.check(1, Depth::Sizes).unwrap();
    assert_eq!(
        defects,
        [
            Defect::Time {
                path: index.path().clone(),
                expected: index.mtime().unwrap(),
                found: index.mtime().unwrap() - 1
            },
            Defect::Missing { path: path("v1/main/x86_64/a-1-r0.apk") },
            Defect::Foreign { path: "v1/link".to_owned() },
            Defect::Foreign { path: "v1/other".to_owned() },
            Defect::Foreign { path: "v1/main/x86_64/.tmp".to_owned() },
        ]
    );
}

#[test]
fn flipped_bits_are_found_by_digest_alone() {
    let store = first();
    let look = Tree::look(Arc::clone(&store));
    let at = path("gens/1/v1/main/x86_64/b-1-r0.apk");
    let mut bytes = package("b", "1-r0");
    bytes[100] ^= 1;
    let mut file = store.open(&at).unwrap();
    file.clear().unwrap();
    file.append(&bytes).unwrap();
    assert_eq!(look.check(1, Depth::Sizes).unwrap(), vec![]);
    let defects = look.check(1, Depth::Digests).unwrap();
    assert!(
        matches!(&defects[..], [Defect::Digest { path, .. }] if at.as_str().ends_with(path.as_str())),
        "{defects:?}"
    );
}

#[test]
fn where_no_more_links_are_possible_files_are_copied() {
    let store: Arc<dyn Store> = Faulty::new(empty(), Fault::NoLinks);
    run(Arc::clone(&store), &steps()[0]).unwrap();
    let look = Tree::look(Arc::clone(&store));
    assert_eq!(look.check(1, Depth::Digests).unwrap(), vec![]);
    assert_eq!(published(&*store).unwrap(), published(&*first()).unwrap());
}

#[test]
fn a_part_on_another_file_system_is_refused_at_the_start() {
    for part in ["pool", "spool", "gens", "state", "snapshots"] {
        let store = Faulty::new(empty(), Fault::Elsewhere(part));
        let refused = Tree::open(store, Wait::Never).unwrap_err();
        assert!(
            matches!(&refused, PublishError::OtherFileSystem { path } if path.as_str() == part),
            "{refused}"
        );
    }
}

#[test]
fn a_part_that_belongs_to_somebody_else_is_refused_at_the_start() {
    for part in ["pool", "spool", "gens", "state", "snapshots"] {
        let store = Faulty::new(empty(), Fault::Foreign(part));
        let refused = Tree::open(store, Wait::Never).unwrap_err();
        assert!(
            matches!(&refused, PublishError::ForeignOwner { path } if path.as_str() == part),
            "{refused}"
        );
    }
}

#[test]
fn a_generation_is_looked_at_before_anybody_sees_it() {
    let store = Faulty::new(empty(), Fault::ForgetsLinks);
    let tree = Tree::open(store.shared(), SOON).unwrap();
    let pooled = admit(&tree, &package("a", "1-r0")).unwrap();
    let mut staging = tree.generation(1).unwrap();
    staging.add(path("v1/main/x86_64/a-1-r0.apk"), &pooled, "").unwrap();
    let refused = staging.finish().unwrap_err();
    assert!(matches!(refused, PublishError::SelfCheck { count: 1, .. }), "{refused}");
}

#[test]
fn what_is_exchanged_on_its_way_into_the_pool_is_not_kept() {
    let store = Faulty::new(empty(), Fault::Exchanges);
    let tree = Tree::open(store.shared(), SOON).unwrap();
    let mut spooled = tree.spool().unwrap();
    spooled.write(&package("a", "1-r0")).unwrap();
    let refused = keep(&tree, spooled, judge).unwrap_err();
    assert!(matches!(refused, AdmitError::Publish(PublishError::Changed { .. })), "{refused}");
}

#[test]
fn a_file_that_is_touched_while_it_is_judged_is_not_kept() {
    let store = empty();
    let tree = open(&store);
    let mut spooled = tree.spool().unwrap();
    spooled.write(&package("a", "1-r0")).unwrap();
    let [file] = &store.list(&path("spool")).unwrap()[..] else { panic!() };
    let file = file.path.clone().unwrap();
    let admitted = keep(&tree, spooled, |subject| {
        store.open(&file).unwrap().set_mtime(77).unwrap();
        judge(subject)
    });
    assert!(matches!(admitted, Err(AdmitError::Publish(PublishError::Changed { .. }))), "{admitted:?}");
}

#[test]
fn what_a_run_that_died_left_in_the_pool_is_read_before_it_is_used() {
    let store = empty();
    let bytes = package("a", "1-r0");
    let sha256 = admit(&open(&store), &bytes).unwrap().sha256().to_string();
    let at = path(&format!("pool/{}/{sha256}", &sha256[..2]));
    store.remove_file(&at).unwrap();
    let zeros = vec![0; bytes.len()];
    store.create(&at, apkvet::publish::Mode::Immutable).unwrap().append(&zeros).unwrap();
    admit(&open(&store), &bytes).unwrap();
    let mut found = vec![0; bytes.len()];
    store.open(&at).unwrap().read_at(&mut found, 0).unwrap();
    assert_eq!(found, bytes);
}

#[test]
fn a_published_file_that_became_a_link_or_another_one_is_named() {
    let store = first();
    let look = Tree::look(Arc::clone(&store));
    let file = path("v1/main/x86_64/a-1-r0.apk");
    let at = path("gens/1/v1/main/x86_64/a-1-r0.apk");
    let expected = look.manifest(1).unwrap().entry(&file).unwrap().size();
    store.remove_file(&at).unwrap();
    store.symlink("/etc/passwd", &at).unwrap();
    let foreign = Defect::Foreign { path: file.to_string() };
    let linked = [Defect::NotAFile { path: file.clone() }, foreign];
    assert_eq!(look.check(1, Depth::Sizes).unwrap(), linked);
    store.remove_file(&at).unwrap();
    store.create(&at, apkvet::publish::Mode::Immutable).unwrap().append(b"short").unwrap();
    let other = Defect::Size { path: file, expected, found: 5 };
    assert_eq!(look.check(1, Depth::Sizes).unwrap(), [other]);
}

#[test]
fn something_else_in_the_place_of_the_link_is_refused() {
    for target in ["elsewhere", "gens/1/..", "gens/01", "/gens/1"] {
        let store = empty();
        store.symlink(target, &path("current")).unwrap();
        let refused = Tree::open(store, Wait::Never).unwrap_err();
        assert!(
            matches!(&refused, PublishError::Occupied { path, .. } if path.as_str() == "current"),
            "{refused}"
        );
    }
    let store = empty();
    store.make_dir(&path("current"), apkvet::publish::Mode::ServedDir).unwrap();
    assert!(matches!(Tree::open(store, Wait::Never), Err(PublishError::Occupied { .. })));
}

#[test]
fn documents_are_replaced_whole() {
    let store = empty();
    let tree = open(&store);
    assert_eq!(tree.as_look().read_document("trust.json").unwrap(), None);
    for content in [&b"one"[..], b"second", b""] {
        tree.write_document("trust.json", content).unwrap();
        assert_eq!(tree.as_look().read_document("trust.json").unwrap().as_deref(), Some(content));
    }
    assert!(matches!(tree.write_document("../x", b""), Err(PublishError::DocumentName { .. })));
    assert_eq!(spare(&store), NOTHING);
}

#[test]
fn a_proof_that_does_not_cover_all_bytes_is_none_for_publishing() {
    use apkvet::unverified::{FileDigest, ReadOptions, Subject, read};
    use apkvet::verify::{BlobKind, Keyring, Known, Policy, Proof, TrustedKey, verify_package};
    let (mut keyring, fake) = (Keyring::default(), apkvet_fixtures::FakeKey::a());
    let public = apkvet::keys::read_key(fake.public_pem().as_bytes()).unwrap();
    keyring.add(TrustedKey::new(fake.name(), fake.name(), public)).unwrap();
    let (policy, known) = (Policy::default(), Known::builtin());
    let proof = Proof { keyring: &keyring, policy: &policy, known: &known };
    let bytes = package("a", "1-r0");
    let blob = |file_digest| {
        let options = ReadOptions { file_digest, ..ReadOptions::default() };
        let read = read(&*bytes, &options, &mut apkvet::container::Scratch::default()).unwrap();
        let Subject::Package(claims) = read else { panic!() };
        verify_package(claims, &proof).into_blob()
    };
    let whole = blob(FileDigest::Compute).unwrap();
    assert_eq!(
        (whole.value().kind(), whole.value().size()),
        (BlobKind::Package, bytes.len().try_into().unwrap())
    );
    assert_eq!(blob(FileDigest::Skip).unwrap_err().code(), "unproven");
}
