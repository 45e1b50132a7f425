//! Dates as Java shows them.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use crate::keytool::fault::{self, Result};
use crate::keytool::zone_names;

/// `Thu Jan 01 00:00:00 UTC 2026`.
pub(crate) fn full(unix: i64, zone: &TimeZone) -> String {
    let Ok(moment) = Timestamp::from_second(unix) else {
        return unix.to_string();
    };
    let moment = moment.to_zoned(zone.clone());
    let name = zone_names::short(&moment);
    format!(
        "{} {name} {}",
        moment.strftime("%a %b %d %H:%M:%S"),
        moment.strftime("%Y")
    )
}

/// `Nov 21, 2026`.
pub(crate) fn day(unix_ms: i64, zone: &TimeZone) -> String {
    let Ok(moment) = Timestamp::from_millisecond(unix_ms) else {
        return unix_ms.to_string();
    };
    moment.to_zoned(zone.clone()).strftime("%b %-d, %Y").to_string()
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

/// The end of a validity that begins at `start`; the error is the year that it would end in.
pub(crate) fn end(start: i64, days: i64) -> std::result::Result<i64, i64> {
    let end = days.saturating_mul(86_400).saturating_add(start);
    match year_of(end.div_euclid(86_400)) {
        year @ 10_000.. => Err(year),
        _ => Ok(end),
    }
}

/// The year of a day counted from 1970, which can lie past all calendars.
fn year_of(day: i64) -> i64 {
    // Eras of 400 years have 146,097 days; they begin on the first of March.
    let day = day + 719_468;
    let (era, rest) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
    let day_of_year = rest - (365 * year + year / 4 - year / 100);
    era * 400 + year + i64::from(day_of_year >= 306)
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

/// A date, a time, or both. Numbers past their ends go on counting: the 45th of January is in February.
fn fixed(now: &Zoned, text: &str) -> Result<Zoned> {
    let (day, time) = match text.len() {
        19 if text.as_bytes()[10] == b' ' => (text.get(..10), text.get(11..)),
        10 => (Some(text), None),
        8 => (None, Some(text)),
        _ => return Err(bad()),
    };
    let mut moment = now.datetime();
    if let Some(day) = day {
        let [year, month, date] = numbers(day, '/', [4, 2, 2])?;
        let first = Date::new(year as i16, 1, 1).map_err(|_| bad())?;
        let span = Span::new().months(month - 1).days(date - 1);
        moment = first
            .checked_add(span)
            .map_err(|_| bad())?
            .to_datetime(moment.time());
    }
    if let Some(time) = time {
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let span = Span::new().hours(hour).minutes(minute).seconds(second);
        let midnight = moment.date().to_datetime(Time::midnight());
        moment = midnight.checked_add(span).map_err(|_| bad())?;
    }
    moment.to_zoned(now.time_zone().clone()).map_err(|_| bad())
}

fn numbers(text: &str, separator: char, lengths: [usize; 3]) -> Result<[i64; 3]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let fits = parts.len() == 3
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !fits {
        return Err(bad());
    }
    let number = |at: usize| parts[at].parse().map_err(|_| bad());
    Ok([number(0)?, number(1)?, number(2)?])
}

fn bad() -> fault::Stop {
    fault::io_fault("Illegal startdate value")
}
