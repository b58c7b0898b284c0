//! The data members of several packages, hashed side by side.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::{Stored, Subject};
use crate::container::Scratch;
use crate::types::{LANES, Sha256Lanes};

/// Packages whose data members are hashed at the same time, each with what its caller knows it by.
///
/// Shape: packages end in an order of their own. What is said of each is what [`read`](super::read) says.
/// Units: eight at a time; others wait, with a buffer each.
#[derive(Debug)]
pub struct Abreast<R, T> {
    lanes: Sha256Lanes,
    packages: [Option<(T, Stored<R>)>; LANES],
    waiting: VecDeque<(T, Stored<R>)>,
}

/// How much of what comes to each lane one package may be.
///
/// A lane is slower than one package alone: a large one keeps it, and what waits for the result, for long.
/// Units: eighths.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share(u64);

impl Share {
    /// Where one alone is hashed by instructions for the hash, little is lost if it is.
    pub const SMALL: Self = Self(1);
    /// Where it is hashed several times as slowly, it is better in a lane, even if that ends after the others.
    pub const LARGE: Self = Self(12);

    /// Whether a package of `size` bytes is not too large for one of `lanes`, of `total` bytes in all.
    pub fn covers(self, size: u64, lanes: usize, total: u64) -> bool {
        let lanes = u64::try_from(lanes).unwrap_or(u64::MAX);
        size.saturating_mul(lanes).saturating_mul(8) <= total.saturating_mul(self.0)
    }
}

impl<R, T> Default for Abreast<R, T> {
    fn default() -> Self {
        Self { lanes: Sha256Lanes::new(), packages: Default::default(), waiting: VecDeque::new() }
    }
}

impl<R, T> Abreast<R, T> {
    /// How many are hashed at the same time.
    pub const MOST: usize = LANES;

    /// For which packages this is faster than one after the other, on this processor, if it is for any.
    pub fn pays() -> Option<Share> {
        Sha256Lanes::pay().then(|| if Sha256Lanes::has_instructions() { Share::SMALL } else { Share::LARGE })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.packages.iter().all(Option::is_none)
    }

    /// Whether one more would be hashed at once.
    pub fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.packages.iter().any(Option::is_none)
    }

    /// Takes a package in.
    pub fn add(&mut self, tag: T, package: Stored<R>) {
        self.waiting.push_back((tag, package));
        self.seat();
    }

    /// Gives those that wait the lanes that are free.
    fn seat(&mut self) {
        for (lane, place) in self.packages.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
            let Some(next) = self.waiting.pop_front() else { return };
            self.lanes.begin(lane);
            *place = Some(next);
        }
    }
}

impl<R: Read, T> Abreast<R, T> {
    /// Hashes until one of the packages has ended. None: there is none.
    ///
    /// # Errors
    /// - Beside the package whose reader failed: the error of that reader.
    pub fn next(&mut self, scratch: &mut Scratch) -> Option<(T, io::Result<Subject>)> {
        self.seat();
        while !self.is_empty() {
            for lane in 0..LANES {
                if let Some(ended) = self.ended(lane, scratch) {
                    return Some(ended);
                }
            }
            if self.step() == 0 {
                // Each that is not at its end has a block; without one this would never end.
                let (tag, package) = self.packages.iter_mut().find_map(Option::take)?;
                package.abandon(scratch);
                return Some((tag, Err(io::Error::other("no block was left to hash"))));
            }
        }
        None
    }

    /// Sees to it that a package has blocks; returns it if it has none any more.
    fn ended(&mut self, lane: usize, scratch: &mut Scratch) -> Option<(T, io::Result<Subject>)> {
        let place = self.packages.get_mut(lane)?;
        let refilled = place.as_mut()?.1.refill();
        if refilled.is_ok() && !place.as_ref()?.1.is_hashed() {
            return None;
        }
        let (tag, package) = place.take()?;
        Some(match refilled {
            Ok(()) => (tag, Ok(package.finish(self.lanes.digest(lane), scratch))),
            Err(error) => {
                package.abandon(scratch);
                (tag, Err(error))
            }
        })
    }

    /// Hashes as many blocks of each as all have, and tells how many that were.
    fn step(&mut self) -> usize {
        // A lane that is free takes what another has; nobody asks what comes of it.
        let Some((_, any)) = self.packages.iter().flatten().next() else { return 0 };
        let blocks =
            self.packages.each_ref().map(|place| place.as_ref().map_or(any, |(_, package)| package).blocks());
        let count = self.lanes.update(blocks);
        self.packages.iter_mut().flatten().for_each(|(_, package)| package.consume(count));
        count
    }
}
