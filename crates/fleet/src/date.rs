//! A calendar day: written bare in TOML, as text in JSON.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

/// `YYYY-MM-DD`, checked for shape and range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateDoc(String);

impl DateDoc {
    /// The day as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Midnight UTC at its beginning, in seconds since 1970. Source: proleptic Gregorian calendar (Howard Hinnant, days_from_civil).
    pub fn unix(&self) -> i64 {
        let number = |range: std::ops::Range<usize>| self.0[range].parse::<i64>().unwrap_or(0);
        let (year, month, day) = (number(0..4), number(5..7), number(8..10));
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let of_era = shifted - era * 400;
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        days * 86_400
    }

    fn parse(text: &str) -> Option<DateDoc> {
        let bytes = text.as_bytes();
        let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
        let shaped = bytes.len() >= 10
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && digits(0..4)
            && digits(5..7)
            && digits(8..10);
        let in_range = shaped
            && (1..=12).contains(&text[5..7].parse().unwrap_or(0))
            && (1..=31).contains(&text[8..10].parse().unwrap_or(0));
        in_range.then(|| DateDoc(text[..10].to_owned()))
    }
}

impl Serialize for DateDoc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DateDoc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DayVisitor)
    }
}

struct DayVisitor;

impl<'de> de::Visitor<'de> for DayVisitor {
    type Value = DateDoc;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day such as 2027-01-31")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DateDoc, E> {
        DateDoc::parse(text).ok_or_else(|| E::custom(format!("`{text}` is not a day such as 2027-01-31")))
    }

    /// TOML hands a bare date over as a map with one private key.
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<DateDoc, A::Error> {
        let entry: Option<(String, String)> = map.next_entry()?;
        let (_, text) = entry.ok_or_else(|| de::Error::custom("an empty date"))?;
        self.visit_str(&text)
    }
}
