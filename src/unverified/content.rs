//! What to say of a file that is not a gzip file at all.

use crate::container::Content;
use crate::fault::{Fault, Rank, Verdict};

/// The fault of a file whose first bytes are not those of a gzip member.
pub(super) fn fault(content: Content) -> Option<Fault> {
    let (code, message, remedy) = match content {
        Content::Gzip => return None,
        Content::AdbPackage | Content::AdbIndex | Content::Adb => return Some(v3(content)),
        Content::Empty => ("empty", "the file is empty", DOWNLOAD),
        Content::Zip => (
            "android-package",
            "this is a zip archive, as Android's .apk files are, not a package of Alpine Linux",
            "apkvet reads Alpine's format alone; use apksigner for Android packages",
        ),
        Content::Html => (
            "html",
            "this is a web page under the name of a package, often the error page of a download",
            DOWNLOAD,
        ),
        Content::GitLfsPointer => (
            "git-lfs-pointer",
            "this is a Git LFS pointer, not the file itself",
            "run `git lfs pull` where the file came from, or download it from a release",
        ),
        Content::LinkText => (
            "link-text",
            "this is the target of a symbolic link written out as text, not the file itself",
            "fetch the file that it names",
        ),
        Content::Tar => (
            "plain-tar",
            "this is a tar archive without gzip members",
            "packages consist of gzip members; fetch the file again without unpacking it",
        ),
        Content::OtherCompression => (
            "other-compression",
            "this is an xz, zstd or bzip2 stream; packages and indexes consist of gzip members",
            DOWNLOAD,
        ),
        Content::Pem => {
            ("pem", "this is a PEM file, perhaps a key, not a package", "name keys with --key or --keys-dir")
        }
        Content::Text => ("text", "this is a text under the name of a package", DOWNLOAD),
        Content::Unknown => ("gzip-magic", "this does not begin with a gzip member", DOWNLOAD),
    };
    Some(Fault::new(Rank::Framing, Verdict::Malformed, code, message).with_remedy(remedy))
}

const DOWNLOAD: &str = "download the file again and look at what the server sent";

fn v3(content: Content) -> Fault {
    let (code, message) = match content {
        Content::AdbPackage => ("v3-package", "this is a package in apk's v3 format (ADB)"),
        Content::AdbIndex => ("v3-index", "this is an index in apk's v3 format (ADB)"),
        _ => ("v3", "this is a compressed file in apk's v3 format (ADB)"),
    };
    Fault::new(Rank::Framing, Verdict::Unsupported, code, message)
        .with_remedy("this version of apkvet verifies v2 only; apk itself can verify this file")
}
