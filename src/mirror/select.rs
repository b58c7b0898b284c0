//! The third step: what of the offered indexes is wanted, with everything that it needs, and the proof of that.

use std::collections::BTreeSet;
use std::path::Path;

use super::config::{Closure, Config, IndexKind, Repository, WORLD};
use super::finding::{Class, Finding};
use super::next::{folders, path};
use super::offer::Offer;
use crate::index::{Index, Record};
use crate::limits::Limits;
use crate::plan::{
    self, Candidate, Chosen, PlanError, Request, Source, Universe, Unproven, World, prove, providers, solve,
    solved,
};
use crate::publish::StorePath;
use crate::types::Architecture;

/// What goes into the index of one place.
#[derive(Debug)]
pub struct Selected<'a> {
    /// What upstream offers there.
    pub offer: &'a Offer,
    /// What of it, in the order of its index.
    pub chosen: Vec<Chosen<'a>>,
    /// Versions that upstream dropped and that stay listed, after the others.
    pub retained: Vec<Chosen<'a>>,
    /// Versions that upstream dropped and whose files stay without being listed.
    pub unlisted: Vec<Record<'a>>,
}

impl<'a> Selected<'a> {
    const fn of(offer: &'a Offer) -> Self {
        Self { offer, chosen: Vec::new(), retained: Vec::new(), unlisted: Vec::new() }
    }

    /// What the index lists, in its order.
    pub fn listed(&self) -> impl Iterator<Item = &Chosen<'a>> {
        self.chosen.iter().chain(&self.retained)
    }
}

impl Selected<'_> {
    /// The paths of what is kept without being listed, however long that takes.
    pub(super) fn unlisted_paths(&self) -> impl Iterator<Item = StorePath> {
        let offer = self.offer;
        self.unlisted.iter().flat_map(move |record| {
            let file = record.file_name();
            let folders = folders(record, &offer.architecture).into_iter();
            folders.filter_map(move |folder| path(&offer.place.repository, folder, &file).ok())
        })
    }
}

/// What a group chose of what upstream offers, not proven yet.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) places: Vec<Selected<'a>>,
    pub(super) notes: Vec<Finding>,
    /// Everything that upstream offers.
    pub(super) universe: Universe<'a>,
    /// What clients shall be able to have.
    pub(super) worlds: Vec<World>,
}

/// What is asked of all repositories of a set and an architecture.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Closed over all providers.
    pub(super) providers: Vec<Request>,
    /// Solved as apk does.
    pub(super) solved: Vec<World>,
    /// Every world that clients shall be able to have.
    pub(super) worlds: Vec<World>,
}

/// The offers of one set and one architecture, in the order of the repositories.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) set: &'a str,
    pub(super) architecture: &'a Architecture,
    pub(super) members: Vec<Member<'a>>,
}

/// One repository of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) repository: &'a Repository,
    pub(super) offer: &'a Offer,
    /// Its entries as far as they count here.
    pub(super) index: &'a Index,
}

impl<'a> Group<'a> {
    /// Groups offers, each with the index that counts for it.
    pub(super) fn all(config: &'a Config, offers: &'a [Offer], indexes: &'a [Option<Index>]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (offer, index) in offers.iter().zip(indexes) {
            let Some(repository) = config.repositories().get(offer.repository) else { continue };
            let index = index.as_ref().unwrap_or_else(|| offer.index());
            let member = Member { repository, offer, index };
            let same =
                |group: &&mut Self| group.set == repository.set && *group.architecture == offer.architecture;
            match groups.iter_mut().find(same) {
                Some(group) => group.members.push(member),
                None => groups.push(Self {
                    set: &repository.set,
                    architecture: &offer.architecture,
                    members: vec![member],
                }),
            }
        }
        groups
    }

    /// Chooses and closes.
    ///
    /// # Errors
    /// - What cannot be asked or found.
    pub(super) fn choose(&self, limits: &Limits) -> Result<Choice<'a>, Vec<Finding>> {
        let members = self.members.iter();
        let asked = asked(members.map(|member| (member.offer.repository, member.repository)))?;
        let failed = |error: PlanError| vec![self.unplanned(&error)];
        let universe = Universe::new(self.architecture, self.sources(), limits).map_err(failed)?;
        let mut chosen: Vec<Chosen<'a>> = Vec::new();
        let mut notes = Vec::new();
        let closures = [
            (!asked.providers.is_empty()).then(|| providers(&universe, &asked.providers, limits)),
            (!asked.solved.is_empty()).then(|| solved(&universe, &asked.solved, limits)),
        ];
        for closure in closures.into_iter().flatten() {
            let closure = closure.map_err(failed)?;
            notes.extend(closure.left_out.iter().map(|left| self.left_out(left)));
            for candidate in closure.chosen {
                if !chosen.iter().any(|known| known.candidate == candidate.candidate) {
                    chosen.push(candidate);
                }
            }
        }
        Ok(Choice { places: self.places(chosen), notes, universe, worlds: asked.worlds })
    }

    fn sources(&self) -> Vec<Source<'a>> {
        let source = |member: &Member<'a>| Source {
            repository: member.offer.repository,
            index: member.index,
            tag: member.repository.tag.as_deref(),
        };
        self.members.iter().map(source).collect()
    }

    /// The choice of each place: all of a whole repository, and of the others what was chosen.
    fn places(&self, chosen: Vec<Chosen<'a>>) -> Vec<Selected<'a>> {
        let mut places: Vec<Selected<'a>> =
            self.members.iter().map(|member| Selected::of(member.offer)).collect();
        for one in chosen {
            if let Some(place) = places.get_mut(one.candidate.source) {
                place.chosen.push(one);
            }
        }
        for ((source, member), place) in self.members.iter().enumerate().zip(&mut places) {
            if member.repository.index_kind == IndexKind::Upstream {
                place.chosen = whole(source, member);
            } else {
                place.chosen.sort_by_key(|chosen| chosen.candidate.record.line());
            }
        }
        places
    }

    /// Each world gives on what is published what it gives on the whole; `retained` is listed as well, each
    /// with the number of its member.
    pub(super) fn prove(
        &self,
        choice: &Choice<'a>,
        retained: &[(usize, Record<'a>)],
        limits: &Limits,
    ) -> Result<(), Unproven> {
        let indexes = self.indexes(choice, retained);
        let subset = self.published(&indexes, limits)?;
        prove(&choice.universe, &subset, &choice.worlds, limits)
    }

    /// The index of each member as clients will see it.
    pub(super) fn indexes(&self, choice: &Choice<'a>, retained: &[(usize, Record<'a>)]) -> Vec<Index> {
        let of = |(at, place): (usize, &Selected<'a>)| {
            let chosen = place.chosen.iter().map(|chosen| chosen.candidate.record);
            let retained = retained.iter().filter(|(place, _)| *place == at).map(|(_, record)| *record);
            subset(chosen.chain(retained))
        };
        choice.places.iter().enumerate().map(of).collect()
    }

    /// What clients can choose from.
    pub(super) fn published<'i>(
        &self,
        indexes: &'i [Index],
        limits: &Limits,
    ) -> Result<Universe<'i>, PlanError>
    where
        'a: 'i,
    {
        let sources = self.members.iter().zip(indexes).map(|(member, index)| Source {
            repository: member.offer.repository,
            index,
            tag: member.repository.tag.as_deref(),
        });
        Universe::new(self.architecture, sources, limits)
    }

    /// What is not proven, as it is told.
    pub(super) fn unproven(&self, unproven: Unproven) -> Vec<Finding> {
        match unproven {
            Unproven::Plan(error) => vec![self.unplanned(&error)],
            Unproven::Worlds(unsolved) => unsolved
                .iter()
                .map(|world| self.finding(Class::Refused, "unproven", &world.to_string()))
                .collect(),
        }
    }

    pub(super) fn unplanned(&self, error: &PlanError) -> Finding {
        let code = match error {
            PlanError::Limit(_) => "limit",
            PlanError::Unsolved(_) => "unsolved",
            PlanError::NoMatch { .. } => "no-match",
            _ => "plan",
        };
        self.finding(Class::Refused, code, &error.to_string())
    }

    fn left_out(&self, left: &plan::LeftOut<'a>) -> Finding {
        let why = left.why.join(" -> ");
        let message = format!("left out, since clients could not install it: {why}");
        let finding = Finding::info("left-out", message).about(left.candidate.record.label());
        match self.members.get(left.candidate.source) {
            Some(member) => finding.at(&member.offer.place),
            None => finding,
        }
    }

    fn finding(&self, class: Class, code: &'static str, message: &str) -> Finding {
        let names: Vec<&str> = self.members.iter().map(|member| member.repository.name.as_str()).collect();
        let about = format!("{} for {}", names.join(" with "), self.architecture.as_str());
        Finding::error(class, code, message).about(about)
    }
}

/// What repositories of one set ask for.
pub(super) fn asked<'r>(
    repositories: impl Iterator<Item = (usize, &'r Repository)>,
) -> Result<Asked, Vec<Finding>> {
    let mut asked = Asked::default();
    for (number, repository) in repositories {
        let selection = &repository.selection;
        for text in &selection.requests {
            let world = world(text, number, repository).map_err(|finding| vec![finding])?;
            match selection.closure {
                Closure::Providers => asked.providers.extend(world.requests().iter().cloned()),
                Closure::Solved => asked.solved.push(world.clone()),
            }
            if !asked.worlds.contains(&world) {
                asked.worlds.push(world);
            }
        }
    }
    let mut seen = BTreeSet::new();
    asked.providers.retain(|request| seen.insert(request.clone()));
    Ok(asked)
}

/// Everything in an index, each for itself.
fn whole<'a>(source: usize, member: &Member<'a>) -> Vec<Chosen<'a>> {
    let repository = member.offer.repository;
    let chosen = |record: Record<'a>| Chosen {
        candidate: Candidate { source, repository, record },
        why: vec![record.name().to_owned()],
    };
    member.index.records().map(chosen).collect()
}

/// The index that clients will see.
fn subset<'r>(records: impl Iterator<Item = Record<'r>>) -> Index {
    let text: String = records.flat_map(|record| [record.as_str().trim_end_matches('\n'), "\n\n"]).collect();
    // The entries passed the grammar when their index was read.
    Index::read_leniently(text.into_bytes())
}

/// What one word of a selection asks for.
fn world(text: &str, number: usize, repository: &Repository) -> Result<World, Finding> {
    let failed = |class, code, error: &dyn std::fmt::Display| {
        Finding::error(class, code, error).about(format!("{}, select", repository.name))
    };
    let Some(file) = text.strip_prefix(WORLD) else {
        let request = Request::parse(text).map_err(|error| failed(Class::Usage, "request", &error))?;
        // `*` means everything of this repository, not of all that clients use with it.
        return Ok(World::from(request.within(number)));
    };
    let bytes = super::read_text(Path::new(file)).map_err(|error| {
        failed(Class::Local, "world", &format!("{}: {error}", crate::types::escape_all(file)))
    })?;
    World::parse(&bytes).map_err(|error| {
        failed(Class::Usage, "world", &format!("{}, {error}", crate::types::escape_all(file)))
    })
}

/// Why a version could not be installed from what there is; none if it could, or if nobody can ask for it.
pub(super) fn uninstallable(
    universe: &Universe<'_>,
    record: &Record<'_>,
    tag: Option<&str>,
    limits: &Limits,
) -> Option<String> {
    let tag = tag.map(|tag| format!("@{tag}")).unwrap_or_default();
    // apk takes no version outside the grammar from people.
    let request = Request::parse(&format!("{}{tag}={}", record.name(), record.version())).ok()?;
    match solve(universe, &[request], limits) {
        Ok(solution) => {
            let found =
                solution.chosen.iter().any(|chosen| chosen.candidate.record.identity() == record.identity());
            (!found).then(|| "another package answers to its name and version".to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}
