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
pub(super) struct Upstream([Location; 1]);

impl Upstream {
    /// The upstreams of a repository, with the credentials that they need.
    ///
    /// # Errors
    /// - A text that is no address, or a file of credentials that is none; neither text is told.
    pub(super) fn all(repository: &Repository, environment: &[Location]) -> Result<Vec<Self>, Finding> {
        let credentials = repository.auth_file.as_deref().map(credentials).transpose()?;
        let parse = |text: &String| {
            let location = Location::parse(text)
                .map_err(|error| Finding::error(Class::Usage, "upstream", error).about(&repository.name))?;
            let location = match &credentials {
                Some(credentials) => location.with_credentials(credentials.clone()),
                None => location.with_scoped(environment),
            };
            Ok(Self([location]))
        };
        repository.upstreams.texts().iter().map(parse).collect()
    }

    /// The address, for a worker.
    pub(super) const fn locations(&self) -> &[Location] {
        &self.0
    }

    /// Whether it is a folder of this machine.
    pub(super) const fn is_local(&self) -> bool {
        let [location] = &self.0;
        location.is_local()
    }

    /// Where a file below lies, as pins ask for it.
    pub(super) fn scope(&self, segments: &[&str]) -> Option<Scope> {
        let [location] = &self.0;
        location.join(segments).ok()?.scope()
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [location] = &self.0;
        location.fmt(f)
    }
}

fn credentials(path: &Path) -> Result<Credentials, Finding> {
    let shown = escape_all(path.as_os_str().as_encoded_bytes()).to_string();
    let text = super::read_text(path)
        .map_err(|error| Finding::error(Class::Local, "auth-file", error).about(&shown))?;
    let text = String::from_utf8(text).unwrap_or_default();
    Credentials::parse(&text).map_err(|error| Finding::error(Class::Usage, "auth-file", error).about(&shown))
}
