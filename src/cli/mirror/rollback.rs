//! `apkvet mirror rollback`: serves an older generation again.

use clap::Args;
use serde::Serialize;

use super::args::WaitArgs;
use super::plan::refusal;
use super::record::{count, counted, findings};
use super::target::TargetArgs;
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Style};
use crate::mirror::{RolledBack, Severity, rollback};

/// Serves the content of an older generation again, as a new generation; the next sync goes forward again
#[derive(Args, Debug)]
pub(super) struct RollbackArgs {
    /// The number of the generation, as `status` lists them [default: the one before the published one]
    number: Option<u64>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// The last JSON line.
#[derive(Serialize)]
struct Summary {
    from: u64,
    to: u64,
    generation: u64,
    published: bool,
    packages: usize,
    errors: usize,
    warnings: usize,
    exit: u8,
}

pub(super) fn run(args: &RollbackArgs, output: &mut Output) -> Result<Exit, Failure> {
    let target = args.target.target()?;
    let tree = target.open(args.wait)?;
    match rollback(&tree, args.number, &target.limits(), now()) {
        Err(refused) => refusal(output, &refused),
        Ok(done) => {
            let exit = findings(output, &done.findings)?;
            finish(output, &done, exit)?;
            Ok(exit)
        }
    }
}

fn finish(output: &mut Output, done: &RolledBack, exit: Exit) -> Result<(), Failure> {
    let RolledBack { from, to, generation, published, packages, findings } = done;
    if output.is_json() {
        let (errors, warnings) = (count(findings, Severity::Error), count(findings, Severity::Warning));
        let summary = Summary {
            from: *from,
            to: *to,
            generation: *generation,
            published: *published,
            packages: *packages,
            errors,
            warnings,
            exit: exit.code(),
        };
        return Ok(output.record("summary", &summary)?);
    }
    if output.is_quiet() {
        return Ok(());
    }
    let packages = counted(*packages, "package");
    let text = if *published {
        format!("generation {to} is served again, as generation {generation}: {packages}")
    } else {
        format!("generation {from} serves what generation {to} did: nothing is changed")
    };
    let text = output.paint(Style::Good, &text);
    output.line(&text)?;
    let hint = "what was seen of upstream is still remembered: the next sync goes forward again";
    Ok(output.line(hint)?)
}
