//! The age that a name states. A name can lie: for display, never for trust.

use jiff::civil::Date;

use super::{Audit, Entry};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::settings::Settings;
use crate::keys::NameTime;

const ROTATE: &str = "ask whoever signs whether there is a newer key";
/// Years after which a key is old whatever is asked for.
const OLD: u16 = 10;

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, |entry| age(entry, audit.settings));
}

fn age(entry: &Entry<'_>, settings: &Settings<'_>) -> Option<Finding> {
    entry.key?;
    let name = entry.name();
    let time = NameTime::of(&name, settings.as_of);
    match time {
        NameTime::Made(made) => old(made, time, settings),
        NameTime::Future(day) => {
            let message = format!("the name states {day}, a day that has not come");
            let remedy = "compare the fingerprint with its owner, and look at the clock of this machine";
            Some(Finding::new(Id::IdAge, Severity::Warn, message, remedy).with("made", day.to_string()))
        }
        NameTime::None => undated(entry, &name),
    }
}

fn old(made: Date, time: NameTime, settings: &Settings<'_>) -> Option<Finding> {
    let days = settings.as_of.since(made).map_or(0, |span| span.get_days());
    let too_old = settings.max_age.is_some_and(|limit| days > limit);
    let years = time.years(settings.as_of)?;
    let severity = match (too_old, years) {
        (true, _) => Severity::Warn,
        (false, OLD..) => Severity::Info,
        _ => return None,
    };
    let message = format!("made {made} by its name: {years} years old");
    let finding = Finding::new(Id::IdAge, severity, message, ROTATE);
    Some(finding.with("made", made.to_string()).with("days", days))
}

/// A number that is no date, or no number at all on a key that is due for replacement: nobody can say when.
fn undated(entry: &Entry<'_>, name: &str) -> Option<Finding> {
    let message = if has_number(name) {
        "no date: the number in the name is none"
    } else if entry.rsa().is_some_and(|key| key.bits() < 3072) {
        "no date in the name of a key of fewer than 3072 bits: its age is unknown"
    } else {
        return None;
    };
    Some(Finding::new(Id::IdAge, Severity::Info, message, ROTATE))
}

fn has_number(name: &str) -> bool {
    let stem = name.split(".rsa").next().and_then(|stem| stem.split(".pub").next());
    let digits = stem.and_then(|stem| stem.rsplit_once('-')).map(|(_, digits)| digits);
    digits.is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
