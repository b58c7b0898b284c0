use super::*;

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn place() -> Place {
    Place { repository: "v3.17/main".to_owned(), arch: "aarch64".to_owned() }
}

fn provenance() -> Provenance {
    Provenance {
        name: "bash".to_owned(),
        version: "5.2-r0".to_owned(),
        identity: "Q1R2BIvfiF748uM/EcZjiP75/C3WM=".to_owned(),
        datahash: SHA256.to_owned(),
        size: 7,
        sha256: SHA256.to_owned(),
        keys: vec![format!("sha256:{SHA256}")],
        via: "signature+index".to_owned(),
        level: "full".to_owned(),
        waived: None,
        index: SHA256.to_owned(),
        upstream: "https://example.org/alpine/v3.17/main".to_owned(),
        time: 1_767_225_600,
    }
}

fn remembered() -> Remembered {
    Remembered { sha256: SHA256.to_owned(), time: Some(1), ..Remembered::default() }
}

fn state() -> State {
    let mut state = State::default();
    state.remember(place(), remembered());
    state.prove(place(), provenance());
    state
}

fn parse(bytes: &[u8]) -> Result<State, StateError> {
    State::parse(bytes, &Limits::default())
}

fn edited(from: &str, to: &str) -> StateError {
    let text = String::from_utf8(state().to_bytes().unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    parse(text.replacen(from, to, 1).as_bytes()).unwrap_err()
}

#[test]
fn what_is_written_is_read_back_and_written_the_same() {
    let bytes = state().to_bytes().unwrap();
    let read = parse(&bytes).unwrap();
    assert_eq!(read, state());
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert_eq!(read.proof(&place(), "bash-5.2-r0"), Some(&provenance()));
    assert_eq!(read.proof(&place(), "bash-5.2-r1"), None);
    assert_eq!(read.remembered(&place()), Some(&remembered()));
}

#[test]
fn another_schema_is_told_before_its_fields() {
    let found = parse(b"{\"schema\":\"apkvet-trust/2\",\"more\":1}").unwrap_err();
    assert_eq!(found, StateError::Schema { found: "apkvet-trust/2".to_owned() });
    for bytes in [&b""[..], b"{", b"[]", b"{\"schema\":7}", b"\xff", &[b'['; 100_000]] {
        assert!(matches!(parse(bytes), Err(StateError::Shape { .. })));
    }
}

#[test]
fn a_field_that_nobody_wrote_is_refused() {
    assert!(matches!(edited("\"size\": 7", "\"size\": 7, \"trusted\": true"), StateError::Shape { .. }));
    assert!(matches!(edited("\"indexes\":", "\"more\": [], \"indexes\":"), StateError::Shape { .. }));
}

#[test]
fn a_value_that_this_program_never_writes_is_refused() {
    for (from, to) in [
        ("v3.17/main", "../main"),
        ("aarch64", "../x"),
        ("\"bash\"", "\"../bash\""),
        ("5.2-r0", "5.2/../r0"),
        ("Q1R2BIvfiF748uM/EcZjiP75/C3WM=", "Q1"),
        (SHA256, "E3B0"),
        ("signature+index", "nothing"),
        ("\"full\"", "\"deep\""),
        ("\"sha256:e3", "\"md5:e3"),
    ] {
        assert!(matches!(edited(from, to), StateError::Value { .. }), "{from} {to}");
    }
}

#[test]
fn proofs_are_bounded_and_forgotten_with_their_files() {
    let limits = Limits { index_entries: 1, ..Limits::default() };
    let mut many = state();
    for number in 0..2 {
        many.prove(place(), Provenance { version: number.to_string(), ..provenance() });
    }
    let found = State::parse(&many.to_bytes().unwrap(), &limits).unwrap_err();
    assert_eq!(found, StateError::TooMany { what: "proofs", limit: 2 });
    many.keep_only(&BTreeSet::from([SHA256.to_owned()]));
    assert_eq!(many.proofs().count(), 3);
    many.keep_only(&BTreeSet::new());
    assert_eq!(many.proofs().count(), 0);
}

fn former() -> Former {
    let entry = "C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:bash\nV:5.2-r0\nA:aarch64\nS:7\n".to_owned();
    Former { entry, dropped_at: 9, upstream: false, spare: false, unlisted: None }
}

#[test]
fn dropped_versions_are_remembered_by_their_entries_for_as_long_as_their_proofs() {
    let mut state = state();
    assert!(!String::from_utf8(state.to_bytes().unwrap()).unwrap().contains("dropped"));
    state.drop_versions(&place(), BTreeMap::from([("bash-5.2-r0".to_owned(), former())]));
    let read = parse(&state.to_bytes().unwrap()).unwrap();
    assert_eq!(read, state);
    assert_eq!(read.former(&place(), "bash-5.2-r0"), Some(&former()));
    let elsewhere = Place { arch: "x86_64".to_owned(), ..place() };
    state.drop_versions(&elsewhere, BTreeMap::new());
    assert_eq!(state.formers().count(), 1);
    state.keep_only(&BTreeSet::from([SHA256.to_owned()]));
    assert_eq!(state.formers().count(), 1);
    state.keep_only(&BTreeSet::new());
    assert_eq!((state.formers().count(), state.proofs().count()), (0, 0));
}

#[test]
fn an_entry_that_is_none_or_several_is_refused() {
    let whole = former();
    let wrong = ["", "P:bash\n", "C:Q1AA\nP:bash\nV:1\n"].map(str::to_owned);
    let twice = format!("{}\n{}", whole.entry, whole.entry.replace("5.2", "5.3").replace("R2", "R3"));
    for entry in wrong.into_iter().chain([twice]) {
        let mut state = state();
        let former = Former { entry, ..whole.clone() };
        state.drop_versions(&place(), BTreeMap::from([("bash-5.2-r0".to_owned(), former)]));
        let error = parse(&state.to_bytes().unwrap()).unwrap_err();
        assert!(matches!(error, StateError::Value { expected: "the entry of one package", .. }), "{error:?}");
    }
}
