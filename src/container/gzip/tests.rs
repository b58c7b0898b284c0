//! Members at the edges of their bounds.

use std::io::Read;

use apkvet_fixtures::{Gzip, gzip};

use super::*;
use crate::container::Scratch;

/// Keeps what passes by.
#[derive(Default)]
struct Kept {
    stored: Vec<u8>,
    inflated: Vec<u8>,
}

impl MemberSink for Kept {
    fn raw(&mut self, bytes: &[u8]) {
        self.stored.extend(bytes);
    }

    fn inflated(&mut self, bytes: &[u8]) {
        self.inflated.extend(bytes);
    }
}

/// Hands on one byte at a time.
struct Drops<'a>(&'a [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

const UNBOUND: u64 = u64::MAX;

fn caps(stored: u64, inflated: u64, ratio: Option<(u64, u64)>) -> Caps {
    let ratio = ratio.map(|(ratio, free)| RatioCap { name: "ratio", ratio, free });
    Caps { stored: Cap::new("stored", stored), inflated: Cap::new("inflated", inflated), ratio }
}

/// Reads the member that begins behind so many bytes.
fn read_behind(skipped: usize, reader: impl Read, caps: &Caps) -> (Result<Member, MemberError>, Kept) {
    let mut scratch = Scratch::default();
    let Scratch { input, inflater, .. } = &mut scratch;
    let (mut source, mut kept) = (Source::new(reader, input), Kept::default());
    for _ in 0..skipped {
        source.fill().unwrap();
        source.consume(1);
    }
    (read_member(&mut source, inflater, caps, &mut kept), kept)
}

fn content() -> Vec<u8> {
    (0..40_000_u32).flat_map(|n| n.wrapping_mul(n).to_le_bytes()).collect()
}

fn limit(read: Result<Member, MemberError>) -> &'static str {
    match read {
        Err(MemberError::Limit(limit)) => limit.name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_member_is_the_same_whether_it_comes_at_once_or_byte_by_byte() {
    let (content, mut before) = (content(), b"before".to_vec());
    let member = gzip::member(&content);
    before.extend(&member);
    for (read, kept) in [
        read_behind(6, &before[..], &caps(UNBOUND, UNBOUND, None)),
        read_behind(6, Drops(&before), &caps(UNBOUND, UNBOUND, None)),
    ] {
        let span = 6..6 + length(&member);
        assert_eq!(read.unwrap(), Member { span, inflated: length(&content) });
        assert_eq!((kept.stored, kept.inflated), (member.clone(), content.clone()));
    }
}

#[test]
fn bounds_hold_to_the_byte_and_count_from_where_the_member_begins() {
    let content = content();
    let member = gzip::member(&content);
    let file = [&[0; 70_000][..], &member].concat();
    let (stored, inflated) = (length(&member), length(&content));
    let read = |caps: &Caps| read_behind(70_000, &file[..], caps).0;
    assert!(read(&caps(stored, inflated, None)).is_ok());
    assert_eq!(limit(read(&caps(stored - 1, inflated, None))), "stored");
    assert_eq!(limit(read(&caps(stored, inflated - 1, None))), "inflated");
    // The ratio is looked at before the trailer of eight bytes is read.
    let grown = inflated - (stored - 8);
    assert!(read(&caps(stored, inflated, Some((1, grown)))).is_ok());
    assert_eq!(limit(read(&caps(stored, inflated, Some((1, grown - 1))))), "ratio");
}

#[test]
fn what_is_no_gzip_is_named_by_its_first_bytes_however_short_it_is() {
    for (bytes, shown) in
        [(&b"ab"[..], &b"ab"[..]), (b"a gzip member?", b"a gz"), (b"\x1f\x8c56789abc", b"\x1f\x8c")]
    {
        match read_behind(0, bytes, &caps(UNBOUND, UNBOUND, None)).0 {
            Err(MemberError::Gzip(GzipError::Magic { at: 0, found })) => assert_eq!(found, shown),
            other => panic!("{bytes:?}: {other:?}"),
        }
    }
}

#[test]
fn a_member_that_is_cut_anywhere_is_truncated() {
    let member = Gzip::default().member(b"some content, some content");
    for cut in 0..member.len() {
        for read in [
            read_behind(0, &member[..cut], &caps(UNBOUND, UNBOUND, None)).0,
            read_behind(0, Drops(&member[..cut]), &caps(UNBOUND, UNBOUND, None)).0,
        ] {
            match read {
                Err(MemberError::Gzip(GzipError::Truncated { member: 0, at })) => {
                    assert_eq!(at, length(&member[..cut]))
                }
                other => panic!("cut at {cut}: {other:?}"),
            }
        }
    }
}
