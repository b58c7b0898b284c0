//! The time that abuild writes into the name of a key.

use jiff::civil::{Date, date};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

/// The day before which no key of this kind was made: the first commit of apk's key handling.
const FIRST: Date = date(2009, 7, 22);
/// A clock may be wrong by some years; what lies farther ahead is a number and no time.
const FUTURE_YEARS: i32 = 10;

/// When a key was made, according to its file name. For display: a name can lie.
///
/// Shape: `ANYTHING-HHHHHHHH.rsa.pub`, eight hexadecimal digits of Unix time, as abuild-keygen names keys.
///
/// # Examples
/// ```
/// use apkvet::keys::NameTime;
/// use jiff::civil::date;
/// let today = date(2026, 11, 24);
/// let name = "alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub";
/// assert_eq!(NameTime::of(name, today), NameTime::Made(date(2021, 10, 12)));
/// assert_eq!(NameTime::of("wolfi-signing.rsa.pub", today), NameTime::None);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameTime {
    /// No time in the name, or a number that can be none.
    None,
    /// The day that the name states.
    Made(Date),
    /// A day that has not come yet.
    Future(Date),
}

impl NameTime {
    /// Reads the time out of a file name, as seen on a day.
    pub fn of(name: &str, today: Date) -> Self {
        let Some(day) = stated(name) else { return Self::None };
        let tomorrow = today.checked_add(1.day()).unwrap_or(today);
        let horizon = today.checked_add(FUTURE_YEARS.years()).unwrap_or(today);
        if day < FIRST || day > horizon {
            Self::None
        } else if day > tomorrow {
            Self::Future(day)
        } else {
            Self::Made(day)
        }
    }

    /// The day, if there is one.
    pub const fn date(self) -> Option<Date> {
        match self {
            Self::None => None,
            Self::Made(day) | Self::Future(day) => Some(day),
        }
    }

    /// Whole years from the day to `today`; `None` without a day that has passed.
    pub fn years(self, today: Date) -> Option<u16> {
        let Self::Made(made) = self else { return None };
        let passed = (today.month(), today.day()) >= (made.month(), made.day());
        u16::try_from(today.year() - made.year() - i16::from(!passed)).ok()
    }
}

fn stated(name: &str) -> Option<Date> {
    let stem = name.split(".rsa").next().and_then(|stem| stem.split(".pub").next())?;
    let (_, digits) = stem.rsplit_once('-')?;
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.len() != 8 || !digits.bytes().all(hex) {
        return None;
    }
    let seconds = i64::from(u32::from_str_radix(digits, 16).ok()?);
    Timestamp::from_second(seconds).ok().map(|time| Offset::UTC.to_datetime(time).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = date(2026, 11, 24);

    #[test]
    fn zero_and_far_numbers_are_no_times() {
        for name in [
            "a@b-00000000.rsa.pub",
            "main@tainer.com-abcdef12.rsa.pub",
            "a-6165EE59.rsa.pub",
            "a-6165ee5.pub",
        ] {
            assert_eq!(NameTime::of(name, TODAY), NameTime::None, "{name}");
        }
    }

    #[test]
    fn a_day_that_has_not_come_is_future_and_tomorrow_is_not() {
        // 2026-11-25 and 2026-11-26, 00:00 UTC.
        assert_eq!(NameTime::of("a-6a142a80.pub", date(2026, 5, 24)), NameTime::Made(date(2026, 5, 25)));
        assert_eq!(NameTime::of("a-6a142a80.pub", date(2026, 5, 23)), NameTime::Future(date(2026, 5, 25)));
    }

    #[test]
    fn counts_whole_years() {
        let time = NameTime::of("-58cbb476.rsa.pub", TODAY);
        assert_eq!((time.date(), time.years(TODAY)), (Some(date(2017, 3, 17)), Some(9)));
        assert_eq!(time.years(date(2027, 3, 17)), Some(10));
        assert_eq!(time.years(date(2027, 3, 16)), Some(9));
    }
}
