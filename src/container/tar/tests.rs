//! Archives that end where they may not, and chunks of every size.

use apkvet_fixtures::{Archive, Header as MadeHeader};

use super::*;

/// What an archive held: names and bodies.
#[derive(Debug, Default, Eq, PartialEq)]
struct Held {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    ended: usize,
}

impl TarSink for Held {
    fn entry(&mut self, entry: &Entry) {
        self.entries.push((entry.path.clone(), Vec::new()));
    }

    fn body(&mut self, chunk: &[u8]) {
        self.entries.last_mut().unwrap().1.extend(chunk);
    }

    fn end(&mut self) {
        self.ended += 1;
    }
}

fn read(bytes: &[u8], chunk: usize, zero_blocks: ZeroBlocks) -> (Result<u64, TarError>, Held) {
    let (mut reader, mut held) = (TarReader::new(zero_blocks, 1024), Held::default());
    for part in bytes.chunks(chunk) {
        if let Err(error) = reader.feed(part, &mut held) {
            return (Err(error), held);
        }
    }
    assert_eq!(reader.offset(), length(bytes));
    (reader.finish(), held)
}

/// Reads an archive in chunks of several sizes, which must make no difference.
fn read_all_ways(bytes: &[u8], zero_blocks: ZeroBlocks) -> (Result<u64, TarError>, Held) {
    let whole = read(bytes, bytes.len().max(1), zero_blocks);
    for chunk in [1, 100, 512, 700] {
        assert_eq!(read(bytes, chunk, zero_blocks), whole, "in chunks of {chunk}");
    }
    whole
}

/// A body over a block long, one that fills its block, a long name, a pax header, and an entry without body.
fn archive() -> Archive {
    Archive::default()
        .entry(&MadeHeader::file("a"), &[b'a'; 700])
        .entry(&MadeHeader::file("b"), &[b'b'; 512])
        .long_name("long")
        .entry(&MadeHeader::file("c"), b"c")
        .pax(&[("mtime", "1")])
        .entry(&MadeHeader::directory("d"), b"")
}

#[test]
fn what_an_archive_holds_does_not_depend_on_the_chunks() {
    let (end, held) = read_all_ways(&archive().bytes(), ZeroBlocks::Forbidden);
    assert_eq!((end, held.ended), (Ok(0), 4));
    let expected: [(&[u8], Vec<u8>); 4] =
        [(b"a", vec![b'a'; 700]), (b"b", vec![b'b'; 512]), (b"long", b"c".to_vec()), (b"d", Vec::new())];
    assert!(held.entries.iter().map(|(name, body)| (&**name, body.clone())).eq(expected), "{held:?}");
}

#[test]
fn an_archive_ends_behind_an_entry_and_nowhere_else() {
    let bytes = archive().bytes();
    // Where each header or extension header ends with all that belongs to it, and whether it leaves one waiting.
    let borders =
        [(0, false), (1536, false), (2560, false), (3584, true), (4608, false), (5632, true), (6144, false)];
    assert_eq!(bytes.len(), 6144);
    for cut in 0..=bytes.len() {
        let (_, from, dangling) = borders
            .iter()
            .zip(1..)
            .map(|((border, dangling), next)| (next, *border, *dangling))
            .take_while(|(_, border, _)| *border <= cut)
            .last()
            .unwrap();
        let missing =
            borders.iter().map(|(border, _)| border - cut.min(*border)).find(|missing| *missing > 0);
        let expected = match (cut - from, missing) {
            (0, _) if dangling => Err(TarError::Dangling),
            (0, _) => Ok(0),
            (length @ ..512, _) => Err(TarError::PartialBlock { length }),
            (_, missing) => Err(TarError::CrossesEnd { missing: u64::try_from(missing.unwrap()).unwrap() }),
        };
        for chunk in [1, 512, 6144] {
            assert_eq!(
                read(&bytes[..cut], chunk, ZeroBlocks::Allowed).0,
                expected,
                "cut at {cut}, by {chunk}"
            );
        }
    }
}

#[test]
fn zero_blocks_are_counted_where_they_may_be_and_end_the_archive() {
    let ended = |count| Archive::default().entry(&MadeHeader::file("a"), b"a").zero_blocks(count);
    for count in 0..4_u64 {
        let bytes = ended(usize::try_from(count).unwrap()).bytes();
        assert_eq!(read_all_ways(&bytes, ZeroBlocks::Allowed).0, Ok(count));
        let forbidden = read_all_ways(&bytes, ZeroBlocks::Forbidden).0;
        assert_eq!(forbidden, if count == 0 { Ok(0) } else { Err(TarError::ZeroBlock { at: 1024 }) });
    }
    let partial = [&ended(1).bytes()[..], &[0; 100]].concat();
    assert_eq!(read_all_ways(&partial, ZeroBlocks::Allowed).0, Err(TarError::PartialBlock { length: 100 }));
    let after = ended(1).entry(&MadeHeader::file("b"), b"b").bytes();
    let found = read(&after, 512, ZeroBlocks::Allowed);
    assert_eq!((found.0, found.1.entries.len()), (Err(TarError::AfterEnd { at: 1536 }), 1));
    let waiting = Archive::default().long_name("x").zero_blocks(1).bytes();
    assert_eq!(read_all_ways(&waiting, ZeroBlocks::Allowed).0, Err(TarError::Dangling));
}

#[test]
fn an_extension_header_is_bounded_to_the_byte() {
    let with = |body: &[u8]| {
        let header = MadeHeader { typeflag: b'x', ..MadeHeader::file("x") };
        let archive = Archive::default().entry(&header, body).entry(&MadeHeader::file("a"), b"");
        read_all_ways(&archive.bytes(), ZeroBlocks::Forbidden).0
    };
    let record = |size: usize| format!("{size} k={}\n", "v".repeat(size - 8)).into_bytes();
    assert_eq!((record(1024).len(), record(1025).len()), (1024, 1025));
    assert_eq!(with(&record(1024)), Ok(0));
    assert_eq!(with(&record(1025)), Err(TarError::Limit(Limits::reached("pax-header", 1024))));
    assert_eq!(with(b""), Ok(0));
}

#[test]
fn padding_is_zero_and_the_place_of_what_is_not_is_told() {
    let mut bytes = archive().bytes();
    for at in [1212, 1535] {
        bytes[at] = 1;
        let found = read_all_ways(&bytes, ZeroBlocks::Forbidden).0;
        assert_eq!(found, Err(TarError::Padding { at: u64::try_from(at).unwrap() }));
        bytes[at] = 0;
    }
}

#[test]
fn a_long_name_is_a_name_and_one_nul() {
    let with = |body: &[u8]| {
        let header = MadeHeader { typeflag: b'L', ..MadeHeader::file("././@LongLink") };
        let archive = Archive::default().entry(&header, body).entry(&MadeHeader::file("a"), b"");
        read_all_ways(&archive.bytes(), ZeroBlocks::Forbidden)
    };
    let (end, held) = with(b"name\0");
    assert_eq!((end, held.entries), (Ok(0), vec![(b"name".to_vec(), Vec::new())]));
    for body in [&b""[..], b"\0", b"name", b"name\0\0", b"a\0b\0"] {
        assert_eq!(with(body).0, Err(TarError::LongName { at: 0 }), "{body:?}");
    }
}

#[test]
fn every_kind_of_entry_is_known_and_no_other() {
    let kind = |typeflag| {
        let archive =
            Archive::default().entry(&MadeHeader { typeflag, ..MadeHeader::file("a") }, b"").bytes();
        let block: &[u8; BLOCK] = archive.first_chunk().unwrap();
        match Header::parse(block).map(|header| header.flag) {
            Ok(Flag::Entry(kind)) => Some(kind),
            Ok(flag) => panic!("{flag:?}"),
            Err(_) => None,
        }
    };
    let kinds = [
        (b'0', EntryKind::Regular),
        (b'1', EntryKind::HardLink),
        (b'2', EntryKind::Symlink),
        (b'3', EntryKind::CharacterDevice),
        (b'4', EntryKind::BlockDevice),
        (b'5', EntryKind::Directory),
        (b'6', EntryKind::Fifo),
    ];
    for typeflag in (0..=u8::MAX).filter(|typeflag| !b"xL".contains(typeflag)) {
        let expected = kinds.iter().find(|(flag, _)| *flag == typeflag).map(|(_, kind)| *kind);
        assert_eq!(kind(typeflag), expected, "{typeflag}");
    }
}

#[test]
fn a_mode_has_twelve_bits() {
    let with = |mode| {
        let archive = Archive::default().entry(&MadeHeader { mode, ..MadeHeader::file("a") }, b"");
        read(&archive.bytes(), 512, ZeroBlocks::Forbidden).0.map_err(|error| error.code())
    };
    assert_eq!((with(0o7777), with(0o10000)), (Ok(0), Err("tar-mode")));
}
