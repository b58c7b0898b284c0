use std::sync::Arc;

use apkvet::publish::Store;

use crate::harness::store::{
    Fault, Faulty, NOTHING, Seen, SimStore, State, Step, Syncs, fsck, run, spare, steps,
};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// As the program does it.
const SYNCS: Syncs = Syncs::Together;

/// What is there before a step, and what clients have seen of it.
fn before(step: &Step, syncs: Syncs) -> (State, Seen) {
    let store = SimStore::new(syncs);
    let mut seen = Seen::default();
    for earlier in steps().iter().filter(|earlier| earlier.number < step.number) {
        run(store.shared(), earlier).unwrap();
        seen.look(&*store, earlier.number);
    }
    (store.state(), seen)
}

/// Runs a step with a fault, looks, runs it again without, looks, loses the power, looks; whether the first run got
/// through.
fn survives(state: State, syncs: Syncs, seen: &Seen, step: &Step, fault: Fault) -> bool {
    let sim = SimStore::of(state, syncs);
    let store = sim.shared();
    let ended_well = run(Faulty::new(Arc::clone(&store), fault), step).is_ok();
    let held = fsck(&store, step, seen).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    assert!(!ended_well || held == step.number, "{fault:?}: reported as done, but it is not");
    run(Arc::clone(&store), step).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    assert_eq!(fsck(&store, step, seen), Ok(step.number), "{fault:?}");
    assert_eq!(spare(&store), NOTHING, "{fault:?}");
    let lost: Arc<dyn Store> = SimStore::of(sim.state().after_full_loss(), syncs);
    assert_eq!(fsck(&lost, step, seen), Ok(step.number), "{fault:?}, and a power loss at the end");
    ended_well
}

fn changes(state: &State, syncs: Syncs, step: &Step) -> u64 {
    let faulty = Faulty::new(SimStore::of(state.clone(), syncs), Fault::None);
    run(faulty.shared(), step).unwrap();
    faulty.changes()
}

#[test]
fn a_run_that_dies_at_any_operation_leaves_a_whole_state_and_the_next_one_ends_well() {
    for syncs in [Syncs::EachFile, Syncs::Together] {
        for step in steps() {
            let (state, seen) = before(step, syncs);
            let changes = changes(&state, syncs, step);
            for at in 0..changes {
                assert!(!survives(state.clone(), syncs, &seen, step, Fault::Kill(at)), "{at} of {changes}");
            }
            assert!(survives(state, syncs, &seen, step, Fault::Kill(changes)));
        }
    }
}

#[test]
fn an_error_of_any_operation_leaves_a_whole_state_and_the_next_run_ends_well() {
    for step in steps() {
        let (state, seen) = before(step, SYNCS);
        for at in 0..changes(&state, SYNCS, step) {
            for fault in [Fault::Error(at, EIO), Fault::Error(at, ENOSPC), Fault::Full(at)] {
                survives(state.clone(), SYNCS, &seen, step, fault);
            }
        }
    }
}

#[test]
fn a_second_death_during_the_run_afterwards_changes_nothing() {
    for step in steps() {
        let (state, seen) = before(step, SYNCS);
        let changes = changes(&state, SYNCS, step);
        for first in (0..changes).step_by(5) {
            let store = SimStore::of(state.clone(), SYNCS);
            run(Faulty::new(store.shared(), Fault::Kill(first)), step).unwrap_err();
            let state = store.state();
            for second in (0..changes).step_by(7) {
                survives(state.clone(), SYNCS, &seen, step, Fault::Kill(second));
            }
        }
    }
}
