use super::*;
use crate::keys::ScopeError;
use jiff::civil::date;

const HEX: &str = "ba1a4a4bd6e619104222aef2544c48b63911d2ea95a00703358862d4c892da9c";

fn one(words: &str) -> Pins {
    Pins::parse(format!("sha256:{HEX} sgerrand.rsa.pub {words}").as_bytes()).unwrap()
}

fn problem(line: &str) -> PinProblem {
    Pins::parse(line.as_bytes()).unwrap_err().problem
}

struct Subject {
    name: KeyName,
    location: Option<Scope>,
    architecture: Option<&'static str>,
    package: Option<&'static str>,
    sha1: bool,
}

impl Subject {
    fn new() -> Self {
        let location = Scope::of_path(std::path::Path::new("/srv/glibc/glibc-2.23-r3.apk")).unwrap();
        Self {
            name: KeyName::parse(b"sgerrand.rsa.pub").unwrap(),
            location: Some(location),
            architecture: Some("x86_64"),
            package: Some("glibc"),
            sha1: true,
        }
    }

    fn admitted(&self, pins: &Pins, today: Date) -> Result<usize, NotPinned> {
        let subject = PinnedUse {
            fingerprint: Fingerprint::parse(&format!("sha256:{HEX}")).unwrap(),
            name: &self.name,
            location: self.location.as_ref(),
            architecture: self.architecture,
            package: self.package,
            sha1: self.sha1,
        };
        pins.admit(&subject, today).map(Pin::line)
    }
}

fn today() -> Date {
    date(2026, 11, 24)
}

#[test]
fn takes_comments_empty_lines_and_words_in_any_order() {
    let text = format!(
        "# keys of ours\n\n  sgerrand.rsa.pub  until=2027-01-01 SHA256:{}\tscope=file:/srv/a scope=file:/srv/b # why\n",
        HEX.to_uppercase()
    );
    let pins = Pins::parse(text.as_bytes()).unwrap();
    let [pin] = pins.pins() else { panic!("{pins:?}") };
    assert_eq!((pin.line(), pin.scopes().len(), pin.until()), (3, 2, Some(date(2027, 1, 1))));
    let printed = format!(
        "sha256:{HEX}  sgerrand.rsa.pub  scope=file:/srv/a  scope=file:/srv/b  until=2027-01-01  # why"
    );
    assert_eq!(pin.to_string(), printed);
}

#[test]
fn refuses_words_that_it_does_not_know() {
    let line = |words: &str| problem(&format!("sha256:{HEX} a.rsa.pub {words}"));
    assert_eq!(line("untill=2027-01-01"), PinProblem::Unknown { word: "untill=2027-01-01".into() });
    assert_eq!(line("until=2027-13-01"), PinProblem::Until);
    assert_eq!(line("until=20270101"), PinProblem::Until);
    assert_eq!(line("until=2027-01-01 until=2027-01-02"), PinProblem::Twice { word: "until" });
    assert_eq!(line("b.rsa.pub"), PinProblem::Twice { word: "NAME" });
    assert_eq!(line("sha1=maybe"), PinProblem::Sha1);
    assert_eq!(line("scope=ftp://x/"), PinProblem::Scope(ScopeError::Scheme));
    assert_eq!(line("packages=a,,b"), PinProblem::List { word: "packages" });
    assert_eq!(line("ignore=id-age"), PinProblem::Reason);
    assert_eq!(problem("a.rsa.pub"), PinProblem::NoFingerprint);
    assert_eq!(problem(&format!("sha256:{HEX}")), PinProblem::NoName);
    assert!(matches!(problem("sha256:00 a.rsa.pub"), PinProblem::Fingerprint(_)));
    assert!(matches!(problem(&format!("sha256:{HEX} a/b")), PinProblem::Name(_)));
    assert_eq!(Pins::parse(b"\n\xff"), Err(PinsError { line: 1, problem: PinProblem::Text }));
}

#[test]
fn admits_what_fits_in_every_respect() {
    let pins = one("scope=file:/srv/glibc/ until=2026-11-24 arch=x86_64 packages=glibc,glibc-* sha1=allow");
    assert_eq!(Subject::new().admitted(&pins, today()), Ok(1));
    let index = Subject { package: None, architecture: None, ..Subject::new() };
    assert_eq!(index.admitted(&pins, today()), Ok(1));
    let everywhere = Subject { architecture: Some("noarch"), ..Subject::new() };
    assert_eq!(everywhere.admitted(&pins, today()), Ok(1));
}

#[test]
fn refuses_each_respect_that_does_not_fit() {
    let name = KeyName::parse(b"andyshinn.rsa.pub").unwrap();
    let renamed = Subject { name, ..Subject::new() }.admitted(&one(""), today());
    assert_eq!(renamed, Err(NotPinned::Name { expected: KeyName::parse(b"sgerrand.rsa.pub").unwrap() }));
    let refused = |words: &str| Subject::new().admitted(&one(words), today()).unwrap_err();
    assert_eq!(refused("until=2026-11-23"), NotPinned::Expired { line: 1, until: date(2026, 11, 23) });
    assert_eq!(refused("scope=file:/srv/gli"), NotPinned::Scope { line: 1 });
    assert_eq!(refused("scope=https://example.org/"), NotPinned::Scope { line: 1 });
    assert_eq!(refused("arch=aarch64"), NotPinned::Architecture { line: 1 });
    assert_eq!(refused("packages=musl,glibc-*"), NotPinned::Package { line: 1 });
    assert_eq!(refused("sha1=deny"), NotPinned::Sha1 { line: 1 });
    let nowhere = Subject { location: None, ..Subject::new() };
    assert_eq!(nowhere.admitted(&one("scope=file:/"), today()), Err(NotPinned::Scope { line: 1 }));
    let none = Pins::parse(b"").unwrap();
    assert_eq!(Subject::new().admitted(&none, today()), Err(NotPinned::Fingerprint));
}

#[test]
fn the_line_that_comes_nearest_gives_the_reason() {
    let key = format!("sha256:{HEX} sgerrand.rsa.pub");
    let text = format!("{key} packages=musl\n{key} until=2020-01-01\nsha256:{HEX} other.rsa.pub\n");
    let pins = Pins::parse(text.as_bytes()).unwrap();
    assert_eq!(Subject::new().admitted(&pins, today()), Err(NotPinned::Package { line: 1 }));
    let more = Pins::parse(format!("{text}{key}\n").as_bytes()).unwrap();
    assert_eq!(Subject::new().admitted(&more, today()), Ok(4));
}

#[test]
fn globs_match_whole_names() {
    for (glob, name, expected) in [
        ("glibc", "glibc", true),
        ("glibc", "glibc-bin", false),
        ("glibc*", "glibc-bin", true),
        ("*", "", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*-doc", "a-doc-doc", true),
        ("*-doc", "a-docs", false),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXcYb", false),
    ] {
        assert_eq!(matches_glob(glob, name), expected, "{glob} {name}");
    }
}

#[test]
fn what_it_prints_it_reads() {
    let words = "scope=https://example.org/a until=2030-02-28 arch=x86,x86_64 packages=a* sha1=deny";
    let pins = one(words);
    assert_eq!(Pins::parse(pins.pins()[0].to_string().as_bytes()), Ok(pins));
}
