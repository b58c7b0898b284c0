//! The head of an answer: how long the file is, and which part of it this is.

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED,
    TRANSFER_ENCODING,
};

use super::error::Problem;

/// How the end of the body is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// By its length.
    Length(u64),
    /// By a last chunk.
    Chunks,
    /// By the end of the connection, which a cut looks like.
    Close,
}

impl Framing {
    /// Reads it more strictly than HTTP demands: two readers must not see two lengths.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let failed = |detail: &str| Err(Problem::Protocol { detail: detail.to_owned() });
        let chunked = headers.contains_key(TRANSFER_ENCODING);
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        match (lengths.next(), lengths.next()) {
            (None, _) if chunked => Ok(Self::Chunks),
            (None, _) => Ok(Self::Close),
            (Some(_), _) if checked!("http-two-framings") && chunked => {
                failed("both Content-Length and Transfer-Encoding")
            }
            (Some(_), Some(_)) if checked!("http-two-lengths") => failed("Content-Length twice"),
            (Some(length), _) => match number(length) {
                Some(length) => Ok(Self::Length(length)),
                None => failed("a Content-Length that is no number"),
            },
        }
    }
}

/// What tells one version of a file from another, for `If-Range`.
///
/// Trust: none; servers give one tag to different bytes. It only saves transfers that would be thrown away.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Validator {
    name: HeaderName,
    value: HeaderValue,
}

impl Validator {
    /// A strong entity tag, else the time of the last change.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let short = |value: &&HeaderValue| value.len() <= MAX_VALIDATOR;
        let strong = |value: &&HeaderValue| value.as_bytes().starts_with(b"\"");
        let tag = headers.get(ETAG).filter(short).filter(strong).map(|value| (ETAG, value));
        let time = || headers.get(LAST_MODIFIED).filter(short).map(|value| (LAST_MODIFIED, value));
        tag.or_else(time).map(|(name, value)| Self { name, value: value.clone() })
    }

    pub(super) const fn value(&self) -> &HeaderValue {
        &self.value
    }

    /// Whether an answer speaks of the same version; one that says nothing does.
    pub(super) fn fits(&self, headers: &HeaderMap) -> bool {
        !checked!("http-validator") || headers.get_all(&self.name).iter().all(|value| *value == self.value)
    }
}

/// Longer ones are not worth sending back. Units: bytes.
const MAX_VALIDATOR: usize = 1024;

/// Says whether an answer is exactly the rest of a file from `start` on, and how long the whole file is.
pub(super) fn rest(headers: &HeaderMap, start: u64, known: Option<u64>) -> Option<u64> {
    let part = headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
    });
    let mut ranges = headers.get_all(CONTENT_RANGE).iter();
    let (Some(range), None, false) = (ranges.next(), ranges.next(), part) else { return None };
    let (span, total) = range.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, total) = (digits(first)?, digits(last)?, digits(total)?);
    let fits = (first == start || !checked!("http-range-start"))
        && last.checked_add(1)? == total
        && known.is_none_or(|known| known == total);
    (fits && first <= last).then_some(total)
}

fn number(value: &HeaderValue) -> Option<u64> {
    digits(value.to_str().ok()?)
}

fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn one_length_in_plain_digits_is_a_length() {
        assert_eq!(Framing::of(&headers(&[("content-length", "5")])), Ok(Framing::Length(5)));
        assert_eq!(Framing::of(&headers(&[("transfer-encoding", "chunked")])), Ok(Framing::Chunks));
        assert_eq!(Framing::of(&headers(&[])), Ok(Framing::Close));
        for value in ["-1", "+5", "5, 5", "5, 6", "18446744073709551616", "", " 5 5", "0x5"] {
            let refused = Framing::of(&headers(&[("content-length", value)]));
            assert!(matches!(refused, Err(Problem::Protocol { .. })), "{value}");
        }
        for second in ["content-length", "transfer-encoding"] {
            let refused = Framing::of(&headers(&[("content-length", "5"), (second, "5")]));
            assert!(matches!(refused, Err(Problem::Protocol { .. })), "{second}");
        }
    }

    #[test]
    fn a_strong_tag_comes_before_a_time_and_a_weak_one_is_none() {
        let both = headers(&[("etag", "\"a\""), ("last-modified", "yesterday")]);
        let validator = Validator::of(&both).unwrap();
        assert_eq!(validator.value(), "\"a\"");
        assert!(validator.fits(&both) && validator.fits(&headers(&[])));
        assert!(!validator.fits(&headers(&[("etag", "\"b\"")])));
        let weak = headers(&[("etag", "W/\"a\""), ("last-modified", "yesterday")]);
        assert_eq!(Validator::of(&weak).unwrap().value(), "yesterday");
        assert_eq!(Validator::of(&headers(&[("etag", "W/\"a\"")])), None);
    }

    #[test]
    fn the_rest_of_a_file_is_exactly_that() {
        let part = |range: &str| rest(&headers(&[("content-range", range)]), 5, Some(10));
        assert_eq!(part("bytes 5-9/10"), Some(10));
        for range in [
            "bytes 4-9/10",
            "bytes 6-9/10",
            "bytes 5-8/10",
            "bytes 5-10/10",
            "bytes 5-10/11",
            "bytes 5-9/*",
            "bytes */10",
            "bytes +5-9/10",
            "5-9/10",
            "bytes 5-18446744073709551615/10",
            "",
        ] {
            assert_eq!(part(range), None, "{range}");
        }
        let multipart = headers(&[
            ("content-range", "bytes 5-9/10"),
            ("content-type", "Multipart/byteranges; boundary=x"),
        ]);
        assert_eq!(rest(&multipart, 5, None), None);
        assert_eq!(rest(&headers(&[]), 5, None), None);
    }
}
