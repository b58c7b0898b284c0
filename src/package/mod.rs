//! Frames become claims: what a package says about itself, unproven.

mod compare;
mod control;
mod data;
mod data_error;
mod data_names;
mod pkginfo;
mod pkginfo_error;

pub use compare::{Change, PackageDifference, compare};
pub(crate) use control::ControlMember;
pub use control::{Control, ControlError, Script};
pub use data::{DataFacts, FileFact};
pub(crate) use data::{DataMember, Listing};
pub use data_error::DataError;
pub use pkginfo::PkgInfo;
pub use pkginfo_error::PkginfoError;
