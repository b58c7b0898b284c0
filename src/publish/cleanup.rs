//! Taking away what is not needed any more, and what a run that died has left: only what our own lists name.

use std::io;

use super::error::{Doing, PublishError};
use super::layout;
use super::look::Look;
use super::manifest::Manifest;
use super::path::StorePath;
use super::snapshot;
use super::store::{Kind, Store};

/// Clears away the spool, generations that were never published, and those that were being taken away.
pub(super) fn leftovers(look: &Look, current: Option<u64>) -> Result<(), PublishError> {
    empty_spool(&*look.store)?;
    clear_unpacked(&*look.store)?;
    let gone = look.numbered(".gone.json")?;
    if !gone.is_empty() {
        // The run that renamed them may not have come to making that durable.
        look.store.sync_dir(&layout::manifests()).doing("sync", &layout::manifests())?;
        look.store.barrier().doing("sync", &layout::manifests())?;
    }
    for number in gone {
        let path = layout::doomed_manifest(number);
        dismantle(look, &layout::generation(number), &look.manifest_at(&path, number)?, &path)?;
    }
    for number in look.numbered(".json")? {
        // Numbers only grow: what is above the published one was never visible.
        if current.is_none_or(|current| number > current) {
            let root = layout::generation(number);
            dismantle(look, &root, &look.manifest(number)?, &layout::manifest(number))?;
        }
    }
    snapshot::leftovers(look)
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

/// Takes away what a run has laid out for itself: a folder in the spool that nobody else has any business in.
pub(super) fn clear_unpacked(store: &dyn Store) -> Result<(), PublishError> {
    let mut open = vec![(layout::unpacked(), false)];
    while let Some((dir, emptied)) = open.pop() {
        if emptied {
            unless_not_ours(store.remove_dir(&dir)).doing("remove", &dir)?;
            continue;
        }
        let listed = match store.list(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            listed => listed.doing("list", &dir)?,
        };
        open.push((dir, true));
        for listed in listed {
            match listed.path {
                Some(path) if listed.kind == Kind::Dir => open.push((path, false)),
                Some(path) => store.remove_file(&path).doing("remove", &path)?,
                None => {}
            }
        }
    }
    Ok(())
}

/// Takes a generation or snapshot away by its list, and the list at last; what is not in it stays.
pub(super) fn dismantle(
    look: &Look,
    root: &StorePath,
    manifest: &Manifest,
    list: &StorePath,
) -> Result<(), PublishError> {
    let store = &*look.store;
    let place =
        |path: &StorePath| root.below(path).map_err(|_| PublishError::Reserved { path: path.clone() });
    for entry in manifest.entries() {
        let path = place(&entry.path)?;
        unless_not_ours(store.remove_file(&path)).doing("remove", &path)?;
    }
    let snapshots = place(&layout::snapshots())?;
    match store.stat(&snapshots) {
        Ok(stat) if stat.kind == Kind::Link => store.remove_file(&snapshots).doing("remove", &snapshots)?,
        Err(error) if !is_not_ours(&error) => return Err(error).doing("look at", &snapshots),
        _ => {}
    }
    for dir in manifest.directories().iter().rev() {
        let path = place(dir)?;
        unless_not_ours(store.remove_dir(&path)).doing("remove", &path)?;
    }
    unless_not_ours(store.remove_dir(root)).doing("remove", root)?;
    // Without the list nobody would know of what is left: it goes when all else is gone for good.
    let above = root.parent().unwrap_or_else(StorePath::root);
    store.sync_dir(&above).doing("sync", &above)?;
    store.barrier().doing("sync", &above)?;
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
