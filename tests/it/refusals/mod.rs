//! One file for each code with which `verify` can refuse, made wrong in one way on purpose, and a snapshot of what is said.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use apkvet::container::Scratch;
use apkvet::index::rule;
use apkvet::keys::{PublicKey, RsaPublicKey, read_key};
use apkvet::limits::Limits;
use apkvet::unverified::{Keep, ReadOptions, Subject, read};
use apkvet::verify::{
    IndexEntries, Judgement, Keyring, Known, Policy, Proof, TrustedKey, verify_index, verify_package,
    verify_unknown,
};
use apkvet_fixtures::{FakeKey, Label, Package, PackageBuilder};

mod content;
mod control;
mod data;
mod framing;
mod index;
mod signatures;
mod trust;

/// A file that is refused with one code.
pub(crate) struct Case {
    pub(crate) code: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) given: Given,
}

/// What a file is judged with.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) keyring: Option<Keyring>,
    pub(crate) policy: Policy,
    pub(crate) known: Option<Known>,
    pub(crate) limits: Limits,
    /// The file of an index that the package is held against.
    pub(crate) index: Option<Vec<u8>>,
}

/// Codes that no file at hand leads to; what proves them instead.
const NOT_BY_FILE: &[(&str, &str)] = &[
    ("sha1-collision", "colliding_control_members_are_refused: a file would need a new collision"),
    ("unproven", "nothing leads there; it is what holds if something should"),
];

pub(crate) fn case(code: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { code, bytes: bytes.into(), given: Given::default() }
}

impl Case {
    fn limit(mut self, name: &str, value: &str) -> Self {
        self.given.limits.set(name, value).unwrap();
        self
    }

    fn policy(mut self, policy: Policy) -> Self {
        self.given.policy = policy;
        self
    }

    fn keyring(mut self, keyring: Keyring) -> Self {
        self.given.keyring = Some(keyring);
        self
    }

    fn against(mut self, index: Vec<u8>) -> Self {
        self.given.index = Some(index);
        self
    }
}

/// A package with a file, before anything is wrong with it.
fn package() -> PackageBuilder {
    PackageBuilder::new("hello", "1.0-r0")
}

fn signed(builder: &PackageBuilder) -> Package {
    builder.build_signed(&[(FakeKey::a(), Label::Rsa256)])
}

/// A public key under a name.
fn trusting(name: &str, key: PublicKey) -> Keyring {
    let mut keyring = Keyring::default();
    keyring.add(TrustedKey::new(name, name, key)).unwrap();
    keyring
}

/// Key `a` under its own name.
pub(crate) fn trusting_a() -> Keyring {
    trusting(FakeKey::a().name(), read_key(FakeKey::a().public_pem().as_bytes()).unwrap())
}

fn rsa(bits: usize, last: u8, exponent: &[u8]) -> PublicKey {
    let mut modulus = vec![0xff; bits / 8];
    *modulus.last_mut().unwrap() = last;
    PublicKey::Rsa(RsaPublicKey::new(&modulus, exponent))
}

pub(crate) fn cases() -> Vec<Case> {
    let rooms = [
        content::cases,
        framing::cases,
        signatures::cases,
        control::cases,
        data::cases,
        index::cases,
        trust::cases,
    ];
    rooms.iter().flat_map(|cases| cases()).collect()
}

fn entries(bytes: &[u8], proof: &Proof<'_>) -> Option<IndexEntries> {
    let options = ReadOptions { index_text: Keep::Text, ..ReadOptions::default() };
    let Subject::Index(index) = read(bytes, &options, &mut Scratch::default()).unwrap() else { panic!() };
    verify_index(index, proof).into_verified().ok().and_then(IndexEntries::new)
}

/// Verdict, code, message and remedy.
fn said<T>(judged: &Judgement<T>) -> (String, &'static str) {
    let Some(reason) = judged.reason() else { return ("verified\n".into(), "verified") };
    let mut text = format!("{}: {}\n", reason.verdict(), reason.message());
    match reason.remedy() {
        Some(remedy) => writeln!(text, "  fix: {remedy}").unwrap(),
        None => panic!("{} has no remedy", reason.code()),
    }
    (text, reason.code())
}

fn judge(case: &Case) -> (String, &'static str) {
    let Given { keyring, policy, known, limits, index } = &case.given;
    let (own, builtin) = (trusting_a(), Known::builtin());
    let known = known.as_ref().unwrap_or(&builtin);
    let proof = Proof { keyring: keyring.as_ref().unwrap_or(&own), policy, known };
    let options = ReadOptions { limits: limits.clone(), ..ReadOptions::default() };
    match read(&*case.bytes, &options, &mut Scratch::default()).unwrap() {
        Subject::Package(package) => {
            let judged = verify_package(package, &proof);
            said(&match index.as_deref().map(|index| entries(index, &proof)) {
                None => judged,
                Some(Some(entries)) => judged.against_index(&entries),
                Some(None) => judged.without_index("the index is untrusted"),
            })
        }
        Subject::Index(index) => said(&verify_index(index, &proof)),
        Subject::Unknown(file) => said(&verify_unknown(file, &proof)),
    }
}

#[test]
fn every_refusal_says_what_is_wrong_and_what_to_do() {
    let mut text = String::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let (said, code) = judge(&case);
        write!(text, "[{code}] {said}").unwrap();
        if code != case.code {
            wrong.push(format!("expected {}, found [{code}] {said}", case.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join(""));
    insta::assert_snapshot!("refusals", text);
}

/// Literals in code that are the code of a refusal: arms of `fn code`, and what faults are made with.
fn codes(source: &str) -> BTreeSet<String> {
    let calls = ["Fault::new(", "fault(\"", "framing(\"", "integrity(\""];
    let mut found = BTreeSet::new();
    let (mut in_code, mut in_call) = (false, false);
    for line in source.split("#[cfg(test)]").next().unwrap().lines() {
        in_code = (in_code || line.contains("fn code(")) && line != "    }";
        in_call |= calls.iter().any(|call| line.contains(call));
        let words: Vec<&str> = line.split('"').skip(1).step_by(2).filter(is_code).collect();
        let word = match () {
            () if in_code => words.last(),
            () if in_call => words.first(),
            () => None,
        };
        // A call that fills several lines ends with the first literal, or with itself.
        in_call &= word.is_none() && !line.ends_with(';');
        found.extend(word.map(|word| (*word).to_owned()));
    }
    found
}

/// All words in the file that names what else a file may be.
fn contents() -> BTreeSet<String> {
    let source = include_str!("../../../src/unverified/content.rs");
    source.split('"').skip(1).step_by(2).filter(is_code).map(str::to_owned).collect()
}

fn is_code(word: &&str) -> bool {
    word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte))
}

fn walk(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| walk(&entry.unwrap().path(), found));
    } else if !path.ends_with("tests.rs") {
        // What a test refuses is no refusal of ours.
        found.extend(codes(&std::fs::read_to_string(path).unwrap()));
    }
}

#[test]
fn every_code_of_a_refusal_has_a_case() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = contents();
    let rooms = ["container", "envelope", "package", "unverified", "verify", "index/body.rs"];
    rooms.iter().for_each(|room| walk(&source.join(room), &mut found));
    let in_text = |id: &str| ["text-", "entry-", "atom-"].iter().any(|prefix| id.starts_with(prefix));
    let errors = rule::ALL.iter().filter(|rule| rule.severity == rule::Severity::Error);
    found.extend(errors.map(|rule| rule.id.to_owned()).filter(|id| in_text(id)));
    assert!(found.len() > 100, "{found:?}");
    let cases = cases();
    let known = |code: &String| {
        cases.iter().any(|case| case.code == code) || NOT_BY_FILE.iter().any(|(known, _)| known == code)
    };
    let missing: Vec<&String> = found.iter().filter(|code| !known(code)).collect();
    assert!(missing.is_empty(), "no case, and so no snapshot, for {missing:?}");
}
