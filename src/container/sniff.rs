//! What a file is, told by its first bytes and never by its name.

/// What the first bytes of a file look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// No bytes at all.
    Empty,
    /// A gzip member: a v2 package or index, perhaps.
    Gzip,
    /// A v3 package.
    AdbPackage,
    /// A v3 index.
    AdbIndex,
    /// v3, compressed or of another schema.
    Adb,
    /// A zip archive, as Android's packages are.
    Zip,
    /// A web page.
    Html,
    /// A Git LFS pointer.
    GitLfsPointer,
    /// The target of a symbolic link, written out as a file.
    LinkText,
    /// A tar archive without gzip.
    Tar,
    /// An xz, zstd or bzip2 stream.
    OtherCompression,
    /// A PEM block.
    Pem,
    /// JSON or another text.
    Text,
    /// None of these.
    Unknown,
}

/// Tells what a file is by its first bytes, ideally 512 of them.
///
/// # Examples
/// ```
/// use apkvet::container::{Content, sniff};
/// assert_eq!(sniff(b"\x1f\x8b\x08"), Content::Gzip);
/// assert_eq!(sniff(b"<!DOCTYPE html>"), Content::Html);
/// assert_eq!(sniff(b"PK\x03\x04"), Content::Zip);
/// ```
pub fn sniff(head: &[u8]) -> Content {
    let text = std::str::from_utf8(head).unwrap_or_default();
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    match head {
        [] => Content::Empty,
        [0x1f, 0x8b, ..] => Content::Gzip,
        [b'A', b'D', b'B', b'.', b'p', b'c', b'k', b'g', ..] => Content::AdbPackage,
        [b'A', b'D', b'B', b'.', b'i', b'n', b'd', b'x', ..] => Content::AdbIndex,
        // Compressed: the schema is inside.
        [b'A', b'D', b'B', b'd' | b'c', ..] => Content::Adb,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Content::Zip,
        [0xfd, b'7', b'z', b'X', b'Z', ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'B', b'Z', b'h', ..] => {
            Content::OtherCompression
        }
        _ if head.get(257..262) == Some(b"ustar") => Content::Tar,
        _ if start.starts_with("version https://git-lfs") => Content::GitLfsPointer,
        _ if starts_like_html(start) => Content::Html,
        _ if start.starts_with("-----BEGIN ") => Content::Pem,
        _ if is_link_text(text) => Content::LinkText,
        _ if is_text(head) => Content::Text,
        _ => Content::Unknown,
    }
}

fn starts_like_html(start: &str) -> bool {
    let lower: String = start.chars().take(16).collect::<String>().to_ascii_lowercase();
    ["<!doctype", "<html", "<head", "<body", "<?xml", "<!--"].iter().any(|tag| lower.starts_with(tag))
}

/// One short relative path and nothing else, as Git writes symbolic links where it cannot make them.
fn is_link_text(text: &str) -> bool {
    let line = text.strip_suffix('\n').unwrap_or(text);
    (1..=300).contains(&line.len())
        && (line.contains('/') || line.ends_with(".apk") || line.ends_with(".tar.gz"))
        && line.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>{}\"'".contains(&byte))
}

fn is_text(head: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    let lossy = head.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    head.iter().all(printable) && lossy <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_pointers_links_pages_and_archives_apart() {
        let cases: [(&[u8], Content); 9] = [
            (b"", Content::Empty),
            (b"version https://git-lfs.github.com/spec/v1\n", Content::GitLfsPointer),
            (b"../x86_64/foo-1.0-r0.apk", Content::LinkText),
            (b"  <HTML><body>404", Content::Html),
            (b"404: Not Found", Content::Text),
            (b"ADB.pckg", Content::AdbPackage),
            (b"ADB.\0\0\0\0", Content::Unknown),
            (b"-----BEGIN PUBLIC KEY-----", Content::Pem),
            (b"\x00\x01\x02", Content::Unknown),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes), expected, "{bytes:?}");
        }
    }
}
