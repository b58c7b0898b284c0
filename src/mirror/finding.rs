//! What a run has to tell: refusals, failures, warnings, each with what to do about it.

use std::fmt;

use super::guard::Refused;
use super::state::Place;
use crate::fault::Fault;
use crate::transport::{self, FetchError};
use crate::types::escape_all;

/// Why a run does not end well; decides the exit code.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Another run works on the tree: exit 7.
    Locked,
    /// Configuration, keys that are no keys, nothing to do: exit 2.
    Usage,
    /// A verdict other than `verified`: exit 1.
    Refused,
    /// A state that is refused: exit 6.
    State,
    /// Upstream is inconsistent: exit 5, worth a retry.
    Upstream,
    /// The network: exit 4, worth a retry.
    Network,
    /// This machine: exit 3.
    Local,
}

/// How much something matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The run is refused, or the tree does not hold.
    Error,
    /// Lifted for this run, or soon an error.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warn",
            Self::Info => "info",
        }
    }
}

/// One thing that a run has to tell.
///
/// Shape: everything that came out of a file is escaped already; addresses are without credentials.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Whose fault it is.
    pub class: Class,
    /// The stable name.
    pub code: &'static str,
    /// Which repository and architecture it is about.
    pub place: Option<Box<Place>>,
    /// Which file or package.
    pub subject: Option<String>,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Lines that show more of it.
    pub detail: Box<[String]>,
}

impl Finding {
    /// An error.
    pub fn error(class: Class, code: &'static str, message: impl fmt::Display) -> Self {
        Self {
            severity: Severity::Error,
            class,
            code,
            place: None,
            subject: None,
            message: message.to_string(),
            remedy: None,
            detail: Box::default(),
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl fmt::Display) -> Self {
        Self { severity: Severity::Warning, ..Self::error(Class::Refused, code, message) }
    }

    /// Something worth knowing.
    pub fn info(code: &'static str, message: impl fmt::Display) -> Self {
        Self { severity: Severity::Info, ..Self::error(Class::Refused, code, message) }
    }

    /// The same of a place.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        Self { place: Some(Box::new(place.clone())), ..self }
    }

    /// The same of a file or a package.
    #[must_use]
    pub fn about(self, subject: impl AsRef<str>) -> Self {
        Self { subject: Some(escape_all(subject.as_ref()).to_string()), ..self }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedied(self, remedy: Option<impl Into<String>>) -> Self {
        Self { remedy: remedy.map(Into::into), ..self }
    }

    /// A fetch that failed.
    pub fn of_fetch(error: &FetchError) -> Self {
        let class = match error.class() {
            transport::Class::Network => Class::Network,
            transport::Class::Upstream => Class::Upstream,
            transport::Class::Local => Class::Local,
        };
        Self::error(class, error.code(), chain(error)).remedied(error.remedy())
    }

    /// A file that does not hold. What differs from its index is a matter of time, and worth a retry.
    pub fn of_fault(fault: &Fault) -> Self {
        let class = if differs_from_index(fault) { Class::Upstream } else { Class::Refused };
        let message = format!("{}: {}", fault.verdict(), fault.message());
        Self::error(class, fault.code(), message).remedied(fault.remedy())
    }

    /// A state that is refused.
    pub fn of_refusal(refused: &Refused) -> Self {
        Self::error(Class::State, refused.code(), refused).remedied(Some(refused.remedy()))
    }

    /// A refusal that an override lifted.
    pub fn of_lifted(refused: &Refused) -> Self {
        Self::warning(refused.code(), format!("taken all the same, as allowed for this run: {refused}"))
    }
}

/// Place, subject and sentence in one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { repository, arch }) = self.place.as_deref() {
            write!(f, "{repository}/{arch}: ")?;
        }
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        write!(f, "{} [{}]", self.message, self.code)
    }
}

/// The worst class of some findings, in the order 7, 2, 1, 6, 5, 4, 3; none if nothing is an error.
pub fn worst(findings: &[Finding]) -> Option<Class> {
    findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.class).min()
}

fn differs_from_index(fault: &Fault) -> bool {
    let codes =
        ["not-in-index", "index-identity", "index-size", "index-name", "index-version", "index-architecture"];
    codes.contains(&fault.code())
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_error_decides_and_warnings_do_not() {
        let error = |class| Finding::error(class, "x", "y");
        assert_eq!(worst(&[]), None);
        assert_eq!(worst(&[Finding::warning("x", "y"), Finding::info("x", "y")]), None);
        let order = [Class::Locked, Class::Usage, Class::Refused, Class::State, Class::Upstream];
        let order: Vec<Class> = order.into_iter().chain([Class::Network, Class::Local]).collect();
        for pair in order.windows(2) {
            assert_eq!(worst(&[error(pair[1]), error(pair[0])]), Some(pair[0]));
        }
    }

    #[test]
    fn a_finding_says_where_and_escapes_what_it_is_about() {
        let place = Place { repository: "v3.17/main".to_owned(), arch: "aarch64".to_owned() };
        let finding = Finding::error(Class::Refused, "unsigned", "no signature").at(&place).about("a\x1b-1");
        assert_eq!(finding.to_string(), "v3.17/main/aarch64: a\\x1b-1: no signature [unsigned]");
    }
}
