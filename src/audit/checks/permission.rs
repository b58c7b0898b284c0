//! Who may change what is trusted.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Audit, Entry};
use crate::audit::entry::shown;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::settings::Owners;
use crate::keys::{KeyFileError, Ownership};

/// New files can be added to a directory in spite of the sticky bit, but nothing in it can be exchanged.
const STICKY: u32 = 0o1000;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let owners = audit.settings.owners;
    if owners == Owners::Anybody {
        return;
    }
    directories(audit, findings);
    audit.each(findings, |entry| writable(entry, owners));
    audit.each(findings, |entry| symlink(entry, owners));
    audit.each(findings, unreadable);
    audit.each(findings, hardlink);
}

/// Why somebody else can change something; `None` if nobody can.
fn changeable(what: &Ownership, owners: Owners) -> Option<String> {
    let trusted = match owners {
        Owners::Anybody => true,
        Owners::Root => what.uid == 0,
        Owners::RootOr(user) => what.uid == 0 || what.uid == user,
    };
    let mode = what.mode;
    match (trusted, mode & 0o020 > 0, mode & 0o002 > 0) {
        (false, _, _) => Some(format!("it belongs to user {}, who can change it at will", what.uid)),
        (_, _, true) => Some(format!("mode {mode:04o}: everybody may change it")),
        (_, true, _) => Some(format!("mode {mode:04o}: group {} may change it", what.gid)),
        _ => None,
    }
}

fn directories(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for directory in audit.directories {
        for (height, owned) in directory.owners().iter().enumerate() {
            // A directory of keys must not be open at all, not even with the sticky bit.
            let open = if height == 0 { changeable } else { exchangeable };
            let Some(why) = open(owned, audit.settings.owners) else { continue };
            if seen.insert(owned.path.clone()) {
                findings.push(open_directory(owned, &why, height));
            }
        }
    }
}

/// Why somebody else can exchange what lies in a directory: the sticky bit forbids it.
fn exchangeable(directory: &Ownership, owners: Owners) -> Option<String> {
    let bits = if directory.mode & STICKY > 0 { !0o022 } else { !0 };
    changeable(&Ownership { mode: directory.mode & bits, ..directory.clone() }, owners)
}

fn open_directory(owned: &Ownership, why: &str, height: usize) -> Finding {
    let what = if height == 0 { "the key directory is open" } else { "a directory above the keys is open" };
    let path = shown(&owned.path);
    let remedy = format!("chown root:root {path}; chmod 755 {path}");
    Finding::new(Id::PermDir, Severity::Error, format!("{what}: {why}"), remedy)
        .at(path)
        .with("mode", format!("{:04o}", owned.mode))
        .with("uid", owned.uid)
}

fn is_file(entry: &Entry<'_>) -> bool {
    !matches!(entry.file.content(), Err(KeyFileError::Unreadable(_)))
}

fn writable(entry: &Entry<'_>, owners: Owners) -> Option<Finding> {
    let owned = entry.file.owner().filter(|_| is_file(entry))?;
    let why = changeable(owned, owners)?;
    let path = shown(&owned.path);
    let remedy = format!("chown root:root {path}; chmod 644 {path}; then compare the fingerprint");
    let finding = Finding::new(Id::PermWritable, Severity::Error, why, remedy);
    Some(finding.with("mode", format!("{:04o}", owned.mode)).with("uid", owned.uid))
}

fn symlink(entry: &Entry<'_>, owners: Owners) -> Option<Finding> {
    let links = entry.file.links();
    let last = links.last()?;
    let target = entry
        .file
        .owner()
        .filter(|_| is_file(entry))
        .map_or_else(|| shown(&last.target), |owned| shown(&owned.path));
    let open = entry.file.way().iter().find_map(|owned| Some((owned, exchangeable(owned, owners)?)));
    let (severity, message) = if links.iter().any(|link| link.escapes) {
        (Severity::Error, format!("a link that leaves the root; below it, it leads to {target}"))
    } else if let Some((owned, why)) = open {
        (Severity::Error, format!("a link to {target}, through {}: {why}", shown(&owned.path)))
    } else {
        (Severity::Info, format!("a link to {target}"))
    };
    let remedy = match severity {
        Severity::Error => "copy the file here instead of linking to it",
        _ if in_usual_place(entry) => "nothing: alpine-keys links to its own files like this",
        _ => "copy the file here, so that what is trusted does not depend on another place",
    };
    Some(Finding::new(Id::PermSymlink, severity, message, remedy).with("target", target))
}

fn in_usual_place(entry: &Entry<'_>) -> bool {
    let usual = |path: &Path| path.to_string_lossy().contains("/apk/keys/");
    entry.file.owner().is_some_and(|owned| usual(&owned.path))
}

fn unreadable(entry: &Entry<'_>) -> Option<Finding> {
    let owned = entry.file.owner().filter(|owned| is_file(entry) && owned.mode & 0o004 == 0)?;
    let message = format!(
        "mode {:04o}: apk run by others than its owner cannot read it, and calls its signatures untrusted",
        owned.mode
    );
    let remedy = format!("chmod 644 {}: a public key is no secret", shown(&owned.path));
    let finding = Finding::new(Id::PermUnreadable, Severity::Info, message, remedy);
    Some(finding.with("mode", format!("{:04o}", owned.mode)))
}

fn hardlink(entry: &Entry<'_>) -> Option<Finding> {
    let links = entry.file.hard_links();
    (links > 1 && is_file(entry)).then_some(())?;
    let message = format!("the file has {links} names: it can be rewritten through another one");
    let remedy = "copy it, and put the copy in its place";
    Some(Finding::new(Id::PermHardlink, Severity::Info, message, remedy).with("links", links))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(uid: u32, mode: u32) -> Ownership {
        Ownership { path: "/x".into(), mode, uid, gid: 0 }
    }

    #[test]
    fn root_s_own_closed_files_are_beyond_doubt_and_0664_is_not() {
        for (uid, mode, owners, holds) in [
            (0, 0o644, Owners::Root, true),
            (0, 0o600, Owners::Root, true),
            (0, 0o664, Owners::Root, false),
            (0, 0o646, Owners::Root, false),
            (0, 0o4644, Owners::Root, true),
            (7, 0o644, Owners::Root, false),
            (7, 0o644, Owners::RootOr(7), true),
            (8, 0o644, Owners::RootOr(7), false),
            (7, 0o664, Owners::RootOr(7), false),
            (8, 0o666, Owners::Anybody, false),
        ] {
            assert_eq!(changeable(&owned(uid, mode), owners).is_none(), holds, "{uid} {mode:o} {owners:?}");
        }
    }
}
