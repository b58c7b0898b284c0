//! What is wanted, and what that means for the tree.

use std::collections::BTreeSet;

use super::former::Shared;
use super::retain::Remembered;
use super::{Begun, Decided, Mirror, package_path};
use crate::mirror::Severity;
use crate::mirror::config::{PackageSignatures, Waiver};
use crate::mirror::finding::{Class, Finding};
use crate::mirror::label;
use crate::mirror::owners::confusions;
use crate::mirror::replaced;
use crate::mirror::select::{Group, Selected};
use crate::mirror::state::{Place, Provenance, State};
use crate::plan::{Held, Plan, Wanted};
use crate::publish::StorePath;

impl Mirror<'_> {
    /// Chooses, closes, proves, and compares with what is published.
    pub(super) fn decide<'b>(&self, begun: &'b Begun) -> Result<Decided<'b>, Vec<Finding>>
    where
        Self: 'b,
    {
        let limits = self.config.limits();
        let (mut choices, mut findings, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        let mut shared = Shared::default();
        for group in Group::all(self.config, &begun.offers, &begun.counting) {
            match group.choose(limits) {
                Ok(choice) => {
                    failed.extend(confusions(self.config, &group, &choice.places));
                    shared.note(&choice);
                    choices.push((group, choice));
                }
                Err(errors) => failed.extend(errors),
            }
        }
        let (mut selected, mut remembered) = (Vec::new(), Remembered::new());
        for (group, mut choice) in choices {
            match self.retain(begun, &group, &mut choice, &shared) {
                Ok((formers, told)) => {
                    remembered.extend(formers);
                    findings.extend(choice.notes);
                    findings.extend(told);
                    selected.extend(choice.places);
                }
                Err(errors) => failed.extend(errors),
            }
        }
        if !failed.is_empty() {
            return Err(failed);
        }
        // The order of the configuration, whatever the sets are.
        let order =
            |place: &Selected<'_>| begun.offers.iter().position(|offer| offer.place == place.offer.place);
        selected.sort_by_key(order);
        if selected.iter().all(|place| place.chosen.is_empty()) {
            let message = "nothing is selected: the mirror would be empty";
            return Err(vec![Finding::error(Class::Usage, "empty", message)]);
        }
        let plan = self.planned(begun, &selected);
        let replaced =
            replaced::find(self.config, self.allowed, begun.published.as_ref(), &begun.state, &selected);
        let (errors, told): (Vec<_>, Vec<_>) =
            replaced.into_iter().partition(|finding| finding.severity == Severity::Error);
        if !errors.is_empty() {
            return Err(errors);
        }
        findings.extend(told);
        Ok(Decided { selected, plan, remembered, findings })
    }

    fn planned(&self, begun: &Begun, selected: &[Selected<'_>]) -> Plan {
        let wanted = selected.iter().flat_map(|place| {
            let Place { repository, arch } = &place.offer.place;
            place.listed().map(move |chosen| Wanted { repository, arch, chosen })
        });
        let retained: BTreeSet<StorePath> = selected
            .iter()
            .flat_map(|place| place.retained.iter().map(move |chosen| (place, chosen.candidate.record)))
            .filter_map(|(place, record)| package_path(&place.offer.place, &record.file_name()))
            .collect();
        let entries = begun.published.iter().flat_map(|manifest| manifest.entries());
        let entries = entries.filter(|entry| !begun.broken.contains(entry.path()));
        let held = entries.filter_map(|entry| {
            // What is retained was looked at already, and may come back to the index from its grace period.
            if retained.contains(entry.path()) {
                return label::read_package(entry);
            }
            label::held(entry).filter(|held| self.is_proven(&begun.state, held))
        });
        Plan::new(wanted, held)
    }

    /// Whether the proof of a package that is there is as good as what is demanded today.
    fn is_proven(&self, state: &State, held: &Held) -> bool {
        let place = Place { repository: held.repository.clone(), arch: held.arch.clone() };
        if !self.config.repositories().iter().any(|known| known.name == held.repository) {
            // What is in no configuration any more is dropped, whatever its proof.
            return true;
        }
        let proof = state.proof(&place, &format!("{}-{}", held.name, held.version));
        proof.is_some_and(|proof| proof.identity == held.identity && self.is_enough(&place, proof))
    }

    /// Whether a proof is as good as what its repository demands today.
    pub(super) fn is_enough(&self, place: &Place, proof: &Provenance) -> bool {
        let at = self.config.repositories().iter().position(|known| known.name == place.repository);
        let settings = at.and_then(|at| Some((self.config.repositories().get(at)?, self.trusts.get(at)?)));
        let Some((repository, trust)) = settings else { return false };
        let signed = !checked!("proof-key")
            || proof.via == "signature+index" && proof.keys.iter().any(|key| trust.holds(key));
        let deep = !checked!("proof-level") || proof.level == "full" || repository.level.name() == "identity";
        let waived = !checked!("proof-waived")
            || proof.waived.as_ref().is_none_or(|code| {
                let same = |waiver: &&Waiver| waiver.code == *code && waiver.sha256 == proof.sha256;
                repository.waivers.iter().any(|waiver| same(&waiver))
            });
        deep && waived && (signed || repository.package_signatures != PackageSignatures::Required)
    }
}
