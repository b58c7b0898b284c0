//! `apkvet keys diff`: what changed between two key directories.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::source::files;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::keys::{Fingerprint, KeyFile};
use crate::types::escape_all;

/// Compares two key directories, or two key files
///
/// Exit code 0 whether or not they differ; files that apk does not load are named as such.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The old directory or key file
    a: PathBuf,
    /// The new directory or key file
    b: PathBuf,
}

/// One difference.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(super) struct Change {
    change: &'static str,
    name: String,
    old_name: Option<String>,
    fingerprint: Option<ShownFingerprint>,
    old_fingerprint: Option<ShownFingerprint>,
}

/// A fingerprint that serializes as it prints; `None` stands for a file that apk does not load.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ShownFingerprint(Fingerprint);

impl Serialize for ShownFingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The last line, as JSON.
#[derive(Serialize)]
struct Summary {
    added: usize,
    removed: usize,
    replaced: usize,
    renamed: usize,
    unchanged: usize,
    exit: u8,
}

type Names = BTreeMap<String, Option<Fingerprint>>;

pub(super) fn run(args: &DiffArgs, output: &mut Output) -> Result<Exit, Failure> {
    let (old, new) = (files(&args.a)?, files(&args.b)?);
    let (mut old, new) = (names(&old), names(&new));
    // Two files are compared as keys, whatever they are called.
    let name = new.keys().next().filter(|_| args.a.is_file() && args.b.is_file());
    if let (Some(name), Some((_, key))) = (name, old.first_key_value()) {
        old = Names::from([(name.clone(), *key)]);
    }
    let changes = compare(&old, &new);
    let count = |kind: &str| changes.iter().filter(|change| change.change == kind).count();
    let unchanged = new.iter().filter(|(name, key)| old.get(*name) == Some(key)).count();
    if output.is_json() {
        for change in &changes {
            output.record("key-change", change)?;
        }
        let summary = Summary {
            added: count("added"),
            removed: count("removed"),
            replaced: count("replaced"),
            renamed: count("renamed"),
            unchanged,
            exit: Exit::Holds.code(),
        };
        output.record("summary", &summary)?;
        return Ok(Exit::Holds);
    }
    for change in &changes {
        print(change, output)?;
    }
    let (added, removed) = (count("added"), count("removed"));
    let (replaced, renamed) = (count("replaced"), count("renamed"));
    output.line(&format!(
        "{added} added, {removed} removed, {replaced} replaced, {renamed} renamed, {unchanged} unchanged"
    ))?;
    Ok(Exit::Holds)
}

fn names(files: &[KeyFile]) -> Names {
    let name = |file: &KeyFile| escape_all(file.name().as_encoded_bytes()).to_string();
    files.iter().map(|file| (name(file), file.content().ok().map(|key| key.fingerprint()))).collect()
}

/// The differences, by name.
fn compare(old: &Names, new: &Names) -> Vec<Change> {
    let mut changes = Vec::new();
    let lost = |name: &String| !new.contains_key(name);
    let mut moved: Vec<&String> = Vec::new();
    for (name, key) in new {
        let wrap = |key: Option<Fingerprint>| key.map(ShownFingerprint);
        let change = |change, old_name, old_key| Change {
            change,
            name: name.clone(),
            old_name,
            fingerprint: wrap(*key),
            old_fingerprint: wrap(old_key),
        };
        match old.get(name) {
            Some(old_key) if old_key == key => {}
            Some(old_key) => changes.push(change("replaced", None, *old_key)),
            None => {
                let same = |entry: &(&String, &Option<Fingerprint>)| {
                    key.is_some() && entry.1 == key && lost(entry.0) && !moved.contains(&entry.0)
                };
                match old.iter().find(same) {
                    Some((old_name, old_key)) => {
                        moved.push(old_name);
                        changes.push(change("renamed", Some(old_name.clone()), *old_key));
                    }
                    None => changes.push(change("added", None, None)),
                }
            }
        }
    }
    for (name, key) in old {
        if lost(name) && !moved.contains(&name) {
            let old_fingerprint = key.map(ShownFingerprint);
            let name = name.clone();
            changes.push(Change {
                change: "removed",
                name,
                old_name: None,
                fingerprint: None,
                old_fingerprint,
            });
        }
    }
    changes.sort_by(|a, b| a.name.cmp(&b.name));
    changes
}

fn print(change: &Change, output: &mut Output) -> Result<(), Failure> {
    let key = |key: &Option<ShownFingerprint>| match key {
        Some(key) => key.0.to_string(),
        None => "not loaded".to_owned(),
    };
    let (name, new, old) = (&change.name, key(&change.fingerprint), key(&change.old_fingerprint));
    let text = match (change.change, &change.old_name) {
        ("added", _) => format!("{name}  {new}"),
        ("removed", _) => format!("{name}  {old}"),
        ("renamed", Some(old_name)) => format!("{old_name} -> {name}  {new}"),
        _ => format!("{name}  {old} -> {new}"),
    };
    let style = if change.change == "replaced" { Style::Bad } else { Style::Warning };
    let word = output.paint(style, &format!("{:<8}", change.change));
    output.line(&format!("{word}  {text}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char) -> Option<Fingerprint> {
        Fingerprint::parse(&format!("sha256:{}", digit.to_string().repeat(64))).ok()
    }

    fn changes(old: &[(&str, Option<Fingerprint>)], new: &[(&str, Option<Fingerprint>)]) -> Vec<String> {
        let names = |list: &[(&str, Option<Fingerprint>)]| {
            list.iter().map(|(name, key)| ((*name).to_owned(), *key)).collect::<Names>()
        };
        let changes = compare(&names(old), &names(new));
        let describe = |change: &Change| {
            format!("{} {}{}", change.change, change.old_name.as_deref().unwrap_or_default(), change.name)
        };
        changes.iter().map(describe).collect()
    }

    #[test]
    fn tells_added_removed_replaced_and_renamed_apart() {
        let old = [("a", key('1')), ("b", key('2')), ("c", key('3')), ("d", key('4'))];
        let new = [("a", key('1')), ("b", key('9')), ("c2", key('3')), ("e", key('5'))];
        let expected = ["replaced b", "renamed cc2", "removed d", "added e"];
        assert_eq!(changes(&old, &new), expected);
        assert_eq!(changes(&old, &old), [""; 0]);
    }

    #[test]
    fn a_copy_is_added_and_no_rename() {
        assert_eq!(changes(&[("a", key('1'))], &[("a", key('1')), ("b", key('1'))]), ["added b"]);
    }

    #[test]
    fn files_that_are_not_loaded_are_never_renames_of_each_other() {
        assert_eq!(changes(&[("a", None)], &[("b", None)]), ["removed a", "added b"]);
    }
}
