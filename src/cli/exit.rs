//! Exit codes, a contract with scripts.

use std::process::ExitCode;

/// What the exit code says; `docs/cli.md` lists them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(not(feature = "network"), expect(dead_code, reason = "the codes of what needs a network"))]
pub(super) enum Exit {
    /// All that was asked holds.
    Holds,
    /// A verdict other than `verified`, or a finding at or above `--fail-on`.
    Refused,
    /// Usage, configuration, a key that is no key, or nothing to look at.
    Usage,
    /// A named path that cannot be read or written.
    LocalIo,
    /// The network, worth a retry.
    Network,
    /// Upstream is inconsistent, worth a retry.
    Upstream,
    /// A state that is refused.
    State,
    /// Another run holds the lock.
    Locked,
    /// Changes are pending, as `mirror plan --exit-code` says.
    Pending,
    /// A signal ended the run.
    Signal(u8),
    /// The reader of our output went away: as if by SIGPIPE.
    BrokenPipe,
}

impl Exit {
    /// The number that the process returns.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::LocalIo => 3,
            Self::Network => 4,
            Self::Upstream => 5,
            Self::State => 6,
            Self::Locked => 7,
            Self::Pending => 8,
            Self::Signal(number) => 128_u8.saturating_add(number),
            Self::BrokenPipe => 141,
        }
    }

    /// The worse of two results, in the order 1, 6, 5, 4, 3, 8, 0.
    pub(super) fn worst(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Pending => 1,
            Self::LocalIo => 2,
            Self::Network => 3,
            Self::Upstream => 4,
            Self::State => 5,
            Self::Refused => 6,
            Self::BrokenPipe | Self::Signal(_) => 7,
            Self::Usage | Self::Locked => 8,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_outweighs_a_file_that_could_not_be_read() {
        assert_eq!(Exit::LocalIo.worst(Exit::Refused), Exit::Refused);
        assert_eq!(Exit::Refused.worst(Exit::LocalIo), Exit::Refused);
        assert_eq!(Exit::Holds.worst(Exit::LocalIo), Exit::LocalIo);
    }
}
