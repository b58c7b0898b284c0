use proptest::prelude::*;

use super::*;
use crate::index::testing;

const FOO: &str =
    "C:Q1R2BIvfiF748uM/EcZjiP75/C3WM=\nP:foo\nV:1.0-r0\nA:x86_64\nS:1000\nI:4096\nt:1700000000\n";

fn read(text: impl AsRef<[u8]>) -> TextReport {
    let mut reader = TextReader::new(&Limits::default(), Keep::Text);
    reader.feed(text.as_ref()).unwrap();
    reader.finish().unwrap()
}

/// The entry of `foo` with one line put in the place of the line that begins with the same field.
fn with(line: &str) -> String {
    let lines = FOO.lines().map(|old| if old.as_bytes()[0] == line.as_bytes()[0] { line } else { old });
    lines.flat_map(|line| [line, "\n"]).collect::<String>() + "\n"
}

fn faults(text: impl AsRef<[u8]>) -> Vec<(FaultClass, &'static str, u64)> {
    read(text).faults.iter().map(|fault| (fault.class, fault.code, fault.line)).collect()
}

fn notes(text: impl AsRef<[u8]>) -> Vec<(&'static str, u64)> {
    let report = read(text);
    assert_eq!(report.faults, []);
    report.notes.iter().map(|note| (note.code, note.line)).collect()
}

fn malformed(code: &'static str, line: u64) -> Vec<(FaultClass, &'static str, u64)> {
    vec![(FaultClass::Malformed, code, line)]
}

fn policy(code: &'static str, line: u64) -> Vec<(FaultClass, &'static str, u64)> {
    vec![(FaultClass::Policy, code, line)]
}

#[test]
fn accepts_an_entry_and_reports_its_time() {
    let report = read(format!("{FOO}\n"));
    assert_eq!((report.entries, report.fault_count, report.note_count), (1, 0, 0));
    assert_eq!(report.newest_build_time, Some(1_700_000_000));
    assert_eq!(report.text, Some(format!("{FOO}\n").into_bytes()));
}

#[test]
fn keeps_no_text_unless_told() {
    let mut reader = TextReader::new(&Limits::default(), Keep::Nothing);
    reader.feed(FOO.as_bytes()).unwrap();
    assert_eq!(reader.finish().unwrap().text, None);
}

#[test]
fn empty_lines_may_repeat_and_the_last_may_be_missing() {
    assert_eq!(notes(format!("\n\n{FOO}\n\n\n")), []);
    assert_eq!(notes(FOO), []);
    assert_eq!(read(format!("\n\n{FOO}\n\n\n")).entries, 1);
}

#[test]
fn empty_index_and_missing_last_newline_are_notes() {
    assert_eq!(notes(""), [("text-no-entry", 0)]);
    assert_eq!(notes(FOO.trim_end()), [("text-no-final-newline", 7)]);
    assert_eq!(read(FOO.trim_end()).newest_build_time, Some(1_700_000_000));
}

#[test]
fn refuses_control_characters_and_other_encodings() {
    assert_eq!(faults(format!("{FOO}T:a\0\n\n")), malformed("text-control-character", 8));
    assert_eq!(faults(format!("{FOO}T:a\x1b[31m\n\n")), malformed("text-control-character", 8));
    assert_eq!(faults(format!("{FOO}T:a\tb\n\n")), malformed("text-control-character", 8));
    assert_eq!(faults([FOO.as_bytes(), b"T:\xff\n\n"].concat()), malformed("text-not-utf8", 8));
    assert_eq!(notes(format!("{FOO}T:gr\u{fc}n\n\n")), []);
}

#[test]
fn line_ends_of_dos_are_one_fault() {
    assert_eq!(faults(format!("{FOO}\n").replace('\n', "\r\n")), malformed("text-crlf", 1));
}

#[test]
fn refuses_lines_that_are_no_fields() {
    assert_eq!(faults(format!("{FOO}x\n\n")), malformed("text-short-line", 8));
    assert_eq!(faults(format!("{FOO}foo\n\n")), malformed("text-no-colon", 8));
}

#[test]
fn refuses_repeated_missing_and_foreign_fields() {
    assert_eq!(faults(format!("{FOO}V:9.9-r9\n\n")), malformed("entry-repeated-field", 8));
    for letter in ["C", "P", "V", "S"] {
        let text: String = FOO.split_inclusive('\n').filter(|line| !line.starts_with(letter)).collect();
        assert_eq!(faults(text), malformed("entry-missing-field", 1), "{letter}");
    }
    for letter in "FMRaZrqsfg".chars() {
        assert_eq!(faults(format!("{FOO}{letter}:x\n")), malformed("entry-installed-field", 8), "{letter}");
    }
    for letter in ["X", "B", "1", "-", " "] {
        assert_eq!(faults(format!("{FOO}{letter}:x\n")), policy("entry-unknown-field", 8), "{letter}");
    }
}

#[test]
fn lists_may_repeat_and_unknown_lower_fields_are_notes() {
    assert_eq!(notes(format!("{FOO}D:a\nD:b\n")), [("entry-repeated-list", 9)]);
    assert_eq!(
        notes(format!("{FOO}x:1\nx:2\n")),
        [("entry-unknown-lower-field", 8), ("entry-unknown-lower-field", 9)]
    );
    assert_eq!(notes(FOO.replace("A:x86_64\n", "")), [("entry-no-architecture", 1)]);
}

#[test]
fn empty_free_text_and_empty_lists_are_accepted() {
    assert_eq!(notes(format!("{FOO}T:\nU:\nL:\nc:\nD:\np: a  b \n")), []);
}

#[test]
fn refuses_identities_in_any_other_form() {
    for value in ["", "Q1AAAA", "Q3R2BIvfiF748uM/EcZjiP75/C3WM=", "Q1R2BIvfiF748uM/EcZjiP75/C3WN="] {
        assert_eq!(faults(with(&format!("C:{value}"))), malformed("entry-identity", 1), "{value}");
    }
    let hex = format!("C:X1{}", "00".repeat(20));
    for line in ["C:Q2S4Ly826yGTVWimQP42+8xSoGd7s1elp2EvFsJgCA7nA=", &hex] {
        assert_eq!(faults(with(line)), policy("entry-identity-kind", 1), "{line}");
    }
}

#[test]
fn refuses_names_that_would_leave_the_directory() {
    for name in ["", "../../x/foo", ".foo", "a b", "so:x"] {
        assert_eq!(faults(with(&format!("P:{name}"))), malformed("entry-name", 2), "{name}");
    }
    for version in ["", "1.0/../../x", "..", "1:2"] {
        assert_eq!(faults(with(&format!("V:{version}"))), malformed("entry-version", 3), "{version}");
    }
    for architecture in ["", "../x", "x/y"] {
        assert_eq!(faults(with(&format!("A:{architecture}"))), malformed("entry-architecture", 4));
    }
}

#[test]
fn versions_outside_the_grammar_are_notes_everywhere() {
    assert_eq!(notes(with("V:836b738-r1")), [("entry-version-grammar", 3)]);
    for (field, code) in [("D", "atom-unusable"), ("i", "atom-unusable"), ("p", "atom-version-grammar")] {
        assert_eq!(notes(format!("{FOO}{field}:cmd:nodm=f7832d6-r0\n")), [(code, 8)]);
    }
}

#[test]
fn refuses_numbers_that_are_none_or_too_large() {
    for line in ["S:12x", "S:-1", "S:", "I:+1", "t:1.5"] {
        let at = if line.starts_with('S') {
            5
        } else if line.starts_with('I') {
            6
        } else {
            7
        };
        assert_eq!(faults(with(line)), malformed("entry-number", at), "{line}");
    }
    assert_eq!(faults(with("S:18446744073709551616")), malformed("entry-number-range", 5));
    assert_eq!(notes(with("S:18446744073709551615")), []);
    assert_eq!(faults(format!("{FOO}k:65536\n")), malformed("entry-number-range", 8));
}

#[test]
fn refuses_atoms_that_apk_cannot_use() {
    for atom in ["foo<>=~", "foo=", "=1", "foo=1/2", "!!a"] {
        assert_eq!(faults(format!("{FOO}D:ok {atom}\n")), policy("atom-broken", 8), "{atom}");
    }
    assert_eq!(faults(format!("{FOO}D:foo@edge\n")), policy("atom-tag", 8));
    assert_eq!(notes(format!("{FOO}p:cmd:kdevelop!=23.04.3-r0\n")), [("atom-name", 8)]);
}

#[test]
fn refuses_the_same_package_twice_and_names_both() {
    let report = read(format!("{FOO}\n{FOO}\n"));
    let found: Vec<_> =
        report.faults.iter().map(|f| (f.code, f.line, f.entry.as_str(), f.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("entry-duplicate-identity", 9, "foo-1.0-r0", "entry 1 (line 1) has the same `C:`"),
            (
                "entry-duplicate-version",
                9,
                "foo-1.0-r0",
                "entry 1 (line 1) has the same name, version and architecture"
            ),
        ]
    );
}

#[test]
fn refuses_one_identity_under_two_names_and_one_name_under_two_identities() {
    assert_eq!(faults(format!("{FOO}\n{}", with("P:bar"))), malformed("entry-duplicate-identity", 9));
    let other = with("C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_eq!(faults(format!("{FOO}\n{other}")), malformed("entry-duplicate-version", 9));
}

#[test]
fn one_version_may_stand_once_for_each_architecture() {
    let other = with("C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=").replace("x86_64", "aarch64");
    assert_eq!(notes(format!("{FOO}\n{other}")), []);
}

#[test]
fn faults_and_notes_bear_the_name_of_their_entry() {
    let report = read(with("S:x") + &with("V:1.0xy") + "\nT:\x01\n");
    assert_eq!(report.faults[0].entry, "foo-1.0-r0");
    assert_eq!(report.faults[0].message, "expected decimal digits in `S:`, found `x`");
    assert_eq!(report.notes.iter().find(|note| note.line == 11).unwrap().entry, "foo-1.0xy");
    assert_eq!(report.faults.last().unwrap().entry, "");
}

#[test]
fn a_flood_of_faults_is_counted_but_not_listed_and_hides_nothing() {
    let text = format!("{}{FOO}x\n\n", format!("{FOO}X:1\n\n").repeat(3));
    let mut reader = TextReader::new(&Limits::default(), Keep::Nothing).listing(2);
    reader.feed(text.as_bytes()).unwrap();
    let report = reader.finish().unwrap();
    assert_eq!(report.fault_count, 4);
    assert_eq!(report.faults.len(), 3);
    assert_eq!(report.decisive().map(|fault| fault.code), Some("text-short-line"));
}

#[test]
fn names_the_limit_of_lines_and_of_entries() {
    let mut limits = Limits { line: 20, ..Limits::default() };
    let long = [b"T:".as_slice(), &[b'a'; 19], b"\n"].concat();
    for chunk in [1, 7, 100] {
        let mut reader = TextReader::new(&limits, Keep::Nothing);
        let result = long.chunks(chunk).try_for_each(|chunk| reader.feed(chunk));
        assert_eq!(result, Err(Limits::reached("line", 20)), "{chunk}");
    }
    assert_eq!(TextReader::new(&limits, Keep::Nothing).feed(&long[1..]), Ok(()));
    limits = Limits { index_entries: 1, ..Limits::default() };
    let mut reader = TextReader::new(&limits, Keep::Nothing);
    assert_eq!(reader.feed(b"P:a\n\nP:b\n"), Err(Limits::reached("index-entries", 1)));
    let mut reader = TextReader::new(&limits, Keep::Nothing);
    reader.feed(b"P:a\n\nP:b").unwrap();
    assert_eq!(reader.finish(), Err(Limits::reached("index-entries", 1)));
}

proptest! {
    #[test]
    fn chunks_of_any_size_give_the_same_report(
        lines in proptest::collection::vec("[CPVASDpx\\r\u{fc}]{0,1}:?[a-z0-9 =\u{fc}\\t]{0,6}", 0..12),
        size in 1..9_usize,
    ) {
        let text = lines.join("\n");
        let mut reader = TextReader::new(&Limits::default(), Keep::Text);
        for chunk in text.as_bytes().chunks(size) {
            reader.feed(chunk).unwrap();
        }
        prop_assert_eq!(reader.finish().unwrap(), read(text));
    }
}

#[test]
fn real_indexes_hold_with_the_known_notes() {
    for (name, entries, count) in [
        ("alpine/v3.16/main/x86_64", 4929, 14),
        ("alpine/v3.17/main/aarch64", 5004, 3),
        ("producers/alpine-official-index", 14929, 62),
        ("producers/multi-arch-index", 3, 0),
        ("producers/git-hash-version", 4, 2),
        ("producers/go-apkutils", 3, 0),
        ("producers/odd", 3, 0),
        ("producers/empty-index", 0, 1),
        ("producers/resigned-4x", 107, 0),
        ("producers/debian-converted", 157, 149),
        ("abuild-2025/x86_64", 66, 0),
        ("melange-2025/aarch64", 35, 0),
        ("melange-repo/x86_64", 4, 0),
        ("multi-signature", 16, 0),
        ("rsa256", 1, 0),
    ] {
        let Some(text) = testing::real(name) else { return };
        let report = read(&text);
        assert_eq!(report.faults, [], "{name}");
        assert_eq!((report.entries, report.note_count), (entries, count), "{name} {:#?}", report.notes);
        assert_eq!(report.text, Some(text));
    }
}
