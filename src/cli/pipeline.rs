//! A large file on two threads: one inflates, the other checks what comes out.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::unverified::{Beside, Checks, Chunk, Inflate};

/// How many chunks are handed over at once: the checks are faster than inflating, and a thread that has nothing to do
/// would have to be woken for each. Units: chunks of 128 KiB that came out, and up to 64 KiB of stored bytes.
const BATCH: usize = 4;
/// How many batches may wait to be checked.
const WAITING: usize = 2;

/// Has the checks of a member run on a thread of their own, while the caller's inflates.
#[derive(Debug)]
pub(super) struct Pipeline;

impl Beside for Pipeline {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        let (full, waiting) = sync_channel(WAITING);
        let (empty, spare) = channel();
        let checks = Mutex::new(checks);
        let shared = &checks;
        let work = move || check(shared, waiting, &empty);
        thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, work) {
            Ok(checker) => {
                hand_over(inflate, full, &spare);
                checker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            }
            // Where the system has no more threads, this one does both.
            Err(_) => {
                let mut checks = checks.lock().unwrap_or_else(PoisonError::into_inner);
                inflate(&mut |chunk| checks.take(chunk));
            }
        })
    }
}

/// Inflates, and hands on what comes out in batches, until that is all.
fn hand_over(inflate: &mut Inflate<'_>, full: SyncSender<Vec<Chunk>>, spare: &Receiver<Vec<Chunk>>) {
    let (mut batch, mut empty) = (Vec::new(), Vec::new());
    inflate(&mut |chunk| {
        if empty.is_empty() {
            empty = spare.try_recv().unwrap_or_default();
        }
        let next = empty.pop().unwrap_or_default();
        batch.push(std::mem::replace(chunk, next));
        if batch.len() >= BATCH {
            // The checker takes all that come; if it panics, so does whoever joins it.
            let _ = full.send(std::mem::take(&mut batch));
        }
    });
    let _ = full.send(batch);
}

/// Checks what comes, until there is no more, and gives the chunks back.
fn check(checks: &Mutex<&mut Checks<'_>>, waiting: Receiver<Vec<Chunk>>, empty: &Sender<Vec<Chunk>>) {
    let mut checks = checks.lock().unwrap_or_else(PoisonError::into_inner);
    for mut batch in waiting {
        batch.iter_mut().for_each(|chunk| checks.take(chunk));
        // At the very end nobody needs them.
        let _ = empty.send(batch);
    }
}
