//! The `apkvet` program: everything it does lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    apkvet::cli::run(std::env::args_os())
}
