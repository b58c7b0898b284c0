//! What the name of a file says, and what apk makes of it.

use super::{Audit, Entry};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::keys::PublicKey;

/// What editors and package managers leave behind.
const LEFTOVERS: &[&str] =
    &[".bak", ".orig", ".old", ".save", ".swp", ".tmp", ".apk-new", "~", ".rpmsave", ".rpmnew"];
/// `.SIGN.RSA256.` and the name must fit into a tar header. Units: bytes.
const LONGEST: usize = 87;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, leftover);
    audit.each(findings, hidden);
    audit.each(findings, kind);
    audit.each(findings, odd);
}

fn leftover(entry: &Entry<'_>) -> Option<Finding> {
    let name = entry.name();
    entry.key.filter(|_| !entry.file.is_hidden())?;
    let left = LEFTOVERS.iter().any(|suffix| name.ends_with(suffix)) || name.contains(".dpkg-");
    let message = if left {
        "the name is that of a leftover, but apk loads every file here: this key is trusted"
    } else if name.ends_with(".pub") || name.ends_with(".pem") {
        return None;
    } else {
        "the name ends neither in .pub nor in .pem, but apk loads every file here: this key is trusted"
    };
    Some(Finding::new(
        Id::NameLeftover,
        Severity::Warn,
        message,
        "remove it, or give it the name that its signatures ask for",
    ))
}

fn hidden(entry: &Entry<'_>) -> Option<Finding> {
    entry.file.is_hidden().then_some(())?;
    let message = match entry.key {
        Some(_) => "a hidden key: apk 3 does not load it, apk 2 opens it if a package asks for its name",
        None => "a hidden file without a key: apk 3 does not look at it",
    };
    Some(Finding::new(Id::NameHidden, Severity::Warn, message, "remove it, or rename it without the dot"))
}

fn kind(entry: &Entry<'_>) -> Option<Finding> {
    let key = entry.key.filter(|key| !matches!(key, PublicKey::Rsa(_)))?;
    entry.name().ends_with(".rsa.pub").then_some(())?;
    let message = format!("the name says RSA, the key is {}", key.kind());
    let remedy = "name it without `.rsa`: tools for v2 packages take it for an RSA key and fail";
    Some(Finding::new(Id::NameType, Severity::Warn, message, remedy).with("type", key.kind()))
}

fn odd(entry: &Entry<'_>) -> Option<Finding> {
    let bytes = entry.file.name().as_encoded_bytes();
    let message = if bytes.iter().any(|byte| !byte.is_ascii_graphic()) {
        "the name has blanks, control bytes or bytes that are not ASCII".to_owned()
    } else if bytes.len() > LONGEST {
        format!("the name has {} bytes, and {LONGEST} are the most that a signature can bear", bytes.len())
    } else {
        return None;
    };
    let remedy = "no v2 signature can ask for it: rename it, or remove it";
    Some(Finding::new(Id::NameOdd, Severity::Warn, message, remedy).with("length", bytes.len()))
}
