//! A real `apkvet mirror sync` that is killed at a system call, or has it refused, and the run after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::rig::{Item, Rig, Upstream, files_in, package, published};
use crate::harness::apkvet;
use crate::harness::bounded;
use crate::harness::trace::{CHANGES, Calls, FATES, calls, copy, traced};

type Published = BTreeMap<String, Vec<u8>>;

/// How many packages come in beside the others.
///
/// Calls are counted for each thread. The first one fetches; it shares the rehearsal with others, which have calls of
/// their own then.
const MORE: usize = 6;

/// Of how many points one may not be reached: which thread rehearses which package differs from run to run, and with
/// that how many calls each makes.
const REACHED: usize = 8;

fn upstream(version: &str, others: &[&str]) -> Vec<Item> {
    let more: Vec<String> = (0..MORE).map(|number| format!("part{number}")).collect();
    let depends: Vec<&str> = others.iter().copied().chain(more.iter().map(String::as_str)).collect();
    let mut items = vec![package("tool", version, &depends)];
    items.extend(others.iter().map(|name| package(name, "1.0-r0", &[])));
    items.extend(more.iter().map(|name| package(name, version, &[])));
    items
}

fn first() -> Upstream {
    Upstream::of(&upstream("1.0-r0", &["lib", "gone"]))
}

fn second() -> Upstream {
    first().next(&upstream("1.1-r0", &["lib", "new"]))
}

/// A mirror before the run that is interrupted, and what that run makes of it if it is not.
struct Scene {
    rig: Rig,
    /// What is published before and after.
    trees: [Published; 2],
    /// The files of the pool after it.
    pool: BTreeSet<PathBuf>,
    /// How often the run makes each system call; by the thread that makes it most often.
    main: Calls,
    others: Calls,
}

/// One system call of a run.
#[derive(Clone, Debug)]
struct Point {
    name: String,
    at: usize,
    fate: &'static str,
    /// Whether the threads that fetch are meant as well.
    threads: bool,
}

/// One run in a process of its own; the folder is the one that the configuration lies in.
fn sync(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apkvet"));
    command.args(["mirror", "sync", "--config", "apkvet.toml", "-q"]);
    command.current_dir(folder);
    command
}

fn pool(folder: &Path) -> BTreeSet<PathBuf> {
    let files = |path: PathBuf| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let names = files(folder.join("srv/pool")).flat_map(files);
    names.map(|path| path.strip_prefix(folder).unwrap().to_owned()).collect()
}

impl Scene {
    /// Into an empty target, or over a published generation; none where nobody can be traced.
    fn new(over: Option<&Upstream>) -> Option<Self> {
        let rig = Rig { mirror: "connections = 1".to_owned(), ..Rig::subset("\"tool\"") };
        std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
        if let Some(before) = over {
            before.write(&rig.path("upstream"));
            assert!(bounded::status(&mut sync(rig.directory.path())).unwrap().unwrap().success());
        }
        second().write(&rig.path("upstream"));
        let after = copy(rig.directory.path());
        let Some(threads) = calls(&sync(after.path()), CHANGES) else {
            eprintln!("SKIPPED: no strace that can trace here: no sync was killed at a system call");
            return None;
        };
        let (main, others) = count(threads);
        let trees = [rig.directory.path(), after.path()].map(|folder| published(&folder.join("srv")));
        Some(Self { rig, trees, pool: pool(after.path()), main, others })
    }

    /// Every point at which it can be interrupted.
    fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        for (threads, calls) in [(false, &self.main), (true, &self.others)] {
            for (name, count) in calls {
                for at in 1..=*count {
                    points.extend(FATES.map(|fate| Point { name: name.clone(), at, fate, threads }));
                }
            }
        }
        points
    }

    /// Interrupts a run there, looks, and runs again; says what is not as it must be, and whether it came there.
    fn interrupt(&self, point: &Point) -> (Option<String>, bool) {
        let Point { name, at, fate, threads } = point;
        let folder = copy(self.rig.directory.path());
        let inject = format!("inject={name}:{fate}:when={at}");
        let mut arguments = vec!["-e", &inject];
        if *threads {
            arguments.insert(0, "-f");
        }
        let ended_well = traced(&sync(folder.path()), &arguments);
        let reached = !ended_well || *fate != "signal=KILL";
        (self.wrong(folder.path(), ended_well), reached)
    }

    /// What is not as it must be after a run that was interrupted, and after the next one.
    fn wrong(&self, folder: &Path, ended_well: bool) -> Option<String> {
        let [before, after] = &self.trees;
        let tree = published(&folder.join("srv"));
        if tree != *before && tree != *after {
            return Some("what is published is neither the old nor the new".to_owned());
        }
        if ended_well && tree != *after {
            return Some("it ended well, but is not done".to_owned());
        }
        let again = apkvet(folder, &["mirror", "sync", "--config", "apkvet.toml"]);
        if again.code != 0 {
            return Some(format!("the next run ends with {}: {} {}", again.code, again.out, again.err));
        }
        if published(&folder.join("srv")) != *after || pool(folder) != self.pool {
            return Some("the next run does not converge".to_owned());
        }
        (files_in(&folder.join("srv/spool")) != 0).then(|| "something is left in the spool".to_owned())
    }

    /// Interrupts at every n-th point, from one that the seed chooses.
    fn interrupt_every(&self, nth: usize, seed: usize, what: &str) {
        let points = self.points();
        let chosen: Vec<&Point> = points.iter().skip(seed % nth).step_by(nth).collect();
        eprintln!(
            "a sync {what}: {} points at {:?} and {:?}; {} are interrupted: every {nth}., seed {seed}",
            points.len(),
            self.main,
            self.others,
            chosen.len()
        );
        assert!(points.len() > 200, "{points:?}");
        let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let wrong = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(point) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let (told, reached) = self.interrupt(point);
                        missed.fetch_add(usize::from(!reached), Ordering::SeqCst);
                        wrong.lock().unwrap().extend(told.map(|told| format!("{point:?}: {told}")));
                    }
                });
            }
        });
        let wrong = wrong.into_inner().unwrap();
        assert!(wrong.is_empty(), "every {nth}., seed {seed}:\n{}", wrong.join("\n"));
        let missed = missed.into_inner();
        assert!(missed * REACHED <= chosen.len(), "{missed} points of {} were not reached", chosen.len());
    }
}

/// What the first thread calls, and what any other calls at most.
fn count(threads: Vec<Calls>) -> (Calls, Calls) {
    let mut threads = threads.into_iter();
    let (main, mut others) = (threads.next().unwrap_or_default(), Calls::new());
    for (name, count) in threads.flatten() {
        let most = others.entry(name).or_default();
        *most = count.max(*most);
    }
    (main, others)
}

/// Chosen anew by whoever wants other points.
fn seed() -> usize {
    std::env::var("APKVET_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

fn both(nth: usize) {
    for (over, what) in [(None, "into an empty target"), (Some(first()), "over a published generation")] {
        let Some(scene) = Scene::new(over.as_ref()) else { return };
        scene.interrupt_every(nth, seed(), what);
    }
}

#[test]
fn a_sync_that_is_killed_or_refused_something_at_some_system_call_leaves_a_whole_state() {
    both(67);
}

#[test]
#[ignore = "takes minutes; `just crash` runs it"]
fn a_sync_that_is_killed_or_refused_something_at_any_system_call_leaves_a_whole_state() {
    both(1);
}
