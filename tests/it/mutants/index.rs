//! The same for indexes.

use apkvet::unverified::Level;
use apkvet::verify::Policy;
use apkvet_fixtures::{Archive, FakeKey, Gzip, Header, Label, index};

use super::{Chance, Form};
use crate::harness::judge;
use crate::refusals::trusting_a;

/// An index before it is compressed and signed.
struct Draft {
    text: String,
    more: Vec<u8>,
    zero_blocks: usize,
    tail: Vec<u8>,
}

type Change = (&'static str, &'static str, fn(&mut Draft));

fn entry(name: &str) -> String {
    let identity = index::identity(name.as_bytes());
    format!(
        "C:{identity}\nP:{name}\nV:1.0-r0\nA:x86_64\nS:1000\nI:4096\nT:x\nD:so:libc.so.1\np:cmd:{name}=1.0-r0\n\n"
    )
}

const CHANGES: &[Change] = &[
    ("another entry", "verified", |d| d.text += &format!("\n{}", entry(&format!("n{}", d.text.len())))),
    ("unknown lower-case field", "verified", |d| d.text = d.text.replacen("T:", "z:1\nT:", 1)),
    ("version outside the grammar", "verified", |d| d.text = d.text.replacen("V:1.0-r0", "V:1.0git-r0", 1)),
    ("no zero blocks", "verified", |d| d.zero_blocks = 0),
    ("no last empty line", "verified", |d| d.text.truncate(d.text.trim_end().len() + 1)),
    ("line ends of DOS", "malformed", |d| d.text = d.text.replace('\n', "\r\n")),
    ("name that leaves", "malformed", |d| d.text = d.text.replacen("P:", "P:../", 1)),
    ("version with a slash", "malformed", |d| d.text = d.text.replacen("V:", "V:0/", 1)),
    ("negative size", "malformed", |d| d.text = d.text.replacen("S:", "S:-", 1)),
    ("no identity", "malformed", |d| d.text = d.text.replacen("C:", "o:", 1)),
    ("a line of one byte", "malformed", |d| d.text = d.text.replacen("T:", "x\nT:", 1)),
    ("a field twice", "malformed", |d| d.text = d.text.replacen("T:", "I:0\nT:", 1)),
    ("the first entry again", "malformed", |d| d.text += &format!("\n{}", entry("first"))),
    ("a field that makes it useless", "policy", |d| d.text = d.text.replacen("T:", "X:\nT:", 1)),
    ("a dependency without version", "policy", |d| d.text = d.text.replacen("so.1\n", "so.1>\n", 1)),
    ("another file", "malformed", |d| {
        d.more.extend(Archive::default().entry(&Header::file("x"), b"").bytes())
    }),
    ("a second text", "malformed", |d| {
        d.more.extend(Archive::default().entry(&Header::file("APKINDEX"), b"").bytes())
    }),
    ("dangling header", "malformed", |d| d.more.extend(Archive::default().long_name("x").bytes())),
    ("a byte behind everything", "malformed", |d| d.tail.push(1)),
    ("a member behind everything", "malformed", |d| d.tail.extend(apkvet_fixtures::gzip::member(b""))),
];

impl Draft {
    fn new() -> Self {
        Self { text: entry("first") + &entry("second"), more: Vec::new(), zero_blocks: 2, tail: Vec::new() }
    }

    fn body(&self) -> Vec<u8> {
        let archive = Archive::default()
            .entry(&Header::file("DESCRIPTION"), b"v1.0")
            .entry(&Header::file("APKINDEX"), self.text.as_bytes())
            .raw(&self.more)
            .zero_blocks(self.zero_blocks);
        Gzip::default().member(&archive.bytes())
    }
}

fn signature(signed: &[u8]) -> Vec<u8> {
    let style = apkvet_fixtures::package::Style::Plain;
    apkvet_fixtures::package::signature_member(style, &[(FakeKey::a(), Label::Rsa256)], signed)
}

/// The changed index of a number, and the verdicts that it may get.
pub(crate) fn mutant(number: u64) -> (String, Vec<u8>, Vec<&'static str>) {
    let mut chance = Chance(number);
    let mut draft = Draft::new();
    let original = draft.body();
    let changes: Vec<&Change> =
        (0..=chance.below(3)).map(|_| &CHANGES[chance.below(CHANGES.len())]).collect();
    changes.iter().for_each(|(_, _, apply)| apply(&mut draft));
    let form = [Form::Unsigned, Form::SignedBefore, Form::Anew][chance.below(3)];
    let body = draft.body();
    let mut allowed: Vec<&str> =
        changes.iter().map(|(_, verdict, _)| *verdict).filter(|verdict| *verdict != "verified").collect();
    let signed = match form {
        Form::Unsigned => {
            allowed.push("unsigned");
            Vec::new()
        }
        Form::Anew => signature(&body),
        _ => {
            if body != original {
                allowed.push("bad-signature");
            }
            signature(&original)
        }
    };
    if allowed.is_empty() {
        allowed.push("verified");
    }
    let names: Vec<&str> = changes.iter().map(|(name, _, _)| *name).collect();
    let what = format!("{number}: {form:?}: {}", names.join(", "));
    (what, [signed, body, draft.tail].concat(), allowed)
}

#[test]
fn changed_indexes_get_their_class() {
    let keyring = trusting_a();
    for number in 0..2000 {
        let (what, bytes, allowed) = mutant(number);
        let found = judge(&bytes, &keyring, &Policy::default(), Level::Full);
        assert!(allowed.contains(&found.verdict), "{what}: {allowed:?}, found {found:?}");
    }
}
