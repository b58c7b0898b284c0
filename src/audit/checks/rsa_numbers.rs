//! What the mathematics found, in words.

use super::Audit;
use crate::audit::examine::Kind;
use crate::audit::finding::{Finding, Severity};
use crate::audit::id::Id;
use crate::audit::numbers::{Pattern, SMOOTH_BOUND};

const DEAD: &str = "remove the key: whoever knows this can sign with it; ask its owner for a new one";

pub(super) fn check(audit: &Audit<'_>, findings: &mut Vec<Finding>) {
    for entry in &audit.entries {
        let Some(key) = entry.rsa() else { continue };
        findings.extend(audit.examined.of(key).iter().map(|weakness| finding(weakness.0).about(entry)));
    }
}

fn finding(kind: Kind) -> Finding {
    let error = |id, message: String| Finding::new(id, Severity::Error, message, DEAD);
    match kind {
        Kind::Nothing => modulus("0 or 1", "none"),
        Kind::SmallFactor(factor) => {
            modulus(&format!("divisible by {factor}"), "small-factor").with("factor", factor)
        }
        Kind::Prime => modulus("a prime", "prime"),
        Kind::Power(2) => modulus("a square", "power").with("power", 2),
        Kind::Power(exponent) => {
            modulus(&format!("a number to the power of {exponent}"), "power").with("power", exponent)
        }
        Kind::Close(close) => {
            let (u, v) = close.ratio;
            let text = match close.ratio {
                (1, 1) => "the two primes lie close together: Fermat's method finds them".to_owned(),
                _ => format!("the ratio of the two primes is close to {u}/{v}: Fermat's method finds them"),
            };
            error(Id::RsaClosePrimes, text).with("ratio", format!("{u}/{v}"))
        }
        Kind::Roca => {
            let text = "made by the generator of CVE-2017-15361 (ROCA): it can be factored at some expense";
            error(Id::RsaRoca, text.to_owned())
        }
        Kind::Smooth => {
            let text = format!("p - 1 has no prime factor above {SMOOTH_BOUND}: Pollard's method finds p");
            error(Id::RsaSmooth, text).with("method", "p-1")
        }
        Kind::SmallPrivateExponent => {
            let text = "the private exponent is so small that Wiener's method finds it";
            error(Id::RsaSmooth, text.to_owned()).with("method", "wiener")
        }
        Kind::Pattern(pattern) => structure(pattern),
    }
}

fn modulus(what: &str, shape: &str) -> Finding {
    let message =
        format!("the modulus is {what}: a damaged or a fake key, whose private half is easily found");
    Finding::new(Id::RsaModulus, Severity::Error, message, DEAD).with("shape", shape)
}

fn structure(pattern: Pattern) -> Finding {
    let (message, code) = match pattern {
        Pattern::EqualBlocks => {
            ("two blocks of eight bytes of the modulus are equal".to_owned(), "equal-blocks")
        }
        Pattern::Run(bits) => (format!("{bits} equal bits stand in a row in the modulus"), "run"),
        Pattern::Share(ones) => {
            (format!("{ones} of 1000 bits of the modulus are ones, where 440 to 560 are usual"), "share")
        }
    };
    let remedy = "ask its owner how the key was made: by a broken generator, or for vanity";
    Finding::new(Id::RsaStructure, Severity::Warn, message, remedy).with("pattern", code)
}
