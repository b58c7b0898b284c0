//! The checks, one file each. Each looks at a whole audit and adds its findings.

mod age;
mod architecture;
mod curve;
mod form;
mod identity;
mod lookalike;
mod name;
mod permission;
mod pins;
mod published;
mod relation;
mod rsa_numbers;
mod rsa_shared;
mod rsa_size;
mod scope;
mod signers;
mod usage;

use super::entry::Entry;
use super::examine::Examined;
use super::finding::{Finding, Severity};
use super::settings::{Settings, Strictness};
use super::signed::SignedObject;
use super::uses::Uses;
use crate::keys::KeyDirectory;

/// Everything that a check may look at.
pub(super) struct Audit<'a> {
    pub(super) directories: &'a [KeyDirectory],
    pub(super) entries: Vec<Entry<'a>>,
    pub(super) objects: &'a [SignedObject],
    pub(super) examined: &'a Examined,
    pub(super) settings: &'a Settings<'a>,
    pub(super) uses: Uses,
}

type Check = fn(&Audit<'_>, &mut Vec<Finding>);

/// All of them, in the order of the documentation.
pub(super) const ALL: &[Check] = &[
    form::check,
    name::check,
    permission::check,
    rsa_size::check,
    rsa_numbers::check,
    rsa_shared::check,
    published::check,
    curve::check,
    identity::check,
    lookalike::check,
    pins::check,
    relation::check,
    architecture::check,
    age::check,
    scope::check,
    usage::check,
    signers::check,
];

impl Audit<'_> {
    /// The severity of what is usual today and has to change.
    const fn changing(&self, usual: Severity) -> Severity {
        match self.settings.strictness {
            Strictness::Default => usual,
            Strictness::Strict => Severity::Warn,
        }
    }

    /// Adds a finding for each entry that the function has something to say of.
    fn each(&self, findings: &mut Vec<Finding>, check: impl Fn(&Entry<'_>) -> Option<Finding>) {
        findings.extend(self.entries.iter().filter_map(|entry| Some(check(entry)?.about(entry))));
    }
}

/// `1 key`, `2 keys`.
fn count(number: usize, noun: &str) -> String {
    match (number, noun) {
        (1, noun) => format!("1 {noun}"),
        (number, "index") => format!("{number} indexes"),
        (number, noun) => format!("{number} {noun}s"),
    }
}
