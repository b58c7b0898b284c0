//! What is wanted, and what that means for the tree.

use super::{Begun, Decided, Mirror};
use crate::mirror::Severity;
use crate::mirror::config::{PackageSignatures, Waiver};
use crate::mirror::finding::{Class, Finding};
use crate::mirror::label;
use crate::mirror::owners::confusions;
use crate::mirror::replaced;
use crate::mirror::select::{Group, Selected};
use crate::mirror::state::{Place, State};
use crate::plan::{Held, Plan, Wanted};

impl Mirror<'_> {
    /// Chooses, closes, proves, and compares with what is published.
    pub(super) fn decide<'b>(&self, begun: &'b Begun) -> Result<Decided<'b>, Vec<Finding>>
    where
        Self: 'b,
    {
        let (mut selected, mut findings, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for group in Group::all(self.config, &begun.offers, &begun.counting) {
            match group.select(self.config.limits()) {
                Ok((places, notes)) => {
                    failed.extend(confusions(self.config, &group, &places));
                    selected.extend(places);
                    findings.extend(notes);
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
        Ok(Decided { selected, plan, findings })
    }

    fn planned(&self, begun: &Begun, selected: &[Selected<'_>]) -> Plan {
        let wanted = selected.iter().flat_map(|place| {
            let Place { repository, arch } = &place.offer.place;
            place.chosen.iter().map(move |chosen| Wanted { repository, arch, chosen })
        });
        let entries = begun.published.iter().flat_map(|manifest| manifest.entries());
        let entries = entries.filter(|entry| !begun.broken.contains(entry.path()));
        let held = entries.filter_map(label::held).filter(|held| self.is_proven(&begun.state, held));
        Plan::new(wanted, held)
    }

    /// Whether the proof of a package that is there is as good as what is demanded today.
    fn is_proven(&self, state: &State, held: &Held) -> bool {
        let place = Place { repository: held.repository.clone(), arch: held.arch.clone() };
        let Some(at) = self.config.repositories().iter().position(|known| known.name == held.repository)
        else {
            // What is in no configuration any more is dropped, whatever its proof.
            return true;
        };
        let (Some(repository), Some(trust)) = (self.config.repositories().get(at), self.trusts.get(at))
        else {
            return false;
        };
        let Some(proof) = state.proof(&place, &format!("{}-{}", held.name, held.version)) else {
            return false;
        };
        let signed = proof.via == "signature+index" && proof.keys.iter().any(|key| trust.holds(key));
        let deep = proof.level == "full" || repository.level.name() == "identity";
        let waived = proof.waived.as_ref().is_none_or(|code| {
            let same = |waiver: &&Waiver| waiver.code == *code && waiver.sha256 == proof.sha256;
            repository.waivers.iter().any(|waiver| same(&waiver))
        });
        let enough = signed || repository.package_signatures != PackageSignatures::Required;
        proof.identity == held.identity && deep && waived && enough
    }
}
