//! What the tests share: finding `../shared`, reading keys, judging a file as the program does.

pub(crate) mod bounded;
mod command;
#[cfg(feature = "network")]
pub(crate) mod http_fault_server;
#[cfg(feature = "network")]
pub(crate) mod http_faults;
#[cfg(feature = "network")]
pub(crate) mod nginx;
#[cfg(feature = "network")]
pub(crate) mod store;
#[cfg(feature = "network")]
pub(crate) mod trace;
mod universe;
#[cfg(feature = "network")]
pub(crate) mod virtual_clock;

use std::path::{Path, PathBuf};

use apkvet::container::Scratch;
use apkvet::keys::read_key;
use apkvet::unverified::{Level, ReadOptions, Subject, read};
use apkvet::verify::{
    Keyring, Known, Policy, Proof, TrustedKey, verify_index, verify_package, verify_unknown,
};

#[cfg(feature = "network")]
pub(crate) use command::started;
pub(crate) use command::{Ran, apkvet, apkvet_at, apkvet_on_one_thread, apkvet_on_one_thread_at};
pub(crate) use universe::{
    index, index_text, labels, real_index, real_universe, requests, solved, tagged, universe,
};

/// The folder of real files and generated cases beside the checkout; says loudly if it is missing.
pub(crate) fn shared(below: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = root.join(below);
    if path.exists() {
        return Some(path);
    }
    assert!(!root.exists(), "../shared is there, but has no {below}");
    eprintln!("SKIPPED: ../shared is missing: nothing was tested on {below}");
    None
}

/// Every loadable key of a directory, by file name.
pub(crate) fn keyring(directory: &Path) -> Keyring {
    let mut keyring = Keyring::default();
    for file in files(directory) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if let Ok(key) = read_key(&std::fs::read(&file).unwrap()) {
            keyring.add(TrustedKey::new(name, file.display().to_string(), key)).unwrap();
        }
    }
    keyring
}

/// The files of a directory, sorted.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{directory:?}: {error}"));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Verdict and code, as `verdict` or `verdict/code`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Judged {
    pub(crate) verdict: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) notes: Vec<&'static str>,
    pub(crate) budget: apkvet::limits::Budget,
}

/// Judges bytes as the program judges a file.
pub(crate) fn judge(bytes: &[u8], keyring: &Keyring, policy: &Policy, level: Level) -> Judged {
    let options = ReadOptions { level, ..ReadOptions::default() };
    judge_with(bytes, keyring, policy, &options)
}

/// Judges bytes with options of one's own.
pub(crate) fn judge_with(
    bytes: impl std::io::Read,
    keyring: &Keyring,
    policy: &Policy,
    options: &ReadOptions,
) -> Judged {
    judge_subject(read(bytes, options, &mut Scratch::default()).unwrap(), keyring, policy)
}

/// Judges what was read.
pub(crate) fn judge_subject(subject: Subject, keyring: &Keyring, policy: &Policy) -> Judged {
    let known = Known::builtin();
    let proof = Proof { keyring, policy, known: &known };
    macro_rules! judged {
        ($judged:expr) => {{
            let judged = $judged;
            Judged {
                verdict: judged.verdict().name(),
                code: judged.reason().map_or("", |reason| reason.code()),
                message: judged.reason().map_or_else(String::new, |reason| reason.message().to_owned()),
                notes: judged.notes().iter().map(|note| note.code()).collect(),
                budget: judged.facts().budget(),
            }
        }};
    }
    match subject {
        Subject::Package(package) => judged!(verify_package(package, &proof)),
        Subject::Index(index) => judged!(verify_index(index, &proof)),
        Subject::Unknown(file) => judged!(verify_unknown(file, &proof)),
    }
}
