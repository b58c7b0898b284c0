//! Why a file did not arrive: where, what was expected, what to do. No secret is ever part of it.

use std::fmt;
use std::io;

use crate::types::escape;

/// Whose fault it is, which decides the exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// The network or the server, for now: worth a retry.
    Network,
    /// The upstream has not what it should have: worth a retry later.
    Upstream,
    /// This machine.
    Local,
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Each upstream failed, in its own way; in the order in which they were tried.
    #[error("{}", told(.0))]
    Failed(Vec<Failure>),
    /// What came could not be written.
    #[error("cannot write what was fetched")]
    Sink(#[source] io::Error),
    /// No upstream was named.
    #[error("expected at least one upstream")]
    NoUpstream,
    /// The run was ended from outside.
    #[error("interrupted")]
    Cancelled,
}

/// What one upstream said.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{location}: {problem}{}", tries(*.requests))]
pub struct Failure {
    /// Where the file was to be found, without credentials.
    pub location: String,
    /// The last thing that went wrong.
    pub problem: Problem,
    /// How many requests were sent there.
    pub requests: u32,
}

impl Failure {
    /// The same text without the place, where that is told already.
    pub fn told_without_place(&self) -> String {
        format!("{}{}", self.problem, tries(self.requests))
    }
}

/// What went wrong at one upstream.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A segment that is no plain name, or an upstream that nothing can be put below.
    #[error("`{}` is no name of a file", escape(.segment))]
    Name {
        /// The segment.
        segment: String,
    },
    /// No connection.
    #[error("cannot connect: {}", escape(.detail))]
    Connect {
        /// What the system says.
        detail: String,
    },
    /// No connection through the proxy.
    #[error("cannot connect through the proxy {proxy}: {}", escape(.detail))]
    Proxy {
        /// Its host, without credentials.
        proxy: String,
        /// What went wrong.
        detail: String,
    },
    /// The server could not prove who it is.
    #[error("the server is not trusted: {}", escape(.detail))]
    Tls {
        /// What is wrong with it.
        detail: String,
    },
    /// This machine knows no certificate authority.
    #[error("this system has no certificate authorities")]
    NoAuthorities,
    /// Nothing came for too long.
    #[error("{waited} took longer than {} s", .limit.as_secs_f32())]
    TimedOut {
        /// What was waited for.
        waited: Waited,
        /// The bound.
        limit: std::time::Duration,
    },
    /// Too little came for too long.
    #[error("fewer than {least} bytes a second for {} s", .window.as_secs_f32())]
    TooSlow {
        /// Bytes a second.
        least: u64,
        /// For how long.
        window: std::time::Duration,
    },
    /// The transfer ended early.
    #[error("the transfer broke off after {received} bytes: {}", escape(.detail))]
    Cut {
        /// How many bytes had come.
        received: u64,
        /// What was noticed.
        detail: String,
    },
    /// An answer that breaks the rules of HTTP.
    #[error("not an answer that HTTP allows: {}", escape(.detail))]
    Protocol {
        /// Which rule.
        detail: String,
    },
    /// An answer that is no file.
    #[error("the server answered {status}{}", reason(*.status))]
    Status {
        /// The number.
        status: u16,
    },
    /// The file is not there.
    #[error("not found")]
    NotFound,
    /// The file is longer than it may be.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// The file is not as long as it must be.
    #[error("expected {expected} bytes, found {found}")]
    Size {
        /// What is known.
        expected: u64,
        /// What the server has.
        found: u64,
    },
    /// A redirect that is not followed.
    #[error("a redirect that is not followed: {reason}")]
    Redirect {
        /// Why.
        reason: &'static str,
    },
    /// The folder is not there or cannot be read.
    #[error("cannot read the folder: {}", escape(.detail))]
    Folder {
        /// What the system says.
        detail: String,
    },
    /// What lies in the folder under this name is no regular file.
    #[error("expected a regular file, found {found}")]
    NotRegular {
        /// What it is.
        found: &'static str,
    },
    /// Reading a local file failed.
    #[error("cannot read the file: {}", escape(.detail))]
    Read {
        /// What the system says.
        detail: String,
    },
    /// The client could not be set up.
    #[error("cannot set up the connection: {}", escape(.detail))]
    Setup {
        /// What is wrong.
        detail: String,
    },
}

/// What was waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Waited {
    /// The first byte of the answer, connection included.
    FirstByte,
    /// The next byte.
    Idle,
    /// The whole file, retries included.
    Total,
}

impl fmt::Display for Waited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstByte => "the answer",
            Self::Idle => "the next byte",
            Self::Total => "the file, with all retries,",
        })
    }
}

impl Problem {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        match self {
            Self::NotFound
            | Self::TooLarge { .. }
            | Self::Size { .. }
            | Self::NotRegular { .. }
            | Self::Redirect { .. } => Class::Upstream,
            Self::Status { status }
                if *status >= 400 && *status < 500 && *status != 407 && *status != 429 =>
            {
                Class::Upstream
            }
            Self::Name { .. } | Self::Folder { .. } | Self::Read { .. } | Self::Setup { .. } => Class::Local,
            _ => Class::Network,
        }
    }

    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "name",
            Self::Connect { .. } => "connect",
            Self::Proxy { .. } => "proxy",
            Self::Tls { .. } => "tls",
            Self::NoAuthorities => "no-authorities",
            Self::TimedOut { .. } => "timed-out",
            Self::TooSlow { .. } => "too-slow",
            Self::Cut { .. } => "cut",
            Self::Protocol { .. } => "protocol",
            Self::Status { .. } => "status",
            Self::NotFound => "not-found",
            Self::TooLarge { .. } => "too-large",
            Self::Size { .. } => "size",
            Self::Redirect { .. } => "redirect",
            Self::Folder { .. } => "folder",
            Self::NotRegular { .. } => "not-regular",
            Self::Read { .. } => "read",
            Self::Setup { .. } => "setup",
        }
    }

    /// What to do about it, where there is something to do.
    pub const fn remedy(&self) -> Option<&'static str> {
        Some(match self {
            Self::Tls { .. } => {
                "a private certificate authority is named by ca-file; the clock of this machine must be right"
            }
            Self::NoAuthorities => "install ca-certificates, or name an authority by ca-file",
            Self::Status { status: 401 } => {
                "give credentials: an auth-file, the URL, or APKVET_AUTH in the environment"
            }
            Self::Status { status: 407 } => "the proxy asks for credentials: put them into its URL",
            Self::Proxy { .. } => "look at HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY",
            Self::NotFound => "upstream may have replaced it by a newer version: read its index again",
            Self::Size { .. } => "the index and the file are of different times: try again later",
            Self::TooLarge { .. } => "what is there is not what was asked for",
            Self::Folder { .. } => "is the medium mounted?",
            Self::NotRegular { .. } => "links that lead out of the folder are not followed",
            _ => return None,
        })
    }
}

impl FetchError {
    /// Whose fault it is: that of an upstream, where several differ.
    pub fn class(&self) -> Class {
        let Self::Failed(failures) = self else { return Class::Local };
        let has = |class| failures.iter().any(|failure| failure.problem.class() == class);
        match () {
            () if has(Class::Upstream) => Class::Upstream,
            () if has(Class::Network) => Class::Network,
            () => Class::Local,
        }
    }

    /// The stable name: that of the failure that decides the class.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed(_) => self.deciding().map_or("failed", Problem::code),
            Self::Sink(_) => "write",
            Self::NoUpstream => "no-upstream",
            Self::Cancelled => "interrupted",
        }
    }

    /// What to do about it, where there is something to do.
    pub fn remedy(&self) -> Option<&'static str> {
        self.deciding().and_then(Problem::remedy)
    }

    /// The last problem of the class of the whole.
    pub fn deciding(&self) -> Option<&Problem> {
        let Self::Failed(failures) = self else { return None };
        let class = self.class();
        failures.iter().rev().map(|failure| &failure.problem).find(|problem| problem.class() == class)
    }
}

fn told(failures: &[Failure]) -> String {
    let told: Vec<String> = failures.iter().map(Failure::to_string).collect();
    told.join("; then ")
}

fn tries(requests: u32) -> String {
    if requests > 1 { format!(" ({requests} requests)") } else { String::new() }
}

fn reason(status: u16) -> String {
    let known = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    known.map(|reason| format!(" {reason}")).unwrap_or_default()
}
