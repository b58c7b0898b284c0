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

/// The body of an index: hashed as stored, parsed as inflated.
pub(super) struct IndexSink {
    pub(super) hasher: SignedHasher,
    pub(super) index: IndexMember,
}

impl MemberSink for IndexSink {
    fn raw(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    fn inflated(&mut self, bytes: &[u8]) {
        self.index.feed(bytes);
    }
}
