//! How long to wait before the next try.

use std::time::Duration;

use jiff::fmt::rfc2822;

use super::settings::Retries;

/// Spreads the waits of many clients, so that they do not come back all at once.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The wait after so many tries in vain: doubled each time, and between a half of that and the whole.
    pub(super) fn wait(&mut self, retries: &Retries, tries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let whole = retries.first.saturating_mul(doubled).min(retries.longest);
        let half = whole / 2;
        let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_micros(self.next() % micros)
    }

    /// SplitMix64: no secret depends on it.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What a server asks for by `Retry-After`: seconds or a date; none if it makes no sense.
pub(super) fn asked(value: &str, since_epoch: Duration, cap: Duration) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has still mean a long time.
        return Some(value.parse().map_or(cap, Duration::from_secs).min(cap));
    }
    if value.len() > 64 {
        return None;
    }
    let then = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let then = Duration::from_secs(u64::try_from(then.as_second()).ok()?);
    Some(then.checked_sub(since_epoch)?.min(cap))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_secs(600);
    /// 2015-10-21 07:28:00 UTC
    const NOW: Duration = Duration::from_secs(1_445_412_480);

    #[test]
    fn a_server_can_ask_for_seconds_or_a_date_and_for_ten_minutes_at_most() {
        for (value, wait) in [
            ("2", Some(2)),
            ("0", Some(0)),
            ("1000000000", Some(600)),
            ("99999999999999999999999", Some(600)),
            ("Wed, 21 Oct 2015 07:29:30 GMT", Some(90)),
            ("Wed, 21 Oct 2099 07:28:00 GMT", Some(600)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(asked(value, NOW, CAP), wait.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_differ_from_client_to_client() {
        let retries = Retries { first: Duration::from_secs(1), longest: CAP, ..Retries::default() };
        let (mut one, mut other) = (Jitter::new(1), Jitter::new(2));
        for (tries, whole) in [(1, 1), (2, 2), (3, 4), (11, 600), (u32::MAX, 600)] {
            let whole = Duration::from_secs(whole);
            let (a, b) = (one.wait(&retries, tries), other.wait(&retries, tries));
            assert!(a >= whole / 2 && a <= whole && b >= whole / 2 && b <= whole);
            assert_ne!(a, b);
        }
    }
}
