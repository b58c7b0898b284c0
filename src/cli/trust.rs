//! Which keys are trusted: the flags, and what they load.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use crate::keys::{Fingerprint, KeyDirectory, KeyFile, KeyFileError, NamedKey, Pin, Pins};
use crate::types::KeyName;
use crate::verify::{Keyring, Known, Pinned, TrustedKey};

use super::clock::today;
use super::failure::Failure;
use super::known::{KnownArgs, read};
use super::output::Output;
use super::subjects::shown;

/// Where apk looks for keys; the first of a name wins.
pub(super) const DEFAULT_DIRECTORIES: [&str; 2] = ["/etc/apk/keys", "/lib/apk/keys"];

/// The flags that say what is trusted.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Trust")]
pub(super) struct TrustArgs {
    /// Trust this key under its file name, or under NAME (repeatable)
    #[arg(long = "key", value_name = "[NAME=]FILE")]
    pub(super) keys: Vec<PathBuf>,
    /// Trust every key in this directory (repeatable) [default: /etc/apk/keys, /lib/apk/keys]
    #[arg(long = "keys-dir", value_name = "DIR")]
    pub(super) directories: Vec<PathBuf>,
    /// Accept a signature by any trusted key, whatever name it asks for; apk does not
    #[arg(long)]
    pub(super) any_key_name: bool,
    /// Demand a good signature by the key with this fingerprint (repeatable)
    #[arg(long = "fingerprint", value_name = "sha256:HEX", value_parser = Fingerprint::parse)]
    pub(super) fingerprints: Vec<Fingerprint>,
    /// Trust a key only where a line of this file admits it; without --key and --keys-dir the built-in list
    /// of known keys is searched as well
    #[arg(long = "key-pins", value_name = "FILE")]
    pub(super) pins: Option<PathBuf>,
    #[command(flatten)]
    pub(super) known: KnownArgs,
}

/// What is trusted, loaded.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) keyring: Keyring,
    pub(super) known: Known,
    pub(super) pinned: Option<Pinned>,
}

impl Trust {
    /// Loads what the flags name; files that are no keys are told of, never skipped in silence.
    pub(super) fn load(args: &TrustArgs, output: &mut Output) -> Result<Self, Failure> {
        let pinned = args.pins.as_deref().map(read_pins).transpose()?;
        let known = args.known.load_lazily()?;
        let mut loading = Loading { keyring: Keyring::default(), pinned: pinned.is_some() };
        for argument in &args.keys {
            let (name, path) = split(argument);
            loading.add(named(name, &path)?)?;
        }
        for directory in &args.directories {
            let read = KeyDirectory::read_keys(directory)
                .with_context(|| format!("cannot read the keys directory {}", shown(directory)))
                .map_err(Failure::local)?;
            for file in &read {
                if let Some(key) = trusted(file, output) {
                    loading.add(key)?;
                }
            }
        }
        if args.keys.is_empty() && args.directories.is_empty() {
            loading.add_default(output);
            if let Some(pinned) = &pinned {
                loading.add_known(&known, pinned);
            }
        }
        let keyring = loading.keyring;
        if keyring.is_empty() && args.keys.is_empty() && args.directories.is_empty() {
            output.warning(
                "no keys: /etc/apk/keys and /lib/apk/keys hold none; name some with --key or --keys-dir",
            );
        }
        Ok(Self { keyring, known, pinned })
    }
}

/// A keyring on its way.
struct Loading {
    keyring: Keyring,
    /// With pins, several keys may share a name: the fingerprint tells them apart.
    pinned: bool,
}

impl Loading {
    fn add(&mut self, key: TrustedKey) -> Result<(), Failure> {
        if self.pinned {
            self.keyring.add_pinned(key);
            return Ok(());
        }
        self.keyring.add(key).map_err(Failure::usage)
    }

    /// As apk does: a missing directory holds no keys, and the first of a name wins.
    fn add_default(&mut self, output: &mut Output) {
        for directory in DEFAULT_DIRECTORIES.map(Path::new) {
            let Ok(read) = KeyDirectory::read_keys(directory) else { continue };
            for file in &read {
                let Some(key) = trusted(file, output) else { continue };
                if self.pinned {
                    self.keyring.add_pinned(key);
                } else {
                    self.keyring.add_unless_taken(key);
                }
            }
        }
    }

    /// Known keys, under their own names and under those that a pin gives them.
    fn add_known(&mut self, known: &Known, pinned: &Pinned) {
        for key in known.keys() {
            let Some(public) = key.key() else { continue };
            let lines = pinned.pins.pins().iter().filter(|pin| pin.fingerprint() == key.fingerprint());
            for name in key.names().iter().chain(lines.map(Pin::name)) {
                let from = format!("the list of known keys: {}", key.origin());
                self.keyring.add_pinned(TrustedKey::new(name.as_str(), from, public.clone()));
            }
        }
    }
}

fn read_pins(path: &Path) -> Result<Pinned, Failure> {
    let pins = Pins::parse(&read(path)?)
        .with_context(|| format!("cannot use the pin file {}", shown(path)))
        .map_err(Failure::usage)?;
    Ok(Pinned { pins, today: today() })
}

/// `NAME=FILE`, or a file whose name is the last component of its path as typed.
fn split(argument: &Path) -> (Option<String>, PathBuf) {
    let named = argument.to_str().and_then(|text| text.split_once('=')).filter(|(name, _)| {
        // A path that happens to hold `=` has a slash before it, or exists as a whole.
        KeyName::parse(name.as_bytes()).is_ok() && !argument.exists()
    });
    match named {
        Some((name, path)) => (Some(name.to_owned()), path.into()),
        None => (None, argument.to_owned()),
    }
}

fn named(name: Option<String>, path: &Path) -> Result<TrustedKey, Failure> {
    let own = || path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name
        .or_else(own)
        .ok_or_else(|| Failure::usage(anyhow!("--key {}: this path has no file name", shown(path))))?;
    let file = KeyFile::read(path);
    let key = file.content().map_err(|error| refusal(path, error))?;
    Ok(TrustedKey::new(name, shown(path), key.clone()))
}

/// A path that cannot be read is an I/O error, a file that is no key a usage error.
fn refusal(path: &Path, error: &KeyFileError) -> Failure {
    let text = anyhow!("the key {} cannot be used: {error}; {}", shown(path), error.remedy());
    match error {
        KeyFileError::Unreadable(_) => Failure::local(text),
        _ => Failure::usage(text),
    }
}

/// The key of a file in a directory; what is none is told of.
fn trusted(file: &NamedKey, output: &mut Output) -> Option<TrustedKey> {
    let path = shown(file.path());
    match file.content() {
        Ok(key) => Some(TrustedKey::new(file.name().to_string_lossy(), path, key.clone())),
        Err(error) => {
            output.warning(&format!("{path} is not loaded: {error}; {}", error.remedy()));
            None
        }
    }
}
