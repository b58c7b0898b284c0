//! The arguments as typed.

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Verifies Alpine Linux packages (.apk, never Android's) and indexes, and audits the keys that sign them.
#[derive(Debug, Parser)]
#[command(name = "apkvet", version, max_term_width = 100, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
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
