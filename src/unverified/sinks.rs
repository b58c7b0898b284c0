//! Where the bytes of the signed member and of the data member go while they pass by.

use sha2::Digest as _;

use crate::container::MemberSink;
use crate::envelope::SignedHasher;
use crate::index::IndexMember;
use crate::package::{ControlMember, DataMember};

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

/// The data member: hashed as stored, parsed as inflated.
pub(super) struct DataSink {
    pub(super) sha256: sha2::Sha256,
    pub(super) data: DataMember,
}

impl MemberSink for DataSink {
    fn raw(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
    }

    fn inflated(&mut self, bytes: &[u8]) {
        self.data.feed(bytes);
    }
}
