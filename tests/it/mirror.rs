/// One file for a mirror without a network, and what comes of it there.
mod bundle;
/// Whatever a server can do wrong, for whole runs.
mod faults;
/// What a run asks an index before it takes anything of it.
mod guards;
/// The guide for operators, as it stands.
mod guide;
/// Over HTTP, from servers that change and go wrong meanwhile.
mod http;
/// A system call that is refused, or at which the process dies.
mod kill;
/// The other commands, killed or refused something at their system calls.
mod kill_commands;
/// The log of what was published, and where each version came from.
mod log;
/// From a real server, and from a mirror that one serves.
mod nginx;
/// What an operator has around a run.
mod operation;
/// Packages, each with its own signature, its entry, and the keys of its repository.
mod packages;
/// The commands as a user runs them: words, JSON, exit codes.
mod program;
/// Real repositories, and a real `apk` as the client.
mod real;
/// Versions that upstream dropped, and that stay.
mod retain;
mod rig;
/// Going back to an older generation, and forward again.
mod rollback;
/// What ends a run from outside.
mod signals;
/// Generations, snapshots, locks and what differs between them, as a user sees them.
mod states;
/// What is published, and what stays for how long.
mod tree;
/// An upstream that moves for a long time.
mod years;
