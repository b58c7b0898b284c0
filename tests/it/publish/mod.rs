/// A run that dies, or that the system refuses something, at each of its operations.
mod crash;
/// A directory on disk: modes, locks, things that were planted, links that appear meanwhile.
mod disk;
/// Processes that are killed, or refused something, at their system calls.
mod kill;
/// A power loss after each operation, with anything that was not synced kept or not.
mod powerloss;
/// What is deleted, and what is not.
mod pruning;
/// A client that fetches while much is published.
mod reader;
/// What may get into the pool and into a generation.
mod rules;
/// Snapshots: whole or not there, and unchanged until they are removed.
mod snapshots;
/// Two threads that bring packages at the same time, in any order of what they do.
mod threads;

/// Ends a loop of another thread, also if this one panics: nobody waits for that loop for ever then.
struct Stop<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}
