//! A run that is held to a lock file.

use std::collections::{BTreeMap, BTreeSet};

use super::{Begun, Decided, Mirror};
use crate::mirror::fetch::Brought;
use crate::mirror::finding::Finding;
use crate::mirror::resolved::{foreign_places, hold_content, hold_selection};
use crate::mirror::state::Place;

impl Mirror<'_> {
    /// Whether the selection is the locked one, as far as that shows before anything is fetched.
    pub(super) fn hold_selection(&self, decided: &Decided<'_>) -> Result<(), Vec<Finding>> {
        let Some(lock) = &self.allowed.locked else { return Ok(()) };
        let known: BTreeSet<Place> = decided.selected.iter().map(|place| place.offer.place.clone()).collect();
        let foreign = foreign_places(lock, &known);
        if foreign.is_empty() { hold_selection(lock, &decided.selected) } else { Err(foreign) }
    }

    /// Whether what is there and what came in has the locked content.
    pub(super) fn hold_content(
        &self,
        begun: &Begun,
        decided: &Decided<'_>,
        brought: &BTreeMap<(Place, String), Brought>,
    ) -> Result<Vec<Finding>, Vec<Finding>> {
        let Some(lock) = &self.allowed.locked else { return Ok(Vec::new()) };
        let brought = brought.iter().map(|((place, _), brought)| (place, &brought.provenance));
        hold_content(lock, &decided.selected, &begun.state, brought)
    }
}
