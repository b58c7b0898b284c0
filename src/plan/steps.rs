//! Work that is counted, so that no index can make it endless.

use crate::limits::{LimitReached, Limits};

/// What is left of the steps that solving may take.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    limit: u64,
    left: u64,
}

impl Steps {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limit: limits.solver_steps, left: limits.solver_steps }
    }

    /// Takes as many steps as a list has items, and one more.
    pub(super) fn take(&mut self, items: usize) -> Result<(), LimitReached> {
        let steps = u64::try_from(items).unwrap_or(u64::MAX).saturating_add(1);
        let reached = Limits::reached("solver-steps", self.limit);
        self.left = self.left.checked_sub(steps).ok_or(reached)?;
        Ok(())
    }
}
