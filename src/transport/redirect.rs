//! Where a redirect may lead.

use reqwest::Url;
use reqwest::header::{HeaderMap, LOCATION};

use super::error::Problem;
use super::settings::Redirects;

/// How many redirects are followed for one file.
pub(super) const MAX_HOPS: usize = 5;

/// Longest `Location`; signed URLs of object stores have some 2 KiB. Units: bytes.
const MAX_LOCATION: usize = 8192;

/// Whether a status is one that names another place.
pub(super) const fn leads_on(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The place that a redirect names, if it may be followed.
pub(super) fn next(from: &Url, headers: &HeaderMap, allowed: &Redirects) -> Result<Url, Problem> {
    let refused = |reason| Problem::Redirect { reason };
    let mut values = headers.get_all(LOCATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(refused("it names no place, or two"));
    };
    let text = value.to_str().map_err(|_| refused("its place is no URL"))?;
    if checked!("redirect-length") && text.len() > MAX_LOCATION
        || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(refused("its place is no URL"));
    }
    // What one parser takes for a path is a host to another.
    if checked!("redirect-two-ways") && (text.starts_with("//") || text.contains('\\')) {
        return Err(refused("its place can be read in two ways"));
    }
    let mut to = from.join(text).map_err(|_| refused("its place is no URL"))?;
    to.set_fragment(None);
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let named = authority.contains('@') || !to.username().is_empty() || to.password().is_some();
    if checked!("redirect-user") && named {
        return Err(refused("it carries a user name"));
    }
    match (from.scheme(), to.scheme()) {
        ("https", "http") if checked!("redirect-to-http") => Err(refused("it leads from https to http")),
        (_, "http" | "https") if to.has_host() => lawful(from, to, allowed),
        _ => Err(refused("it leads to what is neither http nor https")),
    }
}

fn lawful(from: &Url, to: Url, allowed: &Redirects) -> Result<Url, Problem> {
    let refused = |reason| Err(Problem::Redirect { reason });
    if from.host() == to.host() {
        return Ok(to);
    }
    if checked!("redirect-host") && *allowed == Redirects::SameHost {
        return refused("it leads to another host");
    }
    if checked!("redirect-private") && is_inner(&to) && !is_inner(from) {
        return refused("it leads from a public host to a private address");
    }
    Ok(to)
}

/// Whether a URL names an address that only this machine or its own network has.
fn is_inner(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        Ok(std::net::IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some();
            let local = address.is_unique_local() || address.is_unicast_link_local();
            address.is_loopback() || address.is_unspecified() || local || mapped
        }
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(from: &str, location: &str) -> Result<String, &'static str> {
        follow_within(from, location, &Redirects::AnyHost)
    }

    fn follow_within(from: &str, location: &str, allowed: &Redirects) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, location.parse().unwrap());
        match next(&Url::parse(from).unwrap(), &headers, allowed) {
            Ok(url) => Ok(url.to_string()),
            Err(Problem::Redirect { reason }) => Err(reason),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_redirect_leads_to_the_same_kind_of_place_or_a_better_one() {
        for (from, location, to) in [
            ("http://a/x", "/y", "http://a/y"),
            ("http://a/x/z", "y#part", "http://a/x/y"),
            ("http://a/x", "https://a/x", "https://a/x"),
            ("https://a/x", "https://b/y?sig=1", "https://b/y?sig=1"),
            ("http://127.0.0.1:1/", "http://127.0.0.1:2/", "http://127.0.0.1:2/"),
            ("http://10.0.0.1/", "http://10.0.0.2/", "http://10.0.0.2/"),
        ] {
            assert_eq!(follow(from, location).as_deref(), Ok(to));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (location, reason) in [
            ("http://a/x", "it leads from https to http"),
            ("file:///etc/passwd", "it leads to what is neither http nor https"),
            ("ftp://a/x", "it leads to what is neither http nor https"),
            ("//evil/", "its place can be read in two ways"),
            ("\\\\evil", "its place can be read in two ways"),
            ("https://good@evil/", "it carries a user name"),
            ("https://@evil/", "it carries a user name"),
            ("https://a/x y", "its place is no URL"),
            ("https://", "its place is no URL"),
            ("https://127.0.0.1/", "it leads from a public host to a private address"),
            ("https://169.254.169.254/latest", "it leads from a public host to a private address"),
            ("https://[::ffff:10.0.0.1]/", "it leads from a public host to a private address"),
            ("https://localhost/", "it leads from a public host to a private address"),
        ] {
            assert_eq!(follow("https://a/x", location), Err(reason), "{location}");
        }
        let long = |length| follow("https://a/x", &format!("/{}", "y".repeat(length)));
        assert!(long(MAX_LOCATION - 1).is_ok());
        assert_eq!(long(MAX_LOCATION), Err("its place is no URL"));
        let other = follow_within("https://a/x", "https://b/", &Redirects::SameHost);
        assert_eq!(other, Err("it leads to another host"));
        assert!(follow_within("https://a/x", "https://a:8443/", &Redirects::SameHost).is_ok());
    }

    #[test]
    fn a_redirect_names_one_place() {
        let from = Url::parse("https://a/x").unwrap();
        let mut headers = HeaderMap::new();
        let refused = Err(Problem::Redirect { reason: "it names no place, or two" });
        assert_eq!(next(&from, &headers, &Redirects::AnyHost), refused);
        headers.append(LOCATION, "/a".parse().unwrap());
        headers.append(LOCATION, "/b".parse().unwrap());
        assert_eq!(next(&from, &headers, &Redirects::AnyHost), refused);
    }
}
