//! A maintenance window as it is written: `Sat 22:00-04:00 Europe/Berlin`. When it is open is a matter of its time zone,
//! whose rules whoever has a clock brings along.

/// The shape of a window, for messages.
pub const SHAPE: &str = "DAYS HH:MM-HH:MM ZONE, such as `Sat 22:00-04:00 Europe/Berlin` (DAYS: `Sat`, `Sat,Sun`, `Mon-Fri` or \
                         `daily`; ZONE: a name of the IANA time zone database)";

/// One maintenance window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    text: String,
    /// Bit 0 is Monday.
    days: u8,
    from_minute: u16,
    until_minute: u16,
    zone: String,
}

/// Why a text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a maintenance window: {what}; expected {SHAPE}")]
pub struct WindowError {
    /// As written.
    pub text: String,
    /// What is wrong with it.
    pub what: String,
}

impl Window {
    /// Reads a window. A window whose end is not after its beginning ends on the next day; `24:00` is the end of the day.
    ///
    /// # Errors
    /// [`WindowError`] with the text and its part that cannot be read. Whether the zone exists is not looked at.
    pub fn parse(text: &str) -> Result<Window, WindowError> {
        let fail = |what: String| WindowError {
            text: text.to_owned(),
            what,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [days, times, zone] = words[..] else {
            return Err(fail(format!("it has {} words and not three", words.len())));
        };
        let (from, until) = times
            .split_once('-')
            .ok_or_else(|| fail(format!("`{times}` is not HH:MM-HH:MM")))?;
        let minute = |time: &str| minute(time).ok_or_else(|| fail(format!("`{time}` is not a time HH:MM")));
        let (from_minute, until_minute) = (minute(from)?, minute(until)?);
        if from_minute == DAY {
            return Err(fail(
                "a window cannot begin at 24:00: write 00:00 of the next day".to_owned(),
            ));
        }
        if from_minute == until_minute {
            return Err(fail(
                "it ends when it begins: a whole day is 00:00-24:00".to_owned(),
            ));
        }
        Ok(Window {
            text: words.join(" "),
            days: set(days).map_err(fail)?,
            from_minute,
            until_minute,
            zone: zone.to_owned(),
        })
    }

    /// As written, with single blanks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it begins on that day of the week, counted from Monday = 0.
    pub fn begins_on(&self, weekday: u8) -> bool {
        self.days & 1 << weekday.min(6) != 0
    }

    /// The local time at which it begins: hour and minute.
    pub fn from(&self) -> (u8, u8) {
        clock(self.from_minute)
    }

    /// How many days after its beginning it ends, and the local time of its end.
    pub fn until(&self) -> (u8, (u8, u8)) {
        let later = u8::from(self.until_minute <= self.from_minute || self.until_minute == DAY);
        (later, clock(self.until_minute % DAY))
    }

    /// The name of its time zone.
    pub fn zone(&self) -> &str {
        &self.zone
    }
}

fn clock(minute: u16) -> (u8, u8) {
    let part = |part: u16| u8::try_from(part).unwrap_or(u8::MAX);
    (part(minute / 60), part(minute % 60))
}

fn minute(time: &str) -> Option<u16> {
    let (hour, minute) = time.split_once(':')?;
    let two = |digits: &str| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hour) || !two(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let whole = hour * 60 + minute;
    (minute < 60 && whole <= DAY).then_some(whole)
}

/// `Sat`, `Sat,Sun`, `Fri-Mon`, `daily`, and mixtures with commas.
fn set(words: &str) -> Result<u8, String> {
    let mut days = 0;
    for part in words.split(',') {
        if part.eq_ignore_ascii_case("daily") {
            days |= 0x7f;
            continue;
        }
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut at = first;
        while at != last {
            days |= 1 << at;
            at = (at + 1) % 7;
        }
        days |= 1 << last;
    }
    Ok(days)
}

/// The first three letters of a day of the week, or all of them.
fn day(word: &str) -> Result<u8, String> {
    let found = DAYS
        .iter()
        .position(|day| word.eq_ignore_ascii_case(day) || word.eq_ignore_ascii_case(&day[..3]));
    let found = found.and_then(|at| u8::try_from(at).ok());
    found.ok_or_else(|| format!("`{word}` is not a day of the week"))
}

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const DAY: u16 = 24 * 60;

#[cfg(test)]
mod tests;
