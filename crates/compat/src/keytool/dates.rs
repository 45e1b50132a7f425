//! Dates as Java shows them.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use crate::keytool::fault::{self, Result};

/// `Thu Jan 01 00:00:00 UTC 2026`.
pub(crate) fn full(unix: i64, zone: &TimeZone) -> String {
    show(unix * 1000, zone, "%a %b %d %H:%M:%S %Z %Y")
}

/// `Nov 21, 2026`.
pub(crate) fn day(unix_ms: i64, zone: &TimeZone) -> String {
    show(unix_ms, zone, "%b %-d, %Y")
}

fn show(unix_ms: i64, zone: &TimeZone, format: &str) -> String {
    let Ok(moment) = Timestamp::from_millisecond(unix_ms) else {
        return unix_ms.to_string();
    };
    moment.to_zoned(zone.clone()).strftime(format).to_string()
}

/// The moment of `-startdate`, in seconds since 1970: `+1y-2d`, `2026/01/31`, `12:30:00`, or date and time.
///
/// # Errors
/// `IOException` for anything else.
pub(crate) fn start(text: Option<&str>, now_ms: i64, zone: &TimeZone) -> Result<i64> {
    let now = Timestamp::from_millisecond(now_ms)
        .map_err(|_| bad())?
        .to_zoned(zone.clone());
    let moment = match text {
        None => now,
        Some(text) if text.starts_with(['+', '-']) => shifted(now, text)?,
        Some(text) => fixed(&now, text)?,
    };
    Ok(moment.timestamp().as_millisecond().div_euclid(1000))
}

/// The end of a validity that begins at `start`.
///
/// # Errors
/// After the year 9999.
pub(crate) fn end(start: i64, days: i64) -> Result<i64> {
    let end = days
        .checked_mul(86_400)
        .and_then(|seconds| start.checked_add(seconds));
    let year = end
        .and_then(|end| Timestamp::from_second(end).ok())
        .map(|end| end.to_zoned(TimeZone::UTC).year());
    match (end, year) {
        (Some(end), Some(..=9999)) => Ok(end),
        _ => Err(fault::plain(
            "Validity period ends at calendar year 10000 which is greater than 9999",
        )),
    }
}

fn shifted(mut moment: Zoned, text: &str) -> Result<Zoned> {
    let mut rest = text;
    while !rest.is_empty() {
        let sign = match rest.as_bytes()[0] {
            b'+' => 1,
            b'-' => -1,
            _ => return Err(bad()),
        };
        let digits = rest[1..]
            .find(|character: char| !character.is_ascii_digit())
            .ok_or_else(bad)?
            + 1;
        let number: i32 = rest[1..digits].parse().map_err(|_| bad())?;
        let unit = rest[digits..].chars().next().ok_or_else(bad)?;
        let number = sign * i64::from(number);
        let span = Span::new();
        let span = match unit {
            'y' => span.try_years(number),
            'm' => span.try_months(number),
            'd' => span.try_days(number),
            'H' => span.try_hours(number),
            'M' => span.try_minutes(number),
            'S' => span.try_seconds(number),
            _ => return Err(bad()),
        };
        moment = span
            .and_then(|span| moment.checked_add(span))
            .map_err(|_| bad())?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    Ok(moment)
}

fn fixed(now: &Zoned, text: &str) -> Result<Zoned> {
    let (day, time) = match text.len() {
        19 if text.as_bytes()[10] == b' ' => (text.get(..10), text.get(11..)),
        10 => (Some(text), None),
        8 => (None, Some(text)),
        _ => return Err(bad()),
    };
    let day = match day {
        Some(day) => Date::strptime("%Y/%m/%d", day).map_err(|_| bad())?,
        None => now.date(),
    };
    let time = match time {
        Some(time) => Time::strptime("%H:%M:%S", time).map_err(|_| bad())?,
        None => now.time(),
    };
    day.to_datetime(time)
        .to_zoned(now.time_zone().clone())
        .map_err(|_| bad())
}

fn bad() -> fault::Stop {
    fault::io_fault("Illegal startdate value")
}
