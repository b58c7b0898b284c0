//! What a signature is about to vouch for, as pins ask for it.

use crate::keys::Scope;
use crate::unverified::{IndexClaims, PackageClaims};

/// The file under judgement, in the words of a pin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subject<'a> {
    pub(super) place: Option<&'a Scope>,
    pub(super) architecture: Option<&'a str>,
    pub(super) package: Option<&'a str>,
}

/// Claims that say what they are about.
pub(super) trait Claims {
    /// The subject; nothing of it is proven yet.
    fn subject(&self) -> Subject<'_>;
}

impl Claims for PackageClaims {
    fn subject(&self) -> Subject<'_> {
        let info = self.control.info();
        Subject { place: None, architecture: Some(info.architecture()), package: Some(info.name()) }
    }
}

impl Claims for IndexClaims {
    fn subject(&self) -> Subject<'_> {
        Subject::default()
    }
}

impl Claims for () {
    fn subject(&self) -> Subject<'_> {
        Subject::default()
    }
}
