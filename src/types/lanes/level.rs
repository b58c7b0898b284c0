//! The instructions that a processor has.

use super::Work;
use super::plain::Plain;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// The best vectors of this processor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    /// None that are used here.
    Plain,
    #[cfg(target_arch = "x86_64")]
    Vectors(x86::Vectors),
}

impl Level {
    pub(super) fn new() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(vectors) = x86::Vectors::best() {
            return Self::Vectors(vectors);
        }
        Self::Plain
    }

    /// Whether hashing side by side is faster than the best that there is for one text after another.
    pub(super) fn pays(self) -> bool {
        match self {
            Self::Plain => false,
            #[cfg(target_arch = "x86_64")]
            Self::Vectors(vectors) => vectors.pay(),
        }
    }

    pub(super) fn run(self, work: impl Work) {
        match self {
            Self::Plain => work.run(Plain),
            #[cfg(target_arch = "x86_64")]
            Self::Vectors(vectors) => vectors.run(work),
        }
    }

    /// All that this processor has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = x86::Vectors::all().into_iter().map(Self::Vectors);
        #[cfg(not(target_arch = "x86_64"))]
        let vectors = std::iter::empty();
        std::iter::once(Self::Plain).chain(vectors).collect()
    }
}
