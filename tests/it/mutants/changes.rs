//! The changes, by the part of a package that they touch.

use apkvet_fixtures::{Archive, Bomb, FakeKey, Gzip, Header, gzip, tar};

use super::{Change, DATAHASH, Draft};

/// A change whose package is verified if it is signed anew.
const GOOD: &str = "verified";
const MALFORMED: &str = "malformed";
const INTEGRITY: &str = "integrity";
const UNSAFE: &str = "unsafe";
const POLICY: &str = "policy";

pub(super) fn all() -> Vec<Change> {
    let parts = [signature, control, pkginfo, data, names, framing];
    parts
        .iter()
        .flat_map(|part| part())
        .map(|(name, verdict, apply)| Change { name, verdict, apply })
        .collect()
}

type Row = (&'static str, &'static str, fn(&mut Draft));

fn blocks(make: impl FnOnce(Archive) -> Archive) -> Vec<u8> {
    make(Archive::default()).bytes()
}

fn other() -> Header {
    Header::file(".SIGN.RSA.other.rsa.pub")
}

fn signature() -> Vec<Row> {
    vec![
        ("signature by a stranger", GOOD, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header::file(".SIGN.RSA.stranger.rsa.pub"), b"x")))
        }),
        ("signature of the future", GOOD, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header::file(".SIGN.PQ.future.pub"), b"x")))
        }),
        ("pax times before a signature", GOOD, |d| {
            let times = [("atime", "1.5"), ("ctime", "1")];
            d.signature
                .extend(blocks(|a| a.pax(&times).entry(&Header::file(".SIGN.RSA.timed.rsa.pub"), b"x")));
        }),
        ("long name before a signature", GOOD, |d| {
            let name = format!(".SIGN.RSA.{}.rsa.pub", "n".repeat(120));
            d.signature.extend(blocks(|a| a.long_name(&name).entry(&Header::file(".SIGN.RSA.nnn"), b"x")));
        }),
        ("key name with a slash", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header::file(".SIGN.RSA.a/b"), b"x")))
        }),
        ("no signature among signatures", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header::file(".hidden"), b"x")))
        }),
        ("dangling long name", MALFORMED, |d| d.signature.extend(blocks(|a| a.long_name(".x")))),
        ("dangling pax path", MALFORMED, |d| d.signature.extend(blocks(|a| a.pax(&[("path", ".x")])))),
        ("signature that reaches into control", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header { size: Some(512), ..other() }, b"")));
        }),
        ("zero block behind signatures", MALFORMED, |d| d.signature.extend([0; 512])),
        ("signature as a link", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header { typeflag: b'2', ..other() }, b"")))
        }),
        ("signature with typeflag NUL", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header { typeflag: 0, ..other() }, b"")))
        }),
        ("padding behind a signature", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header { padding: 7, ..other() }, b"x")))
        }),
        ("wrong checksum of a signature's header", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&Header { checksum_error: 1, ..other() }, b"x")))
        }),
        ("a second, empty signature by the key", "bad-signature", |d| {
            let name = format!(".SIGN.RSA512.{}", FakeKey::a().name());
            d.signature.extend(blocks(|a| a.entry(&Header::file(name), b"")));
        }),
        ("half a mebibyte of signature", MALFORMED, |d| {
            d.signature.extend(blocks(|a| a.entry(&other(), &vec![0; 1 << 19])))
        }),
    ]
}

fn control() -> Vec<Row> {
    vec![
        ("script", GOOD, |d| {
            d.control.extend(blocks(|a| a.entry(&Header::file(".trigger"), b"#!/bin/sh\n")))
        }),
        ("other dot file", GOOD, |d| {
            d.control.extend(blocks(|a| a.entry(&Header::file(format!(".o{}", d.control.len())), b"x")))
        }),
        ("checked script", GOOD, |d| d.control.extend(blocks(|a| a.checked_file(".post-upgrade", b"x")))),
        ("script with another checksum", INTEGRITY, |d| {
            let sum = tar::sha1_hex(b"y");
            d.control.extend(blocks(|a| {
                a.pax(&[(tar::CHECKSUM, &sum)]).entry(&Header::file(".pre-upgrade"), b"x")
            }));
        }),
        ("script that apk drops", MALFORMED, |d| {
            d.control.extend(blocks(|a| a.entry(&Header::file(".pre-install"), &[b'#'; 262_145])))
        }),
        ("second .PKGINFO", MALFORMED, |d| {
            d.control.extend(blocks(|a| a.entry(&Header::file(".PKGINFO"), b"pkgname = x\n")))
        }),
        ("plain file in control", MALFORMED, |d| {
            d.control.extend(blocks(|a| a.entry(&Header::file("usr/x"), b"")))
        }),
        ("script as a device", MALFORMED, |d| {
            d.control
                .extend(blocks(|a| a.entry(&Header { typeflag: b'3', ..Header::file(".post-install") }, b"")))
        }),
        ("pax path in control", MALFORMED, |d| {
            d.control.extend(blocks(|a| a.pax(&[("path", ".x")]).entry(&Header::file(".y"), b"")))
        }),
        ("dangling header in control", MALFORMED, |d| d.control.extend(blocks(|a| a.pax(&[("atime", "1")])))),
        ("zero block in control", MALFORMED, |d| d.control.extend([0; 512])),
        ("control that reaches into data", MALFORMED, |d| {
            d.control.extend(blocks(|a| a.entry(&Header { size: Some(1024), ..Header::file(".z") }, b"")));
        }),
    ]
}

fn pkginfo() -> Vec<Row> {
    vec![
        ("unknown field", GOOD, |d| d.pkginfo += "x_y = z\n"),
        ("license twice", GOOD, |d| d.pkginfo += "license = other\n"),
        ("version outside the grammar", GOOD, |d| d.pkginfo = d.pkginfo.replace("1.0-r0", "1.0git-r0")),
        ("no newline at the end", GOOD, |d| d.pkginfo.truncate(d.pkginfo.trim_end().len())),
        ("comment", GOOD, |d| d.pkginfo.insert_str(0, "# datahash = 0\n")),
        ("name twice", MALFORMED, |d| d.pkginfo += "pkgname = other\n"),
        ("datahash twice", MALFORMED, |d| d.pkginfo += "datahash = DATAHASH\n"),
        ("no datahash", MALFORMED, |d| d.pkginfo = d.pkginfo.replace("datahash", "datahush")),
        ("datahash with more behind", MALFORMED, |d| d.pkginfo = d.pkginfo.replace(DATAHASH, "DATAHASHff")),
        ("datahash of nothing", INTEGRITY, |d| {
            if d.pkginfo.matches("datahash = DATAHASH\n").count() == 1 {
                d.pkginfo = d.pkginfo.replace(DATAHASH, &"0".repeat(64));
            } else {
                d.pkginfo += "datahash = 0\n";
            }
        }),
        ("line ends of DOS", MALFORMED, |d| d.pkginfo = d.pkginfo.replace('\n', "\r\n")),
        ("line without equals sign", MALFORMED, |d| d.pkginfo.insert_str(0, "nothing\n")),
        ("name that leaves", MALFORMED, |d| d.pkginfo = d.pkginfo.replace("pkgname = ", "pkgname = ../")),
        ("version with a slash", MALFORMED, |d| d.pkginfo = d.pkginfo.replace("pkgver = ", "pkgver = 0/")),
        ("size with letters", MALFORMED, |d| d.pkginfo = d.pkginfo.replace("size = ", "size = x")),
        ("line longer than apk reads", MALFORMED, |d| d.pkginfo += &format!("x = {}\n", "x".repeat(131_070))),
    ]
}

fn data() -> Vec<Row> {
    vec![
        ("another file", GOOD, |d| {
            d.data.extend(blocks(|a| a.checked_file(&format!("usr/f{}", d.data.len()), b"x")))
        }),
        ("symbolic link", GOOD, |d| {
            d.data.extend(blocks(|a| a.checked_symlink(&format!("usr/l{}", d.data.len()), "/etc")))
        }),
        ("hard link", GOOD, |d| {
            d.data.extend(blocks(|a| {
                a.entry(&Header::hard_link(format!("usr/h{}", d.data.len()), "usr/hello"), b"")
            }))
        }),
        ("extended attribute", GOOD, |d| {
            let records = [("SCHILY.xattr.user.x", "y"), (tar::CHECKSUM, &*tar::sha1_hex(b"x"))];
            d.data.extend(blocks(|a| {
                a.pax(&records).entry(&Header::file(format!("usr/x{}", d.data.len())), b"x")
            }));
        }),
        ("no end of data", GOOD, |d| d.zero_blocks = if d.after.is_empty() { 0 } else { d.zero_blocks }),
        ("more zero blocks", GOOD, |d| d.after.extend([0; 1024])),
        ("one zero block", POLICY, |d| d.zero_blocks = 1),
        ("bytes behind the end of data", MALFORMED, |d| {
            d.zero_blocks = d.zero_blocks.max(2);
            d.after.extend([1; 512]);
        }),
        ("file without checksum", MALFORMED, |d| {
            d.data.extend(blocks(|a| a.entry(&Header::file(format!("usr/n{}", d.data.len())), b"x")))
        }),
        ("file with another checksum", INTEGRITY, |d| {
            let sum = tar::sha1_hex(b"y");
            d.data.extend(blocks(|a| {
                a.pax(&[(tar::CHECKSUM, &sum)]).entry(&Header::file(format!("usr/w{}", d.data.len())), b"x")
            }));
        }),
        ("device", POLICY, |d| {
            d.data.extend(blocks(|a| {
                a.entry(&Header { typeflag: b'4', ..Header::file(format!("usr/d{}", d.data.len())) }, b"")
            }))
        }),
        ("pax size", MALFORMED, |d| {
            d.data.extend(blocks(|a| a.pax(&[("size", "512")]).checked_file("usr/s", b"x")))
        }),
        ("global pax header", MALFORMED, |d| {
            d.data.extend(blocks(|a| {
                a.entry(&Header { typeflag: b'g', ..Header::file("x") }, b"12 path=usr\n")
            }))
        }),
        ("long name in data", MALFORMED, |d| {
            d.data.extend(blocks(|a| a.long_name("usr/g").entry(&Header::file("usr/g"), b"")))
        }),
        ("typeflag NUL in data", MALFORMED, |d| {
            d.data.extend(blocks(|a| a.entry(&Header { typeflag: 0, ..Header::file("usr/0") }, b"")))
        }),
        ("directory with a body", MALFORMED, |d| {
            d.data.extend(blocks(|a| a.entry(&Header::directory(format!("usr/b{}", d.data.len())), b"x")))
        }),
        ("data cut inside a body", MALFORMED, |d| {
            d.after.extend(blocks(|a| a.entry(&Header { size: Some(9), ..Header::file("usr/c") }, b"")))
        }),
        ("hard link to what comes later", MALFORMED, |d| {
            d.data.extend(blocks(|a| {
                a.entry(&Header::hard_link(format!("usr/k{}", d.data.len()), "usr/later"), b"")
            }))
        }),
    ]
}

fn names() -> Vec<Row> {
    vec![
        ("absolute name", UNSAFE, |d| d.data.extend(blocks(|a| a.checked_file("/etc/passwd", b"x")))),
        ("name that climbs", UNSAFE, |d| {
            d.data.extend(blocks(|a| a.checked_file("usr/../../etc/passwd", b"x")))
        }),
        ("name with a control character", UNSAFE, |d| {
            d.data.extend(blocks(|a| a.checked_file("usr/a\nb", b"x")))
        }),
        ("name through a link", UNSAFE, |d| {
            let link = format!("usr/t{}", d.data.len());
            d.data.extend(blocks(|a| {
                a.checked_symlink(&link, "/etc").checked_file(&format!("{link}/passwd"), b"x")
            }));
        }),
        ("hard link out of the package", UNSAFE, |d| {
            d.data.extend(blocks(|a| {
                a.entry(&Header::hard_link(format!("usr/o{}", d.data.len()), "../../etc/shadow"), b"")
            }))
        }),
        ("the same file twice", MALFORMED, |d| {
            d.data.extend(blocks(|a| a.checked_file("usr/hello", b"other")))
        }),
        ("file without directory", MALFORMED, |d| {
            d.data.extend(blocks(|a| a.checked_file(&format!("opt/p{}", d.data.len()), b"x")))
        }),
        ("control name in data", MALFORMED, |d| d.data.extend(blocks(|a| a.checked_file(".PKGINFO", b"x")))),
        ("dot file in the root", GOOD, |d| {
            d.data.extend(blocks(|a| a.checked_file(&format!(".dummy{}", d.data.len()), b"")))
        }),
    ]
}

fn framing() -> Vec<Row> {
    vec![
        ("time in the gzip header of control", GOOD, |d| d.gzip[1].mtime = 1_700_000_000),
        ("file name in the gzip header of data", GOOD, |d| {
            d.gzip[2] = Gzip { flags: 8, extensions: b"x.tar\0".to_vec(), ..Gzip::default() }
        }),
        ("stored instead of compressed", GOOD, |d| d.gzip[1].level = 0),
        ("wrong CRC of control", MALFORMED, |d| d.gzip[1].crc_error = 1),
        ("wrong CRC of data", MALFORMED, |d| d.gzip[2].crc_error = 1),
        ("wrong length of the signature member", MALFORMED, |d| d.gzip[0].length_error = 1),
        ("reserved flag in the signature member", MALFORMED, |d| d.gzip[0].flags = 0x20),
        ("a byte behind everything", MALFORMED, |d| d.tail.push(0)),
        ("an empty member behind everything", MALFORMED, |d| d.tail.extend(gzip::member(b""))),
        ("no data member", INTEGRITY, |d| d.without_data = true),
        ("a bomb behind everything", MALFORMED, |d| {
            let mut bomb = Bomb::default();
            bomb.repeat(b"\0", 1 << 22);
            d.tail.extend(bomb.finish());
        }),
    ]
}
