use std::collections::HashSet;
use std::sync::Arc;

use apkvet::publish::Store;

use crate::harness::store::{Choices, Seen, SimStore, State, Step, Syncs, fsck, run, spare, steps};

/// How many ways to lose power at one moment are tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Up to here, all of them.
    exhaustive: usize,
    /// Beyond, so many, chosen by the seed, and those that lose all, nothing, or all but one change.
    sampled: usize,
}

pub(super) const USUAL: Effort = Effort { exhaustive: 1 << 8, sampled: 50 };
const DEEP: Effort = Effort { exhaustive: 1 << 12, sampled: 2_000 };
/// A sync that is missing shows soon.
const MUTANTS: Effort = Effort { exhaustive: 1 << 5, sampled: 20 };

/// A small generator, the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// What a power loss keeps, one way after the other.
fn ways(choices: &Choices, effort: Effort, random: &mut Random) -> Vec<(Vec<bool>, Vec<usize>)> {
    let count = choices.count();
    let way = |mut number: usize| {
        let kept = (0..choices.changes).map(|_| take(&mut number, 2) == 1).collect();
        (kept, choices.files.iter().map(|(_, contents)| take(&mut number, *contents)).collect())
    };
    if count <= effort.exhaustive {
        return (0..count).map(way).collect();
    }
    let mut sampled = |_| {
        let kept = (0..choices.changes).map(|_| random.below(2) == 1).collect();
        (kept, choices.files.iter().map(|(_, contents)| random.below(*contents)).collect())
    };
    // All and nothing, and what is between.
    let all = (vec![true; choices.changes], vec![0; choices.files.len()]);
    let none = (vec![false; choices.changes], vec![1; choices.files.len()]);
    let latest_alone = (0..choices.changes).map(|alone| {
        let kept = (0..choices.changes).map(|change| change == alone).collect();
        (kept, vec![0; choices.files.len()])
    });
    [all, none].into_iter().chain(latest_alone).chain((0..effort.sampled).map(&mut sampled)).collect()
}

/// Tries ways to lose the power at one moment.
pub(super) fn every_loss(state: &State, effort: Effort, seed: u64, mut each: impl FnMut(State)) {
    let mut known = HashSet::new();
    for (kept, contents) in ways(&state.choices(), effort, &mut Random(seed)) {
        let lost = state.after_loss(&kept, &contents);
        if known.insert(lost.hash()) {
            each(lost);
        }
    }
}

fn take(number: &mut usize, base: usize) -> usize {
    let digit = *number % base;
    *number /= base;
    digit
}

/// Tries all power losses of a run of all steps.
struct Losses {
    syncs: Syncs,
    leave_out: Option<u64>,
    effort: Effort,
    random: Random,
    tried: usize,
}

impl Losses {
    fn new(syncs: Syncs, leave_out: Option<u64>, effort: Effort, seed: u64) -> Self {
        Self { syncs, leave_out, effort, random: Random(seed), tried: 0 }
    }

    /// The first thing that does not hold.
    fn find(&mut self) -> Result<u64, String> {
        let store = SimStore::new(self.syncs);
        if let Some(sync) = self.leave_out {
            store.leave_out(sync);
        }
        let mut seen = Seen::default();
        for step in steps() {
            let before = store.state();
            store.take_history();
            run(store.shared(), step)?;
            let mut history = vec![before];
            history.extend(store.take_history());
            let mut known = HashSet::new();
            // Up to the sync that is left out nothing differs.
            let differs = |state: &State| self.leave_out.is_none_or(|sync| state.syncs > sync);
            let differing: Vec<_> = history.iter().enumerate().filter(|(_, state)| differs(state)).collect();
            for (operation, state) in differing {
                let result = self.losses(state, step, &seen, &mut known);
                result.map_err(|error| format!("step {}, operation {operation}: {error}", step.number))?;
            }
            seen.look(&*store, step.number);
            self.losses(&store.state(), step, &seen, &mut HashSet::new())?;
        }
        Ok(store.sync_calls())
    }

    fn losses(
        &mut self,
        state: &State,
        step: &Step,
        seen: &Seen,
        known: &mut HashSet<u64>,
    ) -> Result<(), String> {
        for (kept, contents) in ways(&state.choices(), self.effort, &mut self.random) {
            let lost = state.after_loss(&kept, &contents);
            if known.insert(lost.hash()) {
                self.tried += 1;
                recovers(lost, self.syncs, step, seen)?;
            }
        }
        Ok(())
    }
}

/// What is published holds at once, and a run afterwards ends as if nothing had happened.
fn recovers(state: State, syncs: Syncs, step: &Step, seen: &Seen) -> Result<(), String> {
    let store: Arc<dyn Store> = SimStore::of(state, syncs);
    fsck(&store, step, seen)?;
    run(Arc::clone(&store), step).map_err(|error| format!("the run afterwards: {error}"))?;
    let held = fsck(&store, step, seen).map_err(|error| format!("after the run afterwards: {error}"))?;
    if held != step.number {
        return Err(format!("the run afterwards publishes step {held}, not {}", step.number));
    }
    match spare(&store).first() {
        None => Ok(()),
        Some(first) => Err(format!("the run afterwards leaves {first}")),
    }
}

fn hold(syncs: Syncs, effort: Effort) {
    let seed = 0x5eed_0001;
    let mut losses = Losses::new(syncs, None, effort, seed);
    let found = losses.find();
    eprintln!("{syncs:?}: {} states after a power loss, seed {seed:#x}: {found:?}", losses.tried);
    assert!(found.is_ok(), "{found:?}");
}

#[test]
fn a_power_loss_at_any_moment_leaves_a_whole_state_if_each_file_is_synced() {
    hold(Syncs::EachFile, USUAL);
}

#[test]
fn a_power_loss_at_any_moment_leaves_a_whole_state_if_all_is_synced_together() {
    hold(Syncs::Together, USUAL);
}

#[test]
#[ignore = "takes minutes; `just crash` runs it"]
fn a_power_loss_at_any_moment_leaves_a_whole_state_with_many_more_ways_tried() {
    hold(Syncs::EachFile, DEEP);
    hold(Syncs::Together, DEEP);
}

/// Leaves out one sync after the other; each of them must be missed.
fn miss_each(syncs: Syncs) {
    let seed = 0x5eed_0002;
    let calls = Losses::new(syncs, None, MUTANTS, seed).find().unwrap();
    let unneeded: Vec<u64> =
        (0..calls).filter(|sync| Losses::new(syncs, Some(*sync), MUTANTS, seed).find().is_ok()).collect();
    eprintln!("{syncs:?}: {calls} syncs left out one by one, seed {seed:#x}; not missed: {unneeded:?}");
    assert!(calls > 0 && unneeded.is_empty(), "{unneeded:?}");
}

#[test]
fn leaving_out_any_sync_of_a_file_or_directory_is_noticed() {
    miss_each(Syncs::EachFile);
}

#[test]
fn leaving_out_any_barrier_is_noticed() {
    miss_each(Syncs::Together);
}

/// A sync that fails has lost what it was to write, though it still reads well: it must not be used again.
fn never_believes(syncs: Syncs) {
    let mut seen = Seen::default();
    let mut before = SimStore::new(syncs).state();
    for step in steps() {
        for sync in 0.. {
            let store = SimStore::of(before.clone(), syncs);
            store.fail(store.sync_calls() + sync);
            if run(store.shared(), step).is_ok() {
                assert!(sync > 3, "{sync}");
                before = store.state();
                seen.look(&*store, step.number);
                break;
            }
            run(store.shared(), step).unwrap();
            let store: Arc<dyn Store> = SimStore::of(store.state().after_full_loss(), syncs);
            assert_eq!(
                fsck(&store, step, &seen),
                Ok(step.number),
                "{syncs:?}, step {}, sync {sync}",
                step.number
            );
        }
    }
}

#[test]
fn what_a_failed_sync_has_lost_is_written_again() {
    never_believes(Syncs::EachFile);
    never_believes(Syncs::Together);
}
