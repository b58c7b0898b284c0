//! What `apk` would install, and what a mirror has to hold for it.

/// The same small universes given to `apk`.
mod apk;
/// What a mirror has to hold, and the proof of it.
mod closures;
/// Requests on the real index of Alpine 3.17.
mod facts;
/// Indexes that are made to cost time, memory or the stack.
mod hostile;
/// What holds in every universe.
mod properties;
/// Universes made from numbers.
mod random;
/// What was observed of `apk`, row by row.
mod tables;
