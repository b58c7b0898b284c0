//! Primes and moduli that several keys have: here, pinned, or known.

use std::collections::BTreeMap;

use super::Audit;
use crate::audit::examine::LARGEST;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::keys::{PublicKey, RsaPublicKey};
use crate::types::escape_all;

/// Whose key has a modulus, in words, and with which exponent.
struct Holder<'a> {
    name: String,
    exponent: &'a [u8],
}

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    let holders = holders(audit);
    for entry in &audit.entries {
        let Some(key) = entry.rsa() else { continue };
        let same = holders.get(key.modulus()).into_iter().flatten();
        if let Some(other) = same.into_iter().find(|holder| holder.exponent != key.exponent()) {
            let message = format!(
                "{} has the same modulus with another exponent: one private key serves both",
                other.name
            );
            findings.push(finding(message, &other.name).about(entry));
        }
        let other = audit.examined.shared.with(key.modulus());
        if let Some(other) = other.and_then(|modulus| holders.get(modulus)?.first()) {
            let message = format!("it has a prime in common with {}: both private keys follow", other.name);
            findings.push(finding(message, &other.name).about(entry));
        }
    }
}

fn finding(message: String, other: &str) -> Finding {
    let remedy = "remove both keys, and tell their owners: their generator is broken";
    Finding::new(Id::RsaShared, Severity::Error, message, remedy).with("other", other)
}

/// Every modulus above 1 that is computed with, and who has it.
fn holders<'a>(audit: &Audit<'a>) -> BTreeMap<&'a [u8], Vec<Holder<'a>>> {
    let mut holders: BTreeMap<&[u8], Vec<Holder<'_>>> = BTreeMap::new();
    let mut add = |key: &'a RsaPublicKey, name: String| {
        if (2..=LARGEST).contains(&key.bits()) {
            holders.entry(key.modulus()).or_default().push(Holder { name, exponent: key.exponent() });
        }
    };
    for entry in &audit.entries {
        if let Some(key) = entry.rsa() {
            add(key, entry.shown());
        }
    }
    for known in audit.settings.known.keys() {
        if let Some(key) = known.key().and_then(PublicKey::as_rsa) {
            let names: Vec<&str> = known.names().iter().map(|name| name.as_str()).collect();
            add(key, format!("the known key `{}` ({})", names.join("`, `"), escape_all(known.origin())));
        }
    }
    holders
}
