//! What becomes visible, and what is remembered of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Begun, Decided, Mirror, Outcome};
use crate::mirror::chronicle;
use crate::mirror::fetch::{Brought, local};
use crate::mirror::finding::{Class, Finding};
use crate::mirror::next::Next;
use crate::mirror::progress::Event;
use crate::mirror::rehearse::Rehearsal;
use crate::mirror::replaced;
use crate::mirror::state::{Place, State};
use crate::publish::{Manifest, Tree};
use crate::sign::SigningKey;
use crate::types::{Digest, Sha256};

impl Mirror<'_> {
    /// Builds, rehearses, remembers, and makes visible.
    pub(super) fn publish(
        &self,
        tree: &Tree,
        signers: &[Option<&SigningKey>],
        begun: &Begun,
        decided: &Decided<'_>,
        brought: &BTreeMap<(Place, String), Brought>,
    ) -> Result<Outcome, Vec<Finding>> {
        let one = |finding| vec![finding];
        let mut findings = begun.findings.clone();
        findings.extend(decided.findings.iter().cloned());
        findings.extend(brought.values().flat_map(|brought| brought.notes.clone()));
        let next = Next {
            config: self.config,
            trusts: self.trusts,
            signers,
            selected: &decided.selected,
            brought,
            published: begun.published.as_ref(),
            broken: &begun.broken,
            limits: self.config.limits(),
            now: self.now,
        };
        let parts = next.parts().map_err(one)?;
        let outcome = |generation, published| Outcome {
            plan: decided.plan.clone(),
            findings: findings.clone(),
            generation,
            published,
        };
        let mut state = self.remembering(begun, decided, brought);
        if next.is_published(&parts) {
            tree.confirm().map_err(|error| one(local(&error)))?;
            self.write_state(tree, begun, &state).map_err(one)?;
            return Ok(outcome(begun.published.as_ref().map(Manifest::number), false));
        }
        let mut staging = tree.generation(self.now).map_err(|error| one(local(&error)))?;
        for path in
            replaced::allowed_paths(self.config, self.allowed, begun.published.as_ref(), &decided.selected)
        {
            staging.allow_replaced(path);
        }
        next.stage(tree, &mut staging, parts).map_err(one)?;
        let generation = staging.finish().map_err(|error| one(local(&error)))?;
        self.progress.event(Event::Rehearsing);
        let fresh: BTreeSet<Digest<Sha256>> =
            brought.values().map(|brought| brought.pooled.sha256()).collect();
        let key_names: Vec<Option<String>> =
            signers.iter().map(|signer| signer.map(|signer| signer.name().as_str().to_owned())).collect();
        let rehearsal = Rehearsal {
            config: self.config,
            trusts: self.trusts,
            generation: &generation,
            key_names: &key_names,
            fresh: &fresh,
            limits: self.config.limits(),
        };
        rehearsal.run(&decided.selected)?;
        let files = generation.manifest().entries().map(|entry| entry.sha256().to_string()).collect();
        state.keep_only(&files);
        chronicle::append(tree, &mut state, begun.published.as_ref(), generation.manifest(), self.now)
            .map_err(one)?;
        self.write_state(tree, begun, &state).map_err(one)?;
        let number = generation.number();
        tree.switch(generation).map_err(|error| one(local(&error)))?;
        self.progress.event(Event::Published { generation: number });
        Ok(outcome(Some(number), true))
    }

    /// What is to be remembered once this run is published.
    fn remembering(
        &self,
        begun: &Begun,
        decided: &Decided<'_>,
        brought: &BTreeMap<(Place, String), Brought>,
    ) -> State {
        let mut state = begun.state.clone();
        for offer in &begun.offers {
            let before = state.remembered(&offer.place).cloned().unwrap_or_default();
            state.remember(offer.place.clone(), before.succeeded_by(&offer.offered()));
        }
        for ((place, _), brought) in brought {
            state.prove(place.clone(), brought.provenance.clone());
        }
        for (place, formers) in &decided.remembered {
            state.drop_versions(place, formers.clone());
        }
        state
    }

    /// Writes the trust state if it says something new; on stable storage before anything becomes visible.
    fn write_state(&self, tree: &Tree, begun: &Begun, state: &State) -> Result<(), Finding> {
        if *state == begun.state {
            return Ok(());
        }
        let bytes = state.to_bytes().map_err(|error| Finding::error(Class::Local, "state", error))?;
        tree.write_document(State::DOCUMENT, &bytes).map_err(|error| local(&error))
    }
}
