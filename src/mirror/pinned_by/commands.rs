//! The commands `apk … add` of a Dockerfile or a script, as far as words tell.

use super::variables::Variables;

/// Options of `apk` that take the next word as their value, so that it is no package.
const WITH_VALUE: &[&str] = &[
    "-p",
    "--root",
    "-X",
    "--repository",
    "-t",
    "--virtual",
    "--arch",
    "--keys-dir",
    "--cache-dir",
    "--cache-max-age",
    "--repositories-file",
    "--repository-config",
    "--wait",
    "--timeout",
    "--progress-fd",
];

/// One command: the words after `add`, and where it begins.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Command {
    pub(super) line: u64,
    words: Vec<String>,
}

impl Command {
    /// The words that are packages.
    pub(super) fn packages(&self) -> impl Iterator<Item = &str> {
        let mut value = false;
        self.words.iter().map(String::as_str).filter(move |word| {
            if std::mem::take(&mut value) {
                return false;
            }
            value = WITH_VALUE.contains(word);
            !word.starts_with('-')
        })
    }
}

/// All commands of a text, in its order.
#[derive(Debug)]
pub(super) struct Commands(Vec<Command>);

impl Commands {
    pub(super) fn of(text: &str) -> Self {
        let mut variables = Variables::default();
        let mut commands = Vec::new();
        for (line, logical) in logical_lines(text) {
            variables.read(&logical);
            for words in simple_commands(&logical) {
                if let Some(packages) = after_add(&words) {
                    let words = packages.iter().map(|word| variables.replace(word)).collect();
                    commands.push(Command { line, words });
                }
            }
        }
        Self(commands)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Commands {
    type Item = Command;
    type IntoIter = std::vec::IntoIter<Command>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Lines joined where they end in a backslash; comment lines inside of them vanish, as Docker has it.
fn logical_lines(text: &str) -> Vec<(u64, String)> {
    let mut lines: Vec<(u64, String)> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with('#') {
            continue;
        }
        let (part, continues) = match line.trim_end().strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| open) {
            Some((_, joined)) => {
                joined.push(' ');
                joined.push_str(part);
            }
            None => lines.push((number, part.to_owned())),
        }
        open = continues;
    }
    lines
}

/// Splits a line into simple commands: at `;`, `&`, `|`, brackets and line ends, quotes taken off.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let end_word = |word: &mut Option<String>, commands: &mut Vec<Vec<String>>| {
        if let (Some(word), Some(last)) = (word.take(), commands.last_mut()) {
            last.push(word);
        }
    };
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            // Brackets and commas are those of the JSON form: ["apk", "add", "bash=5.2-r0"].
            (None, ';' | '&' | '|' | '(' | ')' | '`' | '[' | ']') => {
                end_word(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            (None, c) if c.is_whitespace() || c == ',' => end_word(&mut word, &mut commands),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut word, &mut commands);
    commands.retain(|words| !words.is_empty());
    commands
}

/// The words after `add`, if the words are a command `apk … add`.
fn after_add(words: &[String]) -> Option<&[String]> {
    let is_apk = |word: &String| word == "apk" || word.ends_with("/apk");
    let apk = words.iter().position(is_apk)?;
    let rest = words.get(apk.saturating_add(1)..)?;
    let mut value = false;
    for (at, word) in rest.iter().enumerate() {
        if std::mem::take(&mut value) {
            continue;
        }
        match word.as_str() {
            "add" => return rest.get(at.saturating_add(1)..),
            option if option.starts_with('-') => value = WITH_VALUE.contains(&option),
            _ => return None,
        }
    }
    None
}
