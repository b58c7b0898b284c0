//! The public half of a key that signs, for checks on machines that do not have the private one.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::check::is_subset;
use crate::cli::failure::Failure;
use crate::cli::subjects::shown;
use crate::keys::{KeyFile, PublicKey};
use crate::mirror::Repository;
use crate::sign::SigningKey;
use crate::verify::{Keyring, TrustedKey};

/// The one key that clients of a subset have; none for a repository with upstream's index.
///
/// Trust: from the operator's own files, and not from `keys/` of the tree, which is what is checked.
pub(super) fn own_keyring(repository: &Repository) -> Result<Option<Keyring>, Failure> {
    let Some(path) = repository.sign_key.as_deref().filter(|_| is_subset(repository)) else {
        return Ok(None);
    };
    let (name, key) = public_half(path)?;
    let mut keyring = Keyring::default();
    keyring.add(TrustedKey::new(name, shown(path), key)).map_err(Failure::usage)?;
    Ok(Some(keyring))
}

/// The name under which a key signs, and its public half.
pub(super) fn public_half(path: &Path) -> Result<(String, PublicKey), Failure> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    if !path.exists() && public.exists() {
        let file = KeyFile::read(&public);
        let key = file.content().map_err(|error| {
            Failure::usage(anyhow!("the key {} cannot be used: {error}; {}", shown(&public), error.remedy()))
        })?;
        let name = public.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok((name, key.clone()));
    }
    let key = SigningKey::read(path)
        .with_context(|| format!("sign-key {}, or its public half {}", shown(path), shown(&public)))
        .map_err(Failure::usage)?;
    Ok((key.name().as_str().to_owned(), key.public_key().clone()))
}
