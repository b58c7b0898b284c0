//! Where results and messages go: results to standard output, everything else to standard error.

use std::io::{self, BufWriter, IsTerminal, Stderr, Stdout, Write};

use serde::Serialize;

use super::args::{Color, Global};

/// The schema that every JSON line names.
const SCHEMA: &str = "apkvet/1";

/// The two streams, and how to write to them.
#[derive(Debug)]
pub(super) struct Output {
    out: BufWriter<Stdout>,
    err: Stderr,
    json: bool,
    quiet: bool,
    verbose: u8,
    color: bool,
}

/// One JSON line: the schema and the type first, then the fields of the record.
#[derive(Serialize)]
struct Line<'a, T> {
    schema: &'static str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(flatten)]
    record: &'a T,
}

/// How a word is emphasised on a terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// What holds.
    Good,
    /// What is refused.
    Bad,
    /// What needs a look.
    Warning,
    /// Side remarks.
    Dim,
}

impl Output {
    pub(super) fn new(global: &Global, out: Stdout, err: Stderr) -> Self {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        let color = color && !global.json;
        let (json, quiet, verbose) = (global.json, global.quiet, global.verbose);
        Self { out: BufWriter::new(out), err, json, quiet, verbose, color }
    }

    /// Whether results are JSON Lines.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether only what does not hold is printed.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// How often `-v` was given.
    pub(super) fn verbosity(&self) -> u8 {
        self.verbose
    }

    /// Writes one line of human output. The text must be escaped already.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Writes one JSON line of the given type.
    pub(super) fn record(&mut self, kind: &str, record: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, &Line { schema: SCHEMA, kind, record })?;
        writeln!(self.out)
    }

    /// Writes raw bytes, for output that is a file of its own.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// A word in colour, if colours are on.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Good => "32",
            Style::Bad => "1;31",
            Style::Warning => "33",
            Style::Dim => "2",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Prints a remark on standard error.
    pub(super) fn note(&mut self, text: &str) {
        self.message("note", text);
    }

    /// Prints a warning on standard error.
    pub(super) fn warning(&mut self, text: &str) {
        self.message("warning", text);
    }

    /// Prints an error on standard error.
    pub(super) fn error(&mut self, text: &str) {
        self.message("error", text);
    }

    /// Writes out what is buffered.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn message(&mut self, kind: &str, text: &str) {
        // Nothing can be done when standard error is gone; the exit code still tells.
        let _ = self.out.flush();
        let _ = writeln!(self.err, "apkvet: {kind}: {text}");
    }
}
