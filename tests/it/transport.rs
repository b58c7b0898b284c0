/// Caps, endless bodies, time, and what ends a run.
mod bounds;
/// Ten thousand files, sixty-four connections.
mod many;
/// Redirects, credentials, proxies.
mod places;
/// Cuts at every byte, and what is asked for afterwards.
mod resumption;
/// Certificates: unknown, added, and the way back to plain http.
mod tls;
/// Several upstreams, folders among them.
mod upstreams;
/// How often, and after what time, is tried again.
mod waits;

use std::sync::Arc;
use std::time::Duration;

use apkvet::transport::{
    Clock, Demand, FetchError, Fetched, Fetcher, LeastRate, Location, Problem, Retries, Settings, Timeouts,
};

use super::harness::http_fault_server::FaultServer;
use super::harness::http_faults::{Outcome, all};
use super::harness::virtual_clock::VirtualClock;

/// A password that must not be seen anywhere.
const CANARY: &str = "canary-7f3a";

struct Bench {
    settings: Settings,
    clock: Arc<VirtualClock>,
}

impl Bench {
    /// Long time-outs, for what is not decided by them.
    fn patient() -> Self {
        let clock = Arc::new(VirtualClock::default());
        let retries = Retries { tries: 4, ..Retries::default() };
        let shared: Arc<dyn Clock> = clock.clone();
        let settings = Settings { retries, clock: shared, seed: Some(7), ..Settings::default() };
        Self { settings, clock }
    }

    /// Short ones.
    fn hasty() -> Self {
        let mut bench = Self::patient();
        let short = Duration::from_millis(250);
        bench.settings.timeouts = Timeouts { first_byte: short, idle: short, ..Timeouts::default() };
        bench.settings.least_rate = LeastRate { bytes: 1000, window: Duration::from_millis(200) };
        bench
    }

    fn fetch(&self, urls: &[String], demand: &Demand) -> (Result<Fetched, FetchError>, Vec<u8>) {
        let mut worker = Fetcher::new(self.settings.clone()).unwrap().worker();
        let upstreams: Vec<Location> = urls.iter().map(|url| Location::parse(url).unwrap()).collect();
        let mut sink = Vec::new();
        let done = worker.fetch(&upstreams, demand, &mut sink);
        for text in [format!("{worker:?} {upstreams:?} {done:?}"), error_text(&done)] {
            assert!(!text.contains(CANARY), "{text}");
        }
        (done, sink)
    }

    fn waited(&self) -> Duration {
        self.clock.elapsed()
    }
}

fn error_text(done: &Result<Fetched, FetchError>) -> String {
    done.as_ref().err().map(ToString::to_string).unwrap_or_default()
}

/// As long as a small package, and no two stretches of it alike.
fn body() -> Vec<u8> {
    (0..1500_u32).map(|n| u8::try_from((n * n + n / 7) % 251).unwrap()).collect()
}

/// Where the file of the demand lies.
const PATH: &str = "/main/x86_64/a%2Bb.apk";

fn server() -> FaultServer {
    FaultServer::start(&[(PATH, &body())])
}

fn upstream(server: &FaultServer) -> String {
    server.url_as(&format!("robot:{CANARY}"), "/main")
}

fn package() -> Demand {
    Demand::new(&["x86_64", "a+b.apk"], 1 << 20).sized(1500)
}

/// The one problem of the one upstream.
fn problem(done: &Result<Fetched, FetchError>) -> Problem {
    match done {
        Err(FetchError::Failed(failures)) => {
            let [failure] = failures.as_slice() else { panic!("{failures:?}") };
            failure.problem.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_of_the_table_ends_as_it_must() {
    let mut wrong = Vec::new();
    for case in all() {
        let bench = if case.timed { Bench::hasty() } else { Bench::patient() };
        let server = server();
        let fault = Arc::clone(&case.fault);
        server.misbehave(move |asked| fault(asked));
        let (done, sink) = bench.fetch(&[upstream(&server)], &package());
        let found = match &done {
            Ok(_) => Outcome::Arrives,
            Err(error) => Outcome::Fails(error.class(), error.code()),
        };
        let whole = sink == body();
        if found != case.outcome || (found == Outcome::Arrives && !whole) || server.asked().len() > 8 {
            let requests = server.asked().len();
            wrong.push(format!("{} {}: {found:?}, {requests} requests: {done:?}", case.id, case.what));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
