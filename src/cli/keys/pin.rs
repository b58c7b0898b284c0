//! `apkvet keys pin`: writes a pin file for the keys of a directory.

use std::path::PathBuf;

use clap::Args;

use super::source::files;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::known::KnownArgs;
use crate::cli::output::Output;
use crate::cli::subjects::shown;
use crate::types::{KeyName, escape_all};

/// Writes a pin file for the keys of a directory, to standard output
///
/// One line per key that apk loads; add `scope=`, `until=`, `arch=`, `packages=` or `sha1=` to narrow it.
#[derive(Args, Debug)]
pub(super) struct PinArgs {
    #[command(flatten)]
    known: KnownArgs,
    /// A key directory, or one key file
    dir: PathBuf,
}

pub(super) fn run(args: &PinArgs, output: &mut Output) -> Result<Exit, Failure> {
    let known = args.known.load()?;
    let mut pinned = 0;
    for file in files(&args.dir)? {
        let path = shown(file.path());
        let key = match file.content() {
            Ok(_) if file.is_hidden() => {
                output.warning(&format!("{path} is not pinned: apk does not load hidden files"));
                continue;
            }
            Ok(key) => key,
            Err(error) => {
                output.warning(&format!("{path} is not pinned: {error}; {}", error.remedy()));
                continue;
            }
        };
        let Ok(name) = KeyName::parse(file.name().as_encoded_bytes()) else {
            output.warning(&format!("{path} is not pinned: no signature can ask for this name"));
            continue;
        };
        let fingerprint = key.fingerprint();
        let fact = known.by_fingerprint(&fingerprint).map_or_else(String::new, |known| {
            format!("  # {}, {}", escape_all(known.origin()), known.status())
        });
        output.line(&format!("{fingerprint}  {name}{fact}"))?;
        pinned += 1;
    }
    if pinned == 0 {
        return Err(Failure::usage(anyhow::anyhow!("no key in {}", shown(&args.dir))));
    }
    Ok(Exit::Holds)
}
