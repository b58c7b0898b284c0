//! A clock that moves when somebody sleeps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apkvet::transport::Clock;

/// Begins at 2015-10-21 07:28:00 UTC.
#[derive(Debug, Default)]
pub(crate) struct VirtualClock(AtomicU64);

impl Clock for VirtualClock {
    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn since_epoch(&self) -> Duration {
        Duration::from_secs(1_445_412_480) + self.elapsed()
    }

    fn sleep(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }
}
