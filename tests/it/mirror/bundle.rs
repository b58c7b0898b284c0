use std::collections::BTreeMap;
use std::sync::Arc;

use apkvet::mirror::Finding;
use apkvet::mirror::bundle::{BundleError, BundleReader, Exported, Imported, export, import};
use apkvet::publish::{Store, Tree, tree_hash};
use apkvet_fixtures::FakeKey;

use super::rig::{DAY, NOW, Rig, Upstream, files_in, package, published};
use crate::harness::apkvet;
use crate::harness::store::{Fault, Faulty, SOON};
use crate::harness::trace::copy;

/// What the upstream of the outside has on a day: versions come and go, and some stay.
fn upstream(day: u64) -> Upstream {
    let tool = format!("1.{day}-r0");
    let mut items = vec![package("tool", &tool, &["lib"]), package("lib", &format!("2.{}-r0", day / 3), &[])];
    if day % 4 < 2 {
        items.push(package("seldom", "1-r0", &[]));
    }
    Upstream { items, time: NOW + day * DAY, ..Upstream::of(&[]) }
}

/// A mirror with a network: a subset that signs its own index.
fn outside() -> Rig {
    Rig::subset("\"tool\", \"*\"")
}

fn at(rig: Rig, day: u64) -> Rig {
    upstream(day).write(&rig.path("upstream"));
    let rig = Rig { now: NOW + day * DAY, ..rig };
    rig.sync().unwrap();
    rig
}

/// A mirror without one: it publishes what the outside has signed.
fn inside() -> Rig {
    let rig = Rig::whole();
    std::fs::write(rig.path("mirror.rsa.pub"), FakeKey::mirror().public_pem()).unwrap();
    let lines = format!("keys = [\"{}\", \"mirror.rsa.pub\"]\n", FakeKey::a().name());
    // Nothing answers there, and nobody asks.
    Rig { lines, upstreams: "\"http://127.0.0.1:1/alpine/v3.17/main\"".to_owned(), ..rig }
}

fn exported(rig: &Rig, since: Option<u64>) -> (Exported, Vec<u8>) {
    let mut bytes = Vec::new();
    let exported = export(&Tree::look(rig.store()), since, &mut bytes).unwrap();
    assert_eq!(exported.size, u64::try_from(bytes.len()).unwrap());
    (exported, bytes)
}

fn taken_in(rig: &Rig, bytes: &[u8]) -> Result<Imported, Vec<Finding>> {
    taken_by(rig, rig.store(), bytes)
}

fn taken_by(rig: &Rig, store: Arc<dyn Store>, bytes: &[u8]) -> Result<Imported, Vec<Finding>> {
    let tree = Tree::open(store, SOON).map_err(|_| Vec::new())?;
    rig.run(|mirror, signers| import(mirror, &tree, signers, bytes))
}

/// The codes of an import that is refused; nothing has changed, and nothing is left.
fn refused(rig: &Rig, bytes: &[u8]) -> Vec<&'static str> {
    let before = published(&rig.path("srv"));
    let findings = taken_in(rig, bytes).unwrap_err();
    assert_eq!(published(&rig.path("srv")), before, "a refused import changed what is published");
    assert_eq!(files_in(&rig.path("srv/spool")), 0, "a refused import left something in the spool");
    findings.iter().map(|finding| finding.code).collect()
}

fn tree(rig: &Rig) -> String {
    let manifest = Tree::look(rig.store()).published().unwrap().unwrap();
    tree_hash(manifest.entries()).to_string()
}

/// What clients can install: without keys, and without what stays for older indexes.
fn installable(rig: &Rig) -> BTreeMap<String, Vec<u8>> {
    let manifest = Tree::look(rig.store()).published().unwrap().unwrap();
    let listed = |path: &String| {
        manifest.entries().any(|entry| entry.path().as_str() == path && entry.dropped_at().is_none())
    };
    let mut files = published(&rig.path("srv"));
    files.retain(|path, _| !path.starts_with("keys/") && listed(path));
    files
}

#[test]
fn ten_generations_give_equal_trees_on_both_sides() {
    let (mut outside, inside) = (outside(), inside());
    let mut base = None;
    for day in 1..=10 {
        outside = at(outside, day);
        let (exported, bytes) = exported(&outside, base);
        let imported = taken_in(&inside, &bytes).unwrap_or_else(|findings| panic!("{day}: {findings:?}"));
        assert!(imported.outcome.published, "{day}");
        assert_eq!(tree(&outside), tree(&inside), "{day}");
        assert_eq!(tree(&outside), exported.bundle.tree, "{day}");
        assert_eq!(installable(&outside), installable(&inside), "{day}");
        let (packages, _) = exported.bundle.packages();
        assert!(base.is_none() || packages <= 3, "{day}: {packages}");
        // The same once more changes nothing.
        assert!(!taken_in(&inside, &bytes).unwrap().outcome.published, "{day}");
        base = Some(exported.bundle.generation);
    }
}

#[test]
fn the_same_generation_gives_the_same_bundle_byte_for_byte() {
    let outside = at(at(outside(), 1), 2);
    assert_eq!(exported(&outside, None).1, exported(&outside, None).1);
    let (whole, since) = (exported(&outside, None), exported(&outside, Some(1)));
    assert!(since.1.len() < whole.1.len());
    assert_eq!(since.0.bundle.packages().0, 1);
    let refused = export(&Tree::look(outside.store()), Some(7), &mut Vec::new()).unwrap_err();
    assert_eq!(refused.code, "no-generation");
}

#[test]
fn a_provenance_names_the_bundle_and_no_folder() {
    let (outside, inside) = (at(outside(), 1), inside());
    let imported = taken_in(&inside, &exported(&outside, None).1).unwrap();
    let state = std::fs::read_to_string(inside.path("srv/state/trust.json")).unwrap();
    assert!(state.contains(&format!("bundle sha256:{} v3.17/main", imported.sha256)), "{state}");
    assert!(!state.contains("unpacked"), "{state}");
}

fn read(bytes: &[u8]) -> Result<(), BundleError> {
    BundleReader::new(bytes)?.read(|_, _| Ok::<(), BundleError>(())).map(drop)
}

#[test]
fn a_bundle_with_one_flipped_bit_is_refused_wherever_it_is() {
    let (outside, inside) = (at(outside(), 1), inside());
    let (_, bytes) = exported(&outside, None);
    read(&bytes).unwrap();
    let mut damaged = bytes.clone();
    for position in 0..bytes.len() {
        let bit = 1 << (position % 8);
        damaged[position] ^= bit;
        assert!(read(&damaged).is_err(), "bit {} of byte {position}", position % 8);
        damaged[position] ^= bit;
    }
    for position in (0..bytes.len()).step_by(bytes.len() / 12) {
        damaged[position] ^= 0x10;
        let codes = refused(&inside, &damaged);
        let known = ["not-a-bundle", "bundle-damaged", "bundle-list"];
        assert!(codes.iter().all(|code| known.contains(code)), "{position}: {codes:?}");
        damaged[position] ^= 0x10;
    }
    taken_in(&inside, &bytes).unwrap();
}

#[test]
fn a_bundle_with_a_missing_or_further_part_is_refused() {
    let (outside, inside) = (at(outside(), 1), inside());
    let (_, bytes) = exported(&outside, None);
    for end in (0..bytes.len()).step_by(512).chain([bytes.len() - 1]) {
        assert!(matches!(read(&bytes[..end]), Err(BundleError::Cut(_))), "{end}");
    }
    assert_eq!(refused(&inside, &bytes[..bytes.len() - 512]), ["bundle-cut"]);
    assert_eq!(refused(&inside, &[&bytes[..], &[0]].concat()), ["bundle-damaged"]);
    assert_eq!(refused(&inside, &[&bytes[..], &bytes[..]].concat()), ["bundle-damaged"]);
    // The last package taken out, as a file of its own.
    let cut = [&bytes[..bytes.len() - 1024 - 2048], &[0; 1024]].concat();
    assert_eq!(refused(&inside, &cut), ["bundle-damaged"]);
    assert_eq!(refused(&inside, b""), ["bundle-cut"]);
    assert_eq!(refused(&inside, &[b'x'; 4096]), ["not-a-bundle"]);
}

#[test]
fn an_older_bundle_is_refused_and_one_that_was_there_before() {
    let outside = at(outside(), 4);
    let (_, first) = exported(&outside, None);
    let outside = at(outside, 5);
    let (_, second) = exported(&outside, None);
    // Of the same moment of upstream, with fewer packages: the times of both indexes are the same.
    let fewer = Rig { lines: outside.lines.replace(", \"*\"", ""), ..outside };
    fewer.sync().unwrap();
    let (_, third) = exported(&fewer, None);
    let inside = inside();
    taken_in(&inside, &second).unwrap();
    assert_eq!(refused(&inside, &first), ["rollback"]);
    taken_in(&inside, &third).unwrap();
    assert_eq!(refused(&inside, &second), ["rollback"]);
    assert_eq!(refused(&inside, &first), ["rollback"]);
    let before = tree(&inside);
    let digest = |bytes: &[u8]| {
        let reader = BundleReader::new(bytes).unwrap();
        let index = reader.bundle().files.iter().find(|file| file.path.ends_with("APKINDEX.tar.gz"));
        index.unwrap().sha256.clone()
    };
    let mut allowing = inside;
    allowing.allowed.states.rollback = Some(digest(&second));
    taken_in(&allowing, &second).unwrap();
    assert_ne!(tree(&allowing), before);
}

#[test]
fn a_bundle_of_a_foreign_key_is_refused() {
    let stranger = outside();
    std::fs::write(stranger.path("mirror.rsa"), FakeKey::c().private_pem()).unwrap();
    let stranger = at(stranger, 1);
    let inside = inside();
    assert_eq!(refused(&inside, &exported(&stranger, None).1), ["bad-signature"]);
    // And packages whose maker nobody inside trusts.
    let lines = "keys = [\"mirror.rsa.pub\"]\n".to_owned();
    let inside = Rig { lines, ..inside };
    let codes = refused(&inside, &exported(&at(outside(), 1), None).1);
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == "untrusted"), "{codes:?}");
}

#[test]
fn a_bundle_of_what_is_new_needs_what_is_not() {
    let outside = at(at(outside(), 1), 2);
    let (_, since) = exported(&outside, Some(1));
    let inside = inside();
    let codes = refused(&inside, &since);
    assert_eq!(codes[0], "bundle-base", "{codes:?}");
}

#[test]
fn a_clock_that_is_wrong_refuses_nothing() {
    let outside = at(outside(), 1);
    let (_, bytes) = exported(&outside, None);
    for now in [1, NOW + 5000 * DAY] {
        let rig = inside();
        let inside = Rig { lines: format!("{}max-age = \"1d\"\n", rig.lines), now, ..rig };
        taken_in(&inside, &bytes).unwrap_or_else(|findings| panic!("{now}: {findings:?}"));
    }
}

#[test]
fn a_repository_that_is_not_in_the_bundle_is_not_asked_for_elsewhere() {
    let outside = at(outside(), 1);
    let inside = inside();
    let others = format!(
        "[[repository]]\nname = \"own\"\nupstream = \"nowhere\"\narchitectures = [\"x86_64\"]\nkeys = [\"{}\"]\n",
        FakeKey::a().name()
    );
    let inside = Rig { others, ..inside };
    assert_eq!(refused(&inside, &exported(&outside, None).1), ["bundle-place"]);
}

#[test]
fn what_the_pool_has_need_not_be_in_the_bundle() {
    let outside = at(outside(), 1);
    let inside = inside();
    taken_in(&inside, &exported(&outside, None).1).unwrap();
    let outside = at(outside, 2);
    let (_, since) = exported(&outside, Some(1));
    // Another mirror inside of the same pool: nothing is published, and nothing remembered.
    std::fs::remove_file(inside.path("srv/current")).unwrap();
    std::fs::remove_file(inside.path("srv/state/trust.json")).unwrap();
    taken_in(&inside, &since).unwrap();
    assert_eq!(tree(&inside), tree(&outside));
}

#[test]
fn an_import_that_dies_or_fails_at_any_operation_leaves_a_whole_state_and_ends_well_again() {
    let outside = at(outside(), 1);
    let base = inside();
    taken_in(&base, &exported(&outside, None).1).unwrap();
    let outside = at(outside, 2);
    let (_, bytes) = exported(&outside, Some(1));
    let of_copy = || {
        let directory = copy(base.directory.path());
        let Rig { lines, upstreams, .. } = inside();
        Rig { directory, lines, upstreams, ..Rig::whole() }
    };
    let older = published(&base.path("srv"));
    let counted = of_copy();
    let faulty = Faulty::new(counted.store(), Fault::None);
    taken_by(&counted, faulty.shared(), &bytes).unwrap();
    let (newer, changes) = (published(&counted.path("srv")), faulty.changes());
    assert!(changes > 50, "{changes}");
    for at in 0..changes {
        let faults = [Fault::Kill(at), Fault::Error(at, 5), Fault::Full(at)];
        let number = usize::try_from(at).unwrap();
        for fault in faults.into_iter().cycle().skip(number % 3).take(1) {
            let rig = of_copy();
            let ended_well = taken_by(&rig, Faulty::new(rig.store(), fault), &bytes).is_ok();
            let served = published(&rig.path("srv"));
            assert!(served == newer || served == older, "{fault:?}: {:?}", served.keys());
            assert!(!ended_well || served == newer, "{fault:?}: reported as done");
            taken_in(&rig, &bytes).unwrap_or_else(|findings| panic!("{fault:?}: {findings:?}"));
            assert!(published(&rig.path("srv")) == newer, "{fault:?}");
            assert_eq!(files_in(&rig.path("srv/spool")), 0, "{fault:?}");
        }
    }
}

#[test]
fn the_commands_carry_a_mirror_over() {
    let (outside, inside) = (at(outside(), 1), inside());
    for rig in [&outside, &inside] {
        std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    }
    let bundle = inside.path("day.bundle").display().to_string();
    let run = |rig: &Rig, arguments: &[&str]| {
        apkvet(rig.directory.path(), &[&["mirror"], arguments, &["--config", "apkvet.toml"]].concat())
    };
    let ran = run(&outside, &["export", &bundle]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("3 packages"), "{}", ran.out);
    let summary = run(&outside, &["export", &bundle, "--json"]).json().pop().unwrap();
    assert_eq!(summary["tree"], tree(&outside));
    let ran = run(&inside, &["import", &bundle]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("published as generation 1"), "{}", ran.out);
    assert_eq!(tree(&inside), tree(&outside));
    let again = run(&inside, &["import", &bundle]);
    assert!(again.out.contains("nothing new"), "{}", again.out);
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[3000] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    assert_eq!(run(&inside, &["import", &bundle]).code, 1);
    assert_eq!(run(&inside, &["import", "missing"]).code, 3);
    let ran = run(&outside, &["export", &bundle, "--since", "9"]);
    assert_eq!(ran.code, 2, "{} {}", ran.out, ran.err);
    // What was there before stays.
    assert!(std::path::Path::new(&bundle).exists());
}

#[test]
fn packages_of_ones_own_stand_beside_what_comes_in() {
    let (outside, inside) = (at(outside(), 1), inside());
    let others = format!(
        "[[repository]]\nname = \"own/main\"\nupstream = \"build\"\nbuild-index = true\narchitectures = [\"x86_64\"]\n\
         keys = [\"{}\"]\nsign-key = \"mirror.rsa\"\n",
        FakeKey::a().name()
    );
    let inside = Rig { others, ..inside };
    let mine = package("mine", "1.0-r0", &[]);
    std::fs::create_dir_all(inside.path("build/x86_64")).unwrap();
    std::fs::write(inside.path("build/x86_64").join(mine.file()), mine.package.bytes()).unwrap();
    std::fs::write(inside.path("apkvet.toml"), inside.text()).unwrap();
    std::fs::write(inside.path("day.bundle"), exported(&outside, None).1).unwrap();
    let words = ["mirror", "import", "day.bundle", "--config", "apkvet.toml"];
    let ran = apkvet(inside.directory.path(), &words);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(inside.listed("own/main"), ["mine-1.0-r0"]);
    assert_eq!(inside.listed("v3.17/main").len(), 3);
}

#[test]
fn the_scope_of_a_pin_is_held_against_the_upstream_that_a_bundle_stands_for() {
    let outside = at(outside(), 1);
    let (_, bytes) = exported(&outside, None);
    let fingerprint = |key: &FakeKey| {
        let public = apkvet::keys::read_key(key.public_pem().as_bytes()).unwrap();
        public.fingerprint().to_string()
    };
    let (maker, mirror) = (FakeKey::a(), FakeKey::mirror());
    for (address, codes) in [("alpine/", &[][..]), ("other/", &["not-pinned"])] {
        let rig = inside();
        let scope = format!("scope=http://127.0.0.1:1/{address}");
        let line = |key: &FakeKey, name: &str| format!("{} {name} {scope}\n", fingerprint(key));
        let pins = [line(&maker, maker.name()), line(&mirror, "mirror.rsa.pub")].concat();
        std::fs::write(rig.path("keys.pin"), pins).unwrap();
        let rig = Rig { lines: format!("{}key-pins = \"keys.pin\"\n", rig.lines), ..rig };
        match taken_in(&rig, &bytes) {
            Ok(_) => assert!(codes.is_empty(), "{address}"),
            Err(findings) => {
                let found: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
                assert_eq!(found, codes, "{address}: {findings:?}");
            }
        }
    }
}
