//! The signatures of v3 files (ADB), read just far enough to say whose they are.
//!
//! Nothing of the content is parsed: the frame, the digest of the signed block, and the signature blocks after it.
//! zstd is not read; its files are named and passed over.

use std::io::Read;

use sha2::Digest as _;

use crate::types::{Digest, Sha256, Sha512};

/// The largest signed block that is hashed. Units: bytes.
const LARGEST: u64 = 64 << 20;
/// More signatures than any writer makes.
const SIGNATURES: usize = 16;
/// The largest signature block. Units: bytes.
const SIGNATURE: u64 = 2048;

/// One signature of a v3 file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdbSignature {
    pub(super) key_id: [u8; 16],
    /// What the signature is made over.
    pub(super) digest: Digest<Sha512>,
    pub(super) bytes: Vec<u8>,
}

/// Why the signatures of a file are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdbError {
    /// Not a v3 file.
    #[error("expected a v3 file (ADB)")]
    Magic,
    /// Compressed in a way that is not read here.
    #[error("the file is compressed with zstd, which is not read yet")]
    Compression,
    /// A block that is too large, out of order, or cut.
    #[error("expected one signed block of at most 64 MiB, then signatures")]
    Block,
    /// A digest or a version that is not known.
    #[error("expected signatures over SHA-256 or SHA-512")]
    Digest,
    /// Reading failed.
    #[error("cannot read it")]
    Io(#[from] std::io::Error),
}

/// Reads the signatures of a v3 file; none if it is not signed.
///
/// # Errors
/// - [`AdbError`], one variant per reason.
pub fn read_adb(mut file: impl Read) -> Result<Vec<AdbSignature>, AdbError> {
    let mut magic = [0; 4];
    file.read_exact(&mut magic)?;
    match &magic {
        b"ADB." => blocks(file, magic),
        b"ADBd" => inflated(file),
        b"ADBc" => {
            let mut kind = [0; 2];
            file.read_exact(&mut kind)?;
            if kind.first() == Some(&1) { inflated(file) } else { Err(AdbError::Compression) }
        }
        _ => Err(AdbError::Magic),
    }
}

fn inflated(file: impl Read) -> Result<Vec<AdbSignature>, AdbError> {
    let mut inner = flate2::read::DeflateDecoder::new(file);
    let mut magic = [0; 4];
    inner.read_exact(&mut magic)?;
    blocks(inner, magic)
}

/// A block's kind and the length of what follows its header. Units: bytes.
struct Header {
    kind: u32,
    length: u64,
}

fn blocks(mut file: impl Read, magic: [u8; 4]) -> Result<Vec<AdbSignature>, AdbError> {
    if &magic != b"ADB." {
        return Err(AdbError::Magic);
    }
    let mut schema = [0; 4];
    file.read_exact(&mut schema)?;
    let Some(Header { kind: 0, length }) = header(&mut file)? else { return Err(AdbError::Block) };
    let digests = hash(&mut file, length)?;
    let mut signatures = Vec::new();
    while let Some(Header { kind: 1, length }) = header(&mut file)? {
        if !(18..=SIGNATURE).contains(&length) || signatures.len() == SIGNATURES {
            return Err(AdbError::Block);
        }
        let mut block = vec![0; usize::try_from(length).map_err(|_| AdbError::Block)?];
        file.read_exact(&mut block)?;
        skip_padding(&mut file, length)?;
        signatures.push(signature(schema, &block, &digests)?);
    }
    Ok(signatures)
}

/// The next block; `None` at the end. Extended headers are for data alone, which comes last.
fn header(file: &mut impl Read) -> Result<Option<Header>, AdbError> {
    let mut bytes = [0; 4];
    match file.read(&mut bytes)? {
        0 => return Ok(None),
        read => file.read_exact(bytes.get_mut(read..).unwrap_or_default())?,
    }
    let word = u32::from_le_bytes(bytes);
    let length = u64::from(word & 0x3fff_ffff).checked_sub(4).ok_or(AdbError::Block)?;
    Ok(Some(Header { kind: word >> 30, length }))
}

/// Digests of the signed block.
struct Digests {
    sha256: Digest<Sha256>,
    sha512: Digest<Sha512>,
}

fn hash(file: &mut impl Read, length: u64) -> Result<Digests, AdbError> {
    if length > LARGEST {
        return Err(AdbError::Block);
    }
    let (mut sha256, mut sha512) = (sha2::Sha256::new(), sha2::Sha512::new());
    let (mut buffer, mut rest) = ([0; 8192], length);
    while rest > 0 {
        let wanted = usize::try_from(rest).unwrap_or(usize::MAX).min(buffer.len());
        let chunk = buffer.get_mut(..wanted).unwrap_or_default();
        file.read_exact(chunk)?;
        sha256.update(&*chunk);
        sha512.update(&*chunk);
        rest -= crate::limits::length(chunk);
    }
    skip_padding(file, length)?;
    Ok(Digests {
        sha256: Digest::new(sha256.finalize().into()),
        sha512: Digest::new(sha512.finalize().into()),
    })
}

/// Blocks begin at multiples of eight; their headers take four bytes.
fn skip_padding(file: &mut impl Read, length: u64) -> Result<(), AdbError> {
    let mut padding = [0; 8];
    let count = usize::try_from((length + 4).next_multiple_of(8) - (length + 4)).unwrap_or(0);
    Ok(file.read_exact(padding.get_mut(..count).unwrap_or_default())?)
}

/// The signed text is the schema, the head of the signature, and the digest of the signed block.
fn signature(schema: [u8; 4], block: &[u8], digests: &Digests) -> Result<AdbSignature, AdbError> {
    let (head, bytes) = block.split_first_chunk::<18>().ok_or(AdbError::Block)?;
    let [0, hash, key_id @ ..] = head else { return Err(AdbError::Digest) };
    let digest = match hash {
        3 => digests.sha256.as_bytes().to_vec(),
        4 => digests.sha512.as_bytes().to_vec(),
        _ => return Err(AdbError::Digest),
    };
    let text = [&schema[..], &head[..], &digest].concat();
    Ok(AdbSignature {
        key_id: *key_id,
        digest: Digest::new(sha2::Sha512::digest(text).into()),
        bytes: bytes.to_vec(),
    })
}

impl AdbSignature {
    /// The key that is asked for, in hexadecimal digits.
    pub fn key_id(&self) -> String {
        self.key_id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len() + 4).unwrap();
        let mut bytes = [&(kind << 30 | length).to_le_bytes()[..], payload].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn file(blocks: &[Vec<u8>]) -> Vec<u8> {
        [b"ADB.pckg".to_vec(), blocks.concat()].concat()
    }

    fn signature_block(hash: u8) -> Vec<u8> {
        block(1, &[&[0, hash][..], &[7; 16], &[9; 256]].concat())
    }

    #[test]
    fn reads_signatures_between_the_signed_block_and_the_data() {
        let bytes =
            file(&[block(0, b"0123456789"), signature_block(4), signature_block(3), block(2, b"data")]);
        let signatures = read_adb(&*bytes).unwrap();
        assert_eq!(signatures.len(), 2);
        assert!(signatures.iter().all(|signature| signature.bytes == [9; 256]));
        assert_eq!(signatures[0].key_id(), "07".repeat(16));
        assert_ne!(signatures[0].digest, signatures[1].digest);
        assert_eq!(read_adb(&*file(&[block(0, b"01234567")])).unwrap(), []);
    }

    #[test]
    fn refuses_what_is_out_of_order_cut_or_of_another_kind() {
        let cut = file(&[block(0, b"0123456789")]);
        assert!(matches!(read_adb(cut.get(..15).unwrap()), Err(AdbError::Io(_))));
        assert!(matches!(read_adb(&*file(&[signature_block(4)])), Err(AdbError::Block)));
        assert!(matches!(read_adb(&*file(&[block(0, b"x"), signature_block(5)])), Err(AdbError::Digest)));
        assert!(matches!(read_adb(&*file(&[block(0, b"x"), block(1, b"short")])), Err(AdbError::Block)));
        assert!(matches!(read_adb(&b"ADBc\x02\x00"[..]), Err(AdbError::Compression)));
        assert!(matches!(read_adb(&b"\x1f\x8b\x08\x00"[..]), Err(AdbError::Magic)));
        let huge = [&b"ADB.pckg"[..], &0x3fff_ffff_u32.to_le_bytes()].concat();
        assert!(matches!(read_adb(&*huge), Err(AdbError::Block)));
    }
}
