//! What the tests of indexes share.

use std::io::Read;
use std::path::Path;

use super::Index;
use crate::limits::Limits;

/// The text of the real index in a folder, without any check; `None` (and a loud line) if it is not there.
pub(crate) fn real(folder: &str) -> Option<Vec<u8>> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/real"))
        .join(folder)
        .join("APKINDEX.tar.gz");
    let Ok(file) = std::fs::read(&path) else {
        eprintln!("SKIPPED: ../shared is missing: {}", path.display());
        return None;
    };
    let mut tar = Vec::new();
    flate2::bufread::MultiGzDecoder::new(&file[..]).read_to_end(&mut tar).unwrap();
    let at = tar.windows(10).position(|bytes| bytes == b"APKINDEX\0\0").expect("an APKINDEX");
    let size = std::str::from_utf8(&tar[at + 124..at + 136]).unwrap().trim_matches(['\0', ' ']);
    Some(tar[at + 512..at + 512 + usize::from_str_radix(size, 8).unwrap()].to_vec())
}

/// An index of small entries: `name version` and then further lines, separated by `|`.
pub(crate) fn index(entries: &[&str]) -> Index {
    let mut text = String::new();
    for (number, entry) in entries.iter().enumerate() {
        let mut fields = entry.split('|');
        let (name, version) = fields.next().unwrap().split_once(' ').unwrap();
        let mut digest = [0; 20];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        let identity = crate::types::Identity::new(crate::types::Digest::new(digest));
        text += &format!("C:{identity}\nP:{name}\nV:{version}\nA:x86_64\nS:1000\nI:4096\n");
        fields.for_each(|field| text += &format!("{field}\n"));
        text += "\n";
    }
    Index::parse(text.into(), &Limits::default()).unwrap()
}
