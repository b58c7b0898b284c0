//! Sizes and exponents of RSA keys.

use super::{Audit, Entry};
use crate::audit::examine::LARGEST;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::settings::{Settings, Strictness};
use crate::keys::RsaPublicKey;

const NEW_KEY: &str = "ask whoever signs for a new key of 4096 bits (`abuild-keygen -a` makes one)";

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, |entry| small(entry.rsa()?));
    audit.each(findings, |entry| middling(entry.rsa()?, audit.settings));
    audit.each(findings, |entry| odd_size(entry.rsa()?));
    audit.each(findings, |entry| unverifiable(entry.rsa()?));
    audit.each(findings, exponent);
}

fn small(key: &RsaPublicKey) -> Option<Finding> {
    let bits = key.bits();
    let message = match bits {
        0..1024 => format!("{bits} bits: a private person can factor it"),
        1024..2048 => format!("{bits} bits: too small, 2048 is the least"),
        _ => return None,
    };
    Some(Finding::new(Id::RsaSmall, Severity::Error, message, NEW_KEY).with("bits", bits))
}

fn middling(key: &RsaPublicKey, settings: &Settings<'_>) -> Option<Finding> {
    let bits = key.bits();
    (2048..3072).contains(&bits).then_some(())?;
    let severity = match (settings.as_of.year(), settings.strictness) {
        (2031.., Strictness::Strict) => Severity::Error,
        (2029.., _) | (_, Strictness::Strict) => Severity::Warn,
        _ => Severity::Info,
    };
    let message = format!("{bits} bits: 112-bit strength, held to be good through 2030");
    Some(Finding::new(Id::Rsa2048, severity, message, NEW_KEY).with("bits", bits))
}

fn odd_size(key: &RsaPublicKey) -> Option<Finding> {
    let bits = key.bits();
    (!bits.is_multiple_of(8)).then_some(())?;
    let message = format!("{bits} bits are no multiple of eight: a damaged file, or a home-made generator");
    let remedy = "compare the fingerprint with its owner";
    Some(Finding::new(Id::RsaSizeOdd, Severity::Warn, message, remedy).with("bits", bits))
}

fn unverifiable(key: &RsaPublicKey) -> Option<Finding> {
    let (bits, length) = (key.bits(), bits(key.exponent()));
    let larger = (key.exponent().len(), key.exponent()) >= (key.modulus().len(), key.modulus());
    let message = if bits > LARGEST {
        format!("{bits} bits: OpenSSL computes with {LARGEST} at most")
    } else if larger {
        "the exponent is not smaller than the modulus".to_owned()
    } else if bits > 3072 && length > 64 {
        format!("an exponent of {length} bits: above 3072 bits OpenSSL takes 64 at most")
    } else {
        return None;
    };
    let remedy = "remove it: no signature by it can be verified";
    Some(Finding::new(Id::RsaUnverifiable, Severity::Error, message, remedy).with("exponent_bits", length))
}

fn bits(number: &[u8]) -> usize {
    RsaPublicKey::new(number, &[]).bits()
}

fn exponent(entry: &Entry<'_>) -> Option<Finding> {
    let key = entry.rsa()?;
    let even = key.exponent().last().is_none_or(|byte| byte % 2 == 0);
    let (severity, message) = match key.small_exponent() {
        Some(0 | 1) => (Severity::Error, "the exponent is 0 or 1: anything passes for a signature"),
        _ if even => (Severity::Error, "the exponent is even: this is no RSA key"),
        Some(3) => {
            (Severity::Warn, "the exponent is 3: readers that are lax with padding accept forged signatures")
        }
        Some(..65_537) => (Severity::Warn, "the exponent is below 65537, which every usual tool takes"),
        Some(..=0x1_0000_0000) => return None,
        _ => (Severity::Warn, "the exponent has more than 32 bits: not every reader takes it"),
    };
    let value =
        key.small_exponent().map_or_else(|| "more than 64 bits".to_owned(), |value| value.to_string());
    Some(Finding::new(Id::RsaExponent, severity, message, NEW_KEY).with("exponent", value))
}
