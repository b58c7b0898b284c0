//! One upstream of a repository: an address, and where its files lie as pins ask for it.

use std::fmt;
use std::path::Path;

use super::config::Repository;
use super::finding::{Class, Finding};
use crate::keys::Scope;
use crate::transport::{Credentials, Location};
use crate::types::escape_all;

/// One upstream.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    location: [Location; 1],
    stands_for: Option<StandsFor>,
}

/// What a folder has that came from elsewhere: its scope is that of the place that it came from.
#[derive(Clone, Debug)]
struct StandsFor {
    location: Location,
    label: String,
}

impl Upstream {
    /// The upstreams of a repository, with the credentials that they need.
    ///
    /// # Errors
    /// - A text that is no address, or a file of credentials that is none; neither text is told.
    pub(super) fn all(repository: &Repository, environment: &[Location]) -> Result<Vec<Self>, Finding> {
        let credentials = repository.auth_file.as_deref().map(credentials).transpose()?;
        let located = |text: &str| {
            Location::parse(text)
                .map_err(|error| Finding::error(Class::Usage, "upstream", error).about(&repository.name))
        };
        if let Some(unpacked) = repository.upstreams.unpacked() {
            let folder = located(&unpacked.folder.to_string_lossy())?;
            let from = repository.upstreams.texts().first().map(String::as_str).unwrap_or_default();
            let stands_for = StandsFor { location: located(from)?, label: unpacked.label.clone() };
            return Ok(vec![Self { location: [folder], stands_for: Some(stands_for) }]);
        }
        let parse = |text: &String| {
            let location = located(text)?;
            let location = match &credentials {
                Some(credentials) => location.with_credentials(credentials.clone()),
                None => location.with_scoped(environment),
            };
            Ok(Self { location: [location], stands_for: None })
        };
        repository.upstreams.texts().iter().map(parse).collect()
    }

    /// The address, for a worker.
    pub(super) const fn locations(&self) -> &[Location] {
        &self.location
    }

    /// Whether it is a folder of this machine.
    pub(super) const fn is_local(&self) -> bool {
        let [location] = &self.location;
        location.is_local()
    }

    /// Where a file below lies, as pins ask for it.
    pub(super) fn scope(&self, segments: &[&str]) -> Option<Scope> {
        let [own] = &self.location;
        let location = self.stands_for.as_ref().map_or(own, |stands_for| &stands_for.location);
        location.join(segments).ok()?.scope()
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [location] = &self.location;
        match &self.stands_for {
            Some(stands_for) => f.write_str(&stands_for.label),
            None => location.fmt(f),
        }
    }
}

fn credentials(path: &Path) -> Result<Credentials, Finding> {
    let shown = escape_all(path.as_os_str().as_encoded_bytes()).to_string();
    let text = super::read_text(path)
        .map_err(|error| Finding::error(Class::Local, "auth-file", error).about(&shown))?;
    let text = String::from_utf8(text).unwrap_or_default();
    Credentials::parse(&text).map_err(|error| Finding::error(Class::Usage, "auth-file", error).about(&shown))
}
