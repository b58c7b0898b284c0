//! Keys held against the pin file.

use super::{Audit, Entry};
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::report::list;
use crate::audit::settings::Settings;
use crate::keys::{Pin, Pins};

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let Some(pins) = audit.settings.pins else {
        audit.each(findings, unknown);
        return;
    };
    audit.each(findings, |entry| mismatch(entry, pins));
    audit.each(findings, |entry| unlisted(entry, pins));
    missing(audit, pins, findings);
    audit.each(findings, |entry| expired(entry, pins, audit.settings));
}

fn named<'a>(pins: &'a Pins, name: &'a str) -> impl Iterator<Item = &'a Pin> {
    pins.pins().iter().filter(move |pin| pin.name().as_str() == name)
}

/// Without pins: nothing vouches for a key that nobody has heard of.
fn unknown(entry: &Entry<'_>) -> Option<Finding> {
    if entry.known.is_some() || entry.trusted().is_none() {
        return None;
    }
    let message = "neither known nor pinned: that this is the right key rests on whoever put it here";
    let remedy =
        "compare the fingerprint with its owner, then pin it (`apkvet keys pin DIR` prints the line)";
    Some(Finding::new(Id::PinUnlisted, Severity::Info, message, remedy))
}

fn mismatch(entry: &Entry<'_>, pins: &Pins) -> Option<Finding> {
    let (fingerprint, name) = (entry.fingerprint()?, entry.name());
    let expected: Vec<String> = named(pins, &name).map(|pin| pin.fingerprint().to_string()).collect();
    if expected.is_empty() || named(pins, &name).any(|pin| pin.fingerprint() == fingerprint) {
        return None;
    }
    let message = format!("pinned under this name is {}", expected.join(" or "));
    let remedy = "restore the pinned key, and find out who put this one here";
    Some(Finding::new(Id::PinMismatch, Severity::Error, message, remedy).with("expected", list(expected)))
}

fn unlisted(entry: &Entry<'_>, pins: &Pins) -> Option<Finding> {
    let (fingerprint, name) = (entry.fingerprint()?, entry.name());
    if named(pins, &name).next().is_some() {
        return None;
    }
    let elsewhere = pins.pins().iter().find(|pin| pin.fingerprint() == fingerprint);
    let message = match elsewhere {
        Some(pin) => format!("pinned under the name `{}`, not under this one", pin.name()),
        None => "not in the pin file".to_owned(),
    };
    let remedy = "remove it, or add its line (`apkvet keys pin DIR` prints it)";
    Some(Finding::new(Id::PinUnlisted, Severity::Error, message, remedy))
}

fn missing(audit: &Audit<'_>, pins: &Pins, findings: &mut Vec<Finding>) {
    for pin in pins.pins() {
        let here =
            |entry: &Entry<'_>| entry.fingerprint() == Some(pin.fingerprint()) && entry.trusted().is_some();
        // Another key under its name is a mismatch, and said already.
        let replaced = |entry: &Entry<'_>| entry.name() == pin.name().as_str() && entry.key.is_some();
        if audit.entries.iter().any(|entry| here(entry) || replaced(entry)) {
            continue;
        }
        let message =
            format!("`{}` is pinned (line {}) and not loaded from anywhere", pin.name(), pin.line());
        let remedy = "install the key, or remove the line";
        let finding =
            Finding::new(Id::PinMissing, Severity::Warn, message, remedy).with("name", pin.name().as_str());
        findings.push(Finding { fingerprint: Some(pin.fingerprint()), ..finding });
    }
}

fn expired(entry: &Entry<'_>, pins: &Pins, settings: &Settings<'_>) -> Option<Finding> {
    let fingerprint = entry.fingerprint()?;
    let name = entry.name();
    let lines = || named(pins, &name).filter(|pin| pin.fingerprint() == fingerprint);
    let over = |pin: &Pin| pin.until().is_some_and(|until| settings.as_of > until);
    let until = lines().next()?.until()?;
    if !lines().all(over) {
        return None;
    }
    let message = format!("the pin counted until {until}");
    let remedy = "remove the key, or give its line a new `until=`";
    Some(Finding::new(Id::PinExpired, Severity::Warn, message, remedy).with("until", until.to_string()))
}
