use super::*;

fn package(name: &str, version: &str, identity: &str, sha256: &str) -> LockedPackage {
    LockedPackage {
        repository: "v3.17/main".into(),
        arch: "aarch64".into(),
        name: name.into(),
        version: version.into(),
        identity: identity.into(),
        datahash: identity.into(),
        sha256: sha256.into(),
        size: 1,
        signers: vec!["sha256:00".into()],
    }
}

fn lock(packages: &[LockedPackage]) -> LockFile {
    let index = LockedIndex {
        repository: "v3.17/main".into(),
        arch: "aarch64".into(),
        sha256: "00".into(),
        time: Some(1),
    };
    LockFile::new(vec![index], packages.to_vec())
}

#[test]
fn prints_one_line_a_package_and_reads_it_back_in_any_order() {
    let (a, b) = (package("a", "1", "x", "1"), package("b", "1", "y", "2"));
    let text = lock(&[b.clone(), a.clone()]).to_text().unwrap();
    assert_eq!(text, lock(&[a.clone(), b.clone()]).to_text().unwrap());
    assert_eq!(text.lines().filter(|line| line.contains("\"name\"")).count(), 2);
    assert_eq!(LockFile::parse(text.as_bytes()).unwrap(), lock(&[a, b]));
    let empty = LockFile::new(Vec::new(), Vec::new());
    assert_eq!(LockFile::parse(empty.to_text().unwrap().as_bytes()).unwrap(), empty);
}

#[test]
fn differences_say_what_happened() {
    let locked = lock(&[
        package("gone", "1", "x", "1"),
        package("rebuilt", "1", "x", "1"),
        package("resigned", "1", "x", "1"),
        package("same", "1", "x", "1"),
        package("upgraded", "1", "x", "1"),
    ]);
    let resolved = lock(&[
        package("rebuilt", "1", "other", "2"),
        package("resigned", "1", "x", "2"),
        package("same", "1", "x", "1"),
        package("upgraded", "2", "x", "1"),
    ]);
    let differences = locked.differences(&resolved);
    let words: Vec<String> = differences
        .iter()
        .map(|difference| format!("{} {}", difference.kind(), difference.package().name))
        .collect();
    assert_eq!(
        words,
        ["missing gone", "rebuilt rebuilt", "resigned resigned", "missing upgraded", "unlocked upgraded"]
    );
    assert_eq!(differences.iter().filter(|difference| difference.is_grave()).count(), 4);
    assert_eq!(locked.differences(&locked), []);
}

#[test]
fn other_texts_are_refused_with_their_line() {
    let error = LockFile::parse(b"{\n  \"schema\": 1 }").unwrap_err();
    assert!(matches!(error, LockFileError::Syntax { line: 2, .. }), "{error}");
    let text = lock(&[]).to_text().unwrap().replace("lock/1", "lock/9");
    assert_eq!(
        LockFile::parse(text.as_bytes()),
        Err(LockFileError::Schema { found: "apkvet-lock/9".into() })
    );
    let unknown = lock(&[]).to_text().unwrap().replace("\"indexes\"", "\"x\":1,\"indexes\"");
    assert!(matches!(LockFile::parse(unknown.as_bytes()), Err(LockFileError::Syntax { .. })));
}
