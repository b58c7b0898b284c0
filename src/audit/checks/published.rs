//! Keys with which anybody can sign.

use super::{Audit, Entry};
use crate::audit::blocklist::Blocklist;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::report::list;
use crate::keys::KnownStatus;
use crate::types::escape_all;

const REMOVE: &str = "remove it now; verify again whatever was installed while it was here";

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, known);
    audit.each(findings, |entry| listed(entry, audit.settings.blocklists));
}

fn known(entry: &Entry<'_>) -> Option<Finding> {
    let known = entry.known.filter(|known| known.status() == KnownStatus::PrivateKeyPublic)?;
    let places: Vec<String> =
        known.private_key_public_at().iter().map(|place| escape_all(place).to_string()).collect();
    let message =
        format!("anyone can sign with this key: its private half lies in public ({})", places.join(", "));
    Some(Finding::new(Id::KeyPublished, Severity::Error, message, REMOVE).with("places", list(places)))
}

fn listed(entry: &Entry<'_>, lists: &[Blocklist]) -> Option<Finding> {
    let key = entry.key?;
    let (name, collection) = lists.iter().find_map(|list| Some((list.name(), list.find(key)?)))?;
    let message =
        format!("anyone may be able to sign with this key: {name} lists it (collection {collection})");
    let finding = Finding::new(Id::KeyPublished, Severity::Error, message, REMOVE);
    Some(finding.with("list", name).with("collection", collection))
}
