use super::*;
use crate::index::testing::index;

/// A configuration in a folder, with files beside it.
fn read(pinned_by: &str, files: &[(&str, &str)]) -> Result<(Pins, Vec<Finding>), Finding> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let text = format!(
        "[mirror]\nto = \"srv\"\n[[repository]]\nname = \"v3/main\"\nupstream = \"up\"\narchitectures = [\"x86_64\"]\n\
         keys = [\"k.pub\"]\nselect = [\"a\"]\nsign-key = \"m.rsa\"\npinned-by = [{pinned_by}]\n"
    );
    Pins::read(&Config::parse(&text, folder.path()).unwrap())
}

fn atoms(pins: &Pins) -> Vec<String> {
    pins.of_set("v3").map(|pin| pin.named.atom.clone()).collect()
}

#[test]
fn globs_find_files_and_pass_over_folders_and_hidden_names() {
    let files =
        [("w/a", "a=1"), ("w/b", "b=1\nplain"), ("w/.c", "c=1"), ("w/d/e", "e=1"), ("x/Dockerfile", "f=1")];
    let (pins, told) = read("\"w/*\", \"*/Docker*\"", &files).unwrap();
    assert_eq!(
        (atoms(&pins), told),
        (vec!["a=1".to_owned(), "b=1".to_owned(), "f=1".to_owned()], Vec::new())
    );
}

#[test]
fn a_file_that_is_not_there_is_an_error_and_a_glob_of_nothing_a_warning() {
    let missing = read("\"Dockerfile\"", &[]).unwrap_err();
    assert_eq!((missing.class, missing.code), (Class::Usage, "pinned-by"));
    assert_eq!(read("\"w\"", &[("w/a", "")]).unwrap_err().code, "pinned-by");
    let (pins, told) = read("\"w/*\"", &[]).unwrap();
    assert_eq!((atoms(&pins).len(), told[0].code), (0, "pinned-by-empty"));
}

#[test]
fn words_that_cannot_be_read_are_told_of() {
    let (_, told) = read("\"Dockerfile\"", &[("Dockerfile", "FROM x\nRUN apk add foo=$V\n")]).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].code, "pinned-by-unread");
    assert!(told[0].message.starts_with("line 2: `foo=$V` keeps nothing"), "{}", told[0].message);
}

#[test]
fn an_exact_version_is_named_for_good_and_a_range_only_while_nothing_else_fits() {
    let (pins, _) = read("\"w\"", &[("w", "a=1 b~2 c<9 d=1 other=1")]).unwrap();
    let old = index(&["a 1", "b 2.0", "b 2.5", "b 3", "c 1", "d 2"]);
    let new = index(&["a 1", "b 4", "c 2"]);
    let (old, new): (Vec<_>, Vec<_>) = (old.records().collect(), new.records().collect());
    let named = pins.named("v3", &old, &new);
    let labels: Vec<String> = named.iter().map(|at| old[*at].label()).collect();
    assert_eq!(labels, ["a-1", "b-2.5"]);
    assert_eq!(pins.named("other", &old, &new).len(), 0);
}
