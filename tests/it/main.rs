//! The integration tests, one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "a test that is not as expected has to stop, helpers of tests too"
)]

mod harness;

/// Data of several packages hashed side by side: the same is said of each as of one alone.
mod abreast;
/// Rules that other rules hide, each on its own.
mod alone;
/// Key directories audited: expected results, odd directories, flags, exit codes.
mod audit;
/// Small files that want to become large ones, and what refusing them costs.
mod bombs;
/// An index that speaks for its packages, as far as that is chosen.
mod by_index;
/// The program as a user runs it: words, JSON, exit codes.
mod cli;
/// What two builds of one package differ in.
mod compare;
/// The generated cases of `../shared/corpus/v2`, each with the verdict that it must get.
mod corpus;
/// Every file on which apkvet and apk differ has its row in the documentation.
mod differences;
/// Other programs on what is verified: Python, openssl, apk.
mod differential;
/// Every bit flipped, every length, every byte taken out or put in.
mod exhaustive;
/// Files that are fetched, and appear only if they hold.
#[cfg(feature = "network")]
mod fetch;
/// The repository under `fixtures/`.
mod fixtures;
/// Indexes listed, asked and compared.
mod index_ask;
/// Indexes made from packages.
#[cfg(feature = "aws-lc")]
mod index_build;
/// Indexes checked: text, entries, packages.
mod index_check;
/// How much memory verifying a large index takes.
#[cfg(target_os = "linux")]
mod index_memory;
/// Keys listed, shown, compared and pinned.
mod keys;
/// Indexes that are made here, and signed.
#[cfg(feature = "aws-lc")]
mod made;
/// How much memory the program takes at most.
mod memory;
/// A mirror: what it takes, what it refuses, what it publishes.
#[cfg(feature = "network")]
mod mirror;
/// Changes that mean something, in files that are unsigned, signed before, or signed anew.
mod mutants;
/// The order of the modules.
mod order;
/// Keys that count only where a pin file says so.
mod pins;
/// Each test that `SECURITY.md` names exists.
mod promises;
/// Publishing: what is served stays whole, whatever happens.
#[cfg(feature = "network")]
mod publish;
/// The real files of `../shared/real`, each with the verdict that it must get.
mod real;
/// Every code of a refusal, with the words that are said.
mod refusals;
/// What must hold for any input: seeds, what fuzzing kept, and small changes of both.
#[cfg(feature = "network")]
mod replay;
/// Each check that can be left out on purpose has a test that fails without it.
mod sabotage;
/// Several signatures in one file.
mod signatures;
/// What is chosen for requests, and why.
mod solver;
/// Reading in two stages, as large files are read.
mod stages;
/// Files fetched from servers and folders that are healthy, slow, cut, lying, or away.
#[cfg(feature = "network")]
mod transport;
/// How much work an input makes.
/// Work that grows no faster than the input.
mod work;
