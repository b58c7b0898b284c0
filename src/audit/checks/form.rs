//! Files that are no keys, damaged ones, and unusual forms.

use super::{Audit, Entry};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::report::list;
use crate::keys::{Content, Deviation, KeyFileError, MBEDTLS_MAX_KEY_FILE, Unreadable};

const PRIVATE: &str =
    "treat it as leaked: make a new key, and remove the old public key everywhere; then remove this file";
const FETCH: &str = "fetch the key again, and compare the fingerprint";

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    for entry in &audit.entries {
        let found = content(entry).into_iter().chain(form(entry));
        findings.extend(found.map(|finding| finding.about(entry)));
    }
    none(audit, findings);
}

fn none(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    if audit.entries.iter().any(|entry| entry.trusted().is_some()) {
        return;
    }
    let message = match audit.directories.len() {
        0 => "there is no key directory; apk will call everything untrusted".to_owned(),
        _ => "apk loads no key at all here, and will call everything untrusted".to_owned(),
    };
    let remedy =
        "install the alpine-keys package, or copy the key of your repository here under its own name";
    let finding = Finding::new(Id::KeyNone, Severity::Error, message, remedy);
    let directory = audit.directories.first().map(|directory| super::super::entry::shown(directory.path()));
    findings.push(Finding { file: directory, ..finding });
}

/// What keeps a file from being loaded.
fn content(entry: &Entry<'_>) -> Option<Finding> {
    let error = entry.file.content().err()?;
    let also = match entry.file.form().mbedtls_key() {
        Some(_) => "; apk with OpenSSL skips the file, apk with mbedTLS trusts it",
        None => "; apk skips the file without a message",
    };
    let finding = |id, message: String| Some(Finding::new(id, Severity::Error, message, error.remedy()));
    match error {
        KeyFileError::Unreadable(Unreadable::Fifo) => {
            finding(Id::KeyUnreadable, format!("{error}; apk may wait on it for ever"))
                .map(|finding| finding.with("kind", "fifo"))
        }
        KeyFileError::Unreadable(_) => finding(Id::KeyUnreadable, error.to_string()),
        // Said once, as what it is.
        KeyFileError::NotAKey { content: Content::PrivateKey } => None,
        // apk 3 does not even look at these, and nothing asks for them by name.
        KeyFileError::Empty | KeyFileError::NotAKey { .. } | KeyFileError::TooLarge { .. }
            if entry.file.is_hidden() && entry.key.is_none() =>
        {
            None
        }
        KeyFileError::Empty | KeyFileError::NotAKey { .. } | KeyFileError::TooLarge { .. } => {
            finding(Id::FormNotAKey, format!("{error}{also}"))
        }
        KeyFileError::Damaged { line, damage } => Some(damaged(entry, *line, damage, also)),
    }
}

fn damaged(entry: &Entry<'_>, line: usize, damage: &crate::keys::Damage, also: &str) -> Finding {
    // Some damages say already what apk makes of them.
    let text = format!("line {line}: {damage}");
    let text = text.strip_suffix("; apk with OpenSSL skips the file").unwrap_or(&text);
    let remedy = match entry.key {
        Some(_) => format!(
            "apkvet keys show --pem {} > NEW; compare the fingerprint; replace the file",
            entry.shown_name()
        ),
        None => FETCH.to_owned(),
    };
    Finding::new(Id::FormDamaged, Severity::Error, format!("{text}{also}"), remedy)
        .with("line", line)
        .with("damage", damage.code())
        .with("loaded_by_mbedtls", entry.key.is_some())
}

/// How a file is written.
fn form(entry: &Entry<'_>) -> Vec<Finding> {
    let form = entry.file.form();
    let mut findings = Vec::new();
    if form.holds_private_key() {
        let message =
            "a private key lies here: whoever can read it can sign for everybody who trusts its public half";
        findings.push(Finding::new(Id::FormPrivate, Severity::Error, message, PRIVATE));
    }
    if form.public_blocks() > 1 {
        let blocks = form.public_blocks();
        let message =
            format!("{blocks} public keys in one file: apk loads the first and overlooks the others");
        findings.push(
            Finding::new(Id::FormMany, Severity::Error, message, "split it into one file for each key")
                .with("blocks", blocks),
        );
    }
    if form.is_pkcs1() {
        let message = "the label is RSA PUBLIC KEY (PKCS#1), which not every reader takes";
        let remedy = format!("apkvet keys show --pem {} > NEW writes the usual form", entry.shown_name());
        findings.push(Finding::new(Id::FormPkcs1, Severity::Warn, message, remedy));
    }
    findings.extend(deviating(entry));
    findings.extend(large(entry));
    findings
}

fn deviating(entry: &Entry<'_>) -> Option<Finding> {
    let form = entry.file.form();
    // What stands behind the first of several keys is said already.
    let only_more_keys = form.public_blocks() > 1 && *form.deviations() == [Deviation::Other];
    if form.deviations().is_empty() || only_more_keys {
        return None;
    }
    let words: Vec<String> = form.deviations().iter().map(ToString::to_string).collect();
    let message = format!("not the bytes that OpenSSL writes for this key: {}", words.join(", "));
    let codes = form.deviations().iter().map(|deviation| deviation.code().to_owned());
    let remedy =
        "nothing, if the fingerprint is right; a hash over the file is another than over the clean one";
    let finding = Finding::new(Id::FormNoncanonical, Severity::Info, message, remedy);
    Some(finding.with("deviations", list(codes)))
}

fn large(entry: &Entry<'_>) -> Option<Finding> {
    let (size, limit) = (entry.file.size(), u64::try_from(MBEDTLS_MAX_KEY_FILE).unwrap_or(u64::MAX));
    if size <= limit || matches!(entry.file.content(), Err(KeyFileError::Unreadable(_))) {
        return None;
    }
    let message = format!("{size} bytes; apk with mbedTLS reads no key file above {limit}");
    let remedy = "keep the key alone in the file: it takes less than 4,000 bytes";
    Some(Finding::new(Id::FileLarge, Severity::Warn, message, remedy).with("size", size))
}
