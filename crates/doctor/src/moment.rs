//! Moments as tools print them, in seconds since 1970.

/// Reads a moment in any of the forms that the tools print; `None` where it is none.
///
/// keytool `Fri Nov 20 20:37:56 UTC 2026`, OpenSSL `Nov 20 20:37:56 2026 GMT`, GSKit `December 29, 2018 12:00:00 AM
/// GMT+01:00` and `29 December 2018 00:00:00 GMT+01:00`, RACF `2013/11/18 16:00:00`, ISO 8601. A zone that is a name
/// other than UTC and GMT counts as UTC: half a day is no matter here. Source: domain specification C.4, D.3, F.5.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim().replace(',', " ");
    let mut day = None;
    let mut month = None;
    let mut year = None;
    let mut seconds = 0;
    let mut offset = 0;
    let mut after_noon = None;
    for word in text
        .split(|c: char| c.is_whitespace())
        .filter(|word| !word.is_empty())
    {
        if let Some((date, time)) = iso(word) {
            (year, month, day) = (Some(date.0), Some(date.1), Some(date.2));
            seconds = time.unwrap_or(seconds);
        } else if word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()) {
            seconds = clock(word)?;
        } else if word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("pm") {
            after_noon = Some(word.eq_ignore_ascii_case("pm"));
        } else if let Some(number) = month_of(word) {
            month = Some(number);
        } else if let Ok(number) = word.parse::<i64>() {
            if number > 31 {
                year = Some(number)
            } else {
                day = Some(number)
            }
        } else if let Some(zone) = word.strip_prefix("GMT").or_else(|| word.strip_prefix("UTC")) {
            offset = zone_offset(zone).unwrap_or(0);
        }
    }
    if let Some(after_noon) = after_noon {
        let hours = seconds / 3600 % 12 + if after_noon { 12 } else { 0 };
        seconds = hours * 3600 + seconds % 3600;
    }
    let (year, month, day) = (year?, month?, day?);
    ((1..=31).contains(&day) && (1900..=9999).contains(&year))
        .then(|| days(year, month, day) * 86_400 + seconds - offset)
}

/// `2026-11-20` of a moment.
pub fn day_text(unix: i64) -> String {
    // Source: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    let z = unix.div_euclid(86_400) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn iso(word: &str) -> Option<((i64, i64, i64), Option<i64>)> {
    let (date, time) = word.split_once('T').unwrap_or((word, ""));
    let mut numbers = date.split(['-', '/']).map(str::parse::<i64>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return None;
    };
    (year > 31 && (1..=12).contains(&month)).then(|| ((year, month, day), clock(time)))
}

fn clock(word: &str) -> Option<i64> {
    let digits = word.split(['.', 'Z', '+']).next()?;
    let mut total = 0;
    let mut unit = 3600;
    for part in digits.split(':').take(3) {
        total += part
            .parse::<i64>()
            .ok()
            .filter(|number| (0..=60).contains(number))?
            * unit;
        unit /= 60;
    }
    Some(total)
}

fn zone_offset(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.chars().next()? {
        '+' => (1, &zone[1..]),
        '-' => (-1, &zone[1..]),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

fn month_of(word: &str) -> Option<i64> {
    let word = word.to_ascii_lowercase();
    let at = MONTHS
        .iter()
        .position(|month| word.starts_with(month) && word.len() <= 9)?;
    i64::try_from(at + 1).ok()
}

/// Days since 1970. Source: as [`day_text`], days_from_civil.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

#[cfg(test)]
mod tests;
