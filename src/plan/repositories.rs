//! `/etc/apk/repositories` files: which repositories a client has.

mod variables;

pub use variables::VariableFault;

use self::variables::Variables;
use crate::types::{Architecture, escape};

/// How many repositories `apk` can have.
const REPOSITORIES: usize = 32;

/// One repository that a file names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// The address as `apk` takes it: without slashes at its end, with its component.
    pub url: String,
    /// Where the index lies.
    pub kind: Kind,
    /// The tags under which it is listed, without `@`; none in the list means untagged.
    pub tags: Vec<Option<String>>,
}

/// Where a repository has its index.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// `URL/ARCH/APKINDEX.tar.gz`.
    V2,
    /// `URL/ARCH/Packages.adb`.
    V3,
    /// The address is that of the index itself.
    Index,
}

/// What a file says; what stands after a bad line is lost, as it is for `apk`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Repositories {
    /// The repositories, in order.
    pub listed: Vec<Listed>,
    /// The line at which `apk` stops reading.
    pub stopped: Option<BadLine>,
}

/// A line at which `apk` stops reading.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {fault}; `apk` reads no further")]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Bytes that are no UTF-8.
    #[error("expected UTF-8")]
    Encoding,
    /// A space or a tab before the first word.
    #[error("expected a word at the beginning of the line, found a blank")]
    Blank,
    /// A first word that is neither a keyword nor an address.
    #[error("expected `set`, `v2`, `v3`, `ndx`, a tag or an address, found `{found}`")]
    Keyword {
        /// The word, escaped.
        found: String,
    },
    /// Nothing after a keyword or a tag.
    #[error("expected an address at the end of the line")]
    NoAddress,
    /// Something that is no address.
    #[error("expected an address with `://`, or a path from `/`, found `{found}`")]
    Address {
        /// The text, escaped.
        found: String,
    },
    /// Something is wrong with a variable.
    #[error(transparent)]
    Variable(#[from] VariableFault),
    /// More than `apk` can have.
    #[error("expected at most {REPOSITORIES} repositories and {} tags", super::universe::TAGS)]
    TooMany,
}

/// Reads the text of a file for one architecture.
///
/// Shape: lines of `[v2|v3|ndx] [@tag] ADDRESS [COMPONENT]…`, of `set [-default] KEY=VALUE`, empty ones,
/// and comments from `#` in the first column. `${KEY}` stands for a value; `${APK_ARCH}` is the
/// architecture. A carriage return at the end of a line becomes part of the address, as it does for `apk`.
///
/// # Examples
/// ```
/// use apkvet::plan::repositories;
/// use apkvet::types::Architecture;
/// let text = b"set mirror=https://dl.example/alpine/v3.17\n${mirror} main community\n";
/// let read = repositories::parse(text, &Architecture::parse(b"aarch64").unwrap());
/// assert_eq!(read.listed[1].url, "https://dl.example/alpine/v3.17/community");
/// assert_eq!(read.stopped, None);
/// ```
pub fn parse(text: &[u8], architecture: &Architecture) -> Repositories {
    let mut repositories = Repositories::default();
    let mut variables = Variables::new(architecture);
    for (line, bytes) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let read = str::from_utf8(bytes).map_err(|_| Fault::Encoding);
        if let Err(fault) = read.and_then(|text| repositories.line(text, &mut variables)) {
            repositories.stopped = Some(BadLine { line, fault });
            break;
        }
    }
    repositories
}

impl Repositories {
    fn line(&mut self, line: &str, variables: &mut Variables) -> Result<(), Fault> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (mut word, mut rest) = split(line);
        let mut kind = None;
        if word.is_empty() {
            return Err(Fault::Blank);
        }
        if !word.starts_with(['@', '$']) && !is_address(word) {
            kind = match word {
                "set" => return Ok(variables.set(rest)?),
                "v2" => Some(Kind::V2),
                "v3" => Some(Kind::V3),
                "ndx" => Some(Kind::Index),
                _ => return Err(Fault::Keyword { found: escape(word).to_string() }),
            };
            (word, rest) = split(rest);
        }
        let tag = word.strip_prefix('@');
        if tag.is_some() {
            (word, rest) = split(rest);
        }
        if word.is_empty() {
            return Err(Fault::NoAddress);
        }
        let is_index = word.ends_with(".adb") || word.ends_with(".tar.gz");
        let kind = kind.unwrap_or(if is_index { Kind::Index } else { Kind::V2 });
        let url = variables.expand(word)?;
        let url = url.trim_end_matches('/');
        if !is_address(url) {
            return Err(Fault::Address { found: escape(url).to_string() });
        }
        if rest.is_empty() {
            return self.add(url.to_owned(), kind, tag);
        }
        // Words may be separated by tabs, components by spaces alone.
        let components = variables.expand(rest)?;
        let mut components = components.split(' ').filter(|component| !component.is_empty());
        components.try_for_each(|component| self.add(format!("{url}/{component}"), kind, tag))
    }

    fn add(&mut self, url: String, kind: Kind, tag: Option<&str>) -> Result<(), Fault> {
        let url = if kind == Kind::Index { url } else { url.trim_end_matches('/').to_owned() };
        let tag = tag.map(str::to_owned);
        let tags = self.listed.iter().flat_map(|listed| &listed.tags).filter(|tag| tag.is_some());
        let known: std::collections::BTreeSet<&Option<String>> = tags.collect();
        let full = tag.is_some() && !known.contains(&tag) && known.len() >= super::universe::TAGS;
        let many = self.listed.len() >= REPOSITORIES;
        let same = self.listed.iter_mut().find(|listed| listed.url == url && listed.kind == kind);
        match same {
            _ if full => return Err(Fault::TooMany),
            Some(listed) if listed.tags.contains(&tag) => {}
            Some(listed) => listed.tags.push(tag),
            None if many => return Err(Fault::TooMany),
            None => self.listed.push(Listed { url, kind, tags: vec![tag] }),
        }
        Ok(())
    }
}

/// The first word, and what follows after spaces and tabs.
fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    (word, rest.trim_start_matches([' ', '\t']))
}

fn is_address(word: &str) -> bool {
    // `://` at the very beginning has no scheme before it, and is none for `apk`.
    word.starts_with('/') || word.find("://").is_some_and(|at| at > 0)
}

#[cfg(test)]
mod tests;
