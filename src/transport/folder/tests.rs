use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn fetch(folder: &Path, path: &[&str], size: Option<u64>) -> Result<Vec<u8>, Problem> {
    let demand = Demand { size, ..Demand::new(path, 10) };
    let mut sink = Vec::new();
    match copy(folder, &demand, &mut sink, &Cancel::default()) {
        Ok(()) => Ok(sink),
        Err(Broken::Never(problem)) => Err(problem),
        Err(other) => panic!("{other:?}"),
    }
}

fn medium() -> tempfile::TempDir {
    let medium = tempfile::tempdir().unwrap();
    fs::create_dir_all(medium.path().join("main/x86_64")).unwrap();
    fs::write(medium.path().join("main/x86_64/a+b.apk"), "0123456789").unwrap();
    medium
}

#[test]
fn a_file_is_copied_whole_and_bounded() {
    let medium = medium();
    let main = medium.path().join("main");
    let path = ["x86_64", "a+b.apk"];
    assert_eq!(fetch(&main, &path, Some(10)).unwrap(), b"0123456789");
    assert_eq!(fetch(&main, &path, None).unwrap(), b"0123456789");
    assert_eq!(fetch(&main, &path, Some(9)), Err(Problem::Size { expected: 9, found: 10 }));
    fs::write(main.join("x86_64/long"), "0123456789a").unwrap();
    assert_eq!(fetch(&main, &["x86_64", "long"], None), Err(Problem::TooLarge { limit: 10 }));
    assert_eq!(fetch(&main, &["x86_64", "none"], None), Err(Problem::NotFound));
    assert_eq!(fetch(&main.join("x86_64/a+b.apk"), &[], None).unwrap(), b"0123456789");
}

#[test]
fn a_file_that_grows_while_it_is_read_is_left() {
    let medium = medium();
    let file = File::open(medium.path().join("main/x86_64/a+b.apk")).unwrap();
    let mut sink = Vec::new();
    // The look said that there were nine bytes.
    let grown = stream(file, 9, &mut sink, &Cancel::default());
    let expected = Problem::Size { expected: 9, found: 10 };
    assert!(matches!(grown, Err(Broken::Never(problem)) if problem == expected));
    assert!(sink.is_empty());
}

#[test]
fn a_medium_that_is_not_mounted_is_told_from_a_missing_file() {
    let medium = medium();
    let unmounted = fetch(&medium.path().join("community"), &["x86_64", "a"], None);
    assert!(matches!(unmounted, Err(Problem::Folder { .. })), "{unmounted:?}");
}

#[test]
fn links_are_followed_inside_of_the_folder_and_not_out_of_it() {
    let medium = medium();
    let main = medium.path().join("main");
    fs::write(medium.path().join("secret"), "secret").unwrap();
    symlink("a+b.apk", main.join("x86_64/inside")).unwrap();
    symlink("../../secret", main.join("x86_64/climbs")).unwrap();
    symlink(medium.path().join("secret"), main.join("x86_64/absolute")).unwrap();
    symlink("loop", main.join("x86_64/loop")).unwrap();
    assert_eq!(fetch(&main, &["x86_64", "inside"], None).unwrap(), b"0123456789");
    for name in ["climbs", "absolute", "loop"] {
        let refused = fetch(&main, &["x86_64", name], None);
        assert!(matches!(refused, Err(Problem::NotRegular { .. })), "{name}: {refused:?}");
    }
    // The folder itself may be behind a link: that is how a tree is switched.
    symlink("main", medium.path().join("current")).unwrap();
    let current = medium.path().join("current");
    assert_eq!(fetch(&current, &["x86_64", "a+b.apk"], None).unwrap(), b"0123456789");
}

#[test]
fn without_the_newer_system_call_no_link_is_followed() {
    let medium = medium();
    let main = medium.path().join("main");
    symlink("a+b.apk", main.join("x86_64/inside")).unwrap();
    let walked = |name: &str| {
        let base = open(&main, FOLDER, Mode::empty()).unwrap();
        walk(base, &["x86_64".to_owned(), name.to_owned()]).map(|_| ())
    };
    assert_eq!(walked("a+b.apk"), Ok(()));
    assert!(matches!(walked("inside"), Err(Problem::NotRegular { .. })));
}

#[test]
fn nothing_is_waited_for_that_is_no_regular_file() {
    let medium = medium();
    let main = medium.path().join("main");
    let pipe = main.join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::from_bits_retain(0o600)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(main.join("socket")).unwrap();
    for (name, found) in [("pipe", "a pipe"), ("socket", "a socket"), ("x86_64", "a folder")] {
        assert_eq!(fetch(&main, &[name], None), Err(Problem::NotRegular { found }));
    }
    assert_eq!(fetch(Path::new("/dev/null"), &[], None), Err(Problem::NotRegular { found: "a device" }));
}
