//! Answers whether atoms are satisfied, within a bound of work.

use std::collections::HashMap;

use super::providers::Providers;
use crate::limits::{LimitReached, Limits};
use crate::types::{Dependency, escape};

/// How many provided versions a message names.
const NAMED: usize = 3;
/// Comparisons for each atom that the limit allows; real indexes need less than one.
const COMPARISONS: u64 = 8;

/// Answers each distinct atom once, within a bound of work.
#[derive(Debug)]
pub(super) struct Resolver<'p, 'a> {
    providers: &'p Providers<'a>,
    answers: HashMap<&'a str, bool>,
    limit: u64,
    left: u64,
}

impl<'p, 'a> Resolver<'p, 'a> {
    pub(super) fn new(providers: &'p Providers<'a>, limits: &Limits) -> Self {
        let limit = limits.index_atoms;
        Self { providers, answers: HashMap::new(), limit, left: limit.saturating_mul(COMPARISONS) }
    }

    /// Whether something satisfies an atom, its `!` left aside.
    pub(super) fn is_satisfied(&mut self, atom: Dependency<'a>) -> Result<bool, LimitReached> {
        if let Some(answer) = self.answers.get(atom.as_str()) {
            return Ok(*answer);
        }
        let mut answer = false;
        for provider in self.providers.named(atom.name()) {
            self.left = self.left.checked_sub(1).ok_or_else(|| Limits::reached("index-atoms", self.limit))?;
            if provider.satisfies(&atom) {
                answer = true;
                break;
            }
        }
        self.answers.insert(atom.as_str(), answer);
        Ok(answer)
    }

    /// Whether anything answers to a name at all.
    pub(super) fn is_provided(&self, name: &str) -> bool {
        !self.providers.named(name).is_empty()
    }

    /// The versions under which a name is provided, for a message.
    pub(super) fn versions(&self, name: &str) -> String {
        let providers = self.providers.named(name);
        let version =
            |version: Option<&str>| version.map_or_else(|| "no version".into(), |v| escape(v).to_string());
        let mut named: Vec<String> =
            providers.iter().take(NAMED).map(|provider| version(provider.version())).collect();
        if providers.len() > NAMED {
            named.push(format!("{} more", providers.len() - NAMED));
        }
        named.join(", ")
    }
}
