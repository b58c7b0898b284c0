//! A package that is to be there, and why.

use super::universe::Candidate;

/// A package that is to be there, with the names that lead to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chosen<'a> {
    /// Which package, and the first source that has it.
    pub candidate: Candidate<'a>,
    /// Names from the request to the package: the request as it was written, then packages, each wanted by
    /// the one before it, the last being this one. A request that is just the name of the package is not
    /// repeated: `["nginx"]`, `["nginx", "pcre"]`, `["so:libssl.so.3", "libssl3"]`.
    pub why: Vec<String>,
}
