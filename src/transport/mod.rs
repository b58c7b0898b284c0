//! Bytes from elsewhere, bounded in size and time: http(s) and folders. Nothing that comes in is trusted.
//!
//! A [`Worker`] fetches one file at a time into a [`Sink`], from the first of several [`Location`]s that has it.
//! Concurrency is the number of workers, each with a connection of its own, and is bounded by the caller.

mod backoff;
mod client;
mod clock;
mod credentials;
mod demand;
mod error;
mod fetcher;
mod folder;
mod head;
mod location;
mod pace;
mod redirect;
mod settings;
mod transfer;

pub use clock::{Clock, SystemClock};
pub use credentials::{Credentials, CredentialsError};
pub use demand::{Caches, Demand, Fetched, Sink};
pub use error::{Class, Failure, FetchError, Problem, Waited};
pub use fetcher::{Fetcher, Worker};
pub use location::{Location, LocationError};
pub use settings::{
    Authorities, Cancel, LeastRate, Proxies, Redirects, Retries, Settings, SettingsError, Timeouts,
};
