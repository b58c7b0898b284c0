//! Repositories of the operator's own: a folder of packages gets its index in the same run that publishes it.

use std::path::Path;

use super::settings::Settings;
use crate::cli::clock::source_date;
use crate::cli::failure::Failure;
use crate::cli::index::refresh::{Folder, Refreshed, refresh};
use crate::cli::output::Output;
use crate::cli::record::FileRecord;
use crate::cli::subjects::shown;
use crate::cli::text;
use crate::mirror::{Class, Finding, Repository};

/// Makes the index of each folder anew whose packages changed; what is refused is told of.
pub(super) fn index(settings: &Settings, output: &mut Output) -> Result<Vec<Finding>, Failure> {
    let mut refused = Vec::new();
    for repository in settings.config.repositories().iter().filter(|repository| repository.build_index) {
        for architecture in &repository.architectures {
            let (Some(upstream), Some(sign_key)) =
                (repository.upstreams.texts().first(), repository.sign_key.as_deref())
            else {
                continue;
            };
            let directory = Path::new(upstream).join(architecture.as_str());
            let folder = Folder {
                directory: &directory,
                architecture,
                keys: &repository.keys,
                pins: repository.key_pins.as_deref(),
                min_digest: repository.min_digest,
                sign_key,
                limits: settings.config.limits(),
                time: source_date()?,
            };
            match refresh(&folder, output)? {
                Refreshed::Unchanged => {}
                Refreshed::Written(entries) => written(repository, &directory, entries, output),
                Refreshed::Refused(records) => {
                    refused.push(finding(repository, &directory, records.len()));
                    records.iter().try_for_each(|record| print(record, output))?;
                }
            }
        }
    }
    Ok(refused)
}

fn written(repository: &Repository, directory: &Path, entries: usize, output: &mut Output) {
    let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    output.note(&format!("{}: wrote the index of {}, {entries}", repository.name, shown(directory)));
}

fn finding(repository: &Repository, directory: &Path, packages: usize) -> Finding {
    let what = if packages == 1 { "1 package is".to_owned() } else { format!("{packages} packages are") };
    let message = format!("{what} refused in {}: no index is made of it", shown(directory));
    let remedy = "take them out, sign them with a key that `keys` names, or build them again";
    Finding::error(Class::Refused, "own-package", message).about(&repository.name).remedied(Some(remedy))
}

fn print(record: &FileRecord, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.record("file", record)?;
    } else {
        text::file(output, record)?;
    }
    Ok(())
}
