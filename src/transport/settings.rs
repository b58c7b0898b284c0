//! How files are fetched: decided once, before the first byte.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::clock::{Clock, SystemClock};

/// Everything that is decided before the first byte is fetched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Through which proxies.
    pub proxies: Proxies,
    /// Who vouches for servers.
    pub authorities: Authorities,
    /// Where redirects may lead.
    pub redirects: Redirects,
    /// How long is waited for what.
    pub timeouts: Timeouts,
    /// Slower than this is as good as stalled.
    pub least_rate: LeastRate,
    /// How often is tried again, and after what time.
    pub retries: Retries,
    /// How we call ourselves.
    pub user_agent: String,
    /// What waits between tries.
    pub clock: Arc<dyn Clock>,
    /// Where the jitter of waiting begins; by default somewhere else in each worker.
    pub seed: Option<u64>,
    /// Ends all transfers when it is set.
    pub cancel: Cancel,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            proxies: Proxies::default(),
            authorities: Authorities::System,
            redirects: Redirects::default(),
            timeouts: Timeouts::default(),
            least_rate: LeastRate::default(),
            retries: Retries::default(),
            user_agent: concat!("apkvet/", env!("CARGO_PKG_VERSION")).to_owned(),
            clock: Arc::new(SystemClock),
            seed: None,
            cancel: Cancel::default(),
        }
    }
}

/// Who vouches for servers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Authorities {
    /// Those of this system.
    #[default]
    System,
    /// Those of this system, and these, in PEM.
    Add(Vec<u8>),
    /// These alone, in PEM.
    Only(Vec<u8>),
}

/// Where redirects may lead. Never from https to http, and never with credentials to another origin.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Redirects {
    /// To any host: release pages send everybody on to another one.
    #[default]
    AnyHost,
    /// To the same host alone.
    SameHost,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of the answer, connection included.
    pub first_byte: Duration,
    /// For the next byte.
    pub idle: Duration,
    /// For the whole file, retries included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            // The largest packages are a few GiB: half a day would do for them at 100 KiB a second.
            total: Duration::from_secs(12 * 60 * 60),
        }
    }
}

/// Slower than this is as good as stalled: a byte now and then would hold a connection for good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LeastRate {
    /// Units: bytes a second.
    pub bytes: u64,
    /// Over which time it is measured.
    pub window: Duration,
}

impl Default for LeastRate {
    fn default() -> Self {
        Self { bytes: 1024, window: Duration::from_secs(60) }
    }
}

/// How often is tried again, and after what time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retries {
    /// Requests to one upstream that brought nothing new; redirects are not counted.
    pub tries: u32,
    /// About how long is waited after the first; doubled after each further one.
    pub first: Duration,
    /// The longest wait of our own choice.
    pub longest: Duration,
    /// The longest wait that a server can ask for.
    pub asked: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            tries: 5,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            asked: Duration::from_secs(10 * 60),
        }
    }
}

/// Through which proxies. Neither URLs nor credentials are ever printed.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Proxies {
    pub(super) http: Option<String>,
    pub(super) https: Option<String>,
    pub(super) except: Option<String>,
}

impl Proxies {
    /// What the environment says, as curl reads it; the look-up is handed in, since the library reads none.
    ///
    /// Shape: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in lower case first; of `HTTP_PROXY` the lower case alone,
    /// because a CGI program gets the other one from its client.
    pub fn from_environment(look_up: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| look_up(name).filter(|value| !value.trim().is_empty());
        let either = |name: &str| set(&name.to_ascii_lowercase()).or_else(|| set(name));
        let all = either("ALL_PROXY");
        Self {
            http: set("http_proxy").or_else(|| all.clone()),
            https: either("HTTPS_PROXY").or(all),
            except: either("NO_PROXY"),
        }
    }

    /// One proxy for everything but the hosts of a list such as that in `NO_PROXY`.
    pub fn everything(url: &str, except: Option<&str>) -> Self {
        let url = Some(url.to_owned());
        Self { http: url.clone(), https: url, except: except.map(str::to_owned) }
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |name: Option<&String>| if name.is_some() { "set" } else { "none" };
        write!(f, "Proxies(http: {}, https: {})", set(self.http.as_ref()), set(self.https.as_ref()))
    }
}

/// Ends all transfers that share it, within a moment.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends them.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether they are to end.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Why nothing can be fetched with these settings.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Not PEM, or no certificate in it.
    #[error("expected certificates in PEM")]
    Authorities,
    /// A proxy that is no URL. Its text is not told: it may hold a password.
    #[error("expected a URL such as http://proxy:3128 as proxy for {scheme}")]
    Proxy {
        /// For which kind of URLs.
        scheme: &'static str,
    },
    /// A user agent that no header can hold.
    #[error("expected a user agent of printable ASCII")]
    UserAgent,
    /// The client could not be set up.
    #[error("cannot set up connections: {detail}")]
    Client {
        /// What is wrong.
        detail: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &'static [(&str, &str)]) -> Proxies {
        Proxies::from_environment(|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_special_proxy_wins_over_the_one_for_all() {
        let read = read(&[("ALL_PROXY", "http://all:1"), ("https_proxy", "http://special:2")]);
        assert_eq!(read.http.as_deref(), Some("http://all:1"));
        assert_eq!(read.https.as_deref(), Some("http://special:2"));
    }

    #[test]
    fn what_a_client_of_a_cgi_program_can_set_is_not_read() {
        assert_eq!(read(&[("HTTP_PROXY", "http://evil:1")]), Proxies::default());
        assert_eq!(read(&[("http_proxy", "")]), Proxies::default());
    }

    #[test]
    fn a_password_of_a_proxy_is_not_printed() {
        let proxies = Proxies::everything("http://robot:canary@proxy:3128", None);
        assert_eq!(format!("{proxies:?}"), "Proxies(http: set, https: set)");
    }
}
