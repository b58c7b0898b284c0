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

#[cfg(test)]
mod tests {
    use apkvet_fixtures::{Archive, Header, gzip};

    use super::*;
    use crate::container::Scratch;

    fn look(head: &[u8]) -> Lead {
        lead(head, &mut Scratch::default().inflater)
    }

    fn lead_of(archive: Archive) -> Lead {
        look(&gzip::member(&archive.bytes()))
    }

    #[test]
    fn the_first_name_says_what_a_member_is() {
        let named = |name: &str| lead_of(Archive::default().entry(&Header::file(name), b"x"));
        assert_eq!(named(".SIGN.RSA.x.rsa.pub"), Lead::Signature);
        assert_eq!(named(".PKGINFO"), Lead::Dot);
        assert_eq!(named("DESCRIPTION"), Lead::Plain);
        assert_eq!(lead_of(Archive::default().zero_blocks(2)), Lead::Unknown);
        assert_eq!(look(&gzip::member(b"")), Lead::Empty);
        assert_eq!(look(b"no gzip member"), Lead::Unknown);
        assert_eq!(look(&gzip::member(&[b'x'; 600])), Lead::Unknown);
    }

    #[test]
    fn what_does_not_come_to_a_name_is_held_to_the_limits_of_a_signature_member() {
        let long = "x".repeat(8192);
        let endless = || Archive::default().pax(&[("comment", &long)]);
        assert_eq!(lead_of(endless()), Lead::Signature);
        assert_eq!(lead_of(endless().entry(&Header::file(".PKGINFO"), b"x")), Lead::Signature);
        let broken = Header::file(".SIGN.RSA.x.rsa.pub");
        let mut bytes = Archive::default().entry(&broken, b"x").bytes();
        bytes[150] ^= 1;
        assert_eq!(look(&gzip::member(&bytes)), Lead::Signature);
    }
}
