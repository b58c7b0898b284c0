//! What is written beside each file of a generation, so that it can be told what the file is without opening it.

use super::state::Place;
use crate::plan::Held;
use crate::publish::{Entry, EntryKind};

/// The label of a package: place, name, version, identity.
pub(super) fn package(place: &Place, name: &str, version: &str, identity: &str) -> String {
    format!("{} {} {name} {version} {identity}", place.repository, place.arch)
}

/// The label of an index: place, and SHA-256 of the upstream index that it was made from.
pub(super) fn index(place: &Place, upstream: &str) -> String {
    format!("{} {} {upstream}", place.repository, place.arch)
}

/// What the published generation holds under this entry, if it is a package that its index lists.
pub(super) fn held(entry: &Entry) -> Option<Held> {
    if entry.kind() != EntryKind::Package || entry.dropped_at().is_some() {
        return None;
    }
    read_package(entry)
}

/// The package that an entry is, listed or not.
pub(super) fn read_package(entry: &Entry) -> Option<Held> {
    let words: Vec<&str> = entry.label().split(' ').collect();
    let [repository, arch, name, version, identity] = words.as_slice() else { return None };
    Some(Held {
        repository: (*repository).to_owned(),
        arch: (*arch).to_owned(),
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        identity: (*identity).to_owned(),
        size: entry.size(),
    })
}

/// Place and upstream index of an index.
pub(super) fn read_index(entry: &Entry) -> Option<(Place, &str)> {
    let words: Vec<&str> = entry.label().split(' ').collect();
    let [repository, arch, upstream] = words.as_slice() else { return None };
    let place = Place { repository: (*repository).to_owned(), arch: (*arch).to_owned() };
    (entry.kind() == EntryKind::Index).then_some((place, *upstream))
}
