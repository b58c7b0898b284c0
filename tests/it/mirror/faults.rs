//! The network's faults, each applied to an index or a package of a small upstream while a mirror syncs:
//! once into an empty target, and once over a generation that is published.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use apkvet::mirror::{Class, Finding, worst};
use apkvet::transport::{self, Clock, Fetcher, LeastRate, Retries, Settings, Timeouts};

use super::rig::{Rig, Upstream, authority, files_in, package, published};
use crate::harness::http_fault_server::{Asked, FaultServer, Step};
use crate::harness::http_faults::{Case, Outcome, all};
use crate::harness::virtual_clock::VirtualClock;

const AT: &str = "/v3.17/main";

/// What upstream has at first, and then.
static UPSTREAMS: LazyLock<[Files; 2]> = LazyLock::new(|| {
    let first = Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.0-r0", &[])]);
    let second = first.next(&[package("tool", "1.1-r0", &["lib"]), package("lib", "1.0-r0", &[])]);
    [first.files(), second.files()]
});

fn serve(server: &FaultServer, files: &Files) {
    files.iter().for_each(|(path, bytes)| server.put(&format!("{AT}/{path}"), bytes));
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    Index,
    Package,
}

impl Target {
    fn is(self, asked: &Asked) -> bool {
        match self {
            Self::Index => asked.target.contains("APKINDEX.tar.gz"),
            Self::Package => asked.target.contains("tool-1.1-r0.apk"),
        }
    }
}

/// What is published before the fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Start {
    Empty,
    Published,
}

/// What must follow for a whole run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expected {
    Published,
    Fails(Class, &'static str),
}

/// Nothing says how long an index is: what the length of a package gives away, its content has to.
fn expected(case: &Case, target: Target) -> Expected {
    let refused = |code| Expected::Fails(Class::Refused, code);
    match (target, case.what) {
        (Target::Index, "more is promised than there must be") => Expected::Fails(Class::Network, "cut"),
        (Target::Index, "less is promised than comes" | "no length, and too little") => refused("truncated"),
        (Target::Index, "one more layer of gzip") => refused("packed-twice"),
        (Target::Index, "a page in place of the file") => refused("html"),
        _ => match case.outcome {
            Outcome::Arrives => Expected::Published,
            Outcome::Fails(class, code) => {
                let class = match class {
                    transport::Class::Network => Class::Network,
                    transport::Class::Upstream => Class::Upstream,
                    transport::Class::Local => Class::Local,
                };
                Expected::Fails(class, code)
            }
        },
    }
}

fn fetcher(timed: bool) -> Fetcher {
    let retries = Retries { tries: if timed { 2 } else { 4 }, ..Retries::default() };
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::default());
    let mut settings =
        Settings { retries, clock, authorities: authority(), seed: Some(7), ..Settings::default() };
    if timed {
        let short = Duration::from_millis(400);
        settings.timeouts = Timeouts { first_byte: short, idle: short, ..Timeouts::default() };
        settings.least_rate = LeastRate { bytes: 1000, window: Duration::from_millis(200) };
    }
    Fetcher::new(settings).unwrap()
}

type Files = BTreeMap<String, Vec<u8>>;

/// What a run that nothing went wrong in leaves: before the fault, and after it.
struct Healthy {
    before: Rig,
    trees: [Files; 2],
}

impl Healthy {
    fn new(start: Start) -> Self {
        let server = FaultServer::start(&[]);
        let rig = of(&[&server]);
        if start == Start::Published {
            serve(&server, &UPSTREAMS[0]);
            rig.sync().unwrap();
        }
        let before = of(&[&server]);
        copy(&rig, &before);
        serve(&server, &UPSTREAMS[1]);
        rig.sync().unwrap();
        let trees = [&before, &rig].map(|rig| published(&rig.path("srv")));
        Self { before, trees }
    }
}

/// A mirror of these servers, tried in order.
fn of(servers: &[&FaultServer]) -> Rig {
    let urls: Vec<String> = servers.iter().map(|server| format!("\"{}\"", server.url(AT))).collect();
    Rig { upstreams: urls.join(", "), ..Rig::subset("\"tool\"") }
}

fn copy(from: &Rig, to: &Rig) {
    let srv = from.path("srv");
    if srv.exists() {
        let copied = std::process::Command::new("cp").arg("-a").arg(&srv).arg(to.path("srv")).status();
        assert!(copied.unwrap().success());
    }
}

fn serving() -> FaultServer {
    let server = FaultServer::start(&[]);
    serve(&server, &UPSTREAMS[1]);
    server
}

fn misbehave(server: &FaultServer, case: &Case, target: Target) {
    let fault = Arc::clone(&case.fault);
    server.misbehave(move |asked| if target.is(asked) { fault(asked) } else { None });
}

/// Runs with the fault and without it; says what is not as it must be.
fn wrong(case: &Case, target: Target, healthy: &Healthy) -> Option<String> {
    let server = serving();
    let rig = of(&[&server]);
    copy(&healthy.before, &rig);
    misbehave(&server, case, target);
    let done = rig.sync_by(&fetcher(case.timed));
    let [before, after] = &healthy.trees;
    let found = match &done {
        Ok(_) => Expected::Published,
        Err(findings) => told(findings),
    };
    let expected = expected(case, target);
    let tree = if expected == Expected::Published { after } else { before };
    if found != expected || published(&rig.path("srv")) != *tree {
        return Some(format!("expected {expected:?}, found {done:?}"));
    }
    // The index and two packages, each asked for a few times at most, and the index once more at the end.
    if server.asked().len() > 16 + 8 {
        return Some(format!("{} requests", server.asked().len()));
    }
    if files_in(&rig.path("srv/spool")) != 0 {
        return Some("something is left in the spool".to_owned());
    }
    server.heal();
    let healed = rig.sync();
    if !healed.is_ok_and(|outcome| outcome.published == (expected != Expected::Published)) {
        return Some("the next run does not do what is left to do".to_owned());
    }
    if published(&rig.path("srv")) != *after {
        return Some("the next run does not converge".to_owned());
    }
    (files_in(&rig.path("srv/spool")) != 0).then(|| "the next run leaves something in the spool".to_owned())
}

/// Class and code of the worst.
fn told(findings: &[Finding]) -> Expected {
    let class = worst(findings).unwrap();
    Expected::Fails(class, findings.iter().find(|finding| finding.class == class).unwrap().code)
}

/// Has every item looked at by some hands; what they say is collected.
fn each<T: Sync>(items: &[T], look: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, told) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        // Most of the time is spent waiting.
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    told.lock().unwrap().extend(look(item));
                }
            });
        }
    });
    told.into_inner().unwrap()
}

/// Every case, applied to either target.
fn targeted(cases: &[Case]) -> Vec<(&Case, Target)> {
    [Target::Index, Target::Package]
        .into_iter()
        .flat_map(|target| cases.iter().map(move |case| (case, target)))
        .collect()
}

fn every_case(start: Start) {
    let (cases, healthy) = (all(), Healthy::new(start));
    let wrong = each(&targeted(&cases), |(case, target)| {
        let wrong = wrong(case, *target, &healthy)?;
        Some(format!("{} {}, {target:?}, {start:?}: {wrong}", case.id, case.what))
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_fault_leaves_an_empty_target_empty_or_whole_and_the_next_run_converges() {
    every_case(Start::Empty);
}

#[test]
fn every_fault_leaves_a_published_generation_or_the_next_one_and_the_next_run_converges() {
    every_case(Start::Published);
}

/// H-38: the second upstream of a repository stands in for whatever the first has wrong.
#[test]
fn whatever_one_upstream_has_wrong_the_next_one_makes_good() {
    let (cases, healthy) = (all(), Healthy::new(Start::Published));
    let fails = |case: &Case, target| expected(case, target) != Expected::Published;
    let failing: Vec<_> =
        targeted(&cases).into_iter().filter(|(case, target)| fails(case, *target)).collect();
    assert!(failing.len() > 50, "{}", failing.len());
    let wrong = each(&failing, |(case, target)| {
        let (bad, good) = (serving(), serving());
        let rig = of(&[&bad, &good]);
        copy(&healthy.before, &rig);
        misbehave(&bad, case, *target);
        let done = rig.sync_by(&fetcher(case.timed));
        let whole = done.is_ok() && published(&rig.path("srv")) == healthy.trees[1];
        (!whole).then(|| format!("{} {}, {target:?}: {done:?}", case.id, case.what))
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const MANY: usize = 300;

/// A repository of many small packages, and a mirror of all of it over many connections.
fn many() -> (FaultServer, Rig) {
    let items: Vec<_> = (0..MANY).map(|number| package(&format!("p{number}"), "1.0-r0", &[])).collect();
    let server = FaultServer::start(&[]);
    Upstream::of(&items).serve(&server, AT);
    let rig = Rig { mirror: "connections = 64".to_owned(), ..of(&[&server]) };
    (server, Rig { lines: String::new(), ..rig })
}

/// H-40: a number that depends on the file, the request and the seed, and on nothing else.
fn random(seed: usize, asked: &Asked) -> usize {
    let text = format!("{seed} {} {}", asked.target, asked.nth);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from((hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).unwrap()
}

#[test]
fn many_packages_arrive_over_a_line_where_some_answers_are_wrong_in_any_way() {
    const SEED: usize = 0x5eed;
    let (server, rig) = many();
    let passes = |case: &Case| case.outcome == Outcome::Arrives && !case.timed;
    let cases: Vec<Case> = all().into_iter().filter(passes).collect();
    let wrong = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&wrong);
    server.misbehave(move |asked| {
        let random = random(SEED, asked);
        if !random.is_multiple_of(20) {
            return None;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        (cases[(random / 20) % cases.len()].fault)(asked)
    });
    rig.sync_by(&fetcher(false)).unwrap_or_else(|findings| panic!("seed {SEED:#x}: {findings:?}"));
    assert_eq!(published(&rig.path("srv")).len(), MANY + 1, "seed {SEED:#x}");
    let wrong = wrong.load(Ordering::SeqCst);
    assert!((5..60).contains(&wrong), "{wrong} faults");
    server.heal();
    assert!(!rig.sync().unwrap().published);
}

/// H-41: sixty-four at a time, of which one hangs; the rest is not held up.
#[test]
fn one_package_that_hangs_keeps_no_other_from_coming_in() {
    let (server, rig) = many();
    server.misbehave(|asked| asked.target.ends_with("/p7-1.0-r0.apk").then(|| vec![Step::Hang]));
    let (retries, limit) = (Retries { tries: 1, ..Retries::default() }, Duration::from_secs(3));
    let timeouts = Timeouts { first_byte: limit, idle: limit, ..Timeouts::default() };
    let once = Fetcher::new(Settings { retries, timeouts, ..Settings::default() }).unwrap();
    let findings = rig.sync_by(&once).unwrap_err();
    assert_eq!(told(&findings), Expected::Fails(Class::Network, "timed-out"), "{findings:?}");
    let asked = |server: &FaultServer| {
        let mut asked: Vec<String> = server.asked().into_iter().map(|asked| asked.target).collect();
        asked.retain(|target| target.ends_with(".apk"));
        asked.sort();
        asked.dedup();
        asked.len()
    };
    assert_eq!(asked(&server), MANY);
    assert!(server.connections() <= 64 + 8, "{} connections", server.connections());
    assert!(published(&rig.path("srv")).is_empty());
    server.heal();
    rig.sync().unwrap();
    assert_eq!(published(&rig.path("srv")).len(), MANY + 1);
}
