//! The command line: raw arguments, then decided settings, then a call into the library, then rendering.

mod args;
mod clock;
mod exit;
mod failure;
#[cfg(feature = "network")]
mod fetch;
mod generated;
mod index;
mod inspect;
mod keys;
mod known;
#[cfg(feature = "network")]
mod mirror;
mod open;
mod output;
mod pipeline;
mod pool;
mod processor;
mod read;
mod record;
mod replace;
#[cfg(feature = "network")]
mod signals;
mod subjects;
mod table;
mod text;
mod threads;
mod trust;
mod verify;
mod version;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use args::{Arguments, Command};
use exit::Exit;
use failure::Failure;
use output::Output;

/// Runs the program with the given arguments (the first is its name) and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let typed: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::parse_typed(&typed) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let mut output = Output::new(&arguments.global, io::stdout(), io::stderr());
    let result = dispatch(arguments.command, &mut output).and_then(|exit| {
        output.flush()?;
        Ok(exit)
    });
    result.unwrap_or_else(|failure| failure.report(&mut output)).into()
}

fn dispatch(command: Command, output: &mut Output) -> Result<Exit, Failure> {
    // The others hash next to nothing.
    if !matches!(command, Command::Inspect(_) | Command::Keys(_) | Command::Version(_)) {
        processor::remark(output);
    }
    match command {
        Command::Verify(args) => verify::run(&args, output),
        Command::Inspect(args) => inspect::run(&args, output),
        Command::Keys(args) => keys::run(args, output),
        Command::Index(args) => index::run(args, output),
        Command::Version(args) => version::run(args, output),
        Command::Completions(args) => generated::completions(&args, output),
        Command::Man(args) => generated::man(&args),
        #[cfg(feature = "network")]
        Command::Mirror(args) => mirror::run(*args, output),
        #[cfg(feature = "network")]
        Command::Fetch(args) => fetch::run(&args, output),
    }
}

/// Prints what clap says: help and version are answers, everything else is a usage error.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (true, _) => Exit::Usage.into(),
        (false, Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Exit::LocalIo.into(),
        (false, _) => io::stdout().flush().map_or(Exit::Holds, |()| Exit::Holds).into(),
    }
}
