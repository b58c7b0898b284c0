//! Why a signature was not accepted, where that can be found mechanically.

use std::sync::OnceLock;

use crate::envelope::{Label, Signature, SignedDigests};
use crate::fault::{Fault, Rank, Verdict};
use crate::keys::KnownKey;
use crate::types::escape;

use super::keyring::{Keyring, TrustedKey};
use super::known::Known;
use super::rsa_key::VerifyingKey;
use super::signatures::{Checked, SignatureStatus, hashed};

/// How many public-key operations the search for a cause may cost.
const OPERATIONS: usize = 2000;

/// What the search looks at.
pub(super) struct Evidenceless<'a> {
    pub(super) signatures: &'a [Signature],
    pub(super) digests: &'a SignedDigests,
    pub(super) keyring: &'a Keyring,
    pub(super) known: &'a Known,
}

impl Evidenceless<'_> {
    /// The fault of a file that no trusted key signed, or that one did not sign rightly.
    pub(super) fn fault(&self, checked: &Checked) -> Option<Fault> {
        if self.signatures.is_empty() {
            return Some(
                Fault::new(Rank::Signature, Verdict::Unsigned, "unsigned", "the file carries no signature")
                    .with_remedy("fetch it from a repository that signs, or have it signed with abuild-sign"),
            );
        }
        let status = |wanted: SignatureStatus| {
            let fits = move |(_, report): &(_, &super::SignatureReport)| report.status == wanted;
            self.signatures.iter().zip(&checked.reports).find(fits).map(|(signature, _)| signature)
        };
        if let Some(signature) = status(SignatureStatus::Bad).filter(|_| checked!("every-signature")) {
            return Some(self.bad(signature));
        }
        checked.good.is_empty().then(|| self.untrusted(checked))
    }

    fn bad(&self, signature: &Signature) -> Fault {
        let name = signature.key_name.as_str();
        let fault = |code, message: String| Fault::new(Rank::Signature, Verdict::BadSignature, code, message);
        let last = self.signatures.iter().map(|signature| signature.member).max();
        if last.is_some_and(|last| signature.member < last) {
            let message = format!(
                "the signature by `{name}` was put around a file that was signed already: it covers the older signature as well, and no reader accepts that"
            );
            return fault("signed-twice", message)
                .with_remedy("remove the old signature before signing, for example with a fresh `abuild-sign` on the unsigned file");
        }
        if let Some(key) = self.trusted_maker(signature) {
            let message = format!(
                "the key trusted as `{name}` did not make the signature; the key in {} did",
                key.file()
            );
            return fault("key-renamed", message)
                .with_remedy(format!("trust that key under the name `{name}`, if it is the right one"));
        }
        if let Some(known) = self.known_maker(signature) {
            let message = format!(
                "the key trusted as `{name}` did not make the signature; {} did ({})",
                known.origin(),
                known.fingerprint()
            );
            return fault("key-replaced", message).with_remedy(
                "several keys bear this name: get the one with that fingerprint, if you trust it",
            );
        }
        let message = format!(
            "the signature by `{name}` does not hold: another key of that name made it, or the signed bytes were changed"
        );
        fault("bad-signature", message).with_remedy(
            "do not install it; fetch the file again, and compare the key with one from another source",
        )
    }

    fn untrusted(&self, checked: &Checked) -> Fault {
        let fault = |code, message: String| Fault::new(Rank::Signature, Verdict::Untrusted, code, message);
        if let Some(unpinned) = checked.unpinned.first() {
            return fault("not-pinned", unpinned.sentence()).with_remedy(
                "if the key should count here, add or widen its line in the pin file; else use the key that was meant for this place",
            );
        }
        for signature in self.signatures {
            let name = signature.key_name.as_str();
            if let Some(key) = self.trusted_maker(signature) {
                let message = format!(
                    "signed by the key in {}, but the signature asks for `{name}` and apk looks keys up by name",
                    key.file()
                );
                return fault("key-renamed", message).with_remedy(format!(
                    "name the key {name}: copy the file to /etc/apk/keys/{name} for apk, or give --key {name}={} here; --any-key-name accepts it as it is",
                    key.file()
                ));
            }
            if let Some(known) = self.known_maker(signature) {
                let message = format!(
                    "signed by a key of {} that is not trusted here: `{name}`, {}",
                    known.origin(),
                    known.fingerprint()
                );
                return fault("key-known", message).with_remedy(format!(
                    "if you trust {}, add this key under the name {name}",
                    known.origin()
                ));
            }
        }
        let names: Vec<String> = self
            .signatures
            .iter()
            .map(|signature| format!("`{}`", escape(signature.key_name.as_str())))
            .collect();
        let held = match self.keyring.len() {
            0 => "no key is trusted".to_owned(),
            1 => "the one trusted key is another".to_owned(),
            count => format!("none of the {count} trusted keys is it"),
        };
        let message = format!("signed by {}, and {held}", names.join(", "));
        fault("untrusted", message)
            .with_remedy("get the key from its owner, compare its fingerprint, and name it with --key")
    }

    fn trusted_maker(&self, signature: &Signature) -> Option<&TrustedKey> {
        let hashed = hashed(&signature.label, self.digests)?;
        self.keyring
            .iter()
            .take(OPERATIONS)
            .find(|key| key.verifying().is_ok_and(|key| key.verifies(&hashed, &signature.bytes)))
    }

    fn known_maker(&self, signature: &Signature) -> Option<&KnownKey> {
        if matches!(signature.label, Label::Dsa | Label::Unknown(_)) {
            return None;
        }
        let hashed = hashed(&signature.label, self.digests)?;
        self.known.keys().iter().take(OPERATIONS).find(|known| {
            let prepared = OnceLock::new();
            known.key().is_some_and(|key| {
                VerifyingKey::new(key, &prepared).is_ok_and(|key| key.verifies(&hashed, &signature.bytes))
            })
        })
    }
}
