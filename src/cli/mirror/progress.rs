//! How far a run is: bars on a terminal, plain lines otherwise, on standard error.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::record::{counted, size};
use crate::cli::output::Output;
use crate::mirror::{Event, Progress};
use crate::types::escape_all;

/// Less than this is over before anybody has read of it. Units: bytes.
const LARGE: u64 = 4 << 20;

/// How many files that are on their way are shown.
const SHOWN: usize = 8;

/// Listens to a run.
#[derive(Debug)]
pub(super) struct Bars {
    kind: Kind,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Kind {
    /// Nothing is shown.
    Silent,
    /// Lines, every tenth of the way.
    Lines { verbose: bool },
    /// Bars.
    Bars(MultiProgress),
}

#[derive(Debug, Default)]
struct State {
    total: Option<ProgressBar>,
    files: BTreeMap<String, ProgressBar>,
    count: usize,
    done: usize,
    bytes: u64,
    received: u64,
    tenths: u64,
}

impl Bars {
    pub(super) fn new(output: &Output) -> Self {
        let kind = match () {
            () if output.is_quiet() => Kind::Silent,
            () if std::io::stderr().is_terminal() => Kind::Bars(MultiProgress::new()),
            () => Kind::Lines { verbose: output.verbosity() > 0 },
        };
        Self { kind, state: Mutex::default() }
    }

    /// Takes the bars away.
    pub(super) fn finish(&self) {
        if let Kind::Bars(bars) = &self.kind {
            // A terminal that is gone has no bars left to clear.
            let _ = bars.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Numbers for show have no state that a panic could leave half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        match &self.kind {
            Kind::Silent => {}
            // Nothing can be done when standard error is gone.
            Kind::Lines { .. } => drop(writeln!(std::io::stderr(), "apkvet: {text}")),
            Kind::Bars(bars) => drop(bars.println(format!("apkvet: {text}"))),
        }
    }

    fn begin(&self, count: usize, bytes: u64) {
        self.say(&format!("{}, {}", counted(count, "package"), size(bytes)));
        let mut state = self.state();
        let before = std::mem::take(&mut *state);
        before.total.iter().chain(before.files.values()).for_each(ProgressBar::finish_and_clear);
        *state = State { count, bytes, ..State::default() };
        if let Kind::Bars(bars) = &self.kind {
            let total = bars.add(ProgressBar::new(bytes));
            total.set_style(style("{msg:>24} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}"));
            total.set_message(format!("0 of {count}"));
            state.total = Some(total);
        }
    }

    fn file(&self, label: &str, length: u64) {
        let Kind::Bars(bars) = &self.kind else { return };
        let mut state = self.state();
        // A package that comes in for two architectures at once has one bar.
        if state.files.len() < SHOWN && !state.files.contains_key(label) {
            let bar = bars.add(ProgressBar::new(length));
            bar.set_style(style("{msg:>24} [{bar:30}] {bytes}/{total_bytes}"));
            bar.set_message(escape_all(label).to_string());
            state.files.insert(label.to_owned(), bar);
        }
    }

    fn received(&self, label: &str, bytes: u64) {
        let mut state = self.state();
        state.received = state.received.saturating_add(bytes);
        state.total.iter().chain(state.files.get(label)).for_each(|bar| bar.inc(bytes));
        let tenths = state.received.saturating_mul(10).checked_div(state.bytes).unwrap_or_default();
        let worth_it = state.bytes >= LARGE && matches!(self.kind, Kind::Lines { .. });
        if worth_it && tenths > state.tenths {
            state.tenths = tenths;
            let text = format!("{} of {}", size(state.received), size(state.bytes));
            drop(state);
            self.say(&text);
        }
    }

    fn discarded(&self, label: &str, bytes: u64) {
        let mut state = self.state();
        state.received = state.received.saturating_sub(bytes);
        for bar in state.total.iter().chain(state.files.get(label)) {
            bar.set_position(bar.position().saturating_sub(bytes));
        }
    }

    fn done(&self, label: &str) {
        let mut state = self.state();
        state.done += 1;
        if let Some(bar) = state.files.remove(label) {
            bar.finish_and_clear();
        }
        let text = format!("{} of {}", state.done, state.count);
        if let Some(total) = &state.total {
            total.set_message(text);
        }
        drop(state);
        if matches!(self.kind, Kind::Lines { verbose: true }) {
            self.say(&format!("done: {}", escape_all(label)));
        }
    }
}

impl Progress for Bars {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Indexes { count } => self.say(&format!("reading {}", counted(count, "index"))),
            Event::Fetching { count, bytes } => self.begin(count, bytes),
            Event::Begun { label, size } => self.file(label, size),
            Event::Received { label, bytes } => self.received(label, bytes),
            Event::Discarded { label, bytes } => self.discarded(label, bytes),
            Event::Done { label } => self.done(label),
            Event::Restarted { times } => {
                self.say(&format!("upstream changed meanwhile: beginning again ({times})"));
            }
            Event::Rehearsing => self.say("reading the new generation as a client would"),
            _ => {}
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
