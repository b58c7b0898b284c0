//! A verified subset of repositories, published for others: intent becomes a tree that holds.
//!
//! A run ([`Mirror`]) reads and verifies every index, holds it against what is remembered ([`State`]), selects and
//! closes, plans, fetches and verifies each package, builds a generation, rehearses it as a client would read it,
//! writes down what to remember, and makes it visible.

pub mod bundle;
mod check;
mod chronicle;
mod config;
mod crew;
mod dated;
mod differ;
mod fetch;
mod finding;
mod former;
mod guard;
pub mod history;
mod label;
pub mod lock_file;
mod memory;
mod next;
mod offer;
mod owners;
mod pin_status;
pub mod pinned_by;
mod pins;
mod progress;
mod published;
mod rehearse;
mod replaced;
mod resolved;
pub mod retain;
mod rollback;
mod run;
mod select;
mod state;
mod status;
mod tree_check;
mod trust;
mod upstream;
mod version_status;

use std::io::{self, Read};
use std::path::Path;

pub use check::{Checked, Checkee, Subjects, check};
pub use chronicle::Head;
pub use config::{
    Closure, Config, ConfigError, Flags, IndexKind, MaxAge, MirrorSettings, PackageSignatures, Problem,
    Rebuilt, Repository, Retain, Selection, UnknownAge, Upstreams, Waiver, parse_time,
};
pub use dated::{Dated, Every, SnapshotRule, dated};
pub use differ::{Difference, DifferenceKind, Holding, differences, of_generation, of_plan, of_snapshot};
pub use finding::{Class, Finding, Severity, worst};
pub use former::Former;
pub use guard::{Noticed, Offered, Overrides, Refused, Remembered, Rules, assess};
pub use memory::Init;
pub use offer::Offer;
pub use pin_status::{PinStatus, Whereabouts, pinned};
pub use progress::{Event, Progress, Silent};
pub use resolved::{Locked, lock};
pub use rollback::{RolledBack, rollback};
pub use run::{Allowed, Mirror, Outcome};
pub use select::Selected;
pub use state::{Place, Provenance, State, StateError};
pub use status::{GenerationStatus, IndexStatus, LastRun, SnapshotStatus, Status, snapshots, status};
pub use tree_check::{defects, dropped, history_defects, retained_unsolvable, snapshot_defects, unsolvable};
pub use trust::{Trust, TrustError};
pub use version_status::{Other, VersionStatus, of_file, versions};

/// The largest text of an operator that is read: pins, worlds, credentials. Units: bytes.
const MAX_TEXT: u64 = 16 << 20;

/// Reads a whole text of an operator, of sensible size.
fn read_text(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(MAX_TEXT.saturating_add(1)).read_to_end(&mut text)?;
    if crate::limits::length(&text) <= MAX_TEXT {
        return Ok(text);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("expected at most {MAX_TEXT} bytes")))
}
