//! Sets up the HTTP client: TLS, proxies, and nothing that acts on its own.

use std::cell::OnceCell;
use std::error::Error;
use std::io;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, Url, redirect, retry};

use super::error::Problem;
use super::settings::{Authorities, Proxies, Settings, SettingsError};

/// Clients, and what has to be known about them to explain their failures.
pub(super) struct Connections {
    settings: Settings,
    /// For http: it trusts no server, so that no authority has to be read.
    open: Client,
    /// For https, once it is asked for: reading the authorities of a system takes longer than fetching many a file.
    secure: OnceCell<Result<Secure, String>>,
}

/// A client that trusts the servers that somebody vouches for.
struct Secure {
    client: Client,
    authorities: Known,
}

/// Whether anybody can vouch for a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Some,
    /// The system has no certificates, as in an empty container: http still works.
    None,
}

impl Connections {
    /// Checks the settings, and sets up what http needs.
    pub(super) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let (Trust::System(named) | Trust::These(named)) = certificates(settings)?;
        // Whether they are certificates at all is told now, and not when https is asked for.
        basic(settings)?.tls_certs_only(named).build().map_err(|error| failed(&error))?;
        let open = basic(settings)?.tls_certs_only([]).build().map_err(|error| failed(&error))?;
        Ok(Self { settings: settings.clone(), open, secure: OnceCell::new() })
    }

    /// The client for a URL.
    pub(super) fn client(&self, url: &Url) -> Result<&Client, Problem> {
        if !self.is_secure(url) {
            return Ok(&self.open);
        }
        let secure =
            self.secure.get_or_init(|| Secure::new(&self.settings).map_err(|error| error.to_string()));
        match secure {
            Err(detail) => Err(Problem::Setup { detail: detail.clone() }),
            // The server could not be trusted, whoever it is.
            Ok(secure) if url.scheme() == "https" && secure.authorities == Known::None => {
                Err(Problem::NoAuthorities)
            }
            Ok(secure) => Ok(&secure.client),
        }
    }

    /// Whether the server, or the proxy on the way to it, has to prove who it is.
    fn is_secure(&self, url: &Url) -> bool {
        let proxy = self.settings.proxies.http.as_deref().map(with_scheme);
        url.scheme() == "https"
            || proxy.and_then(|proxy| Url::parse(&proxy).ok()).is_some_and(|proxy| proxy.scheme() != "http")
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
        let Proxies { http, https, .. } = &self.settings.proxies;
        let set = if url.scheme() == "https" { https } else { http };
        let set = with_scheme(set.as_deref()?);
        let host = Url::parse(&set).ok().and_then(|url| url.host_str().map(str::to_owned));
        Some(host.unwrap_or_default())
    }
}

impl Secure {
    fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let (client, authorities) = match certificates(settings)? {
            Trust::These(only) => {
                (basic(settings)?.tls_certs_only(only).build().map_err(|error| failed(&error))?, Known::Some)
            }
            Trust::System(more) => match basic(settings)?.tls_certs_merge(more).build() {
                Ok(client) => (client, Known::Some),
                Err(error) if settings.authorities == Authorities::System => {
                    let bundled = bundled();
                    let authorities = if bundled.is_empty() { Known::None } else { Known::Some };
                    let client = basic(settings)?.tls_certs_only(bundled).build();
                    (client.map_err(|_| failed(&error))?, authorities)
                }
                Err(error) => return Err(failed(&error)),
            },
        };
        Ok(Self { client, authorities })
    }
}

fn failed(error: &reqwest::Error) -> SettingsError {
    SettingsError::Client { detail: innermost(error) }
}

/// What the text of an error of the HTTP parser has in it; its type is not within reach.
const PROTOCOL: [&str; 4] = [" parsed", "too large", "invalid", "limit"];

/// Who vouches for servers where the system names nobody: Mozilla's authorities, if this build has them.
fn bundled() -> Vec<Certificate> {
    #[cfg(feature = "bundled-roots")]
    return webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|certificate| Certificate::from_der(certificate).ok())
        .collect();
    #[cfg(not(feature = "bundled-roots"))]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_and_a_proxy_have_to_prove_who_they_are_where_tls_is_spoken() {
        for (proxy, url, expected) in [
            (None, "http://a.example/x", false),
            (None, "https://a.example/x", true),
            (Some("proxy:3128"), "http://a.example/x", false),
            (Some("http://proxy:3128"), "http://a.example/x", false),
            (Some("https://proxy:3128"), "http://a.example/x", true),
            (Some("HTTPS://proxy:3128"), "http://a.example/x", true),
            (Some("proxy:3128"), "https://a.example/x", true),
        ] {
            let proxies = Proxies { http: proxy.map(str::to_owned), ..Proxies::default() };
            let connections = Connections::new(&Settings { proxies, ..Settings::default() });
            let connections = connections.map_err(|error| error.to_string()).unwrap();
            assert_eq!(connections.is_secure(&Url::parse(url).unwrap()), expected, "{proxy:?} {url}");
        }
    }
}
