//! Lists of keys that nobody must use, in the format of badkeys.

use sha2::Digest as _;

use crate::keys::{Curve, PublicKey};

/// A list of hashes: for each key 15 bytes of SHA-256 over its number, and a byte that says which collection.
///
/// Shape: entries of 16 bytes, sorted. The number is the modulus of an RSA key or the first coordinate of an EC
/// key, big-endian without leading zeros.
#[derive(Clone)]
pub struct Blocklist {
    name: String,
    entries: Vec<[u8; ENTRY]>,
}

const ENTRY: usize = 16;

/// Why bytes are no such list.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BlocklistError {
    /// Not a whole number of entries, or none.
    #[error("expected a block list of 16-byte entries, found {length} bytes")]
    Length {
        /// Units: bytes.
        length: usize,
    },
    /// Out of order: a search would miss keys.
    #[error("expected a sorted block list, found entry {number} out of order")]
    Order {
        /// Number of the entry, from 1.
        number: usize,
    },
}

impl Blocklist {
    /// Takes a list; the name is for messages, escaped.
    ///
    /// # Errors
    /// - [`BlocklistError::Length`] if it is not made of entries.
    /// - [`BlocklistError::Order`] if they are not sorted.
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Result<Self, BlocklistError> {
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        if !rest.is_empty() || entries.is_empty() {
            return Err(BlocklistError::Length { length: bytes.len() });
        }
        let out_of_order = entries.windows(2).position(|pair| pair.first() > pair.last());
        if let Some(at) = out_of_order {
            return Err(BlocklistError::Order { number: at + 2 });
        }
        Ok(Self { name: name.into(), entries: entries.to_vec() })
    }

    /// The name of the list.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the collection that holds the key, if one does.
    pub fn find(&self, key: &PublicKey) -> Option<u8> {
        let digest: [u8; 32] = sha2::Sha256::digest(number(key)?).into();
        let wanted = digest.first_chunk::<15>()?;
        let start = |entry: &[u8; ENTRY]| entry.first_chunk::<15>().copied().unwrap_or_default();
        let at = self.entries.binary_search_by(|entry| start(entry).cmp(wanted)).ok()?;
        self.entries.get(at)?.last().copied()
    }
}

impl std::fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocklist").field("name", &self.name).finish_non_exhaustive()
    }
}

fn number(key: &PublicKey) -> Option<Vec<u8>> {
    let whole = match key {
        PublicKey::Rsa(key) => key.modulus().to_vec(),
        PublicKey::Ec(key) => {
            let length = match key.curve() {
                Curve::P256 => 32,
                Curve::P384 => 48,
                Curve::P521 => 66,
                _ => return None,
            };
            key.point().get(1..=length)?.to_vec()
        }
        PublicKey::Other(_) => return None,
    };
    Some(whole.into_iter().skip_while(|byte| *byte == 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::RsaPublicKey;

    fn key(byte: u8) -> PublicKey {
        PublicKey::Rsa(RsaPublicKey::new(&[byte; 256], &[1, 0, 1]))
    }

    fn entry(key: &PublicKey, id: u8) -> [u8; 16] {
        let digest: [u8; 32] = sha2::Sha256::digest(key.as_rsa().unwrap().modulus()).into();
        let mut entry = [id; 16];
        entry[..15].copy_from_slice(&digest[..15]);
        entry
    }

    #[test]
    fn finds_what_is_listed_and_nothing_else() {
        let mut entries: Vec<_> = (1..100).map(|byte| entry(&key(byte), byte)).collect();
        entries.sort_unstable();
        let list = Blocklist::new("list", &entries.concat()).unwrap();
        assert!((1..100).all(|byte| list.find(&key(byte)) == Some(byte)));
        assert_eq!(list.find(&key(200)), None);
    }

    #[test]
    fn a_known_key_hashes_as_other_programs_hash_it() {
        let known = crate::keys::KnownKeys::builtin();
        let key = known.keys().first().unwrap().key().unwrap();
        let digest: [u8; 32] = sha2::Sha256::digest(number(key).unwrap()).into();
        let digits: String = digest[..15].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, "880707bb8a9d4ab8d134233aa4d0a8");
    }

    #[test]
    fn refuses_lists_that_are_cut_or_out_of_order() {
        assert_eq!(Blocklist::new("", &[0; 17]).err(), Some(BlocklistError::Length { length: 17 }));
        assert_eq!(Blocklist::new("", &[]).err(), Some(BlocklistError::Length { length: 0 }));
        let two = [[2; 16], [1; 16]].concat();
        assert_eq!(Blocklist::new("", &two).err(), Some(BlocklistError::Order { number: 2 }));
    }
}
