//! `.PKGINFO`: what a package says about itself.
//!
//! Source: `docs/formats/apk-v2.md`, section 6.

use crate::limits::{Limits, length};
use crate::types::{Digest, Sha256, escape};

use super::pkginfo_error::PkginfoError;

/// Key and value; a description of several lines grows while it is read.
type Field = (Box<str>, String);

/// The metadata of a package, every field as it stands there.
///
/// Trust: claims; they are proven only inside a `Verified<Package>`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PkgInfo {
    fields: Vec<Field>,
    size: u64,
    datahash: Digest<Sha256>,
}

/// Fields that may stand more than once: lists, and `license`, which Wolfi repeats.
const REPEATABLE: &[&str] =
    &["depend", "provides", "install_if", "replaces", "triggers", "license", "conflicts", "recommends"];
/// All other fields that `apk` or a builder gives a meaning.
const ONCE: &[&str] = &[
    "pkgname",
    "pkgver",
    "pkgdesc",
    "url",
    "builddate",
    "packager",
    "size",
    "arch",
    "origin",
    "commit",
    "maintainer",
    "replaces_priority",
    "provider_priority",
    "datahash",
];
/// Fields that are numbers.
const NUMBERS: &[&str] = &["size", "builddate", "replaces_priority", "provider_priority"];

impl PkgInfo {
    /// Parses a whole `.PKGINFO`.
    ///
    /// Shape: lines that are empty, `# comment`, or `key = value`; after `pkgdesc`, lines that begin with
    /// a blank continue it. `pkgname`, `pkgver`, `arch`, `size` and `datahash` stand exactly once.
    ///
    /// # Errors
    /// - One [`PkginfoError`] per rule: the first line that breaks one.
    pub fn parse(text: &[u8], limits: &Limits) -> Result<Self, PkginfoError> {
        let mut fields: Vec<Field> = Vec::new();
        let mut after_description = false;
        for (index, raw) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = index + 1;
            let text = check_line(raw, line, limits)?;
            if after_description && text.starts_with([' ', '\t']) {
                continue_description(&mut fields, text, line)?;
                continue;
            }
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (key, value) = split(text, line)?;
            check_field(&fields, key, value, line)?;
            after_description = key == "pkgdesc";
            fields.push((key.into(), value.into()));
        }
        Self::complete(fields)
    }

    fn complete(fields: Vec<Field>) -> Result<Self, PkginfoError> {
        let required = |key: &'static str| {
            find(&fields, key).next().ok_or(PkginfoError::Missing { key }).map(str::to_owned)
        };
        check_identity(&required("pkgname")?, &required("pkgver")?, &required("arch")?)?;
        let size = required("size")?;
        let size = size.parse().map_err(|_| PkginfoError::Missing { key: "size" })?;
        let datahash = Digest::parse_hex(required("datahash")?.as_bytes()).map_err(PkginfoError::Datahash)?;
        Ok(Self { fields, size, datahash })
    }

    /// The first value of a field.
    pub fn value(&self, key: &str) -> Option<&str> {
        find(&self.fields, key).next()
    }

    /// All values of a field, in their order.
    pub fn values<'a, 'k>(&'a self, key: &'k str) -> impl Iterator<Item = &'a str> + use<'a, 'k> {
        find(&self.fields, key)
    }

    /// All fields, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(key, value)| (&**key, value.as_str()))
    }

    /// The name of the package.
    pub fn name(&self) -> &str {
        self.value("pkgname").unwrap_or_default()
    }

    /// The version, a safe token; it may stand outside the grammar of versions.
    pub fn version(&self) -> &str {
        self.value("pkgver").unwrap_or_default()
    }

    /// The architecture, or `noarch`.
    pub fn architecture(&self) -> &str {
        self.value("arch").unwrap_or_default()
    }

    /// Installed size as the builder counted it. Units: bytes.
    pub const fn installed_size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of the stored bytes of the data member.
    pub const fn datahash(&self) -> Digest<Sha256> {
        self.datahash
    }
}

fn find<'a, 'k>(fields: &'a [Field], key: &'k str) -> impl Iterator<Item = &'a str> + use<'a, 'k> {
    fields.iter().filter(move |(name, _)| **name == *key).map(|(_, value)| value.as_str())
}

/// Bytes that no line may hold, and its length.
fn check_line<'a>(raw: &'a [u8], line: usize, limits: &Limits) -> Result<&'a str, PkginfoError> {
    if checked!("pkginfo-line") && length(raw) > limits.line {
        let limit = Limits::reached("line", limits.line);
        return Err(PkginfoError::Line { line, limit });
    }
    // A tab may begin a continued description, nothing else.
    let rest = raw.strip_prefix(b"\t").unwrap_or(raw);
    if let Some(byte) =
        rest.iter().copied().find(|byte| checked!("pkginfo-control-character") && *byte < 0x20)
    {
        return Err(PkginfoError::ControlCharacter { line, byte });
    }
    std::str::from_utf8(raw).map_err(|_| PkginfoError::Utf8 { line })
}

fn split(text: &str, line: usize) -> Result<(&str, &str), PkginfoError> {
    let is_key = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    text.split_once(" = ")
        .filter(|(key, _)| is_key(key))
        .ok_or_else(|| PkginfoError::Form { line, found: escape(text).to_string() })
}

fn check_field(fields: &[Field], key: &str, value: &str, line: usize) -> Result<(), PkginfoError> {
    if checked!("pkginfo-repeated") && ONCE.contains(&key) && find(fields, key).next().is_some() {
        return Err(PkginfoError::Repeated { line, key: key.to_owned() });
    }
    let is_number =
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) && value.parse::<u64>().is_ok();
    if checked!("pkginfo-number") && NUMBERS.contains(&key) && !is_number {
        let found = escape(value).to_string();
        return Err(PkginfoError::Number { line, key: key.to_owned(), found });
    }
    Ok(())
}

/// nfpm writes descriptions of several lines: each further one begins with blanks.
fn continue_description(fields: &mut [Field], text: &str, line: usize) -> Result<(), PkginfoError> {
    let key = text.split_once(" = ").map(|(key, _)| key.trim());
    if let Some(key) =
        key.filter(|key| checked!("pkginfo-continuation") && (ONCE.contains(key) || REPEATABLE.contains(key)))
    {
        return Err(PkginfoError::Continuation { line, key: key.to_owned() });
    }
    if let Some((_, description)) = fields.last_mut() {
        // Appended in place: a million short lines must not be copied a million times.
        description.push('\n');
        description.push_str(text);
    }
    Ok(())
}

fn check_identity(name: &str, version: &str, architecture: &str) -> Result<(), PkginfoError> {
    if !checked!("pkginfo-identity") {
        return Ok(());
    }
    crate::types::PackageName::parse(name.as_bytes())
        .map_err(|_| PkginfoError::Name { found: escape(name).to_string() })?;
    crate::types::VersionText::parse(version.as_bytes())
        .map_err(|_| PkginfoError::Version { found: escape(version).to_string() })?;
    crate::types::Architecture::parse(architecture.as_bytes())
        .map_err(|_| PkginfoError::Architecture { found: escape(architecture).to_string() })?;
    Ok(())
}
