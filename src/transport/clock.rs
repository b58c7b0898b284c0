//! Time, behind a trait, so that tests of back-off take none.

use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What waits, and what tells the time.
pub trait Clock: Debug + Send + Sync {
    /// Time since some fixed moment; it never goes back.
    fn elapsed(&self) -> Duration;
    /// Time since 1970, for dates that a server names.
    fn since_epoch(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn since_epoch(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
