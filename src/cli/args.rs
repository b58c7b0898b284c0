//! The arguments as typed.

use std::ffi::{OsStr, OsString};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

/// Verifies Alpine Linux packages (.apk, never Android's) and indexes, and audits the keys that sign them.
#[derive(Debug, Parser)]
#[command(name = NAME, version, max_term_width = MAX_TERM_WIDTH, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

pub(super) const NAME: &str = "apkvet";
const MAX_TERM_WIDTH: usize = 100;

impl Arguments {
    /// Parses what was typed, the name of the program first.
    pub(super) fn parse_typed(typed: &[OsString]) -> Result<Self, clap::Error> {
        let mut matches = parser(typed.get(1).map(OsString::as_os_str)).try_get_matches_from(typed)?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut Self::command()))
    }
}

/// What parses the arguments, of which this is the first.
// Each command gets a copy of the global flags, and one small file is done in a millisecond: where the first word names a
// command, there are no others.
fn parser(first: Option<&OsStr>) -> clap::Command {
    let commands = Command::augment_subcommands(clap::Command::new(NAME));
    match first.and_then(|name| commands.find_subcommand(name)) {
        Some(named) => Global::augment_args(clap::Command::new(NAME))
            .max_term_width(MAX_TERM_WIDTH)
            .subcommand(named.clone()),
        None => Arguments::command(),
    }
}

/// Flags that every command takes.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Global {
    /// Print JSON Lines on standard output, and nothing else there
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print only what does not hold
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Print more: notes, spans, digests, a processor without SHA instructions
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Colour the output
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
// The arguments of the other commands are not made: there are many, and one small file is done in a millisecond or two.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(super) enum Command {
    Verify(super::verify::VerifyArgs),
    Inspect(super::inspect::InspectArgs),
    Keys(super::keys::KeysArgs),
    Index(super::index::IndexArgs),
    Version(super::version::VersionArgs),
    Completions(super::generated::CompletionsArgs),
    Man(super::generated::ManArgs),
    #[cfg(feature = "network")]
    Mirror(Box<super::mirror::MirrorArgs>),
    #[cfg(feature = "network")]
    Fetch(Box<super::fetch::FetchArgs>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(parser: clap::Command, typed: &[&str]) -> String {
        let parsed = parser.try_get_matches_from(typed);
        let said = parsed.map(|matches| format!("{:?}", Arguments::from_arg_matches(&matches)));
        said.unwrap_or_else(|error| error.render().ansi().to_string())
    }

    #[test]
    fn one_command_alone_is_parsed_as_it_is_among_the_others() {
        let whole = Arguments::command();
        let names: Vec<_> = whole.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert!(names.iter().any(|name| name == "verify"), "{names:?}");
        let rest: [&[&str]; 8] = [
            &[],
            &["--help"],
            &["-h"],
            &["--version"],
            &["-vv", "--json", "x"],
            &["--no-such-flag"],
            &["--color", "red", "x"],
            &["check", "--help"],
        ];
        for name in &names {
            for rest in rest {
                let typed = [&["apkvet", name.as_str()], rest].concat();
                let alone = parser(Some(OsStr::new(name)));
                assert_eq!(alone.get_subcommands().count(), 1, "{name}");
                assert_eq!(said(alone, &typed), said(Arguments::command(), &typed), "{typed:?}");
            }
        }
        for first in [None, Some("help"), Some("-v"), Some("verif"), Some("x.apk")] {
            assert_eq!(parser(first.map(OsStr::new)).get_subcommands().count(), names.len(), "{first:?}");
        }
    }
}
