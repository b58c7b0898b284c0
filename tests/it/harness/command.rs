//! Runs the program and looks at what it says.

use std::path::Path;
use std::process::Command;

use super::bounded;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The JSON lines of standard output.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Starts `apkvet` in a directory and lets it run.
#[cfg(feature = "network")]
pub(crate) fn started(directory: &Path, arguments: &[&str]) -> std::process::Child {
    bounded::started(&mut command(directory, arguments))
}

/// Runs `apkvet` in a directory, with an empty standard input.
pub(crate) fn apkvet(directory: &Path, arguments: &[&str]) -> Ran {
    ran(&mut command(directory, arguments))
}

/// Runs `apkvet` as [`apkvet`] does, on a system that has no further thread for it: none has room for such a stack.
pub(crate) fn apkvet_on_one_thread(directory: &Path, arguments: &[&str]) -> Ran {
    ran(on_one_thread(&mut command(directory, arguments)))
}

/// Runs `apkvet` as [`apkvet`] does, with a fixed time for what it makes.
pub(crate) fn apkvet_at(time: &str, directory: &Path, arguments: &[&str]) -> Ran {
    ran(command(directory, arguments).env("SOURCE_DATE_EPOCH", time))
}

/// Runs `apkvet` as [`apkvet_on_one_thread`] does, with a fixed time for what it makes.
pub(crate) fn apkvet_on_one_thread_at(time: &str, directory: &Path, arguments: &[&str]) -> Ran {
    ran(on_one_thread(&mut command(directory, arguments)).env("SOURCE_DATE_EPOCH", time))
}

fn on_one_thread(command: &mut Command) -> &mut Command {
    command.env("RUST_MIN_STACK", (1_u64 << 60).to_string())
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apkvet"));
    command.args(arguments).current_dir(directory).env_remove("NO_COLOR");
    // Servers of tests listen at the loopback interface, which no proxy leads to.
    for name in ["http_proxy", "all_proxy", "ALL_PROXY", "APKVET_AUTH"] {
        command.env_remove(name);
    }
    command
}

fn ran(command: &mut Command) -> Ran {
    let output = bounded::output(command);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
