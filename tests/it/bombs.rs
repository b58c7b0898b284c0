//! Small files that want to become large ones: each is refused by a named limit, at a stated cost.

use apkvet::limits::{Budget, Limits};
use apkvet::unverified::{Level, ReadOptions};
use apkvet::verify::Policy;
use apkvet_fixtures::{Archive, Bomb, FakeKey, Header, Label, Package, PackageBuilder, gzip, tar};

use crate::harness::{Judged, judge_with};
use crate::refusals::trusting_a;

/// A bomb, what refuses it, and what that may cost.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) refused_by: &'static str,
    /// Limits that are set lower, as on the command line.
    pub(crate) limits: &'static [(&'static str, &'static str)],
    pub(crate) most: Budget,
}

const GIB: u64 = 1 << 30;

fn key() -> [(FakeKey, Label); 1] {
    [(FakeKey::a(), Label::Rsa256)]
}

/// A member whose archive has one entry with a body of zeros.
fn entry_of_zeros(header: &Header, size: u64) -> Vec<u8> {
    let header = Header { size: Some(size), ..header.clone() };
    let mut bomb = Bomb::default().bytes(&Archive::default().entry(&header, b"").bytes());
    bomb.repeat(b"\0", size);
    bomb.finish()
}

/// Before a package that would be verified.
fn before_package(member: Vec<u8>) -> Vec<u8> {
    [member, PackageBuilder::new("hello", "1.0-r0").build().bytes()].concat()
}

fn signature(name: &'static str, header: Header, size: u64) -> Case {
    Case {
        name,
        bytes: before_package(entry_of_zeros(&header, size)),
        refused_by: "limit-signature",
        limits: &[],
        most: Budget { bytes_read: 128 << 10, bytes_inflated: 256 << 10, signature_checks: 0 },
    }
}

fn pax() -> Header {
    Header { typeflag: b'x', ..Header::file("PaxHeaders/x") }
}

fn long_name() -> Header {
    Header { typeflag: b'L', magic: tar::GNU, ..Header::file("././@LongLink") }
}

/// A rightly signed package around a control member.
fn with_control(control: Vec<u8>) -> Vec<u8> {
    let data = PackageBuilder::new("hello", "1.0-r0").build().data;
    Package { signature: Vec::new(), control, data }.signed(&key()).bytes()
}

fn control() -> Case {
    let builder = PackageBuilder::new("hello", "1.0-r0");
    let info = builder.control_archive(&builder.pkginfo(&"0".repeat(64))).bytes();
    let script = Header { size: Some(GIB), ..Header::file(".post-install") };
    let mut bomb = Bomb::default().bytes(&info).bytes(&Archive::default().entry(&script, b"").bytes());
    bomb.repeat(b"\0", GIB);
    Case {
        name: "a script of 1 GiB",
        bytes: with_control(bomb.finish()),
        refused_by: "limit-control",
        limits: &[],
        most: Budget { bytes_read: 192 << 10, bytes_inflated: 17 << 20, signature_checks: 0 },
    }
}

/// A rightly signed package whose data inflates to some 10 GiB.
pub(crate) fn data_bomb() -> Vec<u8> {
    let mut data = Bomb::default().bytes(&Archive::default().entry(&Header::directory("usr"), b"").bytes());
    for n in 0..3 {
        let header = Header { size: Some(7 * GIB / 2), ..Header::file(format!("usr/{n}")) };
        let sum = "0".repeat(40);
        data = data.bytes(&Archive::default().pax(&[(tar::CHECKSUM, &sum)]).entry(&header, b"").bytes());
        data.repeat(b"\0", 7 * GIB / 2);
    }
    let builder = PackageBuilder::new("hello", "1.0-r0");
    let data = data.bytes(&[0; 1024]).finish();
    let control = gzip::member(&builder.control_archive(&builder.pkginfo(&tar::sha256_hex(&data))).bytes());
    Package { signature: Vec::new(), control, data }.signed(&key()).bytes()
}

fn data() -> Case {
    let bytes = data_bomb();
    let length = u64::try_from(bytes.len()).unwrap();
    Case {
        name: "data of 10 GiB",
        bytes,
        refused_by: "limit-data-ratio",
        limits: &[],
        most: Budget { bytes_read: length, bytes_inflated: 32 << 20, signature_checks: 1 },
    }
}

/// A rightly signed index whose text is a pattern, over and over.
fn index(name: &'static str, head: &[u8], pattern: &[u8], size: u64, refused_by: &'static str) -> Case {
    let mut text = Bomb::default();
    let ahead = u64::try_from(head.len()).unwrap();
    let size = ahead + text.repeat(pattern, size);
    let header = Header { size: Some(size), ..Header::file("APKINDEX") };
    let mut bomb = Bomb::default().bytes(&Archive::default().entry(&header, b"").bytes()).bytes(head);
    bomb.repeat(pattern, size - ahead);
    let padding = usize::try_from(size.next_multiple_of(512) - size).unwrap();
    let body = bomb.bytes(&vec![0; padding + 1024]).finish();
    let signature =
        apkvet_fixtures::package::signature_member(apkvet_fixtures::package::Style::Plain, &key(), &body);
    let bytes = [signature, body].concat();
    let length = u64::try_from(bytes.len()).unwrap();
    Case {
        name,
        bytes,
        refused_by,
        limits: &[("index-entries", "500000"), ("index-ratio", "2000")],
        most: Budget { bytes_read: length, bytes_inflated: 520 << 20, signature_checks: 1 },
    }
}

fn empty_members() -> Case {
    Case {
        name: "a million empty members",
        bytes: gzip::member(b"").repeat(1_000_000),
        refused_by: "empty-member",
        limits: &[],
        most: Budget { bytes_read: 64 << 10, bytes_inflated: 0, signature_checks: 0 },
    }
}

/// Empty members where a package may have more than one, and where it must have ended.
fn empty_members_within(name: &'static str, refused_by: &'static str, after_data: bool) -> Case {
    let package = PackageBuilder::new("hello", "1.0-r0").build_signed(&key());
    let members = gzip::member(b"").repeat(1_000_000);
    let bytes = if after_data {
        [package.bytes(), members].concat()
    } else {
        [&*package.signature, &members, &package.control, &package.data].concat()
    };
    Case {
        name,
        bytes,
        refused_by,
        limits: &[],
        most: Budget { bytes_read: 64 << 10, bytes_inflated: 64 << 10, signature_checks: 1 },
    }
}

fn claimed() -> Case {
    let header = Header { size: Some((8 << 30) - 1), ..Header::file(".SIGN.RSA.x.rsa.pub") };
    let member = gzip::member(&Archive::default().entry(&header, b"").bytes());
    Case { bytes: before_package(member), name: "a size of 8 GiB in 4 KiB", ..signature("", header, 1) }
}

pub(crate) fn cases() -> Vec<Case> {
    let ratio = index("an index of 1 GiB", b"", b"\0", GIB, "limit-index-ratio");
    vec![
        signature("1 GiB in a signature", Header::file(".SIGN.RSA.x.rsa.pub"), GIB),
        signature("1 GiB in a pax header", pax(), GIB),
        signature("1 GiB in a long name", long_name(), GIB),
        claimed(),
        control(),
        data(),
        Case { limits: &[], most: Budget { bytes_inflated: 16 << 20, ..ratio.most }, ..ratio },
        index("ten million entries", b"", b"P:a\n\n", 50_000_000, "limit-index-entries"),
        index("a million dependencies", b"C:Q1\nP:a\nD:", b"a ", 2_000_000, "limit-line"),
        index("a line of 256 MiB", b"T:", b"x", 256 << 20, "limit-line"),
        empty_members(),
        empty_members_within("a million empty members behind the signature", "empty-member", false),
        empty_members_within("a million empty members behind the data", "data-in-several-members", true),
    ]
}

fn judged(case: &Case) -> Judged {
    let mut limits = Limits::default();
    case.limits.iter().for_each(|(name, value)| limits.set(name, value).unwrap());
    let options = ReadOptions { limits, level: Level::Full, ..ReadOptions::default() };
    judge_with(&*case.bytes, &trusting_a(), &Policy::default(), &options)
}

#[test]
fn bombs_are_refused_by_a_named_limit() {
    for case in cases() {
        let found = judged(&case);
        assert_eq!(found.code, case.refused_by, "{}: {found:?}", case.name);
        let (cost, most) = (found.budget, case.most);
        assert!(cost.bytes_read <= most.bytes_read, "{}: {cost}", case.name);
        assert!(cost.bytes_inflated <= most.bytes_inflated, "{}: {cost}", case.name);
        assert!(cost.signature_checks <= most.signature_checks, "{}: {cost}", case.name);
        println!("{}: {} bytes, [{}] after {cost}", case.name, case.bytes.len(), found.code);
    }
}
