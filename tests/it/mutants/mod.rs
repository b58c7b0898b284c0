//! Changes that mean something, one to three at a time, in files that are unsigned, signed before, or signed anew.
//!
//! Every file comes out of a number, so that a failure can be made again.

use std::collections::BTreeSet;

use apkvet::unverified::Level;
use apkvet::verify::Policy;
use apkvet_fixtures::{Archive, FakeKey, Gzip, Header, Label, PackageBuilder, tar};

use crate::harness::{Judged, judge};
use crate::refusals::trusting_a;

mod changes;
pub(crate) mod index;

/// A package before it is compressed and signed; every part can be changed.
pub(crate) struct Draft {
    /// Blocks behind the signatures.
    pub(crate) signature: Vec<u8>,
    pub(crate) pkginfo: String,
    /// Blocks behind `.PKGINFO`.
    pub(crate) control: Vec<u8>,
    /// Blocks behind the files.
    pub(crate) data: Vec<u8>,
    pub(crate) zero_blocks: usize,
    /// Blocks behind the zero blocks of data.
    pub(crate) after: Vec<u8>,
    pub(crate) gzip: [Gzip; 3],
    /// Bytes behind everything.
    pub(crate) tail: Vec<u8>,
    pub(crate) without_data: bool,
}

/// Where `.PKGINFO` names the hash of the data.
pub(crate) const DATAHASH: &str = "DATAHASH";

impl Default for Draft {
    fn default() -> Self {
        Self {
            signature: Vec::new(),
            pkginfo: PackageBuilder::new("hello", "1.0-r0").pkginfo(DATAHASH),
            control: Vec::new(),
            data: Vec::new(),
            zero_blocks: 2,
            after: Vec::new(),
            gzip: [Gzip::default(), Gzip::default(), Gzip::default()],
            tail: Vec::new(),
            without_data: false,
        }
    }
}

impl Draft {
    fn data(&self) -> Vec<u8> {
        let archive = Archive::default()
            .entry(&Header::directory("usr"), b"")
            .checked_file("usr/hello", b"hello\n")
            .raw(&self.data)
            .zero_blocks(self.zero_blocks)
            .raw(&self.after);
        self.gzip[2].member(&archive.bytes())
    }

    fn control(&self, data: &[u8]) -> Vec<u8> {
        let text = self.pkginfo.replace(DATAHASH, &tar::sha256_hex(data));
        let archive = Archive::default().entry(&Header::file(".PKGINFO"), text.as_bytes()).raw(&self.control);
        self.gzip[1].member(&archive.bytes())
    }

    fn signatures(&self, signed: &[u8]) -> Vec<u8> {
        let name = format!(".SIGN.RSA256.{}", FakeKey::a().name());
        let archive = Archive::default()
            .entry(&Header::file(name), &FakeKey::a().sign(Label::Rsa256, signed))
            .raw(&self.signature);
        self.gzip[0].member(&archive.bytes())
    }

    /// The file, and whether what is signed in it is what was signed.
    fn build(&self, form: Form, original: &Original) -> (Vec<u8>, bool) {
        let data = self.data();
        let control =
            if form == Form::SignedBeforeData { original.control.clone() } else { self.control(&data) };
        let signed = if form == Form::Anew { &control } else { &original.control };
        let signatures = if form == Form::Unsigned { Vec::new() } else { self.signatures(signed) };
        let data = if self.without_data { Vec::new() } else { data };
        let holds = *signed == control && (form == Form::Anew || data == original.data);
        ([signatures, control, data, self.tail.clone()].concat(), holds)
    }
}

/// The members of the package before it was changed.
struct Original {
    control: Vec<u8>,
    data: Vec<u8>,
}

/// When the file was signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Never.
    Unsigned,
    /// Before it was changed.
    SignedBefore,
    /// Before its data alone was changed: control is as it was.
    SignedBeforeData,
    /// After it was changed, by the holder of the key.
    Anew,
}

pub(crate) const FORMS: [Form; 4] = [Form::Unsigned, Form::SignedBefore, Form::SignedBeforeData, Form::Anew];

/// One change, and the verdict of a package that was signed after it.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    pub(crate) verdict: &'static str,
    pub(crate) apply: fn(&mut Draft),
}

/// Numbers that look like chance, the same in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A changed package.
pub(crate) struct Mutant {
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
    /// The verdicts that it may get.
    allowed: BTreeSet<&'static str>,
}

fn allowed(changes: &[&Change], form: Form, holds: bool) -> BTreeSet<&'static str> {
    let refusals = changes.iter().map(|change| change.verdict).filter(|verdict| *verdict != "verified");
    let mut allowed: BTreeSet<_> = refusals.collect();
    match form {
        Form::Unsigned => {
            allowed.insert("unsigned");
        }
        // What was signed decides before all but framing.
        Form::SignedBefore if !holds => {
            allowed.insert("bad-signature");
        }
        Form::SignedBeforeData if !holds => {
            allowed.insert("integrity");
        }
        _ if allowed.is_empty() => {
            allowed.insert("verified");
        }
        _ => {}
    }
    allowed
}

/// The mutant of a number: one to three changes, in one of the forms.
pub(crate) fn mutant(number: u64, all: &[Change]) -> Mutant {
    let draft = Draft::default();
    let data = draft.data();
    let original = Original { control: draft.control(&data), data };
    let mut chance = Chance(number);
    let changes: Vec<&Change> = (0..=chance.below(3)).map(|_| &all[chance.below(all.len())]).collect();
    let form = FORMS[chance.below(FORMS.len())];
    mutate(&changes, form, &original)
}

fn mutate(changes: &[&Change], form: Form, original: &Original) -> Mutant {
    let changes = apart(changes);
    let mut draft = Draft::default();
    changes.iter().for_each(|change| (change.apply)(&mut draft));
    let (bytes, holds) = draft.build(form, original);
    let names: Vec<&str> = changes.iter().map(|change| change.name).collect();
    let changes: Vec<&Change> =
        changes.iter().copied().filter(|change| has_effect(change, form, original)).collect();
    Mutant { what: format!("{form:?}: {}", names.join(", ")), bytes, allowed: allowed(&changes, form, holds) }
}

/// The changes that do not touch what one before them has changed: two of one part can undo each other.
fn apart<'c>(changes: &[&'c Change]) -> Vec<&'c Change> {
    let mut taken = BTreeSet::new();
    let mut apart: Vec<&Change> = Vec::new();
    for change in changes {
        let touched = parts(change);
        if taken.is_disjoint(&touched) {
            taken.extend(touched);
            apart.push(change);
        }
    }
    apart
}

/// Which parts of a file a change touches.
fn parts(change: &Change) -> BTreeSet<usize> {
    let (before, mut after) = (Draft::default(), Draft::default());
    (change.apply)(&mut after);
    let touched = [
        before.signature != after.signature,
        before.pkginfo != after.pkginfo,
        before.control != after.control,
        before.data != after.data,
        before.zero_blocks != after.zero_blocks || before.after != after.after,
        before.tail != after.tail || before.without_data != after.without_data,
    ];
    (0..).zip(touched).filter(|(_, touched)| *touched).map(|(part, _)| part).collect()
}

/// Whether a change reaches the file: where control stays as it was signed, changes of it do not.
fn has_effect(change: &Change, form: Form, original: &Original) -> bool {
    let mut draft = Draft::default();
    (change.apply)(&mut draft);
    draft.build(form, original).0 != Draft::default().build(form, original).0
}

/// Each change alone in each form, then chance.
pub(crate) fn mutants(count: u64) -> Vec<Mutant> {
    let all = changes::all();
    let draft = Draft::default();
    let data = draft.data();
    let original = Original { control: draft.control(&data), data };
    let alone = all.iter().flat_map(|change| FORMS.map(|form| mutate(&[change], form, &original)));
    let more = (0..count).map(|number| mutant(number, &all));
    alone.chain(more).collect()
}

fn look(mutant: &Mutant) -> Judged {
    judge(&mutant.bytes, &trusting_a(), &Policy::default(), Level::Full)
}

#[test]
fn mutants_get_their_class() {
    let mut wrong = Vec::new();
    let mutants = mutants(2000);
    for (number, mutant) in mutants.iter().enumerate() {
        let found = look(mutant);
        if !mutant.allowed.contains(found.verdict) {
            wrong.push(format!("{number}: {}: {:?}, found {found:?}", mutant.what, mutant.allowed));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), mutants.len(), wrong.join("\n"));
}
