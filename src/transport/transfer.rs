//! One file from one server: requests, resumption, and bounds on everything that comes.

use std::io;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, IF_RANGE, RANGE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, Url};
use tokio::time::timeout;

use crate::limits::length;

use super::backoff::asked;
use super::client::Connections;
use super::demand::{Caches, Demand, Sink};
use super::error::{Problem, Waited};
use super::head::{Framing, Validator, rest};
use super::location::Location;
use super::pace::Pace;
use super::redirect::{MAX_HOPS, leads_on, next};
use super::settings::Settings;

/// A transfer on its way, across several requests.
pub(super) struct Transfer<'a> {
    connections: &'a Connections,
    settings: &'a Settings,
    location: &'a Location,
    demand: &'a Demand,
    sink: &'a mut dyn Sink,
    caches: Caches,
    validator: Option<Validator>,
    /// How long the whole file is, as the first answer said.
    total: Option<u64>,
    requests: u32,
    resumed: bool,
}

/// Why an attempt brought no file, and what to do next.
#[derive(Debug)]
pub(super) enum Broken {
    /// Try again after a while, which the server may have named.
    Again(Problem, Option<Duration>),
    /// Try again at once, from the first byte.
    Afresh(Problem),
    /// This upstream will not have it.
    Never(Problem),
    /// What came cannot be written.
    Sink(io::Error),
    /// The run ends.
    Cancelled,
}

impl<'a> Transfer<'a> {
    pub(super) fn new(
        connections: &'a Connections,
        settings: &'a Settings,
        location: &'a Location,
        demand: &'a Demand,
        sink: &'a mut dyn Sink,
    ) -> Self {
        let caches = demand.caches;
        Self {
            connections,
            settings,
            location,
            demand,
            sink,
            caches,
            validator: None,
            total: None,
            requests: 0,
            resumed: false,
        }
    }

    /// How many requests were sent.
    pub(super) const fn requests(&self) -> u32 {
        self.requests
    }

    /// Whether what has come is of several answers.
    pub(super) const fn resumed(&self) -> bool {
        self.resumed
    }

    /// How much has come.
    pub(super) fn position(&self) -> u64 {
        self.sink.position()
    }

    /// Sends a request, for what is missing if that can be told, and takes the answer.
    pub(super) async fn attempt(&mut self) -> Result<(), Broken> {
        let start = self.start()?;
        let response = self.request(start).await?;
        let end = self.begin(&response, start)?;
        self.body(response, end).await
    }

    /// Where to go on: after what came, if there is a way to ask for the rest of the same file.
    fn start(&mut self) -> Result<u64, Broken> {
        let position = self.sink.position();
        let more = self.total.is_none_or(|total| position < total);
        if position > 0 && more && self.validator.is_some() {
            return Ok(position);
        }
        self.restart()?;
        Ok(0)
    }

    fn restart(&mut self) -> Result<(), Broken> {
        self.validator = None;
        self.total = None;
        self.resumed = false;
        if self.sink.position() > 0 { self.sink.restart().map_err(Broken::Sink) } else { Ok(()) }
    }

    /// Follows redirects to an answer.
    async fn request(&mut self, start: u64) -> Result<Response, Broken> {
        let Some(first) = self.location.url() else {
            return Err(Broken::Never(Problem::Setup { detail: "not a URL".to_owned() }));
        };
        let mut url = first.clone();
        let mut seen = vec![url.clone()];
        let hops = if checked!("redirect-hops") { MAX_HOPS } else { 2 * MAX_HOPS };
        for _ in 0..=hops {
            let response = self.send(first, &url, start).await?;
            if !leads_on(response.status().as_u16()) {
                return Ok(response);
            }
            url = next(&url, response.headers(), &self.settings.redirects).map_err(Broken::Never)?;
            if seen.contains(&url) {
                return Err(Broken::Never(Problem::Redirect { reason: "it leads in a circle" }));
            }
            seen.push(url.clone());
        }
        Err(Broken::Never(Problem::Redirect { reason: "it is the sixth in a row" }))
    }

    async fn send(&mut self, first: &Url, url: &Url, start: u64) -> Result<Response, Broken> {
        let client = self.connections.client(url).map_err(Broken::Never)?;
        self.requests = self.requests.saturating_add(1);
        let limit = self.settings.timeouts.first_byte;
        match timeout(limit, self.prepare(client, first, url, start).send()).await {
            Err(_) => Err(Broken::Again(Problem::TimedOut { waited: Waited::FirstByte, limit }, None)),
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(match self.connections.explain(url, &error) {
                // Trying again would not make the server any more trustworthy.
                problem @ Problem::Tls { .. } => Broken::Never(problem),
                problem => Broken::Again(self.received(problem), None),
            }),
        }
    }

    fn prepare(&self, client: &Client, first: &Url, url: &Url, start: u64) -> RequestBuilder {
        // Stored bytes are what is signed: nothing on the way may pack or unpack them.
        let mut request = client.get(url.clone());
        request = request.header(ACCEPT, "*/*").header(ACCEPT_ENCODING, "identity");
        if (url.origin() == first.origin() || !checked!("credentials-origin"))
            && let Some(credentials) = self.location.credentials()
        {
            request = request.basic_auth(credentials.user(), Some(credentials.password()));
        }
        if self.caches == Caches::Revalidate {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        if let Some(validator) = self.validator.as_ref().filter(|_| start > 0) {
            request = request.header(RANGE, format!("bytes={start}-")).header(IF_RANGE, validator.value());
        }
        request
    }

    /// Judges the head of an answer; gives how the body ends, and where if that is known.
    fn begin(&mut self, response: &Response, start: u64) -> Result<End, Broken> {
        let headers = response.headers();
        let status = response.status().as_u16();
        match status {
            200 => {
                let framing = Framing::of(headers).map_err(|problem| Broken::Again(problem, None))?;
                // The whole file, whatever was asked for.
                self.restart()?;
                self.validator = Validator::of(headers);
                self.bounded(framing, 0, None)
            }
            206 if start > 0 => {
                let fits = self.validator.as_ref().is_some_and(|validator| validator.fits(headers));
                let whole = rest(headers, start, self.total).filter(|_| fits);
                let Some(whole) = whole else {
                    return self.afresh(protocol("not the rest of the file that was asked for"));
                };
                let framing = Framing::of(headers).map_err(|problem| Broken::Again(problem, None))?;
                self.bounded(framing, start, Some(whole))
            }
            206 => Err(Broken::Again(protocol("a part of the file, where all of it was asked for"), None)),
            416 if start > 0 => self.afresh(Problem::Status { status }),
            304 => self.past_caches(Problem::Status { status }),
            404 | 410 => Err(Broken::Never(Problem::NotFound)),
            408 | 425 | 429 | 500 | 502 | 503 | 504 => {
                let value = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let (now, cap) = (self.settings.clock.since_epoch(), self.settings.retries.asked);
                let wait = value.and_then(|value| asked(value, now, cap));
                Err(Broken::Again(Problem::Status { status }, wait))
            }
            _ => Err(Broken::Never(Problem::Status { status })),
        }
    }

    /// Refuses what is too long or of the wrong length before it comes.
    fn bounded(&mut self, framing: Framing, start: u64, whole: Option<u64>) -> Result<End, Broken> {
        let end = match framing {
            Framing::Length(length) => Some(start.saturating_add(length)),
            Framing::Chunks | Framing::Close => whole,
        };
        if whole.is_some_and(|whole| end != Some(whole)) {
            return self.afresh(protocol("a Content-Length that differs from Content-Range"));
        }
        match (self.demand.size, end) {
            (Some(expected), Some(found)) if checked!("transfer-size") && expected != found => {
                return self.past_caches(Problem::Size { expected, found });
            }
            (None, Some(found)) if checked!("transfer-cap") && found > self.demand.cap => {
                return Err(Broken::Never(Problem::TooLarge { limit: self.demand.cap }));
            }
            _ => {}
        }
        self.total = end.or(self.demand.size);
        self.resumed = start > 0;
        self.total.into_iter().for_each(|total| self.sink.expect(total));
        Ok(End { framing, at: end.or(self.demand.size) })
    }

    async fn body(&mut self, mut response: Response, end: End) -> Result<(), Broken> {
        let limit = self.settings.timeouts.idle;
        let mut pace = Pace::new(self.settings.least_rate, Instant::now());
        loop {
            let chunk = match timeout(limit, response.chunk()).await {
                Err(_) => {
                    return Err(Broken::Again(Problem::TimedOut { waited: Waited::Idle, limit }, None));
                }
                Ok(Err(error)) => {
                    let problem = Connections::explain_body(&error);
                    return Err(Broken::Again(self.received(problem), None));
                }
                Ok(Ok(None)) => return self.ended(end),
                Ok(Ok(Some(chunk))) => chunk,
            };
            self.take(&chunk)?;
            pace.came(length(&chunk), Instant::now()).map_err(|problem| Broken::Again(problem, None))?;
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), Broken> {
        let limit = self.demand.bound();
        // A sabotaged build writes a mebibyte more, and not until the memory is full.
        let most = if checked!("transfer-bound") { limit } else { limit.saturating_add(1 << 20) };
        if self.position().saturating_add(length(chunk)) > most {
            return self.past_caches(Problem::TooLarge { limit });
        }
        self.sink.write(chunk).map_err(Broken::Sink)
    }

    /// Whether what ended was the whole.
    fn ended(&mut self, end: End) -> Result<(), Broken> {
        let found = self.position();
        let Some(expected) = end.at.filter(|expected| checked!("transfer-end") && *expected != found) else {
            return Ok(());
        };
        match end.framing {
            Framing::Chunks => self.past_caches(Problem::Size { expected, found }),
            Framing::Close | Framing::Length(_) => {
                let detail = format!("expected {expected} bytes");
                Err(Broken::Again(Problem::Cut { received: found, detail }, None))
            }
        }
    }

    /// A cache may hold an older file: asks past it, once.
    fn past_caches<T>(&mut self, problem: Problem) -> Result<T, Broken> {
        if self.caches == Caches::Revalidate {
            return Err(Broken::Never(problem));
        }
        self.caches = Caches::Revalidate;
        self.afresh(problem)
    }

    fn afresh<T>(&mut self, problem: Problem) -> Result<T, Broken> {
        self.restart()?;
        Err(Broken::Afresh(problem))
    }

    fn received(&self, problem: Problem) -> Problem {
        match problem {
            Problem::Cut { detail, .. } => Problem::Cut { received: self.position(), detail },
            problem => problem,
        }
    }
}

/// How and where a body ends.
#[derive(Clone, Copy, Debug)]
struct End {
    framing: Framing,
    /// Units: bytes from the beginning of the file; none if nothing is known.
    at: Option<u64>,
}

fn protocol(detail: &str) -> Problem {
    Problem::Protocol { detail: detail.to_owned() }
}
