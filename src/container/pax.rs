//! Records of a pax header: `LENGTH KEY=VALUE\n`, read strictly.

use crate::types::escape;

/// Why the body of a pax header is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PaxError {
    /// A record is not `LENGTH KEY=VALUE` and a line feed, of exactly that length.
    #[error("a pax record is not of the form `LENGTH KEY=VALUE`: `{found}`")]
    Record {
        /// What is there, escaped and shortened.
        found: String,
    },
    /// A key occurs twice.
    #[error("the pax key `{key}` occurs twice")]
    Repeated {
        /// The key, escaped.
        key: String,
    },
    /// A path that readers cut at different places.
    #[error("the pax value of `{key}` holds a NUL byte or nothing")]
    Value {
        /// The key, escaped.
        key: String,
    },
}

/// The records of one header, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct PaxRecords(Vec<(Vec<u8>, Vec<u8>)>);

impl PaxRecords {
    /// Parses a whole body; every byte of it must belong to a record.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, PaxError> {
        let mut records = Self::default();
        let mut rest = body;
        while !rest.is_empty() {
            let (record, after) =
                split_record(rest).ok_or_else(|| PaxError::Record { found: escape(rest).to_string() })?;
            records.push(record)?;
            rest = after;
        }
        records.check_unique()?;
        Ok(records)
    }

    /// Sorted, since tens of thousands of records fit into one header.
    fn check_unique(&self) -> Result<(), PaxError> {
        let mut keys: Vec<&[u8]> = self.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair.first() == pair.last()) {
            Some([key, ..]) if checked!("pax-repeated") => {
                Err(PaxError::Repeated { key: escape(key).to_string() })
            }
            _ => Ok(()),
        }
    }

    /// The value of a key, if it is there.
    pub(crate) fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    fn push(&mut self, record: (&[u8], &[u8])) -> Result<(), PaxError> {
        let (key, value) = record;
        let is_path = key == b"path" || key == b"linkpath";
        if checked!("pax-path") && is_path && (value.is_empty() || value.contains(&0)) {
            return Err(PaxError::Value { key: escape(key).to_string() });
        }
        self.0.push((key.to_vec(), value.to_vec()));
        Ok(())
    }
}

type Record<'a> = (&'a [u8], &'a [u8]);

/// Takes one record off the front: its key and value, and what follows.
fn split_record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let blank = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let digits = bytes.get(..blank)?;
    if digits.is_empty()
        || checked!("pax-length") && digits.first() == Some(&b'0')
        || !digits.iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let (record, after) = bytes.split_at_checked(length)?;
    let record = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
    let named = !key.is_empty() && key.iter().all(u8::is_ascii_graphic);
    named.then_some(((key, value), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records_and_nothing_but_records() {
        let records = PaxRecords::parse(b"10 path=a\n13 mtime=1.5\n").unwrap();
        assert_eq!(records.value(b"path"), Some(&b"a"[..]));
        assert_eq!(records.value(b"mtime"), Some(&b"1.5"[..]));
        for body in [
            &b"8 path=a\n"[..],
            b"11 path=a\n",
            b"010 path=a\n",
            b"011 path=a\n",
            b"10 path=a\n\n",
            b"10 path=a\n\0",
            b"6 pa=\n1",
            b"6 pa\n",
            b"5 =a\n",
            b" path=a\n",
            b"99999999999999999999 a=b\n",
        ] {
            assert!(matches!(PaxRecords::parse(body), Err(PaxError::Record { .. })), "{body:?}");
        }
    }

    #[test]
    fn refuses_what_readers_would_resolve_differently() {
        let repeated = PaxRecords::parse(b"10 path=a\n10 path=b\n").unwrap_err();
        assert_eq!(repeated, PaxError::Repeated { key: "path".into() });
        let nul = PaxRecords::parse(b"12 path=a\0b\n").unwrap_err();
        assert_eq!(nul, PaxError::Value { key: "path".into() });
    }
}
