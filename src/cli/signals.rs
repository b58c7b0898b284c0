//! Signals that end a run: the first one lets it clean up, the second one does not wait.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
use super::failure::Failure;
use crate::transport::Cancel;

/// Watches for signals from the moment that it is made.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    cancel: Cancel,
    received: Arc<AtomicU8>,
    /// What is told of a run that was ended.
    told: &'static str,
}

impl Signals {
    /// Begins to watch, on a thread of its own; a signal ends the transfers of `cancel`.
    pub(super) fn watch(cancel: Cancel, told: &'static str) -> Result<Self, Failure> {
        let signals = Self { cancel, received: Arc::default(), told };
        let watching = signals.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(unwatched)?;
        let set = runtime.block_on(async { Set::new() }).map_err(unwatched)?;
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(watching.run(set)))
            .map_err(unwatched)?;
        Ok(signals)
    }

    /// What ends transfers when a signal comes.
    pub(super) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Ends the run if a signal came.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.received.load(Ordering::SeqCst) {
            0 => Ok(()),
            number => Err(Failure::signal(number, self.told)),
        }
    }

    async fn run(self, mut set: Set) {
        let first = set.next().await;
        self.received.store(first, Ordering::SeqCst);
        self.cancel.cancel();
        let second = set.next().await;
        std::process::exit(Exit::Signal(second).code().into());
    }
}

fn unwatched(error: io::Error) -> Failure {
    let what = "the run is not begun, since signals that end it would not be noticed";
    Failure::local(anyhow::Error::from(error).context(what))
}

struct Set {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Set {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            _ = self.hang_up.recv() => 1,
        }
    }
}
