//! PEM as OpenSSL scans it, and as it writes it.
//!
//! A strict PEM reader refuses keys that apk loads, and a lax one takes files that apk skips; only the same
//! rules give the same answer. Source: OpenSSL 3.0, `crypto/pem/pem_lib.c` (`get_name`,
//! `get_header_and_data`) and `crypto/evp/encode.c`; the table of `docs/formats/keys.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const BOM: &[u8] = b"\xef\xbb\xbf";
/// OpenSSL reads a line in pieces of so many bytes, the end of line included.
const PIECE: usize = 254;
/// Header lines together must be shorter than the shortest header that has a meaning.
const HEADER: usize = 10;
/// After a header, each line but the last holds exactly so many characters.
const AFTER_HEADER: usize = 64;

/// What is wrong with one block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PemError {
    /// No END line follows.
    EndMissing,
    /// An END line of another label follows.
    EndDiffers,
    /// Header lines, or an empty line in the middle.
    Header,
    /// What lies between is no base64.
    Base64,
    /// Nothing lies between.
    Empty,
}

/// One block between BEGIN and END lines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Block {
    /// What stands after BEGIN.
    pub(crate) label: Vec<u8>,
    /// Number of the BEGIN line, from 1.
    pub(crate) line: usize,
    /// The decoded bytes.
    pub(crate) body: Result<Vec<u8>, PemError>,
}

/// All blocks of a file, damaged ones too, in order.
pub(crate) fn blocks(bytes: &[u8]) -> Blocks<'_> {
    Blocks { lines: Lines { rest: bytes, number: 0, ended: true } }
}

/// Iterator over the blocks of a file.
#[derive(Clone, Debug)]
pub(crate) struct Blocks<'a> {
    lines: Lines<'a>,
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let mut first = true;
        while !self.lines.rest.is_empty() {
            let Some(piece) = self.lines.next() else {
                // A line that begins with NUL ends a scan; OpenSSL then begins another one after it.
                first = true;
                continue;
            };
            let text = if first && piece.text.len() >= BOM.len() {
                piece.text.strip_prefix(BOM).unwrap_or(piece.text)
            } else {
                piece.text
            };
            first = false;
            let label = text.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
            if let Some(label) = label {
                let line = self.lines.number;
                let body = self.body(label);
                return Some(Block { label: label.to_vec(), line, body });
            }
        }
        None
    }
}

impl Blocks<'_> {
    /// Reads up to the END line and decodes what lies before it.
    fn body(&mut self, label: &[u8]) -> Result<Vec<u8>, PemError> {
        let (mut header, mut data) = (Vec::new(), Vec::new());
        let (mut after_header, mut short, mut was_partial) = (false, false, false);
        loop {
            let piece = self.lines.next().ok_or(PemError::EndMissing)?;
            let continues = std::mem::replace(&mut was_partial, piece.partial);
            if piece.text.is_empty() {
                if !continues {
                    if after_header {
                        return Err(PemError::Header);
                    }
                    after_header = true;
                }
                continue;
            }
            if let Some(rest) = piece.text.strip_prefix(END) {
                if rest.strip_suffix(DASHES) != Some(label) {
                    return Err(PemError::EndDiffers);
                }
                break;
            }
            if short || (after_header && piece.text.len() > AFTER_HEADER) {
                return Err(PemError::Header);
            }
            short = after_header && piece.text.len() < AFTER_HEADER;
            let target = if after_header { &mut data } else { &mut header };
            target.extend_from_slice(piece.text);
            target.push(b'\n');
        }
        if !after_header {
            data = std::mem::take(&mut header);
        }
        if header.len() > HEADER {
            return Err(PemError::Header);
        }
        let decoded = decode(&data).ok_or(PemError::Base64)?;
        if decoded.is_empty() { Err(PemError::Empty) } else { Ok(decoded) }
    }
}

/// One line, or a piece of one that is too long for OpenSSL's buffer.
struct Piece<'a> {
    text: &'a [u8],
    /// Whether the line goes on.
    partial: bool,
}

#[derive(Clone, Debug)]
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
    ended: bool,
}

impl<'a> Lines<'a> {
    /// The next piece without blanks at its end; `None` at the end and for a piece that begins with NUL.
    fn next(&mut self) -> Option<Piece<'a>> {
        let window = self.rest.get(..PIECE).unwrap_or(self.rest);
        let end = window.iter().position(|byte| *byte == b'\n').map_or(window.len(), |at| at + 1);
        let (piece, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        if self.ended {
            self.number += 1;
        }
        self.ended = piece.ends_with(b"\n");
        // C strings: what follows a NUL is lost.
        let text = piece.split(|byte| *byte == 0).next().unwrap_or_default();
        if text.is_empty() {
            return None;
        }
        let partial = text.len() == PIECE && !text.ends_with(b"\n");
        Some(Piece { text: trim_end(text), partial })
    }
}

/// Drops what OpenSSL drops at the end of a line: blanks, control bytes, and, since its characters are
/// signed on x86, every byte from 0x80 up.
fn trim_end(text: &[u8]) -> &[u8] {
    let keep = text.iter().rposition(|byte| (0x21..0x80).contains(byte)).map_or(0, |at| at + 1);
    text.get(..keep).unwrap_or(text)
}

/// Base64 as OpenSSL decodes it: blanks anywhere, padding bits ignored, a dash ends it.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut pending, mut padding, mut count) = (Vec::new(), 0_u32, 0_usize, 0_usize);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => 0,
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'-' => break,
            _ => return None,
        };
        if *byte == b'=' {
            padding += 1;
        }
        if padding > 2 || (padding > 0 && *byte != b'=') {
            return None;
        }
        pending = pending << 6 | u32::from(value);
        count += 1;
        if count.is_multiple_of(4) {
            out.extend_from_slice(pending.to_be_bytes().get(1..).unwrap_or_default());
            pending = 0;
        }
    }
    if !count.is_multiple_of(4) {
        return None;
    }
    out.truncate(out.len().saturating_sub(padding));
    Some(out)
}

/// Writes one block as OpenSSL does: lines of 64 characters.
pub(super) fn write(label: &str, body: &[u8]) -> String {
    let mut out = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(body);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Result<Vec<u8>, PemError> {
        blocks(text.as_bytes()).next().expect("a block").body
    }

    #[test]
    fn reads_what_it_writes() {
        for length in [1, 47, 48, 49, 300] {
            let body: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            assert_eq!(only(&write("PUBLIC KEY", &body)), Ok(body));
        }
    }

    #[test]
    fn one_damaged_block_does_not_hide_the_next() {
        let text = format!("-----BEGIN FOO-----\n!!!!\n-----END FOO-----\n{}", write("X", b"abc"));
        let found: Vec<Block> = blocks(text.as_bytes()).collect();
        assert_eq!(found[0].body, Err(PemError::Base64));
        assert_eq!(
            (found[1].line, &found[1].label[..], &found[1].body),
            (4, &b"X"[..], &Ok(b"abc".to_vec()))
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn names_what_is_wrong_with_a_block() {
        assert_eq!(only("-----BEGIN A-----\nQUJD\n"), Err(PemError::EndMissing));
        assert_eq!(only("-----BEGIN A-----\nQUJD\n-----END B-----\n"), Err(PemError::EndDiffers));
        assert_eq!(only("-----BEGIN A-----\n-----END A-----\n"), Err(PemError::Empty));
        assert_eq!(only("-----BEGIN A-----\nQUJ\n-----END A-----\n"), Err(PemError::Base64));
        assert_eq!(only("-----BEGIN A-----\nQ===\n-----END A-----\n"), Err(PemError::Base64));
        assert_eq!(only("-----BEGIN A-----\nQQ=A\n-----END A-----\n"), Err(PemError::Base64));
        let blank = "-----BEGIN A-----\nQUJDQUJDQUJD\n\nQUJD\n-----END A-----\n";
        assert_eq!(only(blank), Err(PemError::Header));
    }

    #[test]
    fn takes_blanks_padding_bits_and_a_dash_as_openssl_does() {
        assert_eq!(only("-----BEGIN A-----  \nQU JD\t \r\n-----END A-----\r\n"), Ok(b"ABC".to_vec()));
        assert_eq!(only("-----BEGIN A-----\nQR==\n-----END A-----"), Ok(b"A".to_vec()));
        assert_eq!(only("-----BEGIN A-----\nQUJD-?\n-----END A-----"), Ok(b"ABC".to_vec()));
    }

    #[test]
    fn a_begin_line_after_exactly_one_piece_is_found() {
        let key = write("A", b"abc");
        let lead = |count: usize| format!("{}{key}", "x".repeat(count));
        assert_eq!(blocks(lead(PIECE).as_bytes()).count(), 1);
        assert_eq!(blocks(lead(PIECE - 1).as_bytes()).count(), 0);
        assert_eq!(blocks(lead(2 * PIECE).as_bytes()).count(), 1);
    }

    #[test]
    fn a_line_that_begins_with_nul_ends_a_block_and_not_the_file() {
        let text = format!("-----BEGIN A-----\nQUJD\n\0\n{}", write("B", b"abc"));
        let found: Vec<Block> = blocks(text.as_bytes()).collect();
        assert_eq!(found[0].body, Err(PemError::EndMissing));
        assert_eq!(found[1].body, Ok(b"abc".to_vec()));
    }
}
