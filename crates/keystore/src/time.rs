//! The two date types of certificates, as seconds since 1970.

use crate::der::{self, Element, tag};
use crate::reader::ReadError;

/// Reads a UTCTime or GeneralizedTime. Seconds may be absent, and an offset such as `+0200` may stand for `Z`, as old
/// certificates have it.
///
/// # Errors
/// `UnexpectedTag` for another type, `BadValue` for a date that does not exist.
///
/// Source: X.680 46 and 47; two-digit years from 50 on belong to the 20th century (RFC 5280 4.1.2.5.1).
pub(crate) fn read(element: Element<'_>, what: &'static str) -> Result<i64, ReadError> {
    let bad = ReadError::BadValue {
        what,
        offset: element.offset,
    };
    let text = std::str::from_utf8(element.content).map_err(|_| bad.clone())?;
    let seconds = match element.tag {
        tag::UTC_TIME => parse(text, 2),
        tag::GENERALIZED_TIME => parse(text, 4),
        _ => return element.expect(tag::UTC_TIME, what).map(|_| 0),
    };
    seconds.ok_or(bad)
}

/// GeneralizedTime in UTC, whole seconds. Years past 9999 are written as the last second of 9999.
pub(crate) fn write_generalized(unix: i64) -> Vec<u8> {
    let unix = unix.clamp(-62_167_219_200, 253_402_300_799);
    let (days, rest) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    let text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    der::write(tag::GENERALIZED_TIME, &[text.as_bytes()])
}

/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn parse(text: &str, year_digits: usize) -> Option<i64> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (digits, zone) = text.split_at(end);
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|character: char| character.is_ascii_digit()),
        None => zone,
    };
    let (year, rest) = digits.split_at_checked(year_digits)?;
    let mut year: i64 = year.parse().ok()?;
    if year_digits == 2 {
        year += if year < 50 { 2000 } else { 1900 };
    }
    if rest.len() != 8 && rest.len() != 10 {
        return None;
    }
    let pair = |at: usize| {
        rest.get(at..at + 2)
            .map_or(Some(0), |pair| pair.parse::<i64>().ok())
    };
    let (month, day, hour, minute, second) = (pair(0)?, pair(2)?, pair(4)?, pair(6)?, pair(8)?);
    let known = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !known {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?)
}

fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        b"Z" => return Some(0),
        [b'+', digits @ ..] if digits.len() == 4 => 1,
        [b'-', digits @ ..] if digits.len() == 4 => -1,
        _ => return None,
    };
    let hours: i64 = zone.get(1..3)?.parse().ok()?;
    let minutes: i64 = zone.get(3..5)?.parse().ok()?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests;
