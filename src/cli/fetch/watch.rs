//! Shows how a file comes in: a bar on a terminal, plain lines otherwise.

use std::io::{self, IsTerminal};
use std::time::Instant;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::Output;
use crate::limits::length;
use crate::transport::Sink;

/// Files above this size get a line for each tenth, where there is no terminal. Units: bytes.
const LARGE: u64 = 16 << 20;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Manner {
    /// Not at all.
    Silent,
    /// By lines on standard error.
    Lines,
    /// By bars there.
    Bars,
}

impl Manner {
    pub(super) fn of(output: &Output) -> Self {
        match () {
            () if output.is_quiet() => Self::Silent,
            () if io::stderr().is_terminal() => Self::Bars,
            () => Self::Lines,
        }
    }
}

/// A sink that shows what goes into another one.
pub(super) struct Watched<'a> {
    sink: &'a mut dyn Sink,
    output: &'a mut Output,
    manner: Manner,
    bar: ProgressBar,
    label: String,
    total: Option<u64>,
    tenth: u64,
    began: Instant,
}

impl<'a> Watched<'a> {
    /// Announces a file. The label must be escaped already.
    pub(super) fn new(sink: &'a mut dyn Sink, output: &'a mut Output, manner: Manner, label: &str) -> Self {
        let target = match manner {
            Manner::Bars => ProgressDrawTarget::stderr(),
            Manner::Silent | Manner::Lines => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target).with_message(label.to_owned());
        bar.set_style(style("{msg} {bytes} {bytes_per_sec}"));
        if manner == Manner::Lines {
            output.note(&format!("fetching {label}"));
        }
        let label = label.to_owned();
        Self { sink, output, manner, bar, label, total: None, tenth: 0, began: Instant::now() }
    }

    /// Tells how a large file came in, where there is no terminal.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
        let bytes = self.sink.position();
        if self.manner == Manner::Lines && bytes >= LARGE {
            let seconds = self.began.elapsed().as_secs_f32();
            self.output.note(&format!("fetched {}, {} in {seconds:.1} s", self.label, HumanBytes(bytes)));
        }
    }

    fn line(&mut self) {
        let Some(total) = self.total.filter(|total| *total >= LARGE && self.manner == Manner::Lines) else {
            return;
        };
        let tenth = self.sink.position().saturating_mul(10) / total;
        if tenth > self.tenth && tenth < 10 {
            self.tenth = tenth;
            let text = format!("fetching {}: {tenth}0 % of {}", self.label, HumanBytes(total));
            self.output.note(&text);
        }
    }
}

impl Sink for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write(bytes)?;
        self.bar.inc(length(bytes));
        self.line();
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.bar.set_position(0);
        self.sink.restart()
    }

    fn position(&self) -> u64 {
        self.sink.position()
    }

    fn expect(&mut self, total: u64) {
        self.total = Some(total);
        self.bar.set_length(total);
        self.bar.set_style(style("{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}"));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
