//! What is wanted, where it goes, and what came.

use std::io;

/// One file that is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Demand {
    /// Segments below the upstream, each a plain name; empty if the location is the file itself.
    pub path: Vec<String>,
    /// How long the file is, if that is known from a source that is trusted more than this one.
    pub size: Option<u64>,
    /// How long it may be at most; one byte more ends the transfer. Units: bytes.
    pub cap: u64,
    /// Whether caches on the way may answer.
    pub caches: Caches,
}

/// Whether caches on the way may answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Caches {
    /// They may.
    #[default]
    Allowed,
    /// They must ask the origin first: for a second try after an answer that did not fit.
    Revalidate,
}

impl Demand {
    /// A file of unknown length.
    pub fn new(path: &[&str], cap: u64) -> Self {
        let path = path.iter().map(|segment| (*segment).to_owned()).collect();
        Self { path, size: None, cap, caches: Caches::Allowed }
    }

    /// The file with the length that it must have.
    pub fn sized(self, size: u64) -> Self {
        Self { size: Some(size), ..self }
    }

    /// The same file, but not from a cache.
    pub fn revalidated(self) -> Self {
        Self { caches: Caches::Revalidate, ..self }
    }

    /// The most that may come. Units: bytes.
    pub fn bound(&self) -> u64 {
        self.size.map_or(self.cap, |size| size.min(self.cap))
    }
}

/// Where the bytes go. They are not verified yet.
pub trait Sink {
    /// Takes all of these bytes.
    ///
    /// # Errors
    /// - Whatever writing them said; the transfer ends, since no other upstream could help.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Forgets everything so far.
    ///
    /// # Errors
    /// - Whatever the truncation said.
    fn restart(&mut self) -> io::Result<()>;

    /// How many bytes there are.
    fn position(&self) -> u64;

    /// Takes note of how long the file will be, as the server says: for show alone.
    fn expect(&mut self, _total: u64) {}
}

/// Keeps everything in memory.
impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }

    fn position(&self) -> u64 {
        crate::limits::length(self)
    }
}

/// A file that arrived whole, as far as the transfer can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fetched {
    /// Which of the upstreams it came from, counted from 0.
    pub from: usize,
    /// How long it is.
    pub bytes: u64,
    /// Requests that it took, at all upstreams.
    pub requests: u32,
    /// Whether it was put together from several answers, which may be of different times.
    pub resumed: bool,
}
