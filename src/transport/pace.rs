//! Whether a transfer is as good as stalled.

use std::time::Instant;

use super::error::Problem;
use super::settings::LeastRate;

/// Counts what came in the current window.
#[derive(Debug)]
pub(super) struct Pace {
    least: LeastRate,
    began: Instant,
    bytes: u64,
}

impl Pace {
    pub(super) fn new(least: LeastRate, now: Instant) -> Self {
        Self { least, began: now, bytes: 0 }
    }

    /// Takes note of what came, and judges the window when it is over.
    pub(super) fn came(&mut self, bytes: u64, now: Instant) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes);
        let past = now.saturating_duration_since(self.began);
        if past < self.least.window {
            return Ok(());
        }
        let LeastRate { bytes: least, window } = self.least;
        let wanted = past.as_millis().saturating_mul(u128::from(least)) / 1000;
        if u128::from(self.bytes) < wanted {
            return Err(Problem::TooSlow { least, window });
        }
        *self = Self::new(self.least, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_slow_minute_ends_the_transfer_and_a_slow_second_does_not() {
        let start = Instant::now();
        let least = LeastRate { bytes: 10, window: Duration::from_secs(60) };
        let mut pace = Pace::new(least, start);
        assert_eq!(pace.came(1, after(start, 59)), Ok(()));
        assert_eq!(pace.came(599, after(start, 60)), Ok(()));
        assert_eq!(pace.came(599, after(start, 119)), Ok(()));
        let slow = Err(Problem::TooSlow { least: 10, window: Duration::from_secs(60) });
        assert_eq!(pace.came(0, after(start, 120)), slow);
    }
}
