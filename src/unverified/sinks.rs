//! Where the bytes of the signed member go while they pass by.

use crate::container::MemberSink;
use crate::envelope::SignedHasher;
use crate::index::IndexMember;
use crate::package::ControlMember;

/// The control member: hashed as stored, parsed as inflated.
pub(super) struct ControlSink<'l> {
    pub(super) hasher: SignedHasher,
    pub(super) control: ControlMember<'l>,
}

impl MemberSink for ControlSink<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    fn inflated(&mut self, bytes: &[u8]) {
        self.control.feed(bytes);
    }
}

/// The body of an index: parsed as inflated; what is stored is hashed elsewhere.
impl MemberSink for IndexMember {
    fn raw(&mut self, _: &[u8]) {}

    fn inflated(&mut self, bytes: &[u8]) {
        self.feed(bytes);
    }
}

/// A sink whose stored bytes go to a hasher instead, if there is one.
pub(super) struct Hashed<'s, S> {
    pub(super) hasher: Option<&'s mut SignedHasher>,
    pub(super) sink: &'s mut S,
}

impl<S: MemberSink> MemberSink for Hashed<'_, S> {
    fn raw(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Some(hasher) => hasher.update(bytes),
            None => self.sink.raw(bytes),
        }
    }

    fn inflated(&mut self, bytes: &[u8]) {
        self.sink.inflated(bytes);
    }

    fn inflated_in(&mut self, buffer: &mut Box<[u8]>, length: usize) {
        self.sink.inflated_in(buffer, length);
    }
}
