//! What ends a run at once.

use std::io;

use super::exit::Exit;
use super::output::Output;

/// An error that ends the run: its exit code, and the text to print.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    /// Wrong usage, a key that is no key, nothing to look at.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Usage, error: error.into() }
    }

    /// A file that is refused as a whole, where nothing can be said beyond that.
    pub(super) fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Refused, error: error.into() }
    }

    /// A named path that cannot be read or written.
    pub(super) fn local(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::LocalIo, error: error.into() }
    }

    /// Another run holds the lock.
    #[cfg(feature = "network")]
    pub(super) fn locked(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Locked, error: error.into() }
    }

    /// A state that is refused.
    #[cfg(feature = "network")]
    pub(super) fn state(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::State, error: error.into() }
    }

    /// A signal ended the run.
    #[cfg(feature = "network")]
    pub(super) fn signal(number: u8, told: &'static str) -> Self {
        Self { exit: Exit::Signal(number), error: anyhow::anyhow!(told) }
    }

    /// Prints the error with its chain of causes on standard error, and returns the exit code.
    pub(super) fn report(&self, output: &mut Output) -> Exit {
        if self.exit != Exit::BrokenPipe {
            output.error(&format!("{:#}", self.error));
        }
        self.exit
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// Writing our own output failed; a broken pipe is quiet.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let exit = if error.kind() == io::ErrorKind::BrokenPipe { Exit::BrokenPipe } else { Exit::LocalIo };
        Self { exit, error: anyhow::Error::new(error).context("cannot write the output") }
    }
}
