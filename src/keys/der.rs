//! A walk over the few DER structures that a public key is made of.
//!
//! It accepts what OpenSSL accepts in these places (lengths and integers that are longer than needed) and
//! remembers that it did, because the same key then has other bytes. Indefinite lengths are refused.

/// Tag of an INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// Tag of a BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// Tag of an OBJECT IDENTIFIER.
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// Tag of a SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;

/// Why bytes are not the expected structure.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DerError {
    /// The structure ends before its own length says so.
    #[error("the structure is cut short")]
    Cut,
    /// Another kind of element.
    #[error("expected element 0x{expected:02x}, found 0x{found:02x}")]
    Tag {
        /// The tag that belongs here.
        expected: u8,
        /// The tag that is here.
        found: u8,
    },
    /// A length that is indefinite, or written in more than eight bytes.
    #[error("expected a definite length of at most eight bytes")]
    Length,
    /// More than the structure holds.
    #[error("{count} bytes follow the end of the structure")]
    Trailing {
        /// Number of bytes.
        count: usize,
    },
    /// A bit string whose count of unused bits is no such count.
    #[error("expected 0 to 7 unused bits, found {found}")]
    UnusedBits {
        /// The count.
        found: u8,
    },
}

/// Reads elements one after the other out of one structure.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    canonical: bool,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, canonical: true }
    }

    /// What was not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all lengths and integers so far were as short as possible.
    pub(super) const fn is_canonical(&self) -> bool {
        self.canonical
    }

    /// Takes the content of the next element, which must have this tag.
    pub(super) fn read(&mut self, expected: u8) -> Result<&'a [u8], DerError> {
        let element = Element::split(self.rest)?;
        if element.tag != expected {
            return Err(DerError::Tag { expected, found: element.tag });
        }
        self.canonical &= element.minimal;
        self.rest = element.rest;
        Ok(element.content)
    }

    /// Takes the whole next element, whatever it is but an end mark, with its tag and length.
    pub(super) fn read_any(&mut self) -> Result<&'a [u8], DerError> {
        let element = Element::split(self.rest)?;
        if element.tag == 0 {
            return Err(DerError::Tag { expected: SEQUENCE, found: 0 });
        }
        let whole = self.rest.get(..self.rest.len() - element.rest.len()).ok_or(DerError::Cut)?;
        self.canonical &= element.minimal;
        self.rest = element.rest;
        Ok(whole)
    }

    /// Takes an INTEGER as a number without sign, as OpenSSL does: a missing zero before a high bit is
    /// overlooked, and so are zeros too many. The result has no leading zero.
    pub(super) fn read_unsigned(&mut self) -> Result<&'a [u8], DerError> {
        let content = self.read(INTEGER)?;
        let number = strip_zeros(content);
        let needed = usize::from(number.first().is_none_or(|byte| byte & 0x80 != 0)) + number.len();
        self.canonical &= content.len() == needed;
        Ok(number)
    }

    /// Takes a BIT STRING; its unused bits come out as zeros.
    pub(super) fn read_bits(&mut self) -> Result<Vec<u8>, DerError> {
        let content = self.read(BIT_STRING)?;
        let (&unused, bits) = content.split_first().ok_or(DerError::Cut)?;
        if unused > 7 {
            return Err(DerError::UnusedBits { found: unused });
        }
        let mut bits = bits.to_vec();
        if let Some(last) = bits.last_mut() {
            *last &= 0xff_u8 << unused;
        }
        self.canonical &= unused == 0;
        Ok(bits)
    }

    /// Ends the structure.
    pub(super) const fn finish(&self) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Trailing { count: self.rest.len() }) }
    }

    /// Remembers what a structure inside this one found.
    pub(super) const fn note(&mut self, canonical: bool) {
        self.canonical &= canonical;
    }
}

/// One element, split from what follows it.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
    /// Whether the length is as short as possible.
    minimal: bool,
}

impl<'a> Element<'a> {
    fn split(bytes: &'a [u8]) -> Result<Self, DerError> {
        let (&tag, rest) = bytes.split_first().ok_or(DerError::Cut)?;
        let (length, rest, minimal) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(DerError::Cut)?;
        Ok(Self { tag, content, rest, minimal })
    }
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8], bool), DerError> {
    let (&first, rest) = bytes.split_first().ok_or(DerError::Cut)?;
    if first < 0x80 {
        return Ok((first.into(), rest, true));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 8 {
        return Err(DerError::Length);
    }
    let (digits, rest) = rest.split_at_checked(count).ok_or(DerError::Cut)?;
    let value = digits.iter().fold(0_u64, |value, digit| value << 8 | u64::from(*digit));
    let minimal = digits.first().is_some_and(|digit| *digit != 0) && value >= 0x80;
    Ok((usize::try_from(value).map_err(|_| DerError::Cut)?, rest, minimal))
}

/// The number without leading zeros.
pub(super) fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Writes one element.
pub(super) fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let digits = strip_zeros(&bytes);
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7f));
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Writes an INTEGER from a number without sign.
pub(super) fn encode_unsigned(number: &[u8]) -> Vec<u8> {
    let number = strip_zeros(number);
    let mut content = Vec::with_capacity(number.len() + 1);
    if number.first().is_none_or(|byte| byte & 0x80 != 0) {
        content.push(0);
    }
    content.extend_from_slice(number);
    encode(INTEGER, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for length in [0_usize, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let written = encode(SEQUENCE, &vec![7; length]);
            let mut reader = Reader::new(&written);
            assert_eq!(reader.read(SEQUENCE).unwrap().len(), length);
            assert!(reader.is_canonical());
            assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn takes_longer_lengths_and_integers_than_needed_and_remembers() {
        for bytes in [&[2, 0x81, 1, 5][..], &[2, 0x82, 0, 1, 5], &[2, 2, 0, 5], &[2, 1, 0x85]] {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.read_unsigned().unwrap().len(), 1, "{bytes:?}");
            assert!(!reader.is_canonical(), "{bytes:?}");
        }
        let mut reader = Reader::new(&[2, 2, 0, 0x85]);
        assert_eq!(reader.read_unsigned(), Ok(&[0x85][..]));
        assert!(reader.is_canonical());
    }

    #[test]
    fn an_integer_without_bytes_is_zero() {
        assert_eq!(Reader::new(&[2, 0]).read_unsigned(), Ok(&[][..]));
        assert_eq!(encode_unsigned(&[]), [2, 1, 0]);
        assert_eq!(encode_unsigned(&[0, 0x80]), [2, 2, 0, 0x80]);
    }

    #[test]
    fn refuses_what_is_cut_indefinite_or_absurd() {
        assert_eq!(Reader::new(&[0x30]).read(SEQUENCE), Err(DerError::Cut));
        assert_eq!(Reader::new(&[0x30, 3, 0, 0]).read(SEQUENCE), Err(DerError::Cut));
        assert_eq!(Reader::new(&[0x30, 0x80, 0, 0]).read(SEQUENCE), Err(DerError::Length));
        assert_eq!(Reader::new(&[0x30, 0x89, 0, 0]).read(SEQUENCE), Err(DerError::Length));
        let huge = [0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Reader::new(&huge).read(SEQUENCE), Err(DerError::Cut));
        assert_eq!(
            Reader::new(&[0x31, 0]).read(SEQUENCE),
            Err(DerError::Tag { expected: SEQUENCE, found: 0x31 })
        );
        assert_eq!(Reader::new(&[3, 2, 8, 0]).read_bits(), Err(DerError::UnusedBits { found: 8 }));
    }

    #[test]
    fn unused_bits_read_as_zeros() {
        let mut reader = Reader::new(&[3, 2, 1, 0xff]);
        assert_eq!(reader.read_bits(), Ok(vec![0xfe]));
        assert!(!reader.is_canonical());
    }
}
