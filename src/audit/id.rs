//! The stable names of findings; `docs/findings.md` has a paragraph on each.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Id {
            $($(#[$doc])* $name,)*
        }

        impl Id {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

ids! {
    /// A file that cannot be read, or is no regular one.
    KeyUnreadable = "key-unreadable",
    /// No key at all.
    KeyNone = "key-none",
    /// A file that holds no public key.
    FormNotAKey = "form-not-a-key",
    /// A key that apk with OpenSSL does not load.
    FormDamaged = "form-damaged",
    /// A private key.
    FormPrivate = "form-private",
    /// Several public keys in one file.
    FormMany = "form-many",
    /// The label of PKCS#1.
    FormPkcs1 = "form-pkcs1",
    /// Other bytes than OpenSSL writes.
    FormNoncanonical = "form-noncanonical",
    /// A name that an editor or a package manager left.
    NameLeftover = "name-leftover",
    /// A name that begins with a dot.
    NameHidden = "name-hidden",
    /// A name that says RSA, and a key that is none.
    NameType = "name-type",
    /// A name that no signature can bear.
    NameOdd = "name-odd",
    /// A large file.
    FileLarge = "file-large",
    /// The same name in both default directories.
    NameShadow = "name-shadow",
    /// A file that others may write.
    PermWritable = "perm-writable",
    /// A directory that others may write.
    PermDir = "perm-dir",
    /// A symbolic link.
    PermSymlink = "perm-symlink",
    /// A file that not everybody may read.
    PermUnreadable = "perm-unreadable",
    /// A file with several names.
    PermHardlink = "perm-hardlink",
    /// Fewer than 2048 bits.
    RsaSmall = "rsa-small",
    /// Fewer than 3072 bits.
    Rsa2048 = "rsa-2048",
    /// A number of bits that is no multiple of eight.
    RsaSizeOdd = "rsa-size-odd",
    /// Numbers that OpenSSL refuses.
    RsaUnverifiable = "rsa-unverifiable",
    /// An unusual public exponent.
    RsaExponent = "rsa-exponent",
    /// A modulus that is no product of two large primes.
    RsaModulus = "rsa-modulus",
    /// Primes that lie close together.
    RsaClosePrimes = "rsa-close-primes",
    /// The generator of CVE-2017-15361.
    RsaRoca = "rsa-roca",
    /// A prime, or a modulus, that another key has too.
    RsaShared = "rsa-shared",
    /// A key whose private half is public.
    KeyPublished = "key-published",
    /// A modulus that does not look random.
    RsaStructure = "rsa-structure",
    /// A smooth prime, or a small private exponent.
    RsaSmooth = "rsa-smooth",
    /// A key on an elliptic curve.
    EcCurve = "ec-curve",
    /// A kind of key that can never verify.
    AlgNever = "alg-never",
    /// The name of a known key, and another key.
    IdImpostor = "id-impostor",
    /// A name that looks like one of Alpine's.
    IdLookalike = "id-lookalike",
    /// A name that is pinned to another key.
    PinMismatch = "pin-mismatch",
    /// A key that is not pinned.
    PinUnlisted = "pin-unlisted",
    /// A pinned key that is not here.
    PinMissing = "pin-missing",
    /// A pin that has expired.
    PinExpired = "pin-expired",
    /// A known key under a name that its signatures do not use.
    IdOthername = "id-othername",
    /// One key in several files.
    IdDuplicate = "id-duplicate",
    /// One name for several keys.
    IdCollision = "id-collision",
    /// A key that its owner has given up.
    IdRetired = "id-retired",
    /// A key that only older releases need.
    IdLegacy = "id-legacy",
    /// A key of another architecture.
    IdOtherarch = "id-otherarch",
    /// The age that the name states.
    IdAge = "id-age",
    /// A key that apk trusts for everything.
    ScopeGlobal = "scope-global",
    /// A key that signed none of the repositories.
    ScopeUnmatched = "scope-unmatched",
    /// A key that signed nothing that was given.
    UseUnused = "use-unused",
    /// A signature whose key is not here.
    UseSignerMissing = "use-signer-missing",
    /// A signature whose key is here under another name.
    UseRename = "use-rename",
    /// A signature that does not hold.
    UseBadSignature = "use-bad-signature",
    /// Signatures over SHA-1 only.
    UseSha1 = "use-sha1",
    /// Several signatures, not all of whose keys are here.
    UsePartial = "use-partial",
    /// A key that signs ADB files only.
    UseV3Only = "use-v3-only",
}

impl Id {
    /// The finding of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|id| id.as_str() == text)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_has_a_row_in_the_documentation_and_each_row_an_id() {
        let text = include_str!("../../docs/findings.md");
        let (_, text) = text.split_once("\n## Keys\n").unwrap();
        let text = text.split("\n## ").next().unwrap();
        let rows: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
        let ids: Vec<&str> = Id::ALL.iter().map(|id| id.as_str()).collect();
        assert_eq!(rows, ids);
        let long = |id: &&str| {
            text.split(&format!("### `{id}`\n")).nth(1).is_some_and(|rest| rest.trim().len() > 100)
        };
        assert!(ids.iter().all(long));
    }

    #[test]
    fn a_name_reads_back_and_another_word_does_not() {
        assert!(Id::ALL.iter().all(|id| Id::parse(id.as_str()) == Some(*id)));
        assert_eq!(Id::parse("rsa"), None);
    }
}
