//! Small random universes: what `apk add --simulate` does with them, this crate does too.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Output};

use apkvet::limits::Limits;
use apkvet::plan::{Request, Universe, solve};
use apkvet_fixtures::IndexBuilder;
use apkvet_fixtures::gzip::member;

use super::random::Case;
use crate::harness::{index_text, labels, tagged};

/// How many universes are tried, with four worlds each; `APKVET_APK_CASES` says another number.
const CASES: u64 = 500;

/// A root directory and repositories that a given `apk` works with.
struct Machine {
    apk: OsString,
    directory: tempfile::TempDir,
    /// Only for users other than root.
    user_mode: bool,
}

impl Machine {
    fn new(apk: OsString) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut machine = Self { apk, directory, user_mode: false };
        for user_mode in [false, true] {
            machine.user_mode = user_mode;
            std::fs::write(machine.path("repositories"), "").unwrap();
            let made = machine.run(&["add", "--initdb"]);
            if made.status.success() {
                return machine;
            }
        }
        panic!("apk makes no root directory");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, words: &[&str]) -> Output {
        let (command, words) = words.split_first().unwrap();
        let mut run = Command::new(&self.apk);
        run.arg(command).arg("--root").arg(self.path("root"));
        run.args(["--arch", "x86_64", "--no-cache", "--allow-untrusted"]);
        run.arg("--repositories-file").arg(self.path("repositories"));
        if self.user_mode {
            run.arg("--usermode");
        }
        run.args(words).output().unwrap()
    }

    fn serve(&self, case: &Case) {
        let mut list = String::new();
        for (number, (tag, entries)) in case.repositories.iter().enumerate() {
            let folder = self.path(&format!("repository-{number}"));
            std::fs::create_dir_all(folder.join("x86_64")).unwrap();
            let archive = IndexBuilder::default().text(&index_text(entries)).archive().bytes();
            std::fs::write(folder.join("x86_64/APKINDEX.tar.gz"), member(&archive)).unwrap();
            let tag = tag.map(|tag| format!("@{tag} ")).unwrap_or_default();
            list += &format!("{tag}{}\n", folder.display());
        }
        std::fs::write(self.path("repositories"), list).unwrap();
    }

    /// What would be installed, sorted; none if `apk` gives up.
    fn add(&self, words: &[String]) -> Option<Vec<String>> {
        let mut command = vec!["add", "--simulate"];
        command.extend(words.iter().map(String::as_str));
        let ran = self.run(&command);
        let out = String::from_utf8_lossy(&ran.stdout);
        assert_ne!(ran.status.code(), Some(99), "{words:?} {out} {}", String::from_utf8_lossy(&ran.stderr));
        if !ran.status.success() {
            return None;
        }
        let installed = out.lines().filter_map(|line| line.split_once(" Installing "));
        let mut labels: Vec<String> = installed
            .map(|(_, package)| {
                let (name, rest) = package.split_once(" (").unwrap();
                // A package from a repository with a tag is shown with it.
                let name = name.split('@').next().unwrap();
                format!("{name}-{}", rest.split([')', ' ']).next().unwrap())
            })
            .collect();
        labels.sort_unstable();
        Some(labels)
    }
}

fn ours(universe: &Universe<'_>, words: &[String]) -> Option<Vec<String>> {
    let requests: Vec<Request> = words.iter().map(|word| Request::parse(word).unwrap()).collect();
    let solution = solve(universe, &requests, &Limits::default()).ok()?;
    Some(labels(solution.chosen.iter().map(|chosen| &chosen.candidate)))
}

fn cases() -> u64 {
    std::env::var("APKVET_APK_CASES").map_or(CASES, |cases| cases.parse().unwrap())
}

#[test]
fn chooses_what_apk_chooses_in_random_universes() {
    let Some(apk) = std::env::var_os("APKVET_APK") else {
        eprintln!("SKIPPED: APKVET_APK names no apk: the solver was not compared with it");
        return;
    };
    let machine = Machine::new(apk);
    let (mut solved, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for seed in 0..cases() {
        let case = Case::new(seed);
        machine.serve(&case);
        let indexes = case.indexes();
        let tags = case.repositories.iter().map(|(tag, _)| *tag);
        let universe = tagged(indexes.iter().zip(tags));
        for words in &case.worlds {
            let (theirs, ours) = (machine.add(words), ours(&universe, words));
            if theirs == ours {
                *if theirs.is_some() { &mut solved } else { &mut refused } += 1;
            } else {
                wrong.push(format!("seed {seed} {words:?}: apk {theirs:?}, here {ours:?}"));
            }
        }
    }
    println!("{solved} worlds solved alike, {refused} refused alike, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
