//! Upstreams that an `/etc/apk/repositories` names: each line becomes a repository.

use std::path::Path;

use super::error::{ConfigError, Problem};
use super::parse::in_repository;
use super::raw::{OneOrMany, RawRepository};
use crate::plan::repositories::{Kind, Listed, parse};
use crate::types::{Architecture, escape};

/// One repository for each line of the file that it names, or itself.
pub(super) fn expanded(
    raw: RawRepository,
    number: usize,
    folder: &Path,
) -> Result<Vec<RawRepository>, ConfigError> {
    let label = raw.name.clone().unwrap_or_else(|| number.to_string());
    let failed = |key, problem| in_repository(&label, key, problem);
    let file = match (&raw.upstream, &raw.repositories) {
        (Some(_), None) => return Ok(vec![raw]),
        (None, Some(file)) => folder.join(file),
        (None, None) => return Err(failed("upstream", Problem::Empty)),
        (Some(_), Some(_)) => return Err(failed("repositories", Problem::Either)),
    };
    if raw.name.is_some() {
        let found = "a name for all of them".to_owned();
        let expected = "no name: each repository of the file is named after its address";
        return Err(failed("name", Problem::Word { expected, found }));
    }
    let text = crate::mirror::read_text(&file).map_err(|error| {
        let path = file.to_string_lossy().into_owned();
        failed("repositories", Problem::Unreadable { path, detail: error.to_string() })
    })?;
    let first = raw.architectures.first().map(String::as_str).unwrap_or_default();
    let architecture = Architecture::parse(first.as_bytes())
        .map_err(|error| failed("architectures", Problem::Architecture(error)))?;
    let read = parse(&text, &architecture);
    if let Some(bad) = read.stopped {
        return Err(failed("repositories", Problem::Listed(bad.to_string())));
    }
    let repositories = read.listed.into_iter().map(|listed| one(&raw, listed));
    repositories.collect::<Result<Vec<_>, _>>().map_err(|problem| failed("repositories", problem))
}

fn one(raw: &RawRepository, listed: Listed) -> Result<RawRepository, Problem> {
    if listed.kind != Kind::V2 {
        let text = format!("expected the address of a v2 repository, found `{}`", escape(&listed.url));
        return Err(Problem::Listed(text));
    }
    // Listed without a tag as well, a repository is open to every request.
    let tag = if listed.tags.contains(&None) { None } else { listed.tags.into_iter().flatten().next() };
    Ok(RawRepository {
        upstream: Some(OneOrMany::One(listed.url)),
        repositories: None,
        tag: raw.tag.clone().or(tag),
        ..raw.clone()
    })
}
