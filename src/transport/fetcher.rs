//! Fetches files: several upstreams, several tries.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::backoff::Jitter;
use super::client::Connections;
use super::demand::{Demand, Fetched, Sink};
use super::error::{Failure, FetchError, Problem, Waited};
use super::folder;
use super::location::Location;
use super::settings::{Cancel, Settings, SettingsError};
use super::transfer::{Broken, Transfer};

/// Makes workers that all keep to the same settings.
#[derive(Clone, Debug)]
pub struct Fetcher {
    settings: Settings,
}

/// Fetches one file at a time, over connections of its own that it keeps open.
pub struct Worker {
    settings: Settings,
    jitter: Jitter,
    /// Set up when the first URL is fetched: folders need none of it.
    http: Option<Http>,
}

struct Http {
    runtime: Runtime,
    connections: Connections,
}

impl Fetcher {
    /// Checks the settings.
    ///
    /// # Errors
    /// - [`SettingsError`] for the first one that cannot be used; nothing falls back to something laxer.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Connections::new(&settings)?;
        Ok(Self { settings })
    }

    /// A worker, for one thread.
    pub fn worker(&self) -> Worker {
        let random = || RandomState::new().build_hasher().finish();
        let jitter = Jitter::new(self.settings.seed.unwrap_or_else(random));
        Worker { settings: self.settings.clone(), jitter, http: None }
    }
}

impl Worker {
    /// Fetches a file from the first upstream that has it, into a sink that is empty before.
    ///
    /// What is in the sink afterwards is as long as the demand says, and nothing more is known of it.
    ///
    /// # Errors
    /// - [`FetchError::Failed`] if no upstream brought it.
    /// - [`FetchError::Sink`] if it could not be written: no other upstream is tried.
    /// - [`FetchError::Cancelled`] if the settings' [`Cancel`] was set.
    /// - [`FetchError::NoUpstream`] if there is none.
    pub fn fetch(
        &mut self,
        upstreams: &[Location],
        demand: &Demand,
        sink: &mut dyn Sink,
    ) -> Result<Fetched, FetchError> {
        if upstreams.is_empty() {
            return Err(FetchError::NoUpstream);
        }
        let deadline = self.settings.clock.elapsed().saturating_add(self.settings.timeouts.total);
        let (mut failures, mut requests) = (Vec::new(), 0_u32);
        for (from, upstream) in upstreams.iter().enumerate() {
            if sink.position() > 0 {
                sink.restart().map_err(FetchError::Sink)?;
            }
            let mut tried = 0;
            let done = self.from(upstream, demand, sink, deadline, &mut tried);
            requests = requests.saturating_add(tried);
            let problem = match done {
                Ok(resumed) => return Ok(Fetched { from, bytes: sink.position(), requests, resumed }),
                Err(Broken::Sink(error)) => return Err(FetchError::Sink(error)),
                Err(Broken::Cancelled) => return Err(FetchError::Cancelled),
                Err(Broken::Again(problem, _) | Broken::Afresh(problem) | Broken::Never(problem)) => problem,
            };
            failures.push(Failure { location: told(upstream, demand), problem, requests: tried });
        }
        Err(FetchError::Failed(failures))
    }

    fn from(
        &mut self,
        upstream: &Location,
        demand: &Demand,
        sink: &mut dyn Sink,
        deadline: Duration,
        requests: &mut u32,
    ) -> Result<bool, Broken> {
        let location = upstream.join(&demand.path).map_err(Broken::Never)?;
        if let Some(folder) = upstream.path() {
            return folder::copy(folder, demand, sink, &self.settings.cancel).map(|()| false);
        }
        if self.http.is_none() {
            self.http = Some(Http::new(&self.settings)?);
        }
        let Some(http) = &self.http else { return Err(Broken::Cancelled) };
        let transfer = Transfer::new(&http.connections, &self.settings, &location, demand, sink);
        let mut tries = Tries { settings: &self.settings, jitter: &mut self.jitter, deadline, transfer };
        let done = tries.run(&http.runtime);
        *requests = tries.transfer.requests();
        done.map(|()| tries.transfer.resumed())
    }
}

/// Tries one server until it brings the file, or too much was in vain.
struct Tries<'a> {
    settings: &'a Settings,
    jitter: &'a mut Jitter,
    /// By the clock of the settings.
    deadline: Duration,
    transfer: Transfer<'a>,
}

impl Tries<'_> {
    fn run(&mut self, runtime: &Runtime) -> Result<(), Broken> {
        // A try that brings much is not in vain: a line that breaks now and then can bring large files.
        let (mut vain, mut mark) = (0_u32, 0_u64);
        loop {
            let broken = match runtime.block_on(self.once()) {
                Err(broken @ (Broken::Again(..) | Broken::Afresh(_))) => broken,
                done => return done,
            };
            if self.transfer.position() >= mark.saturating_add(MUCH) {
                (vain, mark) = (0, self.transfer.position());
            }
            vain = vain.saturating_add(1);
            if vain >= self.settings.retries.tries {
                return Err(broken);
            }
            let wait = match &broken {
                Broken::Afresh(_) => Duration::ZERO,
                Broken::Again(_, Some(asked)) => *asked,
                _ => self.jitter.wait(&self.settings.retries, vain),
            };
            if self.settings.clock.elapsed().saturating_add(wait) >= self.deadline {
                return Err(broken);
            }
            self.pause(wait)?;
        }
    }

    async fn once(&mut self) -> Result<(), Broken> {
        let left = self.deadline.saturating_sub(self.settings.clock.elapsed());
        let limit = self.settings.timeouts.total;
        tokio::select! {
            biased;
            () = cancelled(&self.settings.cancel) => Err(Broken::Cancelled),
            done = self.transfer.attempt() => done,
            () = tokio::time::sleep(left) => {
                Err(Broken::Never(Problem::TimedOut { waited: Waited::Total, limit }))
            }
        }
    }

    fn pause(&self, wait: Duration) -> Result<(), Broken> {
        let mut left = wait;
        loop {
            if self.settings.cancel.is_cancelled() {
                return Err(Broken::Cancelled);
            }
            let slice = left.min(SLICE);
            if slice.is_zero() {
                return Ok(());
            }
            self.settings.clock.sleep(slice);
            left = left.saturating_sub(slice);
        }
    }
}

/// What a try must bring to count as one that was not in vain. Units: bytes.
const MUCH: u64 = 1 << 20;

/// How long the end of a run can go unnoticed.
const SLICE: Duration = Duration::from_millis(100);

async fn cancelled(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(SLICE).await;
    }
}

impl Http {
    fn new(settings: &Settings) -> Result<Self, Broken> {
        let setup = |detail: String| Broken::Never(Problem::Setup { detail });
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
        let runtime = runtime.map_err(|error| setup(error.to_string()))?;
        let connections = Connections::new(settings).map_err(|error| setup(error.to_string()))?;
        Ok(Self { runtime, connections })
    }
}

/// A look-up of a host name cannot be ended, and is not waited for.
impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(http) = self.http.take() {
            http.runtime.shutdown_background();
        }
    }
}

/// Not the client, which knows the credentials of proxies.
impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn told(upstream: &Location, demand: &Demand) -> String {
    upstream.join(&demand.path).as_ref().unwrap_or(upstream).to_string()
}
