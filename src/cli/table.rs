//! Columns of text.

use std::io;

use super::output::{Output, Style};

/// Lines of cells; the last column is as wide as it likes.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<(Option<Style>, Vec<String>)>,
}

/// The widest column; a longer cell moves only its own line. Units: characters.
const WIDEST: usize = 60;

impl Table {
    pub(super) fn new(heads: &[&str]) -> Self {
        let heads = heads.iter().map(|&head| head.to_owned()).collect();
        Self { rows: vec![(Some(Style::Dim), heads)] }
    }

    /// Adds a line; the text must be escaped already.
    pub(super) fn row(&mut self, style: Option<Style>, cells: Vec<String>) {
        self.rows.push((style, cells));
    }

    pub(super) fn print(&self, output: &mut Output) -> io::Result<()> {
        let columns = self.rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|(_, cells)| cells.get(column));
            cells.map(|cell| cell.chars().count().min(WIDEST)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (style, cells) in &self.rows {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                line.push_str(&format!("{cell:width$}  "));
            }
            let line = line.trim_end();
            let line = style.map_or_else(|| line.to_owned(), |style| output.paint(style, line));
            output.line(&line)?;
        }
        Ok(())
    }
}
