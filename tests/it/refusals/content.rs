//! Files that are something else.

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let mut tar = vec![0; 512];
    tar[..4].copy_from_slice(b"name");
    tar[257..262].copy_from_slice(b"ustar");
    vec![
        case("empty", b""),
        case("android-package", b"PK\x03\x04rest"),
        case("html", b"<!DOCTYPE html><html>503</html>"),
        case("git-lfs-pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
        case("link-text", b"../x86_64/foo-1.0-r0.apk"),
        case("plain-tar", tar),
        case("other-compression", b"\x28\xb5\x2f\xfdrest"),
        case("pem", b"-----BEGIN PUBLIC KEY-----\n"),
        case("text", b"404: Not Found"),
        case("v3-package", b"ADB.pckg\0\0\0\0"),
        case("v3-index", b"ADB.indx\0\0\0\0"),
        case("v3", b"ADBd\0\0\0\0"),
        case("gzip-magic", b"\0\0\0\0"),
    ]
}
