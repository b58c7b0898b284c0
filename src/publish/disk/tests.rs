use super::*;
use std::fs;
use std::os::unix::fs::symlink;

/// A store for each way to resolve a path, over the same directory.
fn both(root: &Path) -> [DiskStore; 2] {
    let open =
        |beneath: fn(OwnedFd) -> Beneath| DiskStore::open_by(root, Durability::EachFile, beneath).unwrap();
    [open(Beneath::new), open(Beneath::walking)]
}

fn path(text: &str) -> StorePath {
    StorePath::parse(text).unwrap()
}

fn errno<T: std::fmt::Debug>(result: io::Result<T>) -> Option<rustix::io::Errno> {
    rustix::io::Errno::from_io_error(&result.unwrap_err())
}

#[test]
fn both_ways_do_the_same() {
    for way in 0..2 {
        let dir = tempfile::tempdir().unwrap();
        let store = &both(dir.path())[way];
        store.make_dir(&path("a"), Mode::ServedDir).unwrap();
        store.make_dir(&path("a/b"), Mode::PrivateDir).unwrap();
        let mut file = store.create(&path("a/b/file"), Mode::Immutable).unwrap();
        file.append(b"one ").unwrap();
        file.append(b"two").unwrap();
        file.set_mtime(1_000).unwrap();
        file.sync().unwrap();
        store.link(&path("a/b/file"), &path("a/second")).unwrap();
        store.symlink("a/b", &path("link")).unwrap();
        store.rename(&path("a/second"), &path("third")).unwrap();
        store.sync_dir(&StorePath::root()).unwrap();
        store.sync_dir(&path("a/b")).unwrap();
        let stat = store.stat(&path("third")).unwrap();
        let expected = (Kind::File, 0o444, 7, 1_000, 2, true);
        assert_eq!((stat.kind, stat.mode, stat.size, stat.mtime, stat.links, stat.ours), expected);
        assert_eq!(stat.id, file.stat().unwrap().id);
        assert_eq!(store.read_link(&path("link")).unwrap(), "a/b");
        let listed = store.list(&StorePath::root()).unwrap();
        let listed: Vec<_> = listed.iter().map(|listed| (listed.name.as_str(), listed.kind)).collect();
        assert_eq!(listed, [("a", Kind::Dir), ("link", Kind::Link), ("third", Kind::File)]);
        let mut buffer = [0; 16];
        let count = store.open(&path("third")).unwrap().read_at(&mut buffer, 4).unwrap();
        assert_eq!(&buffer[..count], b"two");
        store.remove_file(&path("third")).unwrap();
        assert_eq!(store.remove_dir(&path("a")).unwrap_err().kind(), io::ErrorKind::DirectoryNotEmpty);
        store.remove_file(&path("a/b/file")).unwrap();
        store.remove_dir(&path("a/b")).unwrap();
        assert_eq!(store.stat(&path("a/b")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

#[test]
fn no_link_is_followed_on_the_way_or_at_the_end() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let dir = tempfile::tempdir().unwrap();
    symlink(outside.path(), dir.path().join("out")).unwrap();
    symlink(outside.path().join("secret"), dir.path().join("end")).unwrap();
    fs::create_dir(dir.path().join("inside")).unwrap();
    symlink("inside", dir.path().join("in")).unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    for store in both(dir.path()) {
        for link in ["out", "in"] {
            let below = path(&format!("{link}/secret"));
            let kinds = [Some(rustix::io::Errno::LOOP), Some(rustix::io::Errno::NOTDIR)];
            assert!(kinds.contains(&errno(store.open(&below))));
            assert!(kinds.contains(&errno(store.create(&below, Mode::Private))));
            assert!(kinds.contains(&errno(store.make_dir(&below, Mode::ServedDir))));
            assert!(kinds.contains(&errno(store.stat(&below))));
            assert!(kinds.contains(&errno(store.link(&path("file"), &below))));
            assert!(kinds.contains(&errno(store.rename(&path("file"), &below))));
            assert!(kinds.contains(&errno(store.symlink("x", &below))));
            assert!(kinds.contains(&errno(store.remove_file(&below))));
            assert!(kinds.contains(&errno(store.list(&path(link)))));
            assert!(kinds.contains(&errno(store.sync_dir(&path(link)))));
            assert!(kinds.contains(&errno(store.set_dir_mode(&path(link), Mode::ServedDir))));
        }
        assert_eq!(errno(store.open(&path("end"))), Some(rustix::io::Errno::LOOP));
        assert_eq!(errno(store.lock(&path("end"), Wait::Never)), Some(rustix::io::Errno::LOOP));
        assert_eq!(errno(store.create(&path("end"), Mode::Private)), Some(rustix::io::Errno::EXIST));
        assert_eq!(store.stat(&path("end")).unwrap().kind, Kind::Link);
        // The link itself gets a second name, not what it points to.
        store.link(&path("end"), &path("other")).unwrap();
        assert_eq!(store.stat(&path("other")).unwrap().kind, Kind::Link);
        store.remove_file(&path("other")).unwrap();
    }
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn only_regular_files_are_opened_and_a_pipe_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_bits_retain(0o600)).unwrap();
    fs::create_dir(dir.path().join("dir")).unwrap();
    for store in both(dir.path()) {
        for name in ["pipe", "dir"] {
            assert_eq!(store.open(&path(name)).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name}");
        }
        assert_eq!(store.lock(&path("pipe"), Wait::Never).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(store.stat(&path("pipe")).unwrap().kind, Kind::Other);
        assert_eq!(store.read_link(&path("dir")).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_name_that_we_would_never_give_is_listed_without_a_path() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("two words\n"), "").unwrap();
    for store in both(dir.path()) {
        let listed = store.list(&StorePath::root()).unwrap();
        assert_eq!(listed, [Listed { name: "two words\\n".to_owned(), path: None, kind: Kind::File }]);
    }
}

#[test]
fn many_and_few_files_become_durable_together() {
    for count in [1, 16, 17, 40] {
        let dir = tempfile::tempdir().unwrap();
        let store = DiskStore::open(dir.path(), Durability::Together).unwrap();
        for number in 0..count {
            let mut file = store.create(&path(&number.to_string()), Mode::Private).unwrap();
            file.append(b"x").unwrap();
            file.sync().unwrap();
        }
        store.barrier().unwrap();
        store.barrier().unwrap();
    }
}

#[test]
fn the_root_stays_the_one_that_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    for store in both(&root) {
        fs::rename(&root, dir.path().join("moved")).unwrap();
        fs::create_dir(&root).unwrap();
        store.create(&path("file"), Mode::Private).unwrap();
        assert!(dir.path().join("moved/file").exists() && !root.join("file").exists());
        fs::remove_dir(&root).unwrap();
        fs::rename(dir.path().join("moved"), &root).unwrap();
        store.remove_file(&path("file")).unwrap();
    }
}
