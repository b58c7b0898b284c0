//! A large file on two threads: one inflates, the other checks what comes out.

use std::sync::mpsc::sync_channel;
use std::thread;

use crate::unverified::{Beside, Checks, Chunk, Inflate};

/// How many chunks may wait to be checked. Units: chunks of about 128 KiB.
const WAITING: usize = 12;

/// Has the checks of a member run on a thread of their own, while the caller's inflates.
#[derive(Debug)]
pub(super) struct Pipeline;

impl Beside for Pipeline {
    fn run(&mut self, checks: &mut Checks<'_>, inflate: &mut Inflate<'_>) {
        let (full, waiting) = sync_channel::<Chunk>(WAITING);
        let (empty, spare) = sync_channel::<Chunk>(WAITING + 2);
        thread::scope(|scope| {
            let checker = scope.spawn(move || {
                for mut chunk in waiting {
                    checks.take(&mut chunk);
                    // There is room for all chunks that there are, and nobody to take them at the very end.
                    let _ = empty.try_send(chunk);
                }
            });
            inflate(&mut |chunk| {
                let next = spare.try_recv().unwrap_or_default();
                // The checker takes chunks until there are no more; if it panics, so does `join` below.
                let _ = full.send(std::mem::replace(chunk, next));
            });
            drop(full);
            checker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        })
    }
}
