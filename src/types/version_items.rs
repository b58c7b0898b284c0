//! Versions as sequences of ranked items: the order of `apk`, for grammatical and other texts alike.

use std::cmp::Ordering;

/// One step of a comparison: rank first, then value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Item<'a> {
    /// The digits that a version begins with.
    First(&'a [u8]),
    /// The digits after a `.`.
    Part(&'a [u8]),
    /// The one letter that may end the dotted part.
    Letter(u8),
    /// `_cvs`, `_svn`, `_git`, `_hg`, `_p`, in this order.
    Post(u8),
    /// The digits after a suffix.
    Number(&'a [u8]),
    /// The hexadecimal digits after `~`: compared as text, although they mean nothing.
    Hash(&'a [u8]),
    /// The digits after `-r`.
    Revision(&'a [u8]),
    /// Nothing is left.
    End,
    /// What is left is outside the grammar.
    Invalid,
    /// `_alpha`, `_beta`, `_pre`, `_rc`, in this order.
    Pre(u8),
}

impl Item<'_> {
    const fn rank(self) -> u8 {
        match self {
            Self::First(_) => 10,
            Self::Part(_) => 9,
            Self::Letter(_) => 8,
            Self::Post(_) => 7,
            Self::Number(_) => 6,
            Self::Hash(_) => 5,
            Self::Revision(_) => 4,
            Self::End => 3,
            Self::Invalid => 2,
            Self::Pre(_) => 1,
        }
    }

    const fn is_last(self) -> bool {
        matches!(self, Self::End | Self::Invalid)
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::First(a), Self::First(b))
            | (Self::Number(a), Self::Number(b))
            | (Self::Revision(a), Self::Revision(b)) => number(a).cmp(&number(b)),
            (Self::Letter(a), Self::Letter(b))
            | (Self::Post(a), Self::Post(b))
            | (Self::Pre(a), Self::Pre(b)) => a.cmp(&b),
            (Self::Hash(a), Self::Hash(b)) => a.cmp(b),
            (Self::Part(a), Self::Part(b)) => compare_parts(a, b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// A leading zero makes both sides text: `1.010` lies between `1.01` and `1.02`.
fn compare_parts(a: &[u8], b: &[u8]) -> Ordering {
    if a.first() == Some(&b'0') || b.first() == Some(&b'0') { a.cmp(b) } else { number(a).cmp(&number(b)) }
}

/// The value of decimal digits in 64 bits; more than that wraps, as it does in `apk`.
fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |value: u64, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0'))))
}

/// What the last item was, which decides what may follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Start,
    Dotted,
    Letter,
    Suffix,
    Number,
    Hash,
    Last,
}

/// Reads a version item by item; ends with [`Item::End`] or [`Item::Invalid`], again and again.
#[derive(Clone, Debug)]
struct Items<'a> {
    rest: &'a [u8],
    state: State,
}

impl<'a> Items<'a> {
    const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, state: State::Start }
    }

    fn next(&mut self) -> Item<'a> {
        let item = self.read();
        self.state = match item {
            Item::First(_) | Item::Part(_) => State::Dotted,
            Item::Letter(_) => State::Letter,
            Item::Post(_) | Item::Pre(_) => State::Suffix,
            Item::Number(_) => State::Number,
            Item::Hash(_) => State::Hash,
            Item::Revision(_) | Item::End | Item::Invalid => State::Last,
        };
        item
    }

    fn read(&mut self) -> Item<'a> {
        match (self.state, self.rest) {
            (State::Start, _) => self.digits(0).map_or(Item::Invalid, Item::First),
            (_, []) => Item::End,
            (State::Dotted, [b'.', ..]) => self.digits(1).map_or(Item::Invalid, Item::Part),
            (State::Dotted, [letter @ b'a'..=b'z', rest @ ..]) => {
                self.rest = rest;
                Item::Letter(*letter)
            }
            (State::Suffix, [b'0'..=b'9', ..]) => self.digits(0).map_or(Item::Invalid, Item::Number),
            (State::Hash, [b'~' | b'_', ..]) | (State::Last, _) => Item::Invalid,
            (_, [b'_', ..]) => self.suffix(),
            (_, [b'~', ..]) => self
                .run(1, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                .map_or(Item::Invalid, Item::Hash),
            (_, [b'-', b'r', ..]) => self.digits(2).map_or(Item::Invalid, Item::Revision),
            _ => Item::Invalid,
        }
    }

    fn digits(&mut self, skip: usize) -> Option<&'a [u8]> {
        self.run(skip, |byte| byte.is_ascii_digit())
    }

    /// Skips the mark of an item and takes the bytes that belong to it, at least one.
    fn run(&mut self, skip: usize, belongs: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let rest = self.rest.get(skip..)?;
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        let (run, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        if run.is_empty() { None } else { Some(run) }
    }

    fn suffix(&mut self) -> Item<'a> {
        match self.run(1, |byte| byte.is_ascii_lowercase()) {
            Some(b"alpha") => Item::Pre(0),
            Some(b"beta") => Item::Pre(1),
            Some(b"pre") => Item::Pre(2),
            Some(b"rc") => Item::Pre(3),
            Some(b"cvs") => Item::Post(0),
            Some(b"svn") => Item::Post(1),
            Some(b"git") => Item::Post(2),
            Some(b"hg") => Item::Post(3),
            Some(b"p") => Item::Post(4),
            _ => Item::Invalid,
        }
    }
}

/// Compares two version texts as `apk` does, grammatical or not.
///
/// Shape: of an ungrammatical text the leading items count; the remainder sorts below the end of a
/// version and above a pre-release suffix, and every remainder is equal to every other.
/// An empty text (the version of an unversioned provider) sorts below every version.
///
/// # Examples
/// ```
/// use std::cmp::Ordering;
/// use apkvet::types::compare_versions;
/// assert_eq!(compare_versions("1.2.10-r0", "1.2.9-r3"), Ordering::Greater);
/// assert_eq!(compare_versions("1.0_rc1-r5", "1.0-r0"), Ordering::Less);
/// assert_eq!(compare_versions("1.0bc", "1.0b"), Ordering::Less);
/// ```
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Items::new(a.as_bytes()), Items::new(b.as_bytes()));
    // Ends: every item but the last takes at least a byte, and a last item meets an equal or another rank.
    loop {
        let (left, right) = (a.next(), b.next());
        match left.compare(right) {
            Ordering::Equal if left.is_last() => return Ordering::Equal,
            Ordering::Equal => {}
            different => return different,
        }
    }
}

/// Whether all items of `wanted`, except its end, are the leading items of `candidate`: `~` of `apk`.
pub(super) fn begins_with(candidate: &str, wanted: &str) -> bool {
    let (mut candidate, mut wanted) = (Items::new(candidate.as_bytes()), Items::new(wanted.as_bytes()));
    loop {
        let item = wanted.next();
        if item == Item::End {
            return true;
        }
        let found = candidate.next();
        if found.rank() != item.rank() || found.compare(item) != Ordering::Equal || item.is_last() {
            return false;
        }
    }
}

/// Whether a text is within the version grammar.
pub(crate) fn is_grammatical(text: &[u8]) -> bool {
    let mut items = Items::new(text);
    loop {
        match items.next() {
            Item::End => return true,
            Item::Invalid => return false,
            _ => {}
        }
    }
}

/// The part of a text that is within the grammar, in bytes.
pub(super) fn grammatical_prefix(text: &[u8]) -> usize {
    let mut items = Items::new(text);
    let mut valid = 0;
    while !items.next().is_last() {
        valid = text.len() - items.rest.len();
    }
    valid
}
