//! What kind of member comes next, told by the name of its first entry.

use crate::container::{
    Cap, Caps, Entry, Inflater, MemberSink, Source, TarReader, TarSink, ZeroBlocks, read_member,
};

use super::signature::PREFIX;

/// What the first entry of a member says about it.
///
/// Trust: a hint only. Each kind of member is then read by its own rules, whole, and refused if it is
/// another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lead {
    /// A `.SIGN.*` entry.
    Signature,
    /// Another name that begins with a dot: the control member of a package.
    Dot,
    /// Any other name: an index.
    Plain,
    /// The member inflates to nothing.
    Empty,
    /// Not a gzip member that holds an archive.
    Unknown,
}

/// How much of a member is looked at: a pax header and the header of the first entry fit twice.
const LOOK: u64 = 4096;

/// Looks at the first stored bytes of a member.
pub(crate) fn lead(head: &[u8], inflater: &mut Inflater) -> Lead {
    let cap = |limit| Cap::new("signature-inflated", limit);
    let caps = Caps { stored: cap(u64::MAX), inflated: cap(LOOK), ratio: None };
    let mut look = Look {
        tar: TarReader::new(ZeroBlocks::Allowed, u64::MAX),
        first: First(None),
        inflated: false,
        begins_with_prefix: false,
        broken: false,
    };
    let mut buffer = [0; 1024];
    let mut source = Source::new(head, &mut buffer);
    // How it ends does not matter: usually by the cap.
    let ended = read_member(&mut source, inflater, &caps, &mut look).is_ok();
    match look.first.0 {
        Some(lead) => lead,
        None if ended && !look.inflated => Lead::Empty,
        // An extension header that goes on and on stands in no honest member: the tightest limits for it.
        None if look.tar.is_inside_extension() || look.begins_with_prefix => Lead::Signature,
        None => Lead::Unknown,
    }
}

struct Look {
    tar: TarReader,
    first: First,
    inflated: bool,
    /// The name field of the first header does, whatever is wrong with the rest of it.
    begins_with_prefix: bool,
    broken: bool,
}

struct First(Option<Lead>);

impl MemberSink for Look {
    fn raw(&mut self, _: &[u8]) {}

    fn inflated(&mut self, bytes: &[u8]) {
        self.begins_with_prefix |= !self.inflated && bytes.starts_with(PREFIX);
        self.inflated |= !bytes.is_empty();
        if !self.broken && self.first.0.is_none() {
            self.broken = self.tar.feed(bytes, &mut self.first).is_err();
        }
    }
}

impl TarSink for First {
    fn entry(&mut self, entry: &Entry) {
        let lead = match entry.path.as_slice() {
            path if path.starts_with(PREFIX) => Lead::Signature,
            [b'.', ..] => Lead::Dot,
            _ => Lead::Plain,
        };
        self.0.get_or_insert(lead);
    }

    fn body(&mut self, _: &[u8]) {}

    fn end(&mut self) {}
}
