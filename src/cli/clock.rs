//! The clock of this machine: the library has none.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::failure::Failure;
use crate::types::escape;

/// The day by the clock of this machine, in UTC.
pub(super) fn today() -> Date {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    Offset::UTC.to_datetime(Timestamp::from_second(seconds).unwrap_or_default()).date()
}

/// The time that files which are made now carry: `SOURCE_DATE_EPOCH` if it is set, else the clock.
///
/// Units: seconds since 1970.
pub(super) fn source_date() -> Result<u64, Failure> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty()) else {
        return Ok(now());
    };
    let seconds = value.to_str().and_then(|text| text.parse().ok());
    seconds.ok_or_else(|| {
        let found = escape(value.as_encoded_bytes());
        Failure::usage(anyhow!("SOURCE_DATE_EPOCH: expected seconds since 1970, found `{found}`"))
    })
}

/// The time by the clock of this machine. Units: seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
