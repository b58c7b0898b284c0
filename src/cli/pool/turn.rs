//! Whose turn it is, and how far ahead others may be.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many results may wait for an earlier one to be finished. Units: results.
pub(super) const AHEAD: usize = 1024;

/// The item whose result is taken next.
#[derive(Debug, Default)]
pub(super) struct Turn {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    at: usize,
    /// How many threads wait: waking nobody would cost a call of the system for each result.
    waiting: usize,
}

impl Turn {
    /// Turns never go back.
    pub(super) fn is_now(&self, at: usize) {
        let mut state = self.lock();
        state.at = at.max(state.at);
        let waiting = state.waiting;
        drop(state);
        if waiting > 0 {
            self.moved.notify_all();
        }
    }

    /// Waits until few enough results have to be kept until it is this item's turn.
    pub(super) fn wait_until_near(&self, index: usize) {
        let mut state = self.lock();
        state.waiting += 1;
        while is_far(state.at, index) {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
    }

    /// Whether nobody would have to wait.
    pub(super) fn is_near(&self, index: usize) -> bool {
        !is_far(self.lock().at, index)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets all wait no longer once it is dropped.
#[derive(Debug)]
pub(super) struct Open<'t>(pub(super) &'t Turn);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.is_now(usize::MAX);
    }
}

const fn is_far(at: usize, index: usize) -> bool {
    at.saturating_add(AHEAD) <= index
}
