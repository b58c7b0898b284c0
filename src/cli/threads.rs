//! How many threads a command takes.

use anyhow::anyhow;

use super::failure::Failure;

/// As many as are asked for, or as there are cores.
pub(super) fn threads(jobs: Option<usize>) -> Result<usize, Failure> {
    match jobs {
        Some(0) => Err(Failure::usage(anyhow!("-j takes a number from 1"))),
        Some(jobs) => Ok(jobs),
        None => Ok(cores()),
    }
}

/// How many there are for this process.
///
/// The system tells in several files: a look into them takes an eighth of the time of one small package.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
