//! Holds a package against its entry in a verified index.

use std::ops::Range;

use crate::fault::{Fault, Rank, Verdict};
use crate::index::{Index, Record};
use crate::package::PkgInfo;
use crate::types::{Identity, escape};
use crate::unverified::{IndexClaims, PackageClaims};

use super::judge::Judgement;
use super::witness::{Evidence, Verified, Via};

/// The entries of a verified index, ready for look-ups.
///
/// Trust: made from proof alone.
#[derive(Debug)]
pub struct IndexEntries {
    index: Index,
    evidence: Evidence,
}

impl IndexEntries {
    /// Takes an index whose text was kept; none if it was not.
    pub fn new(index: Verified<IndexClaims>) -> Option<Self> {
        let evidence = index.evidence().clone();
        let index = Index::from_report(index.into_value().body.report).ok()?;
        Some(Self { index, evidence })
    }

    /// The index itself.
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// The entry that a package belongs to: by identity, then by name and version, then by name alone.
    fn find(&self, identity: &Identity, info: &PkgInfo) -> Option<Record<'_>> {
        let fits = |record: &Record<'_>| record.architecture() == Some(info.architecture());
        let same = || {
            // One index may hold a version for several architectures.
            let records = || self.index.versioned(info.name(), info.version());
            records().find(fits).or_else(|| records().next())
        };
        self.index.identified(identity).or_else(same).or_else(|| self.index.named(info.name()).next())
    }
}

/// A judged package that is the one that its index names.
///
/// Trust: made by [`hold`] alone, after every comparison; nothing else can give evidence by index.
#[must_use]
pub(super) struct Matched<'i> {
    judged: Judgement<PackageClaims>,
    entries: &'i IndexEntries,
}

impl<'i> Matched<'i> {
    /// The package, and what the index says for it and for no other.
    pub(super) fn into_parts(self) -> (Judgement<PackageClaims>, Voucher<'i>) {
        (self.judged, Voucher(self.entries))
    }
}

/// What an index says for the package that matched one of its entries.
pub(super) struct Voucher<'i>(&'i IndexEntries);

impl Voucher<'_> {
    /// The road of a package whose own signature holds as well.
    pub(super) const fn with_signature(&self) -> Via {
        Via::SignatureAndIndex
    }

    /// The evidence of a package that the index alone speaks for.
    pub(super) fn alone(&self, span: Range<u64>) -> Evidence {
        Evidence { span, via: Via::Index, ..self.0.evidence.clone() }
    }
}

/// Holds a judged package against its entry. What does not match comes back refused.
pub(super) fn hold(
    judged: Judgement<PackageClaims>,
    entries: &IndexEntries,
) -> Result<Matched<'_>, Box<Judgement<PackageClaims>>> {
    let (Some(claims), Some(sha1)) = (judged.claims(), judged.facts().identity()) else {
        return Err(Box::new(judged.unless_refused()));
    };
    let info = claims.control().info();
    let identity = Identity::new(sha1);
    let Some(entry) = entries.find(&identity, info) else {
        let message = format!("the index has no entry for {} {}", info.name(), info.version());
        let remedy = "is this the index of another repository, branch or architecture?";
        return Err(Box::new(judged.refuse(integrity("not-in-index", message).with_remedy(remedy))));
    };
    match difference(info, &identity, judged.facts().size(), &entry) {
        Some(fault) => Err(Box::new(judged.refuse(fault))),
        None => Ok(Matched { judged, entries }),
    }
}

/// The first thing in which a package differs from its entry.
fn difference(info: &PkgInfo, identity: &Identity, size: Option<u64>, entry: &Record<'_>) -> Option<Fault> {
    let fault = |code, what: &str, package: &str, index: &str, remedy: &str| {
        let (package, index) = (escape(package).to_string(), escape(index).to_string());
        let message = format!("the {what} of the package is {package}, the index says {index}");
        Some(integrity(code, message).with_remedy(remedy))
    };
    if checked!("entry-name") && info.name() != entry.name() {
        let remedy = "the identity is that of another package: the index or the file is not what it seems";
        return fault("index-name", "name", info.name(), entry.name(), remedy);
    }
    if checked!("entry-version") && info.version() != entry.version() {
        let remedy = "the file is another version than the index promises: fetch the right one";
        return fault("index-version", "version", info.version(), entry.version(), remedy);
    }
    // Builders rewrite `noarch` to the architecture of the repository.
    let rewritten = info.architecture() == "noarch";
    if let Some(architecture) = entry
        .architecture()
        .filter(|known| checked!("entry-architecture") && *known != info.architecture() && !rewritten)
    {
        let remedy = "this index is for another architecture";
        return fault("index-architecture", "architecture", info.architecture(), architecture, remedy);
    }
    if checked!("entry-identity") && entry.identity() != *identity {
        let remedy = "the package was built again under the same version, or exchanged: compare the build times, and fetch the index and the package together";
        let (own, index) = (identity.to_string(), entry.identity().to_string());
        return fault("index-identity", "identity", &own, &index, remedy);
    }
    if checked!("entry-size") && size != Some(entry.size()) {
        let remedy = "something outside the signed parts was changed, perhaps the package was signed again";
        let own = size.map(|size| size.to_string()).unwrap_or_default();
        return fault("index-size", "size", &own, &entry.size().to_string(), remedy);
    }
    None
}

fn integrity(code: &'static str, message: String) -> Fault {
    Fault::new(Rank::Integrity, Verdict::Integrity, code, message)
}
