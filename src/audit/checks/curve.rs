//! Keys that are not RSA.

use super::Audit;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::numbers::is_on_curve;
use crate::keys::{Curve, EcPublicKey, OtherAlgorithm, PublicKey};

const USELESS: &str = "remove it: apk loads this key and cannot verify with it";

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    audit.each(findings, |entry| match entry.key? {
        PublicKey::Ec(key) => Some(curve(key)),
        PublicKey::Other(key) => Some(never(key.algorithm())),
        PublicKey::Rsa(_) => None,
    });
}

fn curve(key: &EcPublicKey) -> Finding {
    let (severity, message, code, remedy) = match (key.curve(), is_on_curve(key)) {
        (Curve::Explicit, _) => (
            Severity::Error,
            "the curve is spelled out in the key, so that it may be any",
            "explicit",
            USELESS,
        ),
        (_, Some(false)) => (
            Severity::Error,
            "the point does not lie on the curve: OpenSSL does not load it",
            "not-on-curve",
            "fetch the key again, and compare the fingerprint",
        ),
        (Curve::Named, _) => (
            Severity::Warn,
            "a curve other than P-256, P-384 and P-521",
            "other",
            "ask whoever signs for a key on one of these",
        ),
        _ => (
            Severity::Info,
            "a key on an elliptic curve: good for v3 files (ADB) only",
            "usual",
            "nothing, if what it signs is v3",
        ),
    };
    Finding::new(Id::EcCurve, severity, message, remedy).with("curve", code).with("bits", key.curve().bits())
}

fn never(algorithm: OtherAlgorithm) -> Finding {
    let name = algorithm.name();
    let message = format!("{name}: apk cannot use this kind of key");
    Finding::new(Id::AlgNever, Severity::Error, message, USELESS).with("type", name)
}
