//! Opening a key file without being fooled: no waiting on pipes, no exchange between look and read.

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::key_file::{MAX_KEY_FILE, Unreadable};

/// How many links are followed, as the kernel does.
const MAX_LINKS: usize = 40;

/// A path without links, and the links that led there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Walked {
    pub(super) path: PathBuf,
    pub(super) links: Vec<LinkStep>,
}

/// One symbolic link on the way to a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LinkStep {
    /// Where the link lies.
    pub path: PathBuf,
    /// What it says.
    pub target: PathBuf,
    /// Whether it points above the root under audit.
    pub escapes: bool,
}

/// Follows the links of `rest` below `start`, which has none. If a root is given, nothing leads out of it.
pub(super) fn walk(root: Option<&Path>, start: &Path, rest: &Path) -> Result<Walked, Unreadable> {
    let mut walked = Walked { path: start.to_owned(), links: Vec::new() };
    let mut pending: Vec<PathBuf> = components(rest);
    while let Some(next) = pending.pop() {
        match next.components().next() {
            Some(Component::RootDir) => walked.path = root.unwrap_or(Path::new("/")).to_owned(),
            Some(Component::ParentDir) => match root {
                Some(root) if checked!("key-file-root") && walked.path == root => {
                    if let Some(link) = walked.links.last_mut() {
                        link.escapes = true;
                    }
                }
                Some(_) => drop(walked.path.pop()),
                None => walked.path.push(".."),
            },
            Some(Component::Normal(name)) => {
                let path = walked.path.join(name);
                let found = fs::symlink_metadata(&path).map_err(|error| missing(&error, &walked))?;
                if found.file_type().is_symlink() {
                    if walked.links.len() == MAX_LINKS {
                        return Err(Unreadable::Link);
                    }
                    let target = fs::read_link(&path).map_err(|error| Unreadable::Io(error.kind()))?;
                    pending.extend(components(&target));
                    walked.links.push(LinkStep { path, target, escapes: false });
                } else {
                    walked.path = path;
                }
            }
            _ => {}
        }
    }
    Ok(walked)
}

/// The components of a path, the first one last.
fn components(path: &Path) -> Vec<PathBuf> {
    path.components().rev().map(|component| component.as_os_str().into()).collect()
}

fn missing(error: &io::Error, walked: &Walked) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound if !walked.links.is_empty() => Unreadable::DanglingLink,
        kind => Unreadable::Io(kind),
    }
}

/// Opens and reads a regular file; at most one byte more than a key file may have.
pub(crate) fn read(path: &Path) -> Result<(Vec<u8>, Metadata), Unreadable> {
    let io = |error: io::Error| Unreadable::Io(error.kind());
    let seen = fs::metadata(path).map_err(io)?;
    regular(seen.file_type())?;
    // Between the look and the opening somebody may put a pipe there: opening must not wait for it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|error| io(error.into()))?);
    let opened = file.metadata().map_err(io)?;
    if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) {
        return Err(Unreadable::Changed);
    }
    regular(opened.file_type())?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_KEY_FILE).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(io)?;
    Ok((bytes, opened))
}

fn regular(kind: FileType) -> Result<(), Unreadable> {
    if kind.is_file() || !checked!("key-file-regular") {
        Ok(())
    } else if kind.is_dir() {
        Err(Unreadable::Directory)
    } else if kind.is_fifo() {
        Err(Unreadable::Fifo)
    } else if kind.is_socket() {
        Err(Unreadable::Socket)
    } else {
        Err(Unreadable::Device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_pipe_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::from_bits_retain(0o600)).unwrap();
        assert_eq!(read(&path).unwrap_err(), Unreadable::Fifo);
        assert_eq!(read(Path::new("/dev/null")).unwrap_err(), Unreadable::Device);
        assert_eq!(read(dir.path()).unwrap_err(), Unreadable::Directory);
    }

    #[test]
    fn reads_one_byte_more_than_a_key_file_may_have() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        fs::write(&path, vec![b'x'; MAX_KEY_FILE + 5000]).unwrap();
        assert_eq!(read(&path).unwrap().0.len(), MAX_KEY_FILE + 1);
    }

    #[test]
    fn links_stay_inside_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("etc/keys")).unwrap();
        fs::write(root.join("secret"), "inside").unwrap();
        symlink("/secret", root.join("etc/keys/absolute")).unwrap();
        symlink("../../../../secret", root.join("etc/keys/climbs")).unwrap();
        let absolute = walk(Some(&root), &root, Path::new("etc/keys/absolute")).unwrap();
        assert_eq!(absolute.path, root.join("secret"));
        assert!(!absolute.links[0].escapes);
        let climbs = walk(Some(&root), &root, Path::new("etc/keys/climbs")).unwrap();
        assert_eq!(climbs.path, root.join("secret"));
        assert!(climbs.links[0].escapes);
    }

    #[test]
    fn dangling_and_endless_links_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        symlink("nothing", dir.path().join("dangling")).unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();
        let find = |name: &str| walk(None, dir.path(), Path::new(name)).unwrap_err();
        assert_eq!(find("dangling"), Unreadable::DanglingLink);
        assert_eq!(find("loop"), Unreadable::Link);
        assert_eq!(find("absent"), Unreadable::Io(io::ErrorKind::NotFound));
    }
}
