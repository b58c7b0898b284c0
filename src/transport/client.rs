//! Sets up the HTTP client: TLS, proxies, and nothing that acts on its own.

use std::error::Error;
use std::io;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, Url, redirect, retry};

use super::error::Problem;
use super::settings::{Authorities, Proxies, Settings, SettingsError};

/// A client, and what has to be known about it to explain its failures.
pub(super) struct Connections {
    pub(super) client: Client,
    authorities: Known,
    proxies: Proxies,
}

/// Whether anybody can vouch for a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Some,
    /// The system has no certificates, as in an empty container: http still works.
    None,
}

impl Connections {
    /// Sets up a client.
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let proxies = settings.proxies.clone();
        let failed = |error: reqwest::Error| SettingsError::Client { detail: innermost(&error) };
        let (client, authorities) = match certificates(settings)? {
            Trust::These(only) => {
                (basic(settings)?.tls_certs_only(only).build().map_err(failed)?, Known::Some)
            }
            Trust::System(more) => match basic(settings)?.tls_certs_merge(more).build() {
                Ok(client) => (client, Known::Some),
                Err(error) if settings.authorities == Authorities::System => {
                    let bundled = bundled();
                    let authorities = if bundled.is_empty() { Known::None } else { Known::Some };
                    let client = basic(settings)?.tls_certs_only(bundled).build();
                    (client.map_err(|_| failed(error))?, authorities)
                }
                Err(error) => return Err(failed(error)),
            },
        };
        Ok(Self { client, authorities, proxies })
    }

    /// Whether a server of this URL could be trusted at all.
    pub(super) fn permits(&self, url: &Url) -> Result<(), Problem> {
        let hopeless = url.scheme() == "https" && self.authorities == Known::None;
        if hopeless { Err(Problem::NoAuthorities) } else { Ok(()) }
    }

    /// Why a request got no answer.
    pub(super) fn explain(&self, url: &Url, error: &reqwest::Error) -> Problem {
        let detail = innermost(error);
        if error.is_connect() || error.is_timeout() {
            let untrusted = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
            if untrusted.map(io::Error::kind).any(|kind| kind == io::ErrorKind::InvalidData) {
                return Problem::Tls { detail };
            }
            return match self.proxy(url) {
                Some(proxy) => Problem::Proxy { proxy, detail },
                None => Problem::Connect { detail },
            };
        }
        Self::explain_body(error)
    }

    /// Why an answer broke off.
    pub(super) fn explain_body(error: &reqwest::Error) -> Problem {
        let detail = innermost(error);
        let texts = causes(error).map(ToString::to_string);
        let mut texts = texts.map(|text| text.to_ascii_lowercase());
        if texts.any(|text| PROTOCOL.iter().any(|word| text.contains(word))) {
            return Problem::Protocol { detail };
        }
        Problem::Cut { received: 0, detail }
    }

    /// The host of the proxy that is set for such URLs, without credentials.
    fn proxy(&self, url: &Url) -> Option<String> {
        let set = if url.scheme() == "https" { &self.proxies.https } else { &self.proxies.http };
        let set = with_scheme(set.as_deref()?);
        let host = Url::parse(&set).ok().and_then(|url| url.host_str().map(str::to_owned));
        Some(host.unwrap_or_default())
    }
}

/// What the text of an error of the HTTP parser has in it; its type is not within reach.
const PROTOCOL: [&str; 4] = [" parsed", "too large", "invalid", "limit"];

/// Who vouches for servers where the system names nobody: Mozilla's authorities, if this build has them.
fn bundled() -> Vec<Certificate> {
    #[cfg(feature = "standalone")]
    return webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|certificate| Certificate::from_der(certificate).ok())
        .collect();
    #[cfg(not(feature = "standalone"))]
    return Vec::new();
}

enum Trust {
    System(Vec<Certificate>),
    These(Vec<Certificate>),
}

fn certificates(settings: &Settings) -> Result<Trust, SettingsError> {
    let parse = |pem: &[u8]| match Certificate::from_pem_bundle(pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(SettingsError::Authorities),
    };
    Ok(match &settings.authorities {
        Authorities::System => Trust::System(Vec::new()),
        Authorities::Add(pem) => Trust::System(parse(pem)?),
        Authorities::Only(pem) => Trust::These(parse(pem)?),
    })
}

/// Everything but the certificates.
fn basic(settings: &Settings) -> Result<ClientBuilder, SettingsError> {
    let agent =
        reqwest::header::HeaderValue::from_str(&settings.user_agent).map_err(|_| SettingsError::UserAgent)?;
    let mut builder = Client::builder()
        .user_agent(agent)
        .referer(false)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .connect_timeout(settings.timeouts.connect)
        .pool_max_idle_per_host(1)
        .no_proxy();
    let Proxies { http, https, except } = &settings.proxies;
    let except = except.as_deref().and_then(NoProxy::from_string);
    if let Some(url) = http {
        let proxy = Proxy::http(with_scheme(url)).map_err(|_| SettingsError::Proxy { scheme: "http" })?;
        builder = builder.proxy(proxy.no_proxy(except.clone()));
    }
    if let Some(url) = https {
        let proxy = Proxy::https(with_scheme(url)).map_err(|_| SettingsError::Proxy { scheme: "https" })?;
        builder = builder.proxy(proxy.no_proxy(except));
    }
    Ok(builder)
}

/// `proxy:3128` means `http://proxy:3128`, as for curl.
fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // The source of an I/O error is that of what it wraps: what it wraps would be passed over.
    let inner = |error: &'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map_or_else(|| error.source(), |wrapped| Some(wrapped))
    };
    std::iter::successors(Some(error), move |error| inner(*error))
}

/// What lies at the bottom of an error; the layers above it name the URL, credentials included.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
