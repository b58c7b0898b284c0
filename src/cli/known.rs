//! Which list of known keys, and other texts that an operator writes.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use crate::keys::KnownKeys;
use crate::verify::Known;

use super::failure::Failure;
use super::subjects::shown;

/// The largest list or pin file that is read. Units: bytes.
const MAX_TEXT: u64 = 16 << 20;

/// Which list of known keys.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct KnownArgs {
    /// Use this list of known keys instead of the built-in one
    #[arg(long = "known", value_name = "FILE")]
    known: Option<PathBuf>,
}

impl KnownArgs {
    /// The list, read now.
    pub(super) fn load(&self) -> Result<KnownKeys, Failure> {
        Ok(self.replacement()?.unwrap_or_else(KnownKeys::builtin))
    }

    /// The list; the built-in one is read when it is first needed.
    pub(super) fn load_lazily(&self) -> Result<Known, Failure> {
        Ok(self.replacement()?.map_or_else(Known::builtin, Known::from))
    }

    fn replacement(&self) -> Result<Option<KnownKeys>, Failure> {
        let Some(path) = &self.known else { return Ok(None) };
        let text = read(path)?;
        let parsed = KnownKeys::parse(&text);
        parsed.map(Some).with_context(|| format!("cannot use {}", shown(path))).map_err(Failure::usage)
    }
}

/// Reads a whole text file of sensible size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path);
    file.and_then(|file| file.take(MAX_TEXT + 1).read_to_end(&mut text))
        .with_context(|| format!("cannot read {}", shown(path)))
        .map_err(Failure::local)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= MAX_TEXT) {
        return Ok(text);
    }
    Err(Failure::usage(anyhow!("expected a file of at most {MAX_TEXT} bytes, found {} larger", shown(path))))
}
