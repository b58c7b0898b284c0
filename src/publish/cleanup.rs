//! Taking away what is not needed any more, and what a run that died has left: only what our own lists name.

use std::io;

use super::error::{Doing, PublishError};
use super::layout;
use super::look::Look;
use super::manifest::Manifest;
use super::path::StorePath;
use super::store::{Kind, Store};

/// Clears away the spool, generations that were never published, and those that were being taken away.
pub(super) fn leftovers(look: &Look, current: Option<u64>) -> Result<(), PublishError> {
    empty_spool(&*look.store)?;
    let gone = look.numbered(".gone.json")?;
    if !gone.is_empty() {
        // The run that renamed them may not have come to making that durable.
        look.store.sync_dir(&layout::manifests()).doing("sync", &layout::manifests())?;
        look.store.barrier().doing("sync", &layout::manifests())?;
    }
    for number in gone {
        let path = layout::doomed_manifest(number);
        dismantle(look, &look.manifest_at(&path, number)?, &path)?;
    }
    for number in look.numbered(".json")? {
        // Numbers only grow: what is above the published one was never visible.
        if current.is_none_or(|current| number > current) {
            dismantle(look, &look.manifest(number)?, &layout::manifest(number))?;
        }
    }
    Ok(())
}

fn empty_spool(store: &dyn Store) -> Result<(), PublishError> {
    let spool = layout::spool();
    for listed in store.list(&spool).doing("list", &spool)? {
        if let Some(path) = listed.path.filter(|_| listed.kind != Kind::Dir) {
            store.remove_file(&path).doing("remove", &path)?;
        }
    }
    Ok(())
}

/// Takes a generation away by its list, and the list at last; what is not in it stays.
pub(super) fn dismantle(look: &Look, manifest: &Manifest, list: &StorePath) -> Result<(), PublishError> {
    let store = &*look.store;
    let root = layout::generation(manifest.number);
    let place =
        |path: &StorePath| root.below(path).map_err(|_| PublishError::Reserved { path: path.clone() });
    for entry in manifest.entries() {
        let path = place(&entry.path)?;
        unless_not_ours(store.remove_file(&path)).doing("remove", &path)?;
    }
    let snapshots = place(&layout::snapshots())?;
    if store.stat(&snapshots).is_ok_and(|stat| stat.kind == Kind::Link) {
        store.remove_file(&snapshots).doing("remove", &snapshots)?;
    }
    for dir in manifest.directories().iter().rev() {
        let path = place(dir)?;
        unless_not_ours(store.remove_dir(&path)).doing("remove", &path)?;
    }
    unless_not_ours(store.remove_dir(&root)).doing("remove", &root)?;
    // Without the list nobody would know of what is left: it goes when all else is gone for good.
    store.sync_dir(&layout::gens()).doing("sync", &layout::gens())?;
    store.barrier().doing("sync", &layout::gens())?;
    store.remove_file(list).doing("remove", list)
}

/// What is gone already, or is something else than we have put there, stays as it is.
fn unless_not_ours(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if is_not_ours(&error) => Ok(()),
        result => result,
    }
}

fn is_not_ours(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
    ) || rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}
