//! Text that came out of a file, made safe to print.

use std::fmt::{self, Write};

/// How many bytes of untrusted text a message quotes.
const QUOTED: usize = 64;

/// Untrusted bytes that print escaped and shortened; made by [`escape`] or [`escape_all`].
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a> {
    bytes: &'a [u8],
    limit: usize,
}

/// Escapes untrusted bytes for a message: control and bidirectional characters become visible,
/// and what exceeds 64 bytes becomes `…`.
///
/// # Examples
/// ```
/// use apkvet::types::escape;
/// assert_eq!(escape(b"a\x1b[31m").to_string(), r"a\x1b[31m");
/// assert_eq!(escape("a\u{202e}b".as_bytes()).to_string(), r"a\u{202e}b");
/// ```
pub fn escape<T: AsRef<[u8]> + ?Sized>(text: &T) -> Escaped<'_> {
    Escaped { bytes: text.as_ref(), limit: QUOTED }
}

/// Escapes like [`escape`], but shortens nothing: for fields and paths that are printed whole.
pub fn escape_all<T: AsRef<[u8]> + ?Sized>(text: &T) -> Escaped<'_> {
    Escaped { bytes: text.as_ref(), limit: usize::MAX }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.bytes.get(..self.limit).unwrap_or(self.bytes);
        for chunk in shown.utf8_chunks() {
            chunk.valid().chars().try_for_each(|c| write_char(f, c))?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        if shown.len() < self.bytes.len() { f.write_char('…') } else { Ok(()) }
    }
}

fn write_char(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", u32::from(c)),
        // C1 controls, line separators, and everything that changes the direction of what follows.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => write!(f, "\\u{{{:x}}}", u32::from(c)),
        c => f.write_char(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_after_sixty_four_bytes() {
        assert_eq!(escape(&[b'a'; 65]).to_string(), format!("{}…", "a".repeat(64)));
        assert_eq!(escape(&[b'a'; 64]).to_string(), "a".repeat(64));
    }

    #[test]
    fn shows_bytes_that_are_no_utf8_and_doubles_backslashes() {
        assert_eq!(escape(b"\xff\\\x9b").to_string(), r"\xff\\\x9b");
        assert_eq!(escape("\u{9b}").to_string(), r"\u{9b}");
    }
}
