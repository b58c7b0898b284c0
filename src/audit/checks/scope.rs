//! How far apk trusts a key, and how far it should.

use super::{Audit, Entry, count};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, |entry| global(entry, audit));
    unmatched(audit, findings);
}

/// Keys of others than Alpine.
fn is_third_party(entry: &Entry<'_>) -> bool {
    entry.trusted().is_some() && entry.known.is_none_or(|known| known.origin() != "alpine")
}

fn global(entry: &Entry<'_>, audit: &Audit<'_>) -> Option<Finding> {
    entry.trusted()?;
    let pins = audit.settings.pins.into_iter().flat_map(|pins| pins.pins());
    let narrow = pins.filter(|pin| Some(pin.fingerprint()) == entry.fingerprint()).any(|pin| pin.is_narrow());
    if !narrow && !is_third_party(entry) {
        return None;
    }
    let repositories = match audit.settings.repositories {
        Some(number) if number > 1 => format!(
            "all {} that are configured",
            count(number, "repository").replace("repositorys", "repositories")
        ),
        _ => "every repository".to_owned(),
    };
    let message =
        format!("apk accepts this key for {repositories}, and for apk-tools, musl and busybox as well");
    let (message, remedy) = if narrow {
        (
            format!("{message}: farther than its pin goes"),
            "verify and mirror with apkvet hold the pin; apk itself has no scopes",
        )
    } else {
        (message, "apk has no scopes: pin it with `scope=` and let apkvet verify or mirror what it signs")
    };
    Some(Finding::new(Id::ScopeGlobal, Severity::Info, message, remedy).with("pinned", narrow))
}

fn unmatched(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let indexes = audit.objects.iter().filter(|object| object.index).count();
    if indexes == 0 {
        return;
    }
    let used = audit.uses.used(&audit.entries);
    audit.each(findings, |entry| {
        let unused = entry.fingerprint().is_some_and(|fingerprint| !used.contains(&fingerprint));
        (is_third_party(entry) && unused).then(|| {
            let message = format!(
                "a key of somebody else than Alpine, and none of {} is signed by it",
                match indexes {
                    1 => "the one index given".to_owned(),
                    _ => count(indexes, "index"),
                }
            );
            let remedy = "remove it, unless a repository that was not given here needs it";
            Finding::new(Id::ScopeUnmatched, Severity::Warn, message, remedy)
        })
    });
}
