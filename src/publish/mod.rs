//! From proven files to a tree that is served: staged, synced, and switched in one step.
//!
//! A run takes the lock ([`Tree::open`]), writes into the spool ([`Tree::spool`]), has each file proven and kept
//! in a pool ([`Tree::admit`]), stages a generation of hard links ([`Tree::generation`], [`Staging::finish`]),
//! writes what it has to remember ([`Tree::write_document`]), and makes the generation visible by one rename
//! ([`Tree::switch`]). Every file operation goes through [`Store`].

mod admit;
mod check;
mod cleanup;
mod disk;
mod error;
mod generation;
mod layout;
mod look;
mod manifest;
mod opened;
mod path;
mod prune;
mod snapshot;
mod snapshot_list;
mod snapshot_name;
mod spooled;
mod staging;
mod store;
mod tree;
mod tree_hash;
mod unpack;
mod write;

pub use admit::Pooled;
pub use check::{Defect, Depth};
pub use disk::{DiskStore, Durability};
pub use error::{AdmitError, Measured, PublishError};
pub use generation::Generation;
pub use look::Look;
pub use manifest::{Entry, EntryKind, Manifest};
pub use opened::Opened;
pub use path::{StorePath, StorePathError};
pub use prune::{Floor, Keeper, Kept, Prune, PruneMode, Pruned, Roots, WhyPruned, kept, prune};
pub use snapshot::{Snapshot, SnapshotHead};
pub use snapshot_list::Origin;
pub use snapshot_name::{SnapshotName, SnapshotNameError};
pub use spooled::Spooled;
pub use staging::Staging;
pub use store::{Kind, Listed, Mode, Stat, Store, StoreFile, StoreLock, Wait};
pub use tree::Tree;
pub use tree_hash::tree_hash;
pub use unpack::{UnpackFolder, Unpacking};
