//! `apkvet mirror status --pinned`: who has the versions that builds name.

use anyhow::anyhow;
use serde::Serialize;

use super::record::findings;
use super::status::finish;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::mirror::{Config, PinStatus, Whereabouts, pinned};
use crate::publish::Look;

/// The `status` line.
#[derive(Serialize)]
struct Record<'a> {
    to: &'a str,
    pinned: Vec<Pin<'a>>,
}

#[derive(Serialize)]
struct Pin<'a> {
    set: &'a str,
    arch: &'a str,
    atom: &'a str,
    files: &'a [String],
    has: &'a str,
    listed: bool,
    repository: Option<&'a str>,
    version: Option<&'a str>,
    unlisted: Option<&'a str>,
}

pub(super) fn show(
    look: &Look,
    config: Option<&Config>,
    to: &str,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let config =
        config.ok_or_else(|| Failure::usage(anyhow!("expected --config FILE: it names the files")))?;
    let (pins, told) = match pinned(look, config) {
        Ok(found) => found,
        Err(finding) => (Vec::new(), vec![finding]),
    };
    if output.is_json() {
        output.record("status", &Record { to, pinned: pins.iter().map(pin).collect() })?;
    } else if !output.is_quiet() {
        table(output, &pins)?;
    }
    let exit = findings(output, &told)?;
    finish(output, &told, exit)
}

fn pin(status: &PinStatus) -> Pin<'_> {
    Pin {
        set: &status.set,
        arch: &status.arch,
        atom: &status.atom,
        files: &status.files,
        has: status.whereabouts.name(),
        listed: status.listed,
        repository: status.repository.as_deref(),
        version: status.version.as_deref(),
        unlisted: status.unlisted.as_deref(),
    }
}

fn table(output: &mut Output, pins: &[PinStatus]) -> Result<(), Failure> {
    if pins.is_empty() {
        return Ok(output.line("no file of `pinned-by` names a version")?);
    }
    let widest = |of: fn(&PinStatus) -> &str| pins.iter().map(|pin| of(pin).len()).max().unwrap_or_default();
    let (atoms, archs) = (widest(|pin| &pin.atom), widest(|pin| &pin.arch));
    for pin in pins {
        let (text, style) = match (pin.whereabouts, pin.listed) {
            (Whereabouts::Upstream, true) => ("upstream has it", Style::Good),
            (Whereabouts::Upstream, false) => ("upstream has it, not listed here", Style::Warning),
            (Whereabouts::Mirror, true) => ("only the mirror has it", Style::Good),
            (Whereabouts::Mirror, false) => ("only the mirror has it, not listed", Style::Warning),
            (Whereabouts::Nowhere, _) => ("nobody has it", Style::Bad),
        };
        let text = output.paint(style, &format!("{text:<34}"));
        let version = pin.version.as_deref().unwrap_or("-");
        let line = format!(
            "{:<atoms$}  {:<archs$}  {text}  {version}  {}",
            pin.atom,
            pin.arch,
            pin.files.join(", ")
        );
        output.line(&line)?;
    }
    Ok(())
}
