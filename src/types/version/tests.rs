use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::types::VersionOperator;

fn compare(a: &str, operator: &str, b: &str) -> bool {
    match operator {
        "valid" => Version::parse(a.as_bytes()).is_ok(),
        "invalid" => Version::parse(a.as_bytes()).is_err(),
        _ => {
            let (negated, operator) =
                operator.strip_prefix('!').map_or((false, operator), |rest| (true, rest));
            VersionOperator::parse(operator).unwrap().accepts(a, b) != negated
        }
    }
}

#[test]
fn agrees_with_every_vector() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/version-vectors.tsv"));
    let Ok(vectors) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED: ../shared is missing: {}", path.display());
        return;
    };
    let mut agreed = 0;
    for line in vectors.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        assert!(compare(fields[0], fields[1], fields[2]), "{line}");
        agreed += 1;
    }
    assert_eq!(agreed, 200);
}

#[test]
fn suffixes_hashes_and_letters_lie_in_this_order() {
    let order = [
        "1.0_alpha",
        "1.0_alpha1",
        "1.0_alpha_p",
        "1.0_rc99",
        "1.0",
        "1.0-r0",
        "1.0~abc",
        "1.0_cvs",
        "1.0_p",
        "1.0a",
        "1.0.0_alpha",
        "1.00",
        "1.01",
        "1.010",
        "1.02",
        "1.09",
        "1.1",
        "1.9",
        "1.10",
    ];
    for pair in order.windows(2) {
        let [low, high] = pair else { unreachable!() };
        assert!(
            Version::parse(low.as_bytes()).unwrap() < Version::parse(high.as_bytes()).unwrap(),
            "{low} {high}"
        );
    }
}

#[test]
fn refuses_what_leaves_the_grammar_and_says_where() {
    let cases =
        [("1.0-beta", 3), ("1.0bc", 4), ("v1", 0), ("1__p", 1), ("1~abc~def", 5), ("1-r1a", 4), ("1.", 1)];
    for (text, valid) in cases {
        let found = text.to_owned();
        assert_eq!(Version::parse(text.as_bytes()).unwrap_err(), VersionError::Grammar { found, valid });
    }
    assert_eq!(Version::parse(b"").unwrap_err(), VersionError::Empty);
    assert_eq!(
        Version::parse(b"1\xff").unwrap_err(),
        VersionError::Grammar { found: r"1\xff".into(), valid: 1 }
    );
}

fn grammatical() -> impl Strategy<Value = String> {
    let digits = "(0|1|00|01|9|10|18446744073709551617|[0-9]{1,3})";
    let suffix = "(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)([0-9]{1,2})?){0,2}";
    proptest::string::string_regex(&format!(
        "{digits}(\\.{digits}){{0,3}}[a-c]?{suffix}(~[0-9a-c]{{1,3}})?(-r[0-9]{{1,2}})?"
    ))
    .unwrap()
}

proptest! {
    #[test]
    fn prints_exactly_what_it_read(text in grammatical()) {
        let version = Version::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(version.to_string(), text);
    }

    #[test]
    fn order_is_total(a in grammatical(), b in grammatical(), c in grammatical()) {
        let [a, b, c] = [a, b, c].map(|text| Version::parse(text.as_bytes()).unwrap());
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        if a <= b && b <= c {
            prop_assert!(a <= c, "{} {} {}", a, b, c);
        }
        if a == b {
            prop_assert_eq!(a.cmp(&c), b.cmp(&c));
        }
    }

    #[test]
    fn order_of_ungrammatical_texts_is_total(a in "[0-9a-c._~r-]{0,8}", b in "[0-9a-c._~r-]{0,8}", c in "[0-9a-c._~r-]{0,8}") {
        let order = |a: &str, b: &str| compare_versions(a, b);
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        if order(&a, &b) != Ordering::Greater && order(&b, &c) != Ordering::Greater {
            prop_assert_ne!(order(&a, &c), Ordering::Greater);
        }
    }

    #[test]
    fn every_extension_of_a_version_is_fuzzily_equal(text in grammatical(), revision in 0..20_u8) {
        let fuzzy = VersionOperator::parse("~").unwrap();
        prop_assert!(fuzzy.accepts(&text, &text));
        if !text.contains("-r") {
            let extended = format!("{text}-r{revision}");
            prop_assert!(fuzzy.accepts(&extended, &text));
        }
    }

    #[test]
    fn never_panics(text in any::<Vec<u8>>()) {
        let _ = Version::parse(&text);
    }
}
