//! Which versions files name: Dockerfiles, scripts and world files of those who use a mirror.
//!
//! A version that is written into a build is to stay, whatever upstream drops. What is read here only ever
//! keeps packages; nothing else rests on it.

mod commands;
mod variables;

use crate::types::Dependency;

use commands::Commands;

/// The largest file that is read. Units: bytes.
pub const MAX_FILE: u64 = 4 << 20;

/// One atom that a file names with a version.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct NamedVersion {
    /// The atom as it stands there, variables replaced.
    pub atom: String,
    /// The name in it.
    pub name: String,
    /// The line on which the command begins, counted from 1.
    pub line: u64,
}

/// Something that looks like a version, and cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    /// The word as it stands there.
    pub word: String,
    /// The line on which the command begins, counted from 1.
    pub line: u64,
    /// Why not.
    pub why: WhyUnread,
}

/// Why a word cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyUnread {
    /// A variable whose value the file does not give.
    #[error("its version is in a variable that the file gives no value")]
    Variable,
    /// Not an atom.
    #[error("it is no atom such as `bash=5.2.15-r0`")]
    Atom,
}

/// What a file names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Named {
    /// Atoms with a version, in the order of the file.
    pub versions: Vec<NamedVersion>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

impl Named {
    /// Reads a Dockerfile, a script or a world file, told apart by what is in it.
    ///
    /// Shape: where a command `apk … add` occurs, its words; else a world file, atoms between blanks and line ends.
    /// A version is `=`, `~` or any other operator: `bash>=5` names one, `bash` does not.
    ///
    /// # Examples
    /// ```
    /// use apkvet::mirror::pinned_by::Named;
    /// let named = Named::parse("FROM alpine:3.17\nRUN apk add --no-cache bash=5.2.15-r0 curl\n");
    /// assert_eq!(named.versions[0].atom, "bash=5.2.15-r0");
    /// assert_eq!(named.versions.len(), 1);
    /// ```
    pub fn parse(text: &str) -> Self {
        let mut named = Self::default();
        let commands = Commands::of(text);
        if commands.is_empty() && !is_dockerfile(text) {
            let lines = (1..).zip(text.lines());
            lines.for_each(|(line, text)| text.split_whitespace().for_each(|word| named.word(word, line)));
            return named;
        }
        for command in commands {
            command.packages().for_each(|word| named.word(word, command.line));
        }
        named
    }

    fn word(&mut self, word: &str, line: u64) {
        let unread = |why| Unread { word: word.to_owned(), line, why };
        if word.contains('$') {
            self.unread.push(unread(WhyUnread::Variable));
            return;
        }
        match Dependency::parse_requested(word) {
            Ok(atom) if atom.is_conflict() || !names_version(&atom) => {}
            Ok(atom) => {
                self.versions.push(NamedVersion {
                    atom: word.to_owned(),
                    name: atom.name().to_owned(),
                    line,
                });
            }
            // A local file is installed by its path, and a word of the shell is no package.
            Err(_) if word.contains('/') || !word.contains(['=', '~', '<', '>']) => {}
            Err(_) => self.unread.push(unread(WhyUnread::Atom)),
        }
    }
}

fn names_version(atom: &Dependency<'_>) -> bool {
    atom.operator().is_some_and(|operator| !operator.is_identity() && !operator.accepts_all())
}

fn is_dockerfile(text: &str) -> bool {
    text.lines()
        .any(|line| line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("from")))
}

#[cfg(test)]
mod tests;
