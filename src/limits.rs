//! How much hostile input may cost: every loop and allocation over it is bounded here.

use std::fmt;

/// The limits of one verification. A refusal names the limit that was reached.
///
/// Units: bytes unless the name says otherwise. Each default states where it comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Signature members of one file, together, as stored. Real ones: under 2 KiB.
    pub signature_compressed: u64,
    /// Signature members of one file, together, inflated. Real ones: under 8 KiB.
    pub signature_inflated: u64,
    /// Signature members of one file. Real re-signed files have up to 4.
    pub signature_members: u64,
    /// Signature entries of one file. One index seen carries 3 signatures.
    pub signature_entries: u64,
    /// One signature: an 8192-bit key makes 1,024 bytes.
    pub signature_size: u64,
    /// Control member as stored; it holds metadata and a few scripts.
    pub control_compressed: u64,
    /// Control member inflated.
    pub control_inflated: u64,
    /// `.PKGINFO`. The largest real ones list thousands of provides in some 100 KiB.
    pub pkginfo: u64,
    /// One script; `apk` itself drops larger ones without a word.
    pub script: u64,
    /// One line of `.PKGINFO` or `APKINDEX`; `apk` itself reads no longer ones.
    pub line: u64,
    /// Data member inflated.
    pub data_inflated: u64,
    /// Data member: inflated bytes per stored byte, beyond the first 16 MiB.
    pub data_ratio: u64,
    /// Entries of the data member. Each costs about 40 bytes of memory while its names are compared.
    pub data_entries: u64,
    /// One pax header. An extended attribute holds 64 KiB at most.
    pub pax_header: u64,
    /// Text of an index.
    pub index_text: u64,
    /// Index: inflated bytes per stored byte, beyond the first 1 MiB.
    pub index_ratio: u64,
    /// Entries of an index.
    pub index_entries: u64,
    /// Names that an index provides, while dependencies are resolved; each costs about 50 bytes.
    pub index_atoms: u64,
    /// Steps of solving. A request on Alpine's main takes some hundred thousand.
    pub solver_steps: u64,
}

/// Inflated bytes of data that no ratio is applied to: small packages of zeros are honest.
pub const DATA_RATIO_FREE: u64 = 16 << 20;
/// Inflated bytes of an index that no ratio is applied to.
pub const INDEX_RATIO_FREE: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            signature_compressed: 64 << 10,
            signature_inflated: 256 << 10,
            signature_members: 8,
            signature_entries: 16,
            signature_size: 4096,
            control_compressed: 8 << 20,
            control_inflated: 16 << 20,
            pkginfo: 1 << 20,
            script: 262_144,
            line: 131_064,
            data_inflated: 16 << 30,
            data_ratio: 200,
            data_entries: 200_000,
            pax_header: 128 << 10,
            index_text: 512 << 20,
            index_ratio: 100,
            index_entries: 2_000_000,
            index_atoms: 16 << 20,
            solver_steps: 8 << 30,
        }
    }
}

/// The names that `--limit NAME=VALUE` takes, with what each counts.
pub const NAMES: &[(&str, &str)] = &[
    ("signature-compressed", "bytes of all signature members as stored"),
    ("signature-inflated", "bytes of all signature members inflated"),
    ("signature-members", "signature members"),
    ("signature-entries", "signatures"),
    ("signature-size", "bytes of one signature"),
    ("control-compressed", "bytes of the control member as stored"),
    ("control-inflated", "bytes of the control member inflated"),
    ("pkginfo", "bytes of .PKGINFO"),
    ("script", "bytes of one script"),
    ("line", "bytes of one line of .PKGINFO or APKINDEX"),
    ("data-inflated", "bytes of the data member inflated"),
    ("data-ratio", "inflated bytes per stored byte of data, beyond the first 16 MiB"),
    ("data-entries", "entries of the data member"),
    ("pax-header", "bytes of one pax header"),
    ("index-text", "bytes of the text of an index"),
    ("index-ratio", "inflated bytes per stored byte of an index, beyond the first 1 MiB"),
    ("index-entries", "entries of an index"),
    ("index-atoms", "names that an index provides, and an eighth of the comparisons with them"),
    ("solver-steps", "steps of choosing packages for requests"),
];

/// A limit that hostile or damaged input reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("limit `{name}` reached: more than {limit} {what}")]
pub struct LimitReached {
    /// The name that `--limit` takes.
    pub name: &'static str,
    /// The value that was exceeded.
    pub limit: u64,
    /// What is counted.
    pub what: &'static str,
}

/// Why a `NAME=VALUE` is not a limit.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// No such limit.
    #[error("no limit is called `{0}`")]
    Unknown(String),
    /// The value is not a number of units, or zero.
    #[error("expected a number from 1 (`K`, `M` and `G` multiply by 1024), found `{0}`")]
    Value(String),
}

impl Limits {
    /// Sets one limit by the name that the command line uses.
    ///
    /// Shape: a decimal number, optionally followed by `K`, `M` or `G` (powers of 1024).
    ///
    /// # Errors
    /// - [`LimitError::Unknown`] if no limit has the name.
    /// - [`LimitError::Value`] if the value is not such a number, or 0.
    ///
    /// # Examples
    /// ```
    /// use apkvet::limits::Limits;
    /// let mut limits = Limits::default();
    /// limits.set("script", "1M").unwrap();
    /// assert_eq!(limits.script, 1 << 20);
    /// assert!(limits.set("scripts", "1M").is_err());
    /// ```
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), LimitError> {
        let parsed = parse_size(value).ok_or_else(|| LimitError::Value(value.to_owned()))?;
        *self.field(name).ok_or_else(|| LimitError::Unknown(name.to_owned()))? = parsed;
        Ok(())
    }

    /// The error for a limit, from its name on the command line.
    pub(crate) fn reached(name: &'static str, limit: u64) -> LimitReached {
        let what = NAMES.iter().find(|(known, _)| *known == name).map_or("", |(_, what)| *what);
        LimitReached { name, limit, what }
    }

    fn field(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "signature-compressed" => &mut self.signature_compressed,
            "signature-inflated" => &mut self.signature_inflated,
            "signature-members" => &mut self.signature_members,
            "signature-entries" => &mut self.signature_entries,
            "signature-size" => &mut self.signature_size,
            "control-compressed" => &mut self.control_compressed,
            "control-inflated" => &mut self.control_inflated,
            "pkginfo" => &mut self.pkginfo,
            "script" => &mut self.script,
            "line" => &mut self.line,
            "data-inflated" => &mut self.data_inflated,
            "data-ratio" => &mut self.data_ratio,
            "data-entries" => &mut self.data_entries,
            "pax-header" => &mut self.pax_header,
            "index-text" => &mut self.index_text,
            "index-ratio" => &mut self.index_ratio,
            "index-entries" => &mut self.index_entries,
            "index-atoms" => &mut self.index_atoms,
            "solver-steps" => &mut self.solver_steps,
            _ => return None,
        })
    }
}

/// A number of bytes as people write it; none for 0.
pub(crate) fn parse_size(value: &str) -> Option<u64> {
    let (digits, shift) = match value.as_bytes().last()? {
        b'K' => (value.strip_suffix('K')?, 10),
        b'M' => (value.strip_suffix('M')?, 20),
        b'G' => (value.strip_suffix('G')?, 30),
        _ => (value, 0),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|size| *size > 0)
}

/// The length of a slice as the 64-bit number that offsets and limits are. Units: bytes.
pub(crate) fn length(bytes: &[u8]) -> u64 {
    // invariant: no platform has slices longer than 64 bits can say.
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What one verification has cost so far, in work and not in time, so that tests can bound it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Budget {
    /// Bytes read from the source.
    pub bytes_read: u64,
    /// Bytes that came out of the inflater.
    pub bytes_inflated: u64,
    /// Public-key operations.
    pub signature_checks: u64,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes read, {} inflated, {} signature checks",
            self.bytes_read, self.bytes_inflated, self.signature_checks
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_limit_can_be_set() {
        let mut limits = Limits::default();
        for (name, _) in NAMES {
            assert_eq!(limits.set(name, "7"), Ok(()), "{name}");
        }
        assert_eq!(limits.clone().field("data-ratio"), Some(&mut 7));
    }

    #[test]
    fn refuses_zero_signs_and_overflow() {
        for value in ["0", "-1", "+1", "", "K", "1T", "99999999999999999999", "18446744073709551615K"] {
            assert_eq!(Limits::default().set("script", value), Err(LimitError::Value(value.into())));
        }
    }
}
