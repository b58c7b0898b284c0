//! Results that come in any order, handed on in theirs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::turn::Turn;

/// Takes what threads have made, and hands it on by turns: each does so itself, since a thread for that alone would
/// have to be woken for each result.
#[derive(Debug)]
pub(super) struct Results<R, E, T>(Mutex<InOrder<R, E, T>>);

#[derive(Debug)]
struct InOrder<R, E, T> {
    waiting: BTreeMap<usize, R>,
    at: usize,
    take: T,
    outcome: Result<(), E>,
}

impl<R, E, T: FnMut(R) -> Result<(), E>> Results<R, E, T> {
    pub(super) const fn new(take: T) -> Self {
        Self(Mutex::new(InOrder { waiting: BTreeMap::new(), at: 0, take, outcome: Ok(()) }))
    }

    /// Takes a result in, and hands on all whose turn has come. False: nobody has any use for more.
    pub(super) fn put(&self, (index, result): (usize, R), turn: &Turn) -> bool {
        // Whoever panicked while results were handed on ends the program; nothing more is handed on.
        let Ok(mut results) = self.0.lock() else { return false };
        results.waiting.insert(index, result);
        results.hand_on();
        let (at, holds) = (results.at, results.outcome.is_ok());
        drop(results);
        turn.is_now(at);
        holds
    }

    /// The first error of whoever took the results.
    pub(super) fn outcome(self) -> Result<(), E> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
    }
}

impl<R, E, T: FnMut(R) -> Result<(), E>> InOrder<R, E, T> {
    fn hand_on(&mut self) {
        while self.outcome.is_ok() {
            let Some(result) = self.waiting.remove(&self.at) else { return };
            self.outcome = (self.take)(result);
            self.at += 1;
        }
    }
}
