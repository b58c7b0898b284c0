//! The words of the formats: one small type per file, each with one parsing constructor.

pub(crate) mod architecture;
mod dependency;
mod digest;
mod escape;
mod hasher;
mod identity;
mod key_name;
mod lanes;
pub(crate) mod package_name;
mod version;
mod version_items;
mod version_operator;
pub(crate) mod version_text;

pub use architecture::{Architecture, ArchitectureError};
pub use dependency::{Dependency, DependencyError};
pub use digest::{Algorithm, Digest, DigestError, Sha1, Sha256, Sha512};
pub use escape::{Escaped, escape, escape_all};
pub(crate) use hasher::{Sha1Hasher, Sha256Hasher};
pub use identity::{Identity, IdentityError};
pub use key_name::{KeyName, KeyNameError};
pub(crate) use lanes::{BLOCK, LANES, Sha256Lanes, padding};
pub use package_name::{PackageName, PackageNameError};
pub use version::{Version, VersionError};
pub use version_items::compare_versions;
pub use version_operator::{VersionOperator, VersionOperatorError};
pub use version_text::{VersionText, VersionTextError};
