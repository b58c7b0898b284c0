//! Stores for the tests of publishing: one that can lose its power, one that fails at a chosen operation,
//! one in which two threads take turns, small runs that publish, and the checks that must hold after each of them.

mod faulty;
mod files;
mod fsck;
mod run;
mod sim;
mod state;
mod turns;

pub(crate) use faulty::{Fault, Faulty};
pub(crate) use files::{admit, index, judge, keep, key, package, prove};
pub(crate) use fsck::{NOTHING, Seen, files_below, fsck, published, spare};
pub(crate) use run::{SOON, Step, run, run_at_once, steps};
pub(crate) use sim::{SimStore, Syncs};
pub(crate) use state::{Choices, State};
pub(crate) use turns::Turns;
