use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use apkvet::index::Index;
use apkvet::limits::Limits;
use apkvet::mirror::{Allowed, Outcome, Overrides};
use apkvet_fixtures::tar::sha256_hex;
use apkvet_fixtures::{FakeKey, Label, PackageBuilder};

use super::rig::{DAY, Item, NOW, Rig, Upstream, built, package, published, text_of};
use crate::harness::{solved, universe};

const GENERATIONS: u64 = 30;
const MAIN: &str = "v3.17/main";
const COMMUNITY: &str = "v3.17/community";

/// Numbers that look like chance and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// An upstream of four programs with a subpackage each, and of the libraries that they are built against.
struct World {
    dice: Dice,
    key: FakeKey,
    libraries: [u64; 3],
    programs: [(u64, Item, Item); 4],
    made: BTreeMap<String, Item>,
}

impl World {
    fn new() -> Self {
        let none = package("none", "0", &[]);
        let programs = [(); 4].map(|()| (0, none.clone(), none.clone()));
        let mut world =
            Self { dice: Dice(7), key: FakeKey::a(), libraries: [1; 3], programs, made: BTreeMap::new() };
        (0..4).for_each(|at| world.release(at));
        world
    }

    /// A package; the same name and version is the same file.
    fn item(&mut self, name: &str, version: &str, depends: &[&str], provides: &str) -> Item {
        let signers = [(self.key.clone(), Label::Rsa256)];
        let make = || {
            let mut item = built(PackageBuilder::new(name, version), name, version, depends, &signers);
            item.more += provides;
            item
        };
        self.made.entry(format!("{name}-{version}")).or_insert_with(make).clone()
    }

    /// The next version of a program, built against the libraries of today.
    fn release(&mut self, at: usize) {
        let number = self.programs[at].0 + 1;
        let (name, version) = (format!("app{at}"), format!("{number}-r0"));
        let library = format!("so:lib{0}.so.{1}", at % 3, self.libraries[at % 3]);
        let program = self.item(&name, &version, &[&library, "base"], "");
        let exact = format!("{name}={version}");
        let docs = self.item(&format!("{name}-doc"), &version, &[&exact], "");
        self.programs[at] = (number, program, docs);
    }

    /// A library changes, and what was built against it follows.
    fn bump(&mut self, at: usize) {
        self.libraries[at] += 1;
        (0..4).filter(|program| program % 3 == at).for_each(|program| self.release(program));
    }

    fn day(&mut self) {
        for _ in 0..2 {
            let at = self.dice.roll(4) as usize;
            self.release(at);
        }
        if self.dice.roll(3) == 0 {
            let at = self.dice.roll(3) as usize;
            self.bump(at);
        }
    }

    /// The same version of a program with other bytes.
    fn rebuild(&mut self, at: usize) -> String {
        let (number, program, _) = self.programs[at].clone();
        let (name, version) = (program.name.clone(), format!("{number}-r0"));
        let builder = PackageBuilder::new(&name, &version).field("builddate", "1700009999");
        let mut again = built(builder, &name, &version, &[], &[(self.key.clone(), Label::Rsa256)]);
        again.more = program.more;
        self.made.insert(format!("{name}-{version}"), again.clone());
        self.programs[at].1 = again;
        name
    }

    fn main(&mut self) -> Vec<Item> {
        let base = self.item("base", "1-r0", &[], "");
        let programs = self.programs.iter().flat_map(|(_, program, docs)| [program.clone(), docs.clone()]);
        programs.chain([base]).collect()
    }

    fn community(&mut self, gone: bool) -> Vec<Item> {
        let mut items: Vec<Item> = (0..3)
            .map(|at| {
                let number = self.libraries[at];
                self.item(
                    &format!("lib{at}"),
                    &format!("{number}-r0"),
                    &[],
                    &format!("p:so:lib{at}.so.{number}={number}\n"),
                )
            })
            .collect();
        if !gone {
            items.push(self.item("comes-and-goes", "1-r0", &["base"], ""));
        }
        items
    }
}

fn repository(name: &str, folder: &str, keys: &str) -> String {
    format!(
        "[[repository]]\nname = \"{name}\"\nupstream = \"{folder}\"\narchitectures = [\"x86_64\"]\nkeys = [{keys}]\n\
         select = [\"*\"]\nretain = \"all\"\nsign-key = \"mirror.rsa\"\n"
    )
}

fn index(to: &Path, repository: &str) -> Index {
    let path = to.join(format!("current/{repository}/x86_64/APKINDEX.tar.gz"));
    Index::parse(text_of(&std::fs::read(path).unwrap()).into(), &Limits::default()).unwrap()
}

/// Names of all files of the pool.
fn pool(to: &Path) -> BTreeSet<String> {
    let folders = std::fs::read_dir(to.join("pool")).unwrap().map(|folder| folder.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

/// Each version that was ever listed is installed from the mirror alone, or the run named it.
fn all_install(to: &Path, outcome: &Outcome, ever: &mut BTreeSet<String>) -> usize {
    let (main, community) = (index(to, MAIN), index(to, COMMUNITY));
    let listed: BTreeMap<String, String> = main
        .records()
        .chain(community.records())
        .map(|record| (record.label(), format!("{}={}", record.name(), record.version())))
        .collect();
    ever.extend(listed.keys().cloned());
    let told = outcome.findings.iter().filter(|finding| finding.code == "retained-unlisted");
    let unlisted: BTreeSet<&str> = told.filter_map(|finding| finding.subject.as_deref()).collect();
    let clients = universe([&main, &community]);
    for label in ever.iter() {
        match listed.get(label) {
            Some(request) => assert!(solved(&clients, request).unwrap().contains(label), "{label}"),
            None => assert!(unlisted.contains(label.as_str()), "{label} is gone, and nobody said so"),
        }
    }
    unlisted.len()
}

#[test]
fn thirty_generations_keep_every_version_installable_and_the_pool_clean() {
    let mut world = World::new();
    let (a, b) = (FakeKey::a(), FakeKey::b());
    let (one, both) = (format!("\"{}\"", a.name()), format!("\"{}\", \"{}\"", a.name(), b.name()));
    let mut rig = Rig::subset("\"*\"");
    rig.mirror = "grace = \"2d\"".to_owned();
    let select = rig.lines.clone();
    Upstream::of(&[package("older", "1-r0", &[])]).write(&rig.path("older"));
    let to = rig.path("srv");
    let (mut ever, mut unlisted) = (BTreeSet::new(), 0);
    for generation in 1..=GENERATIONS {
        if generation > 1 {
            world.day();
        }
        if generation == 20 {
            world.key = FakeKey::b();
        }
        let keys = if generation < 20 { &one } else { &both };
        let branch = if generation < 15 { repository("v3.16/main", "older", &one) } else { String::new() };
        rig.lines = format!("keys = [{keys}]\n{select}retain = \"all\"\n");
        rig.others = repository(COMMUNITY, "extra", keys) + &branch;
        let replaced = if generation % 9 == 0 { BTreeSet::from([world.rebuild(1)]) } else { BTreeSet::new() };
        if generation == 25 {
            // A library is taken back: what was built against it has to go, too.
            world.libraries[2] -= 1;
            world.release(2);
        }
        rig.allowed = Allowed {
            replaced,
            states: Overrides { shrink: true, ..Overrides::default() },
            ..Allowed::default()
        };
        rig.now = NOW + generation * DAY;
        let at = |items: Vec<Item>| Upstream {
            time: rig.now - DAY,
            key: world_key(generation),
            ..Upstream::of(&items)
        };
        at(world.main()).write(&rig.path("upstream"));
        at(world.community((7..12).contains(&generation))).write(&rig.path("extra"));
        let outcome = rig.sync().unwrap_or_else(|findings| panic!("generation {generation}: {findings:?}"));
        unlisted += all_install(&to, &outcome, &mut ever);
        rig.prune();
        let served: BTreeSet<String> = published(&to).values().map(|bytes| sha256_hex(bytes)).collect();
        assert_eq!(pool(&to), served, "generation {generation}");
        assert_eq!(to.join("current/v3.16").exists(), generation < 17, "generation {generation}");
    }
    let listed = index(&to, MAIN).len() + index(&to, COMMUNITY).len();
    assert!(ever.len() > 120 && listed > 100, "{} versions, {listed} listed", ever.len());
    // The library that was taken back is one of those that are kept without being listed.
    assert!(unlisted > 0);
}

fn world_key(generation: u64) -> FakeKey {
    if generation < 20 { FakeKey::a() } else { FakeKey::b() }
}
