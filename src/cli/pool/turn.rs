//! Whose turn it is, and how far ahead others may be.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

/// How many results may wait for an earlier one to be finished. Units: results.
pub(super) const AHEAD: usize = 1024;

/// The item whose result is taken next.
#[derive(Debug, Default)]
pub(super) struct Turn {
    at: Mutex<usize>,
    moved: Condvar,
}

impl Turn {
    /// Turns never go back.
    pub(super) fn is_now(&self, at: usize) {
        let mut now = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *now = at.max(*now);
        drop(now);
        self.moved.notify_all();
    }

    /// Waits until few enough results have to be kept until it is this item's turn.
    pub(super) fn wait_until_near(&self, index: usize) {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.moved.wait_while(at, |at| is_far(*at, index)).unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether nobody would have to wait.
    pub(super) fn is_near(&self, index: usize) -> bool {
        !is_far(*self.at.lock().unwrap_or_else(PoisonError::into_inner), index)
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

/// Results that come in any order, handed on in theirs.
#[derive(Debug)]
pub(super) struct InOrder<R> {
    waiting: BTreeMap<usize, R>,
    at: usize,
}

impl<R> InOrder<R> {
    pub(super) const fn new() -> Self {
        Self { waiting: BTreeMap::new(), at: 0 }
    }

    /// Takes a result in, and hands on all whose turn has come.
    pub(super) fn put<E>(
        &mut self,
        (index, result): (usize, R),
        turn: &Turn,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        self.waiting.insert(index, result);
        while let Some(result) = self.waiting.remove(&self.at) {
            take(result)?;
            self.at += 1;
        }
        turn.is_now(self.at);
        Ok(())
    }
}
