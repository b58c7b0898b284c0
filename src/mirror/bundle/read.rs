//! Reading a bundle: exactly what its list says, in its order, and not a byte more.
//!
//! Every header is made again from what is expected and compared byte for byte, so that there is nothing in one
//! that could be understood in two ways.

use std::io::{self, Read};

use sha2::Digest as _;

use super::error::BundleError;
use super::list::{Bundle, BundleFile};
use super::{BLOCK, MAX_LIST, file_name, list_name, padding};
use crate::container::tar_header;
use crate::types::{Digest, Sha256};

/// A bundle that is read from its beginning to its end.
#[derive(Debug)]
pub struct BundleReader<R> {
    reader: R,
    bundle: Bundle,
    sha256: String,
}

impl<R: Read> BundleReader<R> {
    /// Reads the list.
    ///
    /// # Errors
    /// - [`BundleError`] for anything that this program would not have written.
    pub fn new(mut reader: R) -> Result<Self, BundleError> {
        let mut header = [0; 512];
        fill(&mut reader, &mut header, "its first entry")?;
        let sha256 = digest_of(&header).ok_or(BundleError::NoBundle)?;
        let size = size_of(&header).ok_or(BundleError::NoBundle)?;
        let name = list_name(&sha256);
        if made(&name, size)? != header {
            return Err(BundleError::NoBundle);
        }
        if size > MAX_LIST {
            return Err(BundleError::TooLarge { found: size, limit: MAX_LIST });
        }
        let mut bytes = Vec::new();
        copy(&mut reader, &name, size, &sha256, &mut |part| {
            bytes.extend_from_slice(part);
            Ok::<(), BundleError>(())
        })?;
        Ok(Self { reader, bundle: Bundle::decode(&bytes)?, sha256 })
    }

    /// What it says that it holds.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// SHA-256 of its list, in hexadecimal: it names everything in the bundle.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Reads everything, and hands each piece of each file on before it is known to be whole.
    ///
    /// # Errors
    /// - [`BundleError`] if there is anything else than the list says; what was handed on is of no use then.
    /// - Whatever `each` says.
    pub fn read<E: From<BundleError>>(
        mut self,
        mut each: impl FnMut(&BundleFile, &[u8]) -> Result<(), E>,
    ) -> Result<Bundle, E> {
        for file in self.bundle.contents() {
            let name = file_name(&file.sha256);
            let mut header = [0; 512];
            fill(&mut self.reader, &mut header, &name)?;
            if made(&name, file.size)? != header {
                return Err(BundleError::Entry { expected: name }.into());
            }
            // A file without bytes is a file as well.
            each(file, &[])?;
            copy(&mut self.reader, &name, file.size, &file.sha256, &mut |part| each(file, part))?;
        }
        self.end()?;
        Ok(self.bundle)
    }

    fn end(&mut self) -> Result<(), BundleError> {
        let mut zeros = [0; 1024];
        fill(&mut self.reader, &mut zeros, "its end")?;
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(BundleError::Entry { expected: "the end".to_owned() });
        }
        let mut more = [0; 1];
        match read_some(&mut self.reader, &mut more)? {
            0 => Ok(()),
            _ => Err(BundleError::Trailing),
        }
    }
}

/// The header that this program would write.
fn made(name: &str, size: u64) -> Result<Vec<u8>, BundleError> {
    tar_header(name, size, 0).map_err(|error| BundleError::List(error.to_string()))
}

/// The digest in the name of the list.
fn digest_of(header: &[u8; 512]) -> Option<String> {
    let name = header.get(..100)?.split(|byte| *byte == 0).next()?;
    let hex = std::str::from_utf8(name).ok()?.strip_prefix("apkvet-bundle-1/")?;
    Digest::<Sha256>::parse_hex(hex.as_bytes()).ok().map(|digest| digest.to_string())
}

fn size_of(header: &[u8; 512]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(header.get(124..135)?).ok()?, 8).ok()
}

/// Hands a body on, and demands its digest and the zeros behind it.
fn copy<E: From<BundleError>>(
    reader: &mut impl Read,
    name: &str,
    size: u64,
    sha256: &str,
    each: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut left = size;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = read_some(reader, buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(BundleError::Cut(name.to_owned()).into());
        }
        let part = buffer.get(..count).unwrap_or_default();
        hasher.update(part);
        each(part)?;
        left = left.saturating_sub(crate::limits::length(part));
    }
    let found = Digest::<Sha256>::new(hasher.finalize().into()).to_string();
    if found != sha256 {
        return Err(BundleError::Digest { name: name.to_owned(), found }.into());
    }
    let mut block = [0; 512];
    let zeros = block.get_mut(..padding(size)).unwrap_or_default();
    fill(reader, zeros, name)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(BundleError::Padding(name.to_owned()).into());
    }
    Ok(())
}

fn fill(reader: &mut impl Read, buffer: &mut [u8], what: &str) -> Result<(), BundleError> {
    debug_assert!(crate::limits::length(buffer) <= 2 * BLOCK);
    reader.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => BundleError::Cut(what.to_owned()),
        _ => BundleError::Read(error),
    })
}

fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, BundleError> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.map_err(BundleError::Read),
        }
    }
}
