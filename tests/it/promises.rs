use std::path::Path;

/// The text of every source file below a directory.
pub(crate) fn sources(directory: &Path, text: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn each_test_that_security_md_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    ["src", "tests"].iter().for_each(|directory| sources(&root.join(directory), &mut text));
    let promised = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut count = 0;
    for row in promised.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        // The last column; its words in backticks that could be names of functions.
        let tests = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        let is_name = |word: &&str| {
            word.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte))
        };
        for name in tests.split('`').skip(1).step_by(2).filter(is_name) {
            assert!(text.contains(&format!("fn {name}(")), "no test is called {name}");
            count += 1;
        }
    }
    assert!(count >= 30, "the tables of SECURITY.md were not read: {count} names");
}
